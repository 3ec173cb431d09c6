//! How many files, and so connections, the process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard one. Service managers and container engines leave the
/// soft one at 1,024 for programs that use `select(2)`, as none here does; a gateway would
/// refuse clients there. The doctor tells of a hard limit that is too low.
pub(crate) fn as_many_as_allowed() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        // Logs are not set up yet, and where the limit stays is no reason to stop.
        eprintln!("frontdesk: the limit of open files stays as it is: {error}");
    }
}
