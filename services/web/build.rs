//! Lets the crate compile before the pages are built, and again once they are.

use std::fs;
use std::path::Path;

fn main() {
    let dist = Path::new("dist");
    if let Err(error) = fs::create_dir_all(dist) {
        println!("cargo::error=cannot create {}: {error}", dist.display());
    }
    println!("cargo::rerun-if-changed=dist");
}
