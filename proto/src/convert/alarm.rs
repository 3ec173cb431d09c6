//! Alarms, in both directions.

use super::{ConvertError, millis_to_proto, timestamp_from_proto, timestamp_to_proto};
use crate::{v1, wkt};
use frontdesk_core::conversation::{ActionName, AlarmKind, RaisedAlarm};
use frontdesk_core::time::Millis;

/// To the wire.
pub(super) fn kind_to_proto(kind: AlarmKind) -> v1::AlarmKind {
    match kind {
        AlarmKind::Late => v1::AlarmKind::Late,
        AlarmKind::LongWait => v1::AlarmKind::LongWait,
        AlarmKind::Unanswered => v1::AlarmKind::Unanswered,
        AlarmKind::Abandoned => v1::AlarmKind::Abandoned,
        AlarmKind::VisitorLost => v1::AlarmKind::VisitorLost,
    }
}

fn kind_from_proto(kind: v1::AlarmKind) -> Result<AlarmKind, ConvertError> {
    match kind {
        v1::AlarmKind::Late => Ok(AlarmKind::Late),
        v1::AlarmKind::LongWait => Ok(AlarmKind::LongWait),
        v1::AlarmKind::Unanswered => Ok(AlarmKind::Unanswered),
        v1::AlarmKind::Abandoned => Ok(AlarmKind::Abandoned),
        v1::AlarmKind::VisitorLost => Ok(AlarmKind::VisitorLost),
        v1::AlarmKind::Unspecified => Err(ConvertError::Field("alarm_raised.kind")),
    }
}

/// To the wire.
pub(super) fn to_proto(raised: &RaisedAlarm) -> v1::AlarmRaised {
    v1::AlarmRaised {
        kind: kind_to_proto(raised.kind).into(),
        actions: raised.actions.iter().map(|action| action.as_str().to_owned()).collect(),
        queue: raised.queue.to_string(),
        after: Some(millis_to_proto(raised.after)),
        since: Some(timestamp_to_proto(raised.since)),
    }
}

/// From the wire. Actions of a newer version are left out: what they did are events of
/// their own.
pub(super) fn from_proto(raised: v1::AlarmRaised) -> Result<RaisedAlarm, ConvertError> {
    let named = |name: &String| ActionName::ALL.into_iter().find(|a| a.as_str() == name);
    let since = raised.since.as_ref().and_then(timestamp_from_proto);
    Ok(RaisedAlarm {
        kind: kind_from_proto(raised.kind())?,
        queue: raised.queue.parse().map_err(|_| ConvertError::Field("alarm_raised.queue"))?,
        after: raised
            .after
            .as_ref()
            .and_then(millis_from_proto)
            .ok_or(ConvertError::Field("alarm_raised.after"))?,
        since: since.ok_or(ConvertError::Field("alarm_raised.since"))?,
        actions: raised.actions.iter().filter_map(named).collect(),
    })
}

fn millis_from_proto(duration: &wkt::Duration) -> Option<Millis> {
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u64::try_from(duration.nanos).ok()?;
    Some(Millis::new(seconds.checked_mul(1_000)?.checked_add(nanos / 1_000_000)?))
}

/// Every kind there is, for the test that they survive the wire.
#[cfg(test)]
pub(super) fn bodies() -> Vec<frontdesk_core::conversation::Body> {
    use frontdesk_core::conversation::{Body, ClosedReason, QueuedReason};
    use frontdesk_core::party::Participant;
    use frontdesk_core::time::Timestamp;
    let queue = || "sales".parse().unwrap();
    let alarm = |kind| {
        Body::AlarmRaised(RaisedAlarm {
            kind,
            queue: queue(),
            after: Millis::new(90_001),
            since: Timestamp::from_millis(1_763_877_600_123),
            actions: ActionName::ALL.to_vec(),
        })
    };
    use AlarmKind::{Abandoned, Late, LongWait, Unanswered, VisitorLost};
    let alarms = [Late, LongWait, Unanswered, Abandoned, VisitorLost].map(alarm);
    let agent = frontdesk_core::ids::AgentId::from_uuid(uuid::Uuid::from_u128(7));
    let others = [
        Body::PriorityChanged { minutes: -30 },
        Body::TransferReturned { to_agent: Participant::agent(agent, "Ana") },
        Body::Queued { queue: queue(), reason: QueuedReason::TransferReturned },
        Body::Queued { queue: queue(), reason: QueuedReason::Alarm },
        Body::Closed { reason: ClosedReason::VisitorLost },
    ];
    alarms.into_iter().chain(others).collect()
}
