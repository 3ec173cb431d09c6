//! What this process tells of itself when the doctor asks: version, clock, room.

use super::Role;
use crate::ctl::now;
use crate::settings::Settings;
use frontdesk_cluster::About;
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::path::Path;

/// As it is now.
pub(super) fn about(role: Role, settings: &Settings) -> About {
    About {
        name: settings.cluster.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: now(),
        health: settings.cluster.health_listen.map(|address| address.to_string()),
        // The entry of the open directory itself is not ours to count.
        open_files: fs::read_dir("/proc/self/fd").ok().map(|open| open.count() as u64 - 1),
        max_files: getrlimit(Resource::Nofile).current,
        max_connections: (role == Role::Gateway).then_some(settings.gateway.max_connections as u64),
        data_free_bytes: (role == Role::Presence).then(|| free_bytes(&settings.data)).flatten(),
    }
}

/// What whoever is not root may still write there.
fn free_bytes(folder: &Path) -> Option<u64> {
    let of = rustix::fs::statvfs(folder).ok()?;
    of.f_bavail.checked_mul(of.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tells_what_it_has() {
        let settings = Settings { data: "/".into(), ..Settings::default() };
        let voter = about(Role::Presence, &settings);
        assert!(voter.open_files > Some(2) && voter.max_files > voter.open_files, "{voter:?}");
        assert!(voter.data_free_bytes.is_some() && voter.max_connections.is_none(), "{voter:?}");
        let gateway = about(Role::Gateway, &settings);
        assert_eq!((gateway.max_connections, gateway.data_free_bytes), (Some(100_000), None));
    }
}
