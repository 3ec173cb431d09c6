//! Inputs that once broke something, or are worth keeping: `corpus/TARGET.txt`, one a
//! line, as text in which other bytes than printable ASCII are escaped as in Rust. Lines
//! that begin with `#` say why.

use std::path::PathBuf;

/// A line that is no input.
#[derive(Debug, PartialEq, Eq)]
pub struct NoText(String);

/// The inputs that are kept for a target; none when there is no file.
///
/// # Errors
/// A line of its file is malformed.
pub fn kept(target: &str) -> Result<Vec<Vec<u8>>, NoText> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let text = std::fs::read_to_string(folder.join(format!("{target}.txt"))).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| from_text(line).ok_or_else(|| NoText(format!("{target}: {line}")))).collect()
}

/// A line for an input.
pub fn to_text(input: &[u8]) -> String {
    let text = input.escape_ascii().to_string();
    match text.strip_prefix('#') {
        Some(rest) => format!("\\x23{rest}"),
        None => text,
    }
}

/// The input of a line.
pub fn from_text(line: &str) -> Option<Vec<u8>> {
    let (mut input, mut rest) = (Vec::new(), line.bytes());
    while let Some(byte) = rest.next() {
        input.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                quoted @ (b'\\' | b'\'' | b'"') => quoted,
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(input)
}
