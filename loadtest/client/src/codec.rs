//! Carriers and their wire formats. A batch is packed frame by frame up to the
//! server's limits, straight into the bytes that are sent.

use super::close::Ended;
use bytes::Bytes;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, ServerBatch};
use prost::Message as _;
use serde::{Deserialize, Serialize};

/// `ClientBatch.frames`.
const FRAMES_FIELD: u32 = 1;
const JSON_OPEN: &[u8] = b"{\"frames\":[";
const JSON_CLOSE: &[u8] = b"]}";

/// How a connection is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Carrier {
    /// WebSocket, subprotocol `frontdesk.v1.proto`.
    #[serde(rename = "ws-proto")]
    WebSocketProtobuf,
    /// WebSocket, subprotocol `frontdesk.v1.json`.
    #[serde(rename = "ws-json")]
    WebSocketJson,
    /// gRPC `ChatService.Chat`.
    #[serde(rename = "grpc")]
    Grpc,
}

/// A frame that the carrier's format cannot carry, such as an unknown enum
/// value in JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot be written as JSON: {0}")]
pub struct EncodeError(String);

impl Carrier {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WebSocketProtobuf, Self::WebSocketJson, Self::Grpc];

    fn is_json(self) -> bool {
        self == Self::WebSocketJson
    }

    /// One batch, whatever its size.
    pub(super) fn encode(self, batch: &ClientBatch) -> Result<Bytes, EncodeError> {
        if !self.is_json() {
            return Ok(batch.encode_to_vec().into());
        }
        to_json(batch).map(Bytes::from)
    }

    pub(super) fn decode(self, bytes: &[u8]) -> Result<ServerBatch, Ended> {
        if self.is_json() {
            serde_json::from_slice(bytes).map_err(|e| Ended::Malformed(e.to_string()))
        } else {
            ServerBatch::decode(bytes).map_err(|e| Ended::Malformed(e.to_string()))
        }
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, EncodeError> {
    serde_json::to_vec(value).map_err(|e| EncodeError(e.to_string()))
}

/// How large a batch may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchLimits {
    pub(super) bytes: usize,
    pub(super) frames: usize,
}

impl Default for BatchLimits {
    /// What the protocol promises before a Welcome says otherwise.
    fn default() -> Self {
        Self { bytes: 64 * 1024, frames: 64 }
    }
}

/// Packs frames into one batch.
pub(super) struct Packer {
    json: bool,
    limits: BatchLimits,
    out: Vec<u8>,
    frames: usize,
}

impl Packer {
    pub(super) fn new(carrier: Carrier, limits: BatchLimits) -> Self {
        Self { json: carrier.is_json(), limits, out: Vec::new(), frames: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Adds a frame; `false` when it has to wait for the next batch. A frame
    /// that is too large for any batch travels alone: the server judges it.
    pub(super) fn add(&mut self, frame: &ClientFrame) -> Result<bool, EncodeError> {
        let json = if self.json { to_json(frame)? } else { Vec::new() };
        let length = match self.json {
            true => json.len() + 1,
            false => prost::encoding::message::encoded_len(FRAMES_FIELD, frame),
        };
        let full = self.frames == self.limits.frames
            || self.out.len() + length + JSON_CLOSE.len() > self.limits.bytes;
        if full && !self.is_empty() {
            return Ok(false);
        }
        if self.json {
            self.out.extend_from_slice(if self.frames == 0 { JSON_OPEN } else { b"," });
            self.out.extend_from_slice(&json);
        } else {
            prost::encoding::message::encode(FRAMES_FIELD, frame, &mut self.out);
        }
        self.frames += 1;
        Ok(true)
    }

    pub(super) fn finish(mut self) -> Bytes {
        if self.json {
            let open = if self.frames == 0 { JSON_OPEN } else { b"" };
            self.out.extend_from_slice(open);
            self.out.extend_from_slice(JSON_CLOSE);
        }
        self.out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_proto::v1::SendMessage;
    use frontdesk_proto::v1::client_frame::Request;

    fn frame(id: u32, length: usize) -> ClientFrame {
        let text = "\"".repeat(length);
        let send = SendMessage { text, ..SendMessage::default() };
        ClientFrame { id, request: Some(Request::Send(send)) }
    }

    fn read(carrier: Carrier, bytes: &[u8]) -> ClientBatch {
        match carrier {
            Carrier::WebSocketJson => serde_json::from_slice(bytes).unwrap(),
            _ => ClientBatch::decode(bytes).unwrap(),
        }
    }

    #[test]
    fn packed_frames_read_as_one_batch() {
        for carrier in Carrier::ALL {
            let frames: Vec<_> = (1..=5).map(|id| frame(id, 10)).collect();
            let mut packer = Packer::new(carrier, BatchLimits::default());
            for frame in &frames {
                assert!(packer.add(frame).unwrap());
            }
            let packed = packer.finish();
            let batch = ClientBatch { frames };
            assert_eq!(read(carrier, &packed), batch, "{carrier:?}");
            assert_eq!(read(carrier, &carrier.encode(&batch).unwrap()), batch);
            let empty = Packer::new(carrier, BatchLimits::default()).finish();
            assert_eq!(read(carrier, &empty), ClientBatch::default());
        }
    }

    #[test]
    fn a_batch_stays_within_its_limits() {
        for carrier in Carrier::ALL {
            let limits = BatchLimits { bytes: 1_000, frames: 64 };
            let mut packer = Packer::new(carrier, limits);
            let mut count = 0;
            while packer.add(&frame(1, 30)).unwrap() {
                count += 1;
            }
            assert!((5..=25).contains(&count), "{carrier:?}: {count}");
            assert!(packer.finish().len() <= 1_000);

            let limits = BatchLimits { bytes: 1_000_000, frames: 3 };
            let mut packer = Packer::new(carrier, limits);
            assert!((0..3).all(|_| packer.add(&frame(1, 1)).unwrap()));
            assert!(!packer.add(&frame(1, 1)).unwrap());
        }
    }

    #[test]
    fn a_huge_frame_travels_alone() {
        let limits = BatchLimits { bytes: 100, frames: 64 };
        let mut packer = Packer::new(Carrier::Grpc, limits);
        assert!(packer.add(&frame(1, 5_000)).unwrap());
        assert!(!packer.add(&frame(2, 1)).unwrap());
    }
}
