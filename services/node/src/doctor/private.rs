//! Files that hold secrets: whether others than their owner and group can read them.

use super::finding::{Finding, Verdict};
use crate::settings::Settings;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Whoever is neither the owner nor of the group.
const OTHERS: u32 = 0o007;

/// The settings file itself, where it is known, and what it names.
pub(super) fn check(file: Option<&Path>, settings: &Settings) -> Vec<Finding> {
    let tls = [&settings.cluster.tls, &settings.gateway.tls];
    let mut files: Vec<PathBuf> = file.map(Path::to_owned).into_iter().collect();
    files.extend(settings.gateway.keys_file.clone());
    files.extend(tls.into_iter().flatten().map(|files| files.key.clone()));
    files.extend(settings.postgres.client_key.clone());
    files.extend(settings.redis.client_key.clone());
    files.extend(settings.gateway.oidc.as_ref().and_then(|oidc| oidc.client_secret_file.clone()));
    files.sort();
    files.dedup();
    let open: Vec<Finding> = files
        .iter()
        .filter_map(|path| {
            // One that is not there is told by what reads it.
            let mode = std::fs::metadata(path).ok()?.permissions().mode();
            judge(path, mode)
        })
        .collect();
    match open.is_empty() {
        true => vec![Finding::ok("secret files", format!("{}, closed to others", files.len()))],
        false => open,
    }
}

fn judge(path: &Path, mode: u32) -> Option<Finding> {
    let is_open = mode & OTHERS != 0;
    is_open.then(|| {
        let path = path.display();
        let told = format!(
            "{path}: mode {:o} lets everybody of its machine in: chmod o= {path}",
            mode & 0o777
        );
        Finding::new("secret files", Verdict::Warn, told)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn what_everybody_can_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (config, keys) = (folder.path().join("f.toml"), folder.path().join("keys"));
        for file in [&config, &keys] {
            fs::write(file, "").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o640)).unwrap();
        }
        let mut settings = Settings::default();
        settings.gateway.keys_file = Some(keys.clone());
        let found = check(Some(&config), &settings);
        assert_eq!(found, [Finding::ok("secret files", "2, closed to others")]);
        fs::set_permissions(&keys, Permissions::from_mode(0o644)).unwrap();
        let found = check(Some(&config), &settings);
        assert_eq!((found.len(), found[0].verdict), (1, Verdict::Warn));
        assert!(found[0].detail.contains("mode 644"), "{found:?}");
    }
}
