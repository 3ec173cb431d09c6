//! Finds the binary under test.

use std::env;
use std::path::PathBuf;

/// Names another binary than the one beside the tests.
const VARIABLE: &str = "FRONTDESK_TEST_BINARY";

/// The `frontdesk` binary: what `FRONTDESK_TEST_BINARY` names, or the one in the
/// target folder that this test was built into. Panics when there is none.
pub fn frontdesk() -> PathBuf {
    let path = env::var_os(VARIABLE).map_or_else(beside_this_test, PathBuf::from);
    assert!(
        path.is_file(),
        "no binary at {}: run `cargo build -p frontdesk-node`, or set {VARIABLE}",
        path.display()
    );
    path
}

/// Test executables lie in `deps` below the folder of the binaries.
fn beside_this_test() -> PathBuf {
    let test = env::current_exe().expect("the system knows the running program");
    let profile = test.parent().and_then(|deps| deps.parent());
    profile.expect("cargo puts tests into target/PROFILE/deps").join("frontdesk")
}
