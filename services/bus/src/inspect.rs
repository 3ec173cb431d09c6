//! What the bus of a process is at, for whoever operates it. Numbers and names of
//! gateways; never what is sent.

use serde::Serialize;

/// One way of the bus: to a gateway, or from the others to the gateway of this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusWay {
    /// `to` or `from`, seen from this process.
    pub way: &'static str,
    /// The gateway that listens.
    pub gateway: String,
    /// Whether what is sent arrives, as far as it is known here.
    pub live: bool,
    /// Batches that wait.
    pub waiting_batches: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// How long ago the last probe that came back had been sent; of subscriptions.
    pub probe_age_ms: Option<u64>,
    /// It has asked to be fed without the broker, and is.
    pub fed_directly: bool,
}

impl BusWay {
    pub(crate) fn to(
        gateway: &impl ToString,
        live: bool,
        (batches, bytes): (usize, usize),
    ) -> Self {
        let (waiting_batches, waiting_bytes) = (batches, bytes);
        let gateway = gateway.to_string();
        Self {
            way: "to",
            gateway,
            live,
            waiting_batches,
            waiting_bytes,
            probe_age_ms: None,
            fed_directly: false,
        }
    }

    pub(crate) fn from(gateway: &impl ToString, live: bool, waiting: (usize, usize)) -> Self {
        Self { way: "from", ..Self::to(gateway, live, waiting) }
    }
}
