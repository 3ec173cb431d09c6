//! The pages of Frontdesk, embedded in the binary: the visitors' widget, the
//! agents' console, the supervisors' board and the demo shop, as `npm run build`
//! leaves them in `dist`.
//!
//! It only hands out bytes. Routes, caching headers and the content security
//! policy are the gateway's business.

use std::borrow::Cow;
use std::fmt::Write as _;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "dist"]
struct Dist;

/// One file of the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The file as it was built.
    pub bytes: Cow<'static, [u8]>,
    /// For `Content-Type`, with a charset where it is text.
    pub media_type: &'static str,
    /// A strong entity tag, quoted as `ETag` wants it; follows the bytes.
    pub etag: String,
    /// The name carries a hash of the contents, so that a browser may keep the
    /// file for ever. The others must be asked for again.
    pub immutable: bool,
}

/// Finds a file by its path below the root, without a leading slash: such as
/// `widget/loader.js` or `console/index.html`. An empty path or one that ends
/// with a slash means the `index.html` there. `None` when there is no such file.
pub fn page(path: &str) -> Option<Page> {
    let path: Cow<'_, str> = if path.is_empty() || path.ends_with('/') {
        format!("{path}index.html").into()
    } else {
        path.into()
    };
    let file = Dist::get(&path)?;
    Some(Page {
        etag: etag(&file.metadata.sha256_hash()),
        media_type: media_type(&path),
        immutable: is_hashed(&path),
        bytes: file.data,
    })
}

/// The paths of all files, in no particular order. Empty when the pages were not
/// built before the crate.
pub fn paths() -> impl Iterator<Item = Cow<'static, str>> {
    Dist::iter()
}

/// The first half of the SHA-256 is more than enough to tell two builds apart.
fn etag(sha256: &[u8; 32]) -> String {
    let (half, _) = sha256.split_at(16);
    let digits = half.iter().fold(String::with_capacity(32), |mut digits, byte| {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    format!("\"{digits}\"")
}

/// The build puts files with a hash in their names, and only those, in `assets`.
fn is_hashed(path: &str) -> bool {
    path.split('/').rev().nth(1) == Some("assets")
}

/// The kinds of files that the build makes.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_paths_are_no_pages() {
        for path in ["nothing", "../Cargo.toml", "/etc/passwd", "widget/../../Cargo.toml", "x/"] {
            assert_eq!(page(path), None, "{path}");
        }
    }

    #[test]
    fn every_file_is_found_with_a_known_media_type() {
        for path in paths() {
            let page = page(&path).expect("listed files are embedded");
            assert!(!page.bytes.is_empty(), "{path} is empty");
            assert_ne!(page.media_type, "application/octet-stream", "{path}");
        }
    }

    #[test]
    fn a_folder_means_its_index() {
        assert_eq!(page("console/"), page("console/index.html"));
        assert_eq!(page(""), page("index.html"));
    }

    #[test]
    fn etags_are_quoted_and_follow_the_bytes() {
        let mut hash = [0_u8; 32];
        let first = etag(&hash);
        assert_eq!(first, format!("\"{}\"", "00".repeat(16)));
        hash[0] = 0xab;
        assert_eq!(etag(&hash), format!("\"ab{}\"", "00".repeat(15)));
    }

    #[test]
    fn only_hashed_names_are_immutable() {
        assert!(is_hashed("console/assets/index-CFuxWluL.js"));
        assert!(!is_hashed("widget/loader.js"));
        assert!(!is_hashed("console/index.html"));
        assert!(!is_hashed("assets"));
        assert!(!is_hashed("assets/deeper/index.js"));
    }
}
