//! A lean client of the public protocol over its three carriers, for load and
//! for tests: thousands of connections in one process, one task for each.
//!
//! [`Connection`] is the bare wire, [`Session`] heals itself on top of it, and
//! [`Visitor`] and [`Agent`] do what people do. It must never hide what the
//! server did wrong: every breach of the order of events is handed out.

mod address;
mod backoff;
mod close;
mod codec;
mod connection;
mod grpc;
mod order;
mod people;
mod session;
mod source;
mod tls;
mod tokens;
mod upload;
mod verbs;
mod websocket;

pub use address::{Address, AddressError, Dial};
pub use close::{Advice, Ended};
pub use codec::{Carrier, EncodeError};
pub use connection::{Connection, OpenError, Receiver, Sender};
pub use order::Breach;
pub use people::{Agent, Visitor};
pub use session::{AskError, Heard, Session, SessionError, SessionSettings, SubmitError};
pub use tls::TlsName;
pub use tokens::{TokenError, Tokens};
pub use upload::{UploadError, upload};
pub use verbs::Verb;

use frontdesk_proto::wkt;
use std::time::Duration;

/// A length of time from the wire; absent or negative ones are none.
fn to_duration(duration: Option<&wkt::Duration>) -> Duration {
    duration.map_or(Duration::ZERO, |d| {
        let nanos = u32::try_from(d.nanos).unwrap_or(0).min(999_999_999);
        Duration::new(u64::try_from(d.seconds).unwrap_or(0), nanos)
    })
}
