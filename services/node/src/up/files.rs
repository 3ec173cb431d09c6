//! The cluster's folder: one settings file for all processes, secrets and logs.

use super::UpError;
use super::layout::{Kind, Layout};
use crate::keys;
use base64::Engine as _;
use frontdesk_cluster::tls::local_ca;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Folder of the certificates between processes; new at each start.
const CERTIFICATES: &str = "certificates";

/// Everything about the folder.
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) settings: PathBuf,
    /// Password of the engines, for this cluster alone.
    pub(super) password: String,
}

impl Files {
    /// Makes the folder, the secrets and the settings file.
    pub(super) fn prepare(folder: &Path, layout: &Layout) -> Result<Self, UpError> {
        fs::create_dir_all(folder.join("logs"))?;
        local_ca(&folder.join(CERTIFICATES)).map_err(|e| UpError::Settings(e.to_string()))?;
        let folder = fs::canonicalize(folder)?;
        let key = keys::load_or_make(&folder)?;
        // Of the same secret, and of no use as a key.
        let password = key.iter().rev().take(16).map(|b| format!("{b:02x}")).collect();
        let files = Self { settings: folder.join("cluster.toml"), folder, password };
        let secret = base64::engine::general_purpose::STANDARD.encode(&key);
        write_private(&files.settings, &files.settings_text(layout, &secret))?;
        Ok(files)
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// The URL of the database.
    pub(super) fn postgres_url(&self, layout: &Layout) -> String {
        format!("postgresql://frontdesk:{}@{}/postgres", self.password, layout.postgres)
    }

    fn settings_text(&self, layout: &Layout, secret: &str) -> String {
        let certificate = |name: &str| self.folder.join(CERTIFICATES).join(name);
        let mut text = format!(
            "# Made by `frontdesk cluster up`; the same for every process.\n\
             [postgres]\nurl = \"{}\"\n\n\
             [redis]\naddress = \"redis://{}\"\npassword = \"{}\"\n\n\
             [[gateway.keys]]\nkid = \"cluster\"\nalgorithm = \"hs256\"\nsecret = \"{secret}\"\n\n\
             [telemetry]\nadmin_token = \"{:032x}\"\n\n\
             [cluster]\n\
             [cluster.tls]\ncert = {:?}\nkey = {:?}\nca = {:?}\n\n",
            self.postgres_url(layout),
            layout.redis,
            self.password,
            rand::random::<u128>(),
            certificate("cert.pem"),
            certificate("key.pem"),
            certificate("ca.pem"),
        );
        for (voter, id) in layout.of_kind(Kind::Presence).zip(1..) {
            text += &format!(
                "[[cluster.voters]]\nid = {id}\nname = \"{}\"\naddress = \"{}\"\n",
                voter.name, voter.internal
            );
        }
        text
    }
}

/// Whole or not at all, for its owner's eyes.
pub(super) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("new");
    fs::write(&temporary, text)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
    fs::rename(&temporary, path)
}
