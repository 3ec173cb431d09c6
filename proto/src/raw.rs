//! Batches as the bytes that they are on the wire, for either end of a gRPC stream that
//! decodes them where those of its other carriers are decoded.

use bytes::{Buf as _, BufMut as _, Bytes};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Messages as they are; with tonic's own buffers by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawCodec {
    buffers: BufferSettings,
}

impl RawCodec {
    /// With other buffers than tonic's: what a stream keeps between messages, and when
    /// it hands bytes on.
    pub const fn with_buffers(buffers: BufferSettings) -> Self {
        Self { buffers }
    }
}

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.buffers
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.buffers
    }
}
