//! The relay's frames: a kind, a seat, a number and text; numbers little-endian.

use frontdesk_loadtest::payload::Side;

const JOIN: u8 = 0;
const MESSAGE: u8 = 1;
const ACKNOWLEDGED: u8 = 2;

/// One end of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seat {
    /// The pair.
    pub pair: u32,
    /// Which end.
    pub side: Side,
}

impl Seat {
    /// The other end.
    pub fn opposite(self) -> Self {
        Self { side: self.side.other(), ..self }
    }
}

/// What travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Takes a seat; answered with itself.
    Join(Seat),
    /// Says something; goes to the opposite seat as it is.
    Message {
        /// Who says it.
        from: Seat,
        /// The sender's number for it.
        number: u32,
        /// What.
        text: &'a [u8],
    },
    /// A message was passed on.
    Acknowledged {
        /// Its pair.
        pair: u32,
        /// Its number.
        number: u32,
    },
}

impl<'a> Frame<'a> {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, side, pair, number, text) = match *self {
            Self::Join(seat) => (JOIN, seat.side, seat.pair, 0, &[][..]),
            Self::Message { from, number, text } => (MESSAGE, from.side, from.pair, number, text),
            // Its side says nothing.
            Self::Acknowledged { pair, number } => {
                (ACKNOWLEDGED, Side::Visitor, pair, number, &[][..])
            }
        };
        let mut bytes = Vec::with_capacity(10 + text.len());
        bytes.push(kind);
        bytes.push(u8::from(side == Side::Agent));
        bytes.extend_from_slice(&pair.to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(text);
        bytes
    }

    /// From bytes; `None` when they are no frame.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&[kind, side], rest) = bytes.split_first_chunk()?;
        let (pair, rest) = rest.split_first_chunk()?;
        let (number, text) = rest.split_first_chunk()?;
        let (pair, number) = (u32::from_le_bytes(*pair), u32::from_le_bytes(*number));
        let side = match side {
            0 => Side::Visitor,
            1 => Side::Agent,
            _ => return None,
        };
        let seat = Seat { pair, side };
        match kind {
            JOIN => Some(Self::Join(seat)),
            MESSAGE => Some(Self::Message { from: seat, number, text }),
            ACKNOWLEDGED => Some(Self::Acknowledged { pair, number }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_back() {
        let seat = Seat { pair: 70_000, side: Side::Agent };
        for frame in [
            Frame::Join(seat),
            Frame::Message { from: seat.opposite(), number: 3, text: b"hello" },
            Frame::Acknowledged { pair: 1, number: u32::MAX },
        ] {
            assert_eq!(Frame::parse(&frame.encode()), Some(frame));
        }
    }

    #[test]
    fn what_is_no_frame_is_told() {
        let whole = Frame::Join(Seat { pair: 1, side: Side::Visitor }).encode();
        for wrong in
            [&[][..], &whole[..9], &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0, 2, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(Frame::parse(wrong), None, "{wrong:?}");
        }
    }
}
