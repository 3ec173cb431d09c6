//! The gateway's metrics. Handles are made once; labels are closed sets.

use crate::limits::Limit;
use crate::outbox::HARD_PIECES;
use frontdesk_proto::status::CloseCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// What carries a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CarrierKind {
    WebSocketProtobuf,
    WebSocketJson,
    Grpc,
}

impl CarrierKind {
    pub(crate) const ALL: [Self; 3] = [Self::WebSocketProtobuf, Self::WebSocketJson, Self::Grpc];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::WebSocketProtobuf => "ws_protobuf",
            Self::WebSocketJson => "ws_json",
            Self::Grpc => "grpc",
        }
    }
}

/// Handles of one carrier.
pub(crate) struct CarrierMetrics {
    /// Open now.
    pub(crate) connections: Gauge,
    /// Batches from clients.
    pub(crate) batches_in: Counter,
    /// Their bytes.
    pub(crate) bytes_in: Counter,
    /// Requests from clients.
    pub(crate) frames_in: Counter,
    /// Bytes to clients.
    pub(crate) bytes_out: Counter,
}

/// Handles of everything that is counted in the hot path.
pub(crate) struct Metrics {
    carriers: [CarrierMetrics; 3],
    /// Events and hints put into outboxes.
    pub(crate) delivered: Counter,
    /// Hints dropped because a reader was slow.
    pub(crate) shed: Counter,
    /// Requests refused because of their rate.
    pub(crate) rate_limited: Counter,
    /// Typing frames dropped because of their rate.
    pub(crate) typing_dropped: Counter,
    /// Pages of history read for readers who were behind.
    pub(crate) fills: Counter,
    /// Times the bus said that it had lost deliveries.
    pub(crate) bus_lags: Counter,
    /// Readers that a head beacon has shown to have missed something.
    pub(crate) healed: Counter,
    /// Deliveries that could not be read.
    pub(crate) unreadable: Counter,
    /// Pieces that waited in an outbox at each ping.
    pub(crate) outbox_depth: Histogram,
    /// From receipt of a message to its acknowledgement.
    pub(crate) acknowledge: Histogram,
    /// From receipt of an event by its owner to a reader's outbox.
    pub(crate) delivery: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        gauge!("frontdesk_gateway_outbox_limit").set(HARD_PIECES as f64);
        Self {
            carriers: CarrierKind::ALL.map(|kind| {
                let carrier = kind.as_str();
                CarrierMetrics {
                    connections: gauge!("frontdesk_gateway_connections", "carrier" => carrier),
                    batches_in: counter!("frontdesk_gateway_received_batches_total", "carrier" => carrier),
                    bytes_in: counter!("frontdesk_gateway_received_bytes_total", "carrier" => carrier),
                    frames_in: counter!("frontdesk_gateway_received_frames_total", "carrier" => carrier),
                    bytes_out: counter!("frontdesk_gateway_sent_bytes_total", "carrier" => carrier),
                }
            }),
            delivered: counter!("frontdesk_gateway_delivered_frames_total"),
            shed: counter!("frontdesk_gateway_hints_shed_total"),
            rate_limited: counter!("frontdesk_gateway_rate_limited_total"),
            typing_dropped: counter!("frontdesk_gateway_typing_dropped_total"),
            fills: counter!("frontdesk_gateway_history_pages_total"),
            bus_lags: counter!("frontdesk_gateway_bus_lags_total"),
            healed: counter!("frontdesk_gateway_gaps_healed_total"),
            unreadable: counter!("frontdesk_gateway_unreadable_deliveries_total"),
            outbox_depth: histogram!("frontdesk_gateway_outbox_depth"),
            acknowledge: histogram!("frontdesk_gateway_acknowledge_seconds"),
            delivery: histogram!("frontdesk_gateway_delivery_seconds"),
        }
    }

    pub(crate) fn carrier(&self, kind: CarrierKind) -> &CarrierMetrics {
        &self.carriers[kind as usize]
    }

    /// Somebody was not let in.
    pub(crate) fn refused(&self, limit: Limit) {
        counter!("frontdesk_gateway_refused_total", "limit" => limit.as_str()).increment(1);
    }

    /// A connection was ended by the gateway.
    pub(crate) fn closed(&self, code: CloseCode) {
        counter!("frontdesk_gateway_closes_total", "reason" => code.as_str()).increment(1);
    }
}
