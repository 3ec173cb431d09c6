//! The labels: each a closed set of words. What would be unbounded (a site, a queue, a
//! person, an address) is never a label.

use super::Label;

const fn label(name: &'static str, values: &'static [&'static str]) -> Label {
    Label { name, values }
}

pub(super) const CARRIER: Label = label("carrier", &["ws_protobuf", "ws_json", "grpc"]);

pub(super) const LIMIT: Label = label(
    "limit",
    &[
        "sockets",
        "address_sockets",
        "handshakes",
        "address_handshakes",
        "arrivals",
        "connections",
        "address",
        "person",
        "site",
    ],
);

pub(super) const CLOSE_REASON: Label = label(
    "reason",
    &[
        "draining",
        "too_slow",
        "silent",
        "too_many_connections",
        "overloaded",
        "token_refused",
        "token_expired",
        "protocol",
        "too_large",
        "no_hello",
        "signed_out",
    ],
);

pub(super) const FORGOTTEN: Label = label("what", &["conversations", "files"]);

pub(super) const GATEWAY_SIGN_IN: Label = label("outcome", &["ok", "refused", "limited"]);
pub(super) const DESK_SIGN_IN: Label = label("outcome", &["ok", "refused", "shed"]);

pub(super) const COMMAND: Label =
    label("outcome", &["done", "sent", "duplicate", "rejected", "unavailable"]);
pub(super) const REJECT: Label =
    label("reason", &["not_found", "forbidden", "invalid", "state", "early"]);
pub(super) const LINK_REFUSAL: Label = label("reason", &["link_full", "no_owner"]);

pub(super) const APPEND: Label = label(
    "outcome",
    &["ok", "duplicate", "seq_conflict", "fenced", "unavailable", "unknown", "shed"],
);

pub(super) const FILE_OPERATION: Label = label("operation", &["put", "get", "delete"]);

pub(super) const BUS_MODE: Label = label("mode", &["local", "redis", "direct"]);
pub(super) const PUBLISHED: Label =
    label("outcome", &["accepted", "full", "no_subscriber", "away"]);
pub(super) const SIDE: Label = label("side", &["publisher", "subscriber"]);

pub(super) const PLACED: Label = label("placed", &["sessions", "queueing", "routing"]);
pub(super) const MOVED: Label = label("step", &["taken_over", "let_go", "handed_on", "failed"]);

pub(super) const GROUP_COMMAND: Label = label(
    "command",
    &[
        "expire",
        "join_node",
        "drain_node",
        "remove_node",
        "assign_shards",
        "move_shards",
        "release_shards",
        "connect",
        "disconnect",
        "set_status",
        "reserve",
        "confirm",
        "release",
    ],
);
pub(super) const GROUP_OUTCOME: Label = label("outcome", &["done", "refused", "failed"]);
pub(super) const STATUS: Label = label("status", &["online", "busy", "away", "offline"]);

pub(super) const WITHIN: Label = label("within", &["yes", "no"]);
pub(super) const UNSERVED: Label =
    label("reason", &["out_of_hours", "queue_full", "waited_too_long"]);
pub(super) const ANSWER: Label = label("answer", &["queue", "form", "callback"]);
pub(super) const ALARM: Label =
    label("kind", &["late", "long_wait", "unanswered", "abandoned", "visitor_lost"]);
pub(super) const OFFER: Label = label(
    "outcome",
    &["made", "accepted", "declined", "expired", "withdrawn", "no_room", "gone", "unknown"],
);

pub(super) const EXPORTED: Label = label("outcome", &["sent", "failed"]);
pub(super) const UNTRACED: Label =
    label("reason", &["queue_full", "too_many_failures", "too_many_incoming"]);

pub(super) const RELOAD: Label = label("outcome", &["done", "failed"]);
