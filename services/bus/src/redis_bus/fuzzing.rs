//! What Redis carries, for whoever feeds it with damage: functions of bytes that say
//! whether these were taken, and panic when what was taken breaks a rule. The server has
//! no use for it.

use super::wire::Message;
use bytes::Bytes;
use redis::ToRedisArgs as _;

/// A message of a gateway's channel: written again, it is the same bytes.
pub fn message(bytes: &[u8]) -> bool {
    let Ok(message) = Message::decode(Bytes::copy_from_slice(bytes)) else { return false };
    let again = message.to_redis_args().remove(0);
    assert_eq!(message.encoded_len(), again.len());
    // Something may stand behind a probe's number.
    assert!(bytes.starts_with(&again), "{message:?}");
    assert!(matches!(message, Message::Probe(_)) || again.len() == bytes.len(), "{message:?}");
    true
}

/// A message of each kind.
pub fn sample_messages() -> Vec<Vec<u8>> {
    let batches = vec![Bytes::from_static(b"first"), Bytes::new(), Bytes::from_static(b"last")];
    [false, true]
        .map(|after_loss| Message::Batches { after_loss, batches: batches.clone() })
        .into_iter()
        .chain([Message::Probe(77)])
        .map(|message| message.to_redis_args().remove(0))
        .collect()
}
