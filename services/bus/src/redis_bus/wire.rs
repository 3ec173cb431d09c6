//! The bytes of one Redis message. What is read here was written by another
//! process, perhaps of another version: it is checked, never trusted.
//!
//! The first byte is the kind. After [`BATCHES`] come batches, each with its
//! length as four bytes, big-endian; [`LAGGED`] is the same, and says first that
//! something was lost. After [`PROBE`] come the eight bytes of a number.

use bytes::{Buf, Bytes};
use redis::{RedisWrite, ToRedisArgs};

const BATCHES: u8 = 1;
const LAGGED: u8 = 2;
const PROBE: u8 = 3;

/// One message on a gateway's channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// Batches in the order of publishing.
    Batches {
        /// Something was lost before them.
        after_loss: bool,
        /// May be empty after a loss.
        batches: Vec<Bytes>,
    },
    /// A subscription asks itself whether it still hears.
    Probe(u64),
}

/// Not a message that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this bus")]
pub(super) struct Malformed;

impl Message {
    /// Bytes as Redis carries it.
    pub(super) fn encoded_len(&self) -> usize {
        match self {
            Self::Batches { batches, .. } => {
                1 + batches.iter().map(|batch| 4 + batch.len()).sum::<usize>()
            }
            Self::Probe(_) => 9,
        }
    }

    /// Reads what Redis carried. Batches share its memory.
    pub(super) fn decode(mut payload: Bytes) -> Result<Self, Malformed> {
        match payload.try_get_u8().map_err(|_| Malformed)? {
            kind @ (BATCHES | LAGGED) => {
                let mut batches = Vec::new();
                while payload.has_remaining() {
                    let len = payload.try_get_u32().map_err(|_| Malformed)? as usize;
                    if len > payload.len() {
                        return Err(Malformed);
                    }
                    batches.push(payload.split_to(len));
                }
                Ok(Self::Batches { after_loss: kind == LAGGED, batches })
            }
            PROBE => payload.try_get_u64().map(Self::Probe).map_err(|_| Malformed),
            _ => Err(Malformed),
        }
    }

    fn write(&self, mut out: impl std::io::Write) -> std::io::Result<()> {
        match self {
            Self::Batches { after_loss, batches } => {
                out.write_all(&[if *after_loss { LAGGED } else { BATCHES }])?;
                for batch in batches {
                    let len = u32::try_from(batch.len()).map_err(std::io::Error::other)?;
                    out.write_all(&len.to_be_bytes())?;
                    out.write_all(batch)?;
                }
                Ok(())
            }
            Self::Probe(number) => {
                out.write_all(&[PROBE])?;
                out.write_all(&number.to_be_bytes())
            }
        }
    }
}

impl ToRedisArgs for Message {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        self.write(out.writer_for_next_arg())
            .expect("memory takes all, and a batch is within MAX_WAITING_BYTES");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(message: &Message) -> Bytes {
        Bytes::from(message.to_redis_args().remove(0))
    }

    fn batches() -> impl Strategy<Value = Vec<Bytes>> {
        let batch = prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
        prop::collection::vec(batch, 0..5)
    }

    proptest! {
        #[test]
        fn is_read_as_it_was_written(after_loss: bool, batches in batches(), number: u64) {
            for message in [Message::Batches { after_loss, batches }, Message::Probe(number)] {
                let bytes = encoded(&message);
                prop_assert_eq!(bytes.len(), message.encoded_len());
                prop_assert_eq!(Message::decode(bytes), Ok(message));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(message @ Message::Batches { .. }) = Message::decode(bytes.clone().into()) {
                prop_assert_eq!(encoded(&message), bytes);
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_refused() {
        for bytes in [&[][..], &[9], &[BATCHES, 0, 0, 0], &[LAGGED, 0, 0, 0, 2, 7], &[PROBE, 1]] {
            assert_eq!(Message::decode(Bytes::copy_from_slice(bytes)), Err(Malformed));
        }
    }
}
