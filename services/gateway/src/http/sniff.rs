//! What kind of file some bytes are, whatever they were claimed to be.

/// Binary kinds that may be uploaded.
const ALLOWED: [&str; 6] =
    ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "application/zip"];

/// What browsers and shells might run, at the beginning of a text or within it.
const ACTIVE: [&str; 8] =
    ["<script", "<html", "<!doctype", "<svg", "<?xml", "<iframe", "<body", "<?php"];

/// How much of a text is searched for markup.
const SEARCHED_BYTES: usize = 4 * 1024;

/// The media type to store, or `None` when the file is not allowed.
pub(super) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if let Some(kind) = infer::get(bytes) {
        return ALLOWED.into_iter().find(|a| *a == kind.mime_type());
    }
    let text = std::str::from_utf8(bytes).ok()?;
    is_plain(text).then_some("text/plain")
}

fn is_plain(text: &str) -> bool {
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    if text.is_empty() || text.contains(control) {
        return false;
    }
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r', '\u{c}']);
    let mut end = text.len().min(SEARCHED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text[..end].to_ascii_lowercase();
    !start.starts_with(['<'])
        && !start.starts_with("#!")
        && !ACTIVE.iter().any(|a| head.contains(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_content() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        for (bytes, expected) in [
            (&png[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"GIF89a\x01\0\x01\0", Some("image/gif")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"%PDF-1.7\n", Some("application/pdf")),
            (b"PK\x03\x04\x14\0\0\0\0\0", Some("application/zip")),
            ("grüße 你好\n".as_bytes(), Some("text/plain")),
            (b"MZ\x90\0", None),
            (b"\x7fELF\x02\x01\x01", None),
            (b"\xff\xfe\xfd", None),
            (b"nul \0 byte", None),
            (b"", None),
        ] {
            assert_eq!(media_type(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn markup_and_scripts_are_refused() {
        for text in [
            "<!DOCTYPE html><p>x",
            "  \n<HTML>",
            "\u{c}<b>x",
            "\u{feff}<svg onload=alert(1)>",
            "hello <ScRiPt>alert(1)</script>",
            "#!/bin/sh\nrm -rf /",
            "<?xml version='1.0'?>",
        ] {
            assert_eq!(media_type(text.as_bytes()), None, "{text}");
        }
    }
}
