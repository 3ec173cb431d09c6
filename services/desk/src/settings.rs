//! What can be set about the role.

use frontdesk_core::time::Millis;
use serde::{Deserialize, Serialize};

/// Settings of the role. Every field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskSettings {
    /// Passwords hashed at the same time, at least 1. Each takes a core for some
    /// 20 ms and `password_cost.memory_kib` of memory.
    pub sign_ins_at_once: usize,
    /// Sign-ins that may wait for their turn; more are told to retry. With 2 at
    /// once and 20 ms each, 64 wait 0.64 s at most.
    pub sign_ins_waiting: usize,
    /// How long a site or account that was read may be used again, in
    /// milliseconds: how late a change made by another process is seen.
    pub cache_for: Millis,
    /// What a password costs to guess.
    pub password_cost: PasswordCost,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self {
            sign_ins_at_once: 2,
            sign_ins_waiting: 64,
            cache_for: Millis::from_secs(5),
            password_cost: PasswordCost::default(),
        }
    }
}

/// Cost of argon2id for new passwords; stored ones keep theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordCost {
    /// Memory in KiB, at least 8.
    pub memory_kib: u32,
    /// Passes over it, at least 1.
    pub passes: u32,
}

impl Default for PasswordCost {
    /// What OWASP recommends at least: 19 MiB, two passes.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}
