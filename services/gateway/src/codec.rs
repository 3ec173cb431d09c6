//! The two wire formats: batches in, pieces of batches out.
//!
//! A *piece* is one server frame, encoded such that a batch is pieces put side by
//! side: in Protobuf the frame with its field tag and length, in JSON the bare
//! object. So a frame is encoded once and shared by all who receive it.
//! Decoding never panics, whatever the bytes.

use bytes::Bytes;
use frontdesk_proto::convert::{Sent, put_sent};
use frontdesk_proto::v1;
use prost::Message as _;
use prost::encoding::{encode_varint, encoded_len_varint};
use std::ops::Range;

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

/// Appends a durable event as a piece. `event` is the encoded `v1::Event`; in
/// Protobuf it is copied as it is. `None` when it cannot be read (JSON only).
fn write_event(format: WireFormat, event: &[u8], prev: u32, out: &mut Vec<u8>) -> Option<()> {
    match format {
        WireFormat::Protobuf => write_event_protobuf(event, prev, out),
        WireFormat::Json => {
            let event = v1::Event::decode(event).ok()?;
            let push = v1::EventPush { event: Some(event), prev };
            let frame = push_frame(v1::server_frame::Frame::Event(push));
            out.extend_from_slice(&piece(format, &frame));
        }
    }
    Some(())
}

fn write_event_protobuf(event: &[u8], prev: u32, out: &mut Vec<u8>) {
    let prev_len = if prev == 0 { 0 } else { 1 + encoded_len_varint(u64::from(prev)) };
    let push_len = 1 + encoded_len_varint(event.len() as u64) + event.len() + prev_len;
    let frame_len = TAG_EVENT.len() + encoded_len_varint(push_len as u64) + push_len;
    out.reserve(1 + encoded_len_varint(frame_len as u64) + frame_len);
    out.push(TAG_FRAMES);
    encode_varint(frame_len as u64, out);
    out.extend_from_slice(&TAG_EVENT);
    encode_varint(push_len as u64, out);
    out.push(TAG_EVENT_BODY);
    encode_varint(event.len() as u64, out);
    out.extend_from_slice(event);
    if prev != 0 {
        out.push(TAG_PREV);
        encode_varint(u64::from(prev), out);
    }
}

/// Appends the answer to a message as a piece.
pub(crate) fn write_sent(format: WireFormat, id: u32, sent: &Sent, out: &mut Vec<u8>) {
    match format {
        WireFormat::Protobuf => put_sent(id, sent, out),
        WireFormat::Json => {
            let frame = Some(v1::server_frame::Frame::Sent(sent.to_proto()));
            out.extend_from_slice(&piece(format, &v1::ServerFrame { id, frame }));
        }
    }
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
    pub(crate) fn piece(&mut self, format: WireFormat) -> Option<&[u8]> {
        let slot = &mut self.pieces[format as usize];
        if slot.is_none() {
            let frame = v1::ServerFrame::decode(self.frame).ok()?;
            *slot = Some(piece(format, &frame));
        }
        slot.as_deref()
    }
}

/// A durable event that several connections receive, encoded at most once for
/// each format and `prev`.
pub(crate) struct SharedEvent<'a> {
    event: &'a [u8],
    /// One after the other.
    pieces: &'a mut Vec<u8>,
    /// Two formats, and the public's `prev` or that of the staff.
    made: [Option<Made>; 4],
}

/// A piece that has been made.
#[derive(Clone)]
struct Made {
    format: WireFormat,
    prev: u32,
    place: Range<usize>,
}

impl<'a> SharedEvent<'a> {
    /// `event` is an encoded `v1::Event`; `scratch` is where pieces are made.
    pub(crate) fn new(event: &'a [u8], scratch: &'a mut Vec<u8>) -> Self {
        scratch.clear();
        Self { event, pieces: scratch, made: Default::default() }
    }

    /// `None` when the event cannot be read.
    pub(crate) fn piece(&mut self, format: WireFormat, prev: u32) -> Option<&[u8]> {
        let mut made = self.made.iter().flatten();
        if let Some(Made { place, .. }) = made.find(|m| m.format == format && m.prev == prev) {
            return Some(&self.pieces[place.clone()]);
        }
        let start = self.pieces.len();
        write_event(format, self.event, prev, self.pieces)?;
        let place = start..self.pieces.len();
        if let Some(free) = self.made.iter_mut().find(|m| m.is_none()) {
            *free = Some(Made { format, prev, place: place.clone() });
        }
        Some(&self.pieces[place])
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
