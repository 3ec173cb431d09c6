//! Finds the programs under test.

use std::env;
use std::path::PathBuf;

/// The `frontdesk` program: what `FRONTDESK_TEST_BINARY` names, or the one in the
/// target folder that this test was built into. Panics when there is none.
pub fn frontdesk() -> PathBuf {
    find("frontdesk", "FRONTDESK_TEST_BINARY", "frontdesk-node")
}

/// The `frontdesk` program of the commit before this one, which
/// `tests/previous.sh` builds; or what `FRONTDESK_PREVIOUS_BINARY` names.
pub fn previous() -> PathBuf {
    let path = env::var_os("FRONTDESK_PREVIOUS_BINARY");
    let path = path.map_or_else(|| beside_this_test("frontdesk-previous"), PathBuf::from);
    assert!(path.is_file(), "no program at {}: run tests/previous.sh", path.display());
    path
}

/// The `frontdesk-loadtest` program; the same with `LOADTEST_TEST_BINARY`.
pub fn loadtest() -> PathBuf {
    find("frontdesk-loadtest", "LOADTEST_TEST_BINARY", "frontdesk-loadtest")
}

fn find(name: &str, variable: &str, package: &str) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| beside_this_test(name), PathBuf::from);
    assert!(
        path.is_file(),
        "no program at {}: run `cargo build -p {package}`, or set {variable}",
        path.display()
    );
    path
}

/// Test executables lie in `deps` below the folder of the programs.
fn beside_this_test(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the system knows the running program");
    let profile = test.parent().and_then(|deps| deps.parent());
    profile.expect("cargo puts tests into target/PROFILE/deps").join(name)
}
