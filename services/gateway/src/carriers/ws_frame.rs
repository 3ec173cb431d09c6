//! WebSocket framing (RFC 6455) for a server, over buffers that exist only while
//! bytes wait in them.
//!
//! Libraries keep a read buffer of 4 KiB or more for each connection; that alone
//! would be the memory an idle connection may take.

use crate::codec::MAX_BATCH_BYTES;

/// Longest header that a server writes: two bytes and an eight-byte length.
pub(super) const MAX_HEADER: usize = 10;
/// Longest payload of a control frame.
const MAX_CONTROL: usize = 125;

/// Kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn parse(byte: u8) -> Option<Self> {
        Some(match byte & 0x0F {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// A whole message or control frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Message { text: bool, payload: Vec<u8> },
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// How a client broke the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Violation {
    TooLarge,
    Protocol(&'static str),
}

struct Header {
    fin: bool,
    opcode: Opcode,
    mask: [u8; 4],
    /// Bytes of the header.
    size: usize,
    /// Bytes of the payload.
    len: usize,
}

/// Takes bytes as they come and gives whole messages.
#[derive(Default)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
    /// Where in `bytes` the next frame begins.
    at: usize,
    /// A message of which only some fragments have come, and whether it is text.
    partial: Option<(bool, Vec<u8>)>,
}

impl Assembler {
    /// Takes bytes from the socket.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message or control frame; `None` when more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Incoming>, Violation> {
        loop {
            let Some(header) = parse_header(&self.bytes[self.at..])? else {
                self.compact();
                return Ok(None);
            };
            let held = self.partial.as_ref().map_or(0, |(_, p)| p.len());
            if !header.opcode.is_control() && held + header.len > MAX_BATCH_BYTES {
                return Err(Violation::TooLarge);
            }
            let start = self.at + header.size;
            let Some(payload) = self.bytes.get_mut(start..start + header.len) else {
                self.compact();
                return Ok(None);
            };
            unmask(payload, header.mask);
            let payload = payload.to_vec();
            self.at = start + header.len;
            if let Some(incoming) = self.assemble(&header, payload)? {
                return Ok(Some(incoming));
            }
        }
    }

    fn assemble(
        &mut self,
        header: &Header,
        payload: Vec<u8>,
    ) -> Result<Option<Incoming>, Violation> {
        match (header.opcode, self.partial.take()) {
            (Opcode::Close, _) => Ok(Some(Incoming::Close)),
            (Opcode::Ping, partial) => {
                self.partial = partial;
                Ok(Some(Incoming::Ping(payload)))
            }
            (Opcode::Pong, partial) => {
                self.partial = partial;
                Ok(Some(Incoming::Pong))
            }
            (Opcode::Continuation, None) => Err(Violation::Protocol("nothing to continue")),
            (Opcode::Continuation, Some((text, mut message))) => {
                message.extend_from_slice(&payload);
                Ok(self.message(header.fin, text, message))
            }
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                Err(Violation::Protocol("a message within a message"))
            }
            (opcode, None) => Ok(self.message(header.fin, opcode == Opcode::Text, payload)),
        }
    }

    fn message(&mut self, whole: bool, text: bool, payload: Vec<u8>) -> Option<Incoming> {
        if whole {
            return Some(Incoming::Message { text, payload });
        }
        self.partial = Some((text, payload));
        None
    }

    /// Drops what was read; an idle assembler holds no memory.
    fn compact(&mut self) {
        if self.at == self.bytes.len() {
            self.bytes = Vec::new();
        } else {
            self.bytes.drain(..self.at);
        }
        self.at = 0;
    }
}

fn parse_header(bytes: &[u8]) -> Result<Option<Header>, Violation> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(Violation::Protocol("a reserved bit is set"));
    }
    let opcode = Opcode::parse(*first).ok_or(Violation::Protocol("an unknown opcode"))?;
    if second & 0x80 == 0 {
        return Err(Violation::Protocol("a frame without a mask"));
    }
    let fin = first & 0x80 != 0;
    let short = usize::from(second & 0x7F);
    if opcode.is_control() && (short > MAX_CONTROL || !fin) {
        return Err(Violation::Protocol("a long or fragmented control frame"));
    }
    let len_bytes = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(extended) = rest.get(..len_bytes) else {
        return Ok(None);
    };
    let len = match short {
        126 | 127 => extended.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b)),
        short => short as u64,
    };
    // Checked before anything is kept, whatever the length claims to be.
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len > MAX_BATCH_BYTES {
        return Err(Violation::TooLarge);
    }
    let Some(mask) = rest.get(len_bytes..).and_then(|r| r.first_chunk::<4>()) else {
        return Ok(None);
    };
    Ok(Some(Header { fin, opcode, mask: *mask, size: 2 + len_bytes + 4, len }))
}

/// Undoes the client's mask, eight bytes at a time.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, tail) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in tail.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Writes an unfragmented frame's header so that it ends at `out[MAX_HEADER]`;
/// gives where it begins.
pub(super) fn write_header(out: &mut [u8], opcode: Opcode, len: usize) -> usize {
    let first = 0x80 | opcode as u8;
    let start = match len {
        0..=125 => {
            out[MAX_HEADER - 1] = len as u8;
            MAX_HEADER - 2
        }
        126..=0xFFFF => {
            out[MAX_HEADER - 2..MAX_HEADER].copy_from_slice(&(len as u16).to_be_bytes());
            out[MAX_HEADER - 3] = 126;
            MAX_HEADER - 4
        }
        _ => {
            out[MAX_HEADER - 8..MAX_HEADER].copy_from_slice(&(len as u64).to_be_bytes());
            out[MAX_HEADER - 9] = 127;
            0
        }
    };
    out[start] = first;
    start
}

#[cfg(test)]
#[path = "ws_frame_tests.rs"]
mod tests;
