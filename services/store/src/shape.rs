//! What every engine stores alike: the shape of an append, and the codes of columns
//! that are part of the stored format.

use crate::journal::{Append, DedupKey, MAX_PAYLOAD_BYTES};
use frontdesk_core::conversation::Phase;
use frontdesk_core::party::Role;

/// Longest `client_msg_id`: its length takes one byte where records are packed.
pub(crate) const MAX_KEY_BYTES: usize = u8::MAX as usize;

/// A conversation waits.
pub(crate) const PHASE_WAITING: u8 = 0;
/// An agent has been asked.
pub(crate) const PHASE_OFFERED: u8 = 1;
/// An agent has it.
pub(crate) const PHASE_ASSIGNED: u8 = 2;
/// Ended.
pub(crate) const PHASE_CLOSED: u8 = 3;

/// A phase as its column has it.
pub(crate) fn phase_code(phase: &Phase) -> u8 {
    match phase {
        Phase::Waiting => PHASE_WAITING,
        Phase::Offered(_) => PHASE_OFFERED,
        Phase::Assigned { .. } => PHASE_ASSIGNED,
        Phase::Closed { .. } => PHASE_CLOSED,
    }
}

/// A role as a column has it, whose constraint allows these alone.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Supervisor => "supervisor",
        Role::Agent => "agent",
        // Refused by the constraint: a visitor has no account.
        Role::Visitor => "visitor",
    }
}

/// From such a column.
pub(crate) fn role_of(name: &str) -> Role {
    if name == role_name(Role::Supervisor) { Role::Supervisor } else { Role::Agent }
}

/// Checks what the contract demands of an append's shape.
pub(crate) fn check(append: &Append) -> Result<(), String> {
    let malformed = |what: &str| {
        Err(format!(
            "malformed append to {} after {}: {what}",
            append.conversation, append.expected_head
        ))
    };
    if append.records.is_empty() {
        return malformed("no records");
    }
    let mut head = append.expected_head;
    for record in &append.records {
        if head.get() == u32::MAX || record.seq != head.next() {
            return malformed("seqs with a gap");
        }
        if record.payload.len() > MAX_PAYLOAD_BYTES {
            return malformed("a payload over the limit");
        }
        if record.dedup.as_ref().is_some_and(|key| key.client_msg_id.len() > MAX_KEY_BYTES) {
            return malformed("a client_msg_id over the limit");
        }
        head = record.seq;
    }
    if repeats_a_key(append) {
        return malformed("the same client_msg_id twice");
    }
    Ok(())
}

fn repeats_a_key(append: &Append) -> bool {
    let keys: Vec<&DedupKey> = append.records.iter().filter_map(|r| r.dedup.as_ref()).collect();
    let repeated = |(n, key): (usize, &&DedupKey)| keys[..n].contains(key);
    keys.iter().enumerate().any(repeated)
}
