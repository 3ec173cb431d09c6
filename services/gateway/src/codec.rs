//! The two wire formats: batches in, pieces of batches out.
//!
//! A *piece* is one server frame, encoded such that a batch is pieces put side by
//! side: in Protobuf the frame with its field tag and length, in JSON the bare
//! object. So a frame is encoded once and shared by all who receive it.
//! Decoding never panics, whatever the bytes.

use bytes::Bytes;
use frontdesk_proto::v1;
use prost::Message as _;
use prost::encoding::{encode_varint, encoded_len_varint};

/// Bytes of one batch, in either direction. A server frame that is larger by
/// itself (a page of history) travels alone.
pub(crate) const MAX_BATCH_BYTES: usize = 64 * 1024;
/// Frames of one batch, in either direction.
pub(crate) const MAX_BATCH_FRAMES: usize = 64;

/// `ServerBatch.frames`: field 1, length-delimited.
const TAG_FRAMES: u8 = 0x0A;
/// `ServerFrame.event`: field 30, length-delimited (30 << 3 | 2 = 242).
const TAG_EVENT: [u8; 2] = [0xF2, 0x01];
/// `EventPush.event`: field 1, length-delimited.
const TAG_EVENT_BODY: u8 = 0x0A;
/// `EventPush.prev`: field 2, varint.
const TAG_PREV: u8 = 0x10;

const JSON_OPEN: &[u8] = b"{\"frames\":[";
const JSON_CLOSE: &[u8] = b"]}";

/// How a connection's frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireFormat {
    Protobuf,
    Json,
}

/// Why a batch was refused. All are final for the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("a batch is at most 65536 bytes")]
    TooLarge,
    #[error("a batch is at most 64 frames")]
    TooMany,
    #[error("not UTF-8")]
    Utf8,
    #[error("not valid JSON of a ClientBatch: {0}")]
    Json(String),
    #[error("not valid Protobuf of a ClientBatch: {0}")]
    Protobuf(String),
}

/// Decodes one batch.
pub(crate) fn decode(
    format: WireFormat,
    bytes: &[u8],
) -> Result<Vec<v1::ClientFrame>, DecodeError> {
    if bytes.len() > MAX_BATCH_BYTES {
        return Err(DecodeError::TooLarge);
    }
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let batch = match format {
        WireFormat::Protobuf => {
            v1::ClientBatch::decode(bytes).map_err(|e| DecodeError::Protobuf(e.to_string()))?
        }
        WireFormat::Json => {
            let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Utf8)?;
            serde_json::from_str(text).map_err(|e| DecodeError::Json(e.to_string()))?
        }
    };
    if batch.frames.len() > MAX_BATCH_FRAMES {
        return Err(DecodeError::TooMany);
    }
    Ok(batch.frames)
}

/// Encodes one frame as a piece.
pub(crate) fn piece(format: WireFormat, frame: &v1::ServerFrame) -> Bytes {
    match format {
        WireFormat::Protobuf => {
            let len = frame.encoded_len();
            let mut out = Vec::with_capacity(1 + encoded_len_varint(len as u64) + len);
            out.push(TAG_FRAMES);
            encode_varint(len as u64, &mut out);
            frame.encode_raw(&mut out);
            out.into()
        }
        WireFormat::Json => {
            // Generated types hold no map keys or numbers that JSON cannot carry.
            serde_json::to_vec(frame).unwrap_or_else(|_| b"{}".to_vec()).into()
        }
    }
}

/// Encodes a durable event as a piece. `event` is the encoded `v1::Event`; in
/// Protobuf it is copied as it is. `None` when it cannot be read (JSON only).
pub(crate) fn event_piece(format: WireFormat, event: &[u8], prev: u32) -> Option<Bytes> {
    match format {
        WireFormat::Protobuf => Some(event_piece_protobuf(event, prev)),
        WireFormat::Json => {
            let event = v1::Event::decode(event).ok()?;
            let push = v1::EventPush { event: Some(event), prev };
            Some(piece(format, &push_frame(v1::server_frame::Frame::Event(push))))
        }
    }
}

