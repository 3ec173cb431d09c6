//! What comes over a WebSocket, for whoever feeds it with damage. See `crate::fuzzing`.

use super::ws_frame::{Assembler, Incoming, Violation};
use crate::codec::MAX_BATCH_BYTES;

/// Longest payload of a control frame.
const MAX_CONTROL: usize = 125;

/// The bytes of a connection; the first one says how the network cuts the others, which
/// makes no difference.
pub fn websocket(bytes: &[u8]) -> bool {
    let Some((cut, bytes)) = bytes.split_first() else { return false };
    let whole = heard([bytes].into_iter());
    let pieces = heard(bytes.chunks(1 + usize::from(*cut)));
    assert_eq!(whole, pieces, "cut every {} bytes", 1 + usize::from(*cut));
    let (all, violation) = whole;
    for incoming in &all {
        let (len, most) = match incoming {
            Incoming::Message { payload, .. } => (payload.len(), MAX_BATCH_BYTES),
            Incoming::Ping(payload) => (payload.len(), MAX_CONTROL),
            Incoming::Pong | Incoming::Close => (0, 0),
        };
        assert!(len <= most.min(bytes.len()), "{len} bytes");
    }
    violation.is_none() && !all.is_empty()
}

fn heard<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Incoming>, Option<Violation>) {
    let (mut assembler, mut all) = (Assembler::default(), Vec::new());
    for piece in pieces {
        assembler.feed(piece);
        loop {
            match assembler.next() {
                Ok(Some(incoming)) => all.push(incoming),
                Ok(None) => break,
                Err(violation) => return (all, Some(violation)),
            }
        }
    }
    (all, None)
}
