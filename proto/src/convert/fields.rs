//! Protobuf fields written one by one, as prost writes them: what is at its
//! default is left out. For what is written so often that building the message
//! first would cost more than encoding it.

use bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

/// Bytes of a number's field.
pub(super) fn number_len(tag: u32, value: u64) -> usize {
    if value == 0 { 0 } else { key_len(tag) + encoded_len_varint(value) }
}

/// Writes a number.
pub(super) fn put_number(out: &mut impl BufMut, tag: u32, value: u64) {
    if value != 0 {
        encode_key(tag, WireType::Varint, out);
        encode_varint(value, out);
    }
}

/// Bytes of the field of a string or of bytes.
pub(super) fn bytes_len(tag: u32, len: usize) -> usize {
    if len == 0 { 0 } else { message_len(tag, len) }
}

/// Writes a string or bytes.
pub(super) fn put_bytes(out: &mut impl BufMut, tag: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        open_message(out, tag, bytes.len());
        out.put_slice(bytes);
    }
}

/// Bytes of the field of a message of `len` bytes.
pub(super) fn message_len(tag: u32, len: usize) -> usize {
    key_len(tag) + encoded_len_varint(len as u64) + len
}

/// Writes what comes before a message of `len` bytes.
pub(super) fn open_message(out: &mut impl BufMut, tag: u32, len: usize) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(len as u64, out);
}
