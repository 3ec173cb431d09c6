//! Between the wire types and those of `core`, in both directions.
//!
//! To the wire nothing can fail; from the wire everything is checked, because
//! journals outlive programs.

mod alarm;
mod desk;
mod direct;
mod erased;
mod event;
mod failure;
mod fields;
mod recorded;
mod staff;
mod trace;
mod unserved;
mod view;

pub use desk::{applied_to_proto, explanation_to_proto};
pub use direct::{EventDelivery, Rights, Sent, put_delivery, put_event, put_sent};
pub use erased::consent_text_to_proto;
pub use event::{decode_event, encode_event, event_from_proto, event_to_proto};
pub use failure::{error_from_failure, error_from_status, error_to_failure, error_to_status};
pub use recorded::{account_from_proto, account_to_proto, record_from_proto, record_to_proto};
pub use staff::{invitation_push, mention_push, skills_from_proto};
pub use trace::{trace_from_proto, trace_to_proto};
pub use view::{
    agent_status_from_proto, agent_status_to_proto, agent_view_to_proto, offer_push, phase_of,
    queue_view_to_proto, summary_to_state,
};

use crate::{v1, wkt};
use frontdesk_core::party::{Participant, Party};
use frontdesk_core::time::{Millis, Timestamp};
use std::time::Duration;
use uuid::Uuid;

/// Why bytes or a message could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Not Protobuf of this type.
    #[error("not a valid message: {0}")]
    Decode(#[from] prost::DecodeError),
    /// A field is absent or breaks its documented form.
    #[error("{0} is absent or malformed")]
    Field(&'static str),
}

/// To the wire.
pub fn timestamp_to_proto(t: Timestamp) -> wkt::Timestamp {
    let millis = t.as_millis();
    wkt::Timestamp {
        seconds: i64::try_from(millis / 1_000).unwrap_or(i64::MAX),
        nanos: (millis % 1_000) as i32 * 1_000_000,
    }
}

/// From the wire; `None` before 1970.
pub fn timestamp_from_proto(t: &wkt::Timestamp) -> Option<Timestamp> {
    let seconds = u64::try_from(t.seconds).ok()?;
    let nanos = u64::try_from(t.nanos).ok()?;
    Some(Timestamp::from_millis(seconds.checked_mul(1_000)?.checked_add(nanos / 1_000_000)?))
}

/// To the wire.
pub fn duration_to_proto(d: Duration) -> wkt::Duration {
    wkt::Duration {
        seconds: i64::try_from(d.as_secs()).unwrap_or(i64::MAX),
        nanos: d.subsec_nanos() as i32,
    }
}

/// To the wire.
pub fn millis_to_proto(m: Millis) -> wkt::Duration {
    duration_to_proto(m.to_duration())
}

fn party_to_proto(party: Party) -> v1::Party {
    match party {
        Party::Visitor => v1::Party::Visitor,
        Party::Agent => v1::Party::Agent,
        Party::Supervisor => v1::Party::Supervisor,
        Party::System => v1::Party::System,
    }
}

/// To the wire; the system has an empty id.
pub fn participant_to_proto(p: &Participant) -> v1::Participant {
    let party = party_to_proto(p.party);
    let id = if p.id.is_nil() { String::new() } else { p.id.to_string() };
    v1::Participant { party: party.into(), id, name: p.name.to_string() }
}

/// From the wire.
pub fn participant_from_proto(p: v1::Participant) -> Result<Participant, ConvertError> {
    let party = match p.party() {
        v1::Party::Visitor => Party::Visitor,
        v1::Party::Agent => Party::Agent,
        v1::Party::Supervisor => Party::Supervisor,
        v1::Party::System => Party::System,
        v1::Party::Unspecified => return Err(ConvertError::Field("participant.party")),
    };
    let id = match (party, p.id.as_str()) {
        (Party::System, "") => Uuid::nil(),
        (_, id) => Uuid::try_parse(id).map_err(|_| ConvertError::Field("participant.id"))?,
    };
    Ok(Participant { party, id, name: p.name.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_survive_the_wire() {
        for millis in [0, 1, 999, 1_000, 1_763_877_600_123] {
            let t = Timestamp::from_millis(millis);
            assert_eq!(timestamp_from_proto(&timestamp_to_proto(t)), Some(t));
        }
        let before = wkt::Timestamp { seconds: -1, nanos: 0 };
        assert_eq!(timestamp_from_proto(&before), None);
    }
}
