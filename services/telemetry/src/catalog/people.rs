//! What people meet: connections, queues, offers, agents, sign-in.

use super::labels::{
    ALARM, ANSWER, CARRIER, CLOSE_REASON, DESK_SIGN_IN, FORGOTTEN, GATEWAY_SIGN_IN, LIMIT, OFFER,
    STATUS, UNSERVED, WITHIN,
};
use super::{Metric, counter, gauge, histogram};

#[rustfmt::skip] // A table: a line for what is measured, and a line for what it says.
pub(super) const METRICS: &[Metric] = &[
    gauge("frontdesk_gateway_connections", "Connections that are open.").by(&[CARRIER]),
    counter("frontdesk_gateway_received_batches_total", "Batches of requests from clients.").by(&[CARRIER]),
    counter("frontdesk_gateway_received_frames_total", "Requests from clients.").by(&[CARRIER]),
    counter("frontdesk_gateway_received_bytes_total", "Bytes of batches from clients.").by(&[CARRIER]),
    counter("frontdesk_gateway_sent_bytes_total", "Bytes written to clients.").by(&[CARRIER]),
    counter("frontdesk_gateway_delivered_frames_total", "Events and hints put into outboxes of connections."),
    counter("frontdesk_gateway_hints_shed_total", "Typing, read marks and positions left out because their reader was slow."),
    counter("frontdesk_gateway_rate_limited_total", "Requests refused for their rate."),
    counter("frontdesk_gateway_typing_dropped_total", "Typing hints dropped for their rate."),
    counter("frontdesk_gateway_refused_total", "Connections that were not let in, by the limit that was reached.").by(&[LIMIT]),
    counter("frontdesk_gateway_closes_total", "Connections that the gateway ended.").by(&[CLOSE_REASON]),
    counter("frontdesk_gateway_sign_ins_total", "Sign-ins asked for here.").by(&[GATEWAY_SIGN_IN]),
    counter("frontdesk_gateway_audit_failures_total", "Acts that could not be written into the audit log."),
    counter("frontdesk_gateway_retention_total", "What a site kept long enough and is forgotten.").by(&[FORGOTTEN]),
    histogram("frontdesk_gateway_outbox_depth", "Pieces that waited in an outbox at each ping."),
    gauge("frontdesk_gateway_outbox_limit", "Pieces that end a connection whose client does not read."),
    histogram("frontdesk_gateway_acknowledge_seconds", "From receipt of a message to its acknowledgement, which follows its commit; one in 16 is measured."),
    histogram("frontdesk_gateway_delivery_seconds", "From receipt of an event by its owner to a reader's outbox, between the clocks of two machines; one in 32 is measured."),

    gauge("frontdesk_queueing_waiting", "Conversations that wait for an agent."),
    gauge("frontdesk_queueing_offered", "Conversations that are offered to an agent."),
    histogram("frontdesk_queueing_wait_seconds", "How long those who were served had waited.").waiting(),
    histogram("frontdesk_queueing_estimate_error_seconds", "How far the estimate was from the wait.").waiting(),
    counter("frontdesk_queueing_estimates_total", "Waits that ended within the upper end of their estimate, and others.").by(&[WITHIN]),
    counter("frontdesk_queueing_unserved_total", "Conversations that got no place, or not for ever, and what they got instead.").by(&[UNSERVED, ANSWER]),
    counter("frontdesk_queueing_alarms_total", "Alarms told to conversations.").by(&[ALARM]),
    counter("frontdesk_queueing_transfers_returned_total", "Transfers that nobody took and that went back."),
    counter("frontdesk_queueing_pushes_total", "Positions told to visitors."),
    counter("frontdesk_queueing_observed_total", "News of conversations from their owners."),
    counter("frontdesk_queueing_shed_total", "News of conversations that found no room; the comparison finds them."),
    counter("frontdesk_queueing_reconcile_failures_total", "Comparisons with the owners that failed."),
    counter("frontdesk_queueing_lost_found_total", "Waiting conversations that only a comparison has found."),

    counter("frontdesk_routing_offers_total", "Offers, and how they went.").by(&[OFFER]),
    histogram("frontdesk_routing_match_seconds", "From the beginning of a wait to the assignment.").waiting(),
    counter("frontdesk_routing_taken_over_total", "Conversations that a supervisor took over."),
    histogram("frontdesk_routing_round_seconds", "How long a round of matching took."),
    counter("frontdesk_routing_decisions_total", "Rounds of matching."),
    histogram("frontdesk_routing_decision_requests", "Conversations that a round of matching looked at."),
    histogram("frontdesk_routing_decision_assignments", "Conversations that a round of matching placed."),
    counter("frontdesk_routing_half_done_total", "Half-done assignments that a comparison has found."),
    counter("frontdesk_routing_unfinished_total", "Steps put off for want of another role."),
    counter("frontdesk_routing_reconcile_failures_total", "Comparisons that failed."),
    counter("frontdesk_routing_notices_dropped_total", "Notices to agents that found no room; they are shown their work again."),
    gauge("frontdesk_routing_under_way", "Conversations between offer and assignment."),
    counter("frontdesk_routing_shed_total", "News of conversations that found no room; the comparison finds them."),

    gauge("frontdesk_presence_agents", "Agents by status, as the group has it.").by(&[STATUS]),
    gauge("frontdesk_presence_slots_taken", "Slots that are taken, of agents who are online."),
    gauge("frontdesk_presence_slots_online", "Slots of agents who are online."),
    gauge("frontdesk_presence_occupancy_ratio", "Slots taken of slots online; 0 while nobody is."),

    counter("frontdesk_desk_sign_ins_total", "Passwords that were looked at.").by(&[DESK_SIGN_IN]),
    histogram("frontdesk_desk_password_seconds", "How long a password took to hash."),
];
