//! A backup's manifest, for whoever feeds it with damage. See
//! `crate::sqlite::fuzzing`.

use super::check::parse_manifest;
use super::manifest::{FILE, FORMAT};

/// The text of a manifest: one that is taken is written and read again as the same.
pub fn manifest(bytes: &[u8]) -> bool {
    let Ok(manifest) = parse_manifest(FILE.into(), bytes) else { return false };
    assert!(manifest.format <= FORMAT, "a newer one");
    let again = serde_json::to_vec(&manifest).expect("what was read is written");
    assert_eq!(parse_manifest(FILE.into(), &again).ok(), Some(manifest));
    true
}
