//! Bounds of the presence state, each with its arithmetic.

use crate::time::Millis;

/// How long an agent without a connection keeps its status.
pub const GRACE: Millis = Millis::from_secs(30);

/// Fewest slots of an agent.
pub const MIN_CAPACITY: u32 = 1;
/// Most slots of an agent; also the most reservations, as each weighs at least 1.
pub const MAX_CAPACITY: u32 = 100;

/// Longest that unconfirmed room is held; a longer wish is cut to this.
pub const MAX_RESERVATION: Millis = Millis::from_mins(10);
/// Longest wrap-up; a longer wish is cut to this.
pub const MAX_WRAP_UP: Millis = Millis::from_mins(60);

/// Bytes of the reason an agent gives for its status.
pub const MAX_REASON_BYTES: usize = 200;
/// Characters of an agent's name.
pub const MAX_NAME_CHARS: usize = 80;
/// Queues one agent may name.
pub const MAX_QUEUES: usize = 256;
/// Languages one agent may speak.
pub const MAX_LANGUAGES: usize = 32;

/// Agents remembered: 100,000 × about 600 bytes = 60 MB.
pub const MAX_AGENTS: usize = 100_000;
/// Connections of one agent: browsers, devices, and those a lost gateway has
/// not yet reported closed.
pub const MAX_CONNECTIONS: usize = 64;
/// Nodes of a cluster, of all roles.
pub const MAX_NODES: usize = 1_024;
/// Bytes of a node's address: a host name has 253 at most.
pub const MAX_ADDRESS_BYTES: usize = 260;

/// How long the owner of a shard has to finish before it is handed on all the
/// same; the journal's epochs make that safe.
pub const HAND_OFF: Millis = Millis::from_secs(10);
/// Shards of a role on the move at once: a tenth, so that nine in ten
/// conversations notice nothing of a rebalance.
pub const MAX_MOVING: usize = crate::shard::SHARDS as usize / 10;

/// Expired reservations remembered per agent, so that a late confirmation knows
/// their weight: as many as can be on offer to one agent in practice.
pub const MAX_LAPSED: usize = 16;

/// Requests remembered: a caller gives up after 3 s, and 10,000 requests/s (twice
/// the target of reservations) × 3 s = 30,000. At about 64 bytes each: 2 MiB.
pub const MAX_REQUESTS: usize = 32_768;
