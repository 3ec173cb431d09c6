//! Whoever runs a command, as this machine says and the audit log names them: there is no
//! account behind it.

use crate::ctl::now;
use frontdesk_core::audit::{Author, MAX_ORIGIN_BYTES};
use frontdesk_core::ids::AgentId;
use frontdesk_core::party::Role;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use uuid::Uuid;

/// What the log calls whoever does it.
const NAME: &str = "operator";

/// Whoever runs this command, now.
pub(crate) fn operator() -> Author {
    let uid = fs::metadata("/proc/self").map_or_else(|_| "?".to_owned(), |of| of.uid().to_string());
    let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    let user = name.map_or_else(|_| format!("uid {uid}"), |name| format!("{name} (uid {uid})"));
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let origin = format!("{user} at {}", host.trim());
    Author {
        at: now(),
        id: AgentId::from_uuid(Uuid::nil()),
        name: Arc::from(NAME),
        role: Role::Supervisor,
        origin: Arc::from(cut(&origin, MAX_ORIGIN_BYTES)),
    }
}

/// At most so many bytes of a text.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
