//! Why a queue did not serve a conversation, in each of the three places that say it.

use super::ConvertError;
use crate::v1;
use frontdesk_core::conversation::Unserved;

pub(super) fn to_proto(why: Unserved) -> v1::UnservedReason {
    match why {
        Unserved::OutOfHours => v1::UnservedReason::OutOfHours,
        Unserved::QueueFull => v1::UnservedReason::QueueFull,
        Unserved::WaitedTooLong => v1::UnservedReason::WaitedTooLong,
    }
}

pub(super) fn from_proto(reason: v1::UnservedReason) -> Result<Unserved, ConvertError> {
    match reason {
        v1::UnservedReason::OutOfHours => Ok(Unserved::OutOfHours),
        v1::UnservedReason::QueueFull => Ok(Unserved::QueueFull),
        v1::UnservedReason::WaitedTooLong => Ok(Unserved::WaitedTooLong),
        v1::UnservedReason::Unspecified => Err(ConvertError::Field("contact_asked.reason")),
    }
}

pub(super) fn queued_to_proto(why: Unserved) -> v1::QueuedReason {
    match why {
        Unserved::OutOfHours => v1::QueuedReason::OutOfHours,
        Unserved::QueueFull => v1::QueuedReason::QueueFull,
        Unserved::WaitedTooLong => v1::QueuedReason::WaitedTooLong,
    }
}

pub(super) fn from_queued(reason: v1::QueuedReason) -> Result<Unserved, ConvertError> {
    match reason {
        v1::QueuedReason::OutOfHours => Ok(Unserved::OutOfHours),
        v1::QueuedReason::QueueFull => Ok(Unserved::QueueFull),
        v1::QueuedReason::WaitedTooLong => Ok(Unserved::WaitedTooLong),
        _ => Err(ConvertError::Field("queued.reason")),
    }
}

pub(super) fn closed_to_proto(why: Unserved) -> v1::ClosedReason {
    match why {
        Unserved::OutOfHours => v1::ClosedReason::OutOfHours,
        Unserved::QueueFull => v1::ClosedReason::QueueFull,
        Unserved::WaitedTooLong => v1::ClosedReason::WaitedTooLong,
    }
}

pub(super) fn from_closed(reason: v1::ClosedReason) -> Result<Unserved, ConvertError> {
    match reason {
        v1::ClosedReason::OutOfHours => Ok(Unserved::OutOfHours),
        v1::ClosedReason::QueueFull => Ok(Unserved::QueueFull),
        v1::ClosedReason::WaitedTooLong => Ok(Unserved::WaitedTooLong),
        _ => Err(ConvertError::Field("closed.reason")),
    }
}