fn event_piece_protobuf(event: &[u8], prev: u32) -> Bytes {
    let prev_len = if prev == 0 { 0 } else { 1 + encoded_len_varint(u64::from(prev)) };
    let push_len = 1 + encoded_len_varint(event.len() as u64) + event.len() + prev_len;
    let frame_len = TAG_EVENT.len() + encoded_len_varint(push_len as u64) + push_len;
    let mut out = Vec::with_capacity(1 + encoded_len_varint(frame_len as u64) + frame_len);
    out.push(TAG_FRAMES);
    encode_varint(frame_len as u64, &mut out);
    out.extend_from_slice(&TAG_EVENT);
    encode_varint(push_len as u64, &mut out);
    out.push(TAG_EVENT_BODY);
    encode_varint(event.len() as u64, &mut out);
    out.extend_from_slice(event);
    if prev != 0 {
        out.push(TAG_PREV);
        encode_varint(u64::from(prev), &mut out);
    }
    out.into()
}

/// A push frame: its id is 0.
pub(crate) fn push_frame(frame: v1::server_frame::Frame) -> v1::ServerFrame {
    v1::ServerFrame { id: 0, frame: Some(frame) }
}

/// A push that several connections receive, encoded at most once a format.
pub(crate) struct SharedPush<'a> {
    frame: &'a [u8],
    pieces: [Option<Bytes>; 2],
}

impl<'a> SharedPush<'a> {
    /// `frame` is an encoded `v1::ServerFrame`.
    pub(crate) fn new(frame: &'a [u8]) -> Self {
        Self { frame, pieces: [None, None] }
    }

    /// `None` when the frame cannot be read.
    pub(crate) fn piece(&mut self, format: WireFormat) -> Option<Bytes> {
        let slot = &mut self.pieces[format as usize];
        if slot.is_none() {
            let frame = v1::ServerFrame::decode(self.frame).ok()?;
            *slot = Some(piece(format, &frame));
        }
        slot.clone()
    }
}

/// A durable event that several connections receive, encoded at most once for
/// each format and `prev`.
pub(crate) struct SharedEvent<'a> {
    event: &'a [u8],
    /// By format, then whether the reader is staff.
    pieces: [[Option<(u32, Bytes)>; 2]; 2],
}

impl<'a> SharedEvent<'a> {
    /// `event` is an encoded `v1::Event`.
    pub(crate) fn new(event: &'a [u8]) -> Self {
        Self { event, pieces: Default::default() }
    }

    /// `None` when the event cannot be read.
    pub(crate) fn piece(&mut self, format: WireFormat, prev: u32) -> Option<Bytes> {
        let slots = &mut self.pieces[format as usize];
        if let Some((_, piece)) = slots.iter().flatten().find(|(p, _)| *p == prev) {
            return Some(piece.clone());
        }
        let piece = event_piece(format, self.event, prev)?;
        if let Some(free) = slots.iter_mut().find(|s| s.is_none()) {
            *free = Some((prev, piece.clone()));
        }
        Some(piece)
    }
}

/// Begins a batch in `out`.
pub(crate) fn open_batch(format: WireFormat, out: &mut Vec<u8>) {
    if format == WireFormat::Json {
        out.extend_from_slice(JSON_OPEN);
    }
}

/// Adds a piece; `first` when nothing stands before it.
pub(crate) fn add_piece(format: WireFormat, out: &mut Vec<u8>, piece: &[u8], first: bool) {
    if format == WireFormat::Json && !first {
        out.push(b',');
    }
    out.extend_from_slice(piece);
}

/// Ends a batch.
pub(crate) fn close_batch(format: WireFormat, out: &mut Vec<u8>) {
    if format == WireFormat::Json {
        out.extend_from_slice(JSON_CLOSE);
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
