//! The text of an audited message: who sent what to whom, when it was meant to
//! be sent, padded to the wished length.

use std::fmt::Write as _;

/// Which end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The visitor.
    Visitor,
    /// The agent.
    Agent,
}

impl Side {
    fn letter(self) -> char {
        match self {
            Self::Visitor => 'v',
            Self::Agent => 'a',
        }
    }
}

/// What a message says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// The run.
    pub run: u64,
    /// The conversation's number within the run.
    pub conversation: u32,
    /// Who sent it.
    pub side: Side,
    /// 1, 2, 3 … of this side in this conversation.
    pub number: u32,
    /// When it was meant to be sent, in nanoseconds since the run began.
    pub intended: u64,
}

impl Payload {
    /// As text of exactly `bytes` bytes (or as long as the header, if longer).
    pub fn encode(&self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes);
        let Self { run, conversation, side, number, intended } = self;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{run:016x} {conversation:08x} {} {number:08x} {intended:016x} ",
            side.letter()
        );
        while text.len() < bytes {
            text.push(char::from(b'a' + (text.len() % 26) as u8));
        }
        text
    }

    /// From text; `None` when it is no such message or its padding is damaged.
    pub fn decode(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ' ');
        let mut hex = || u64::from_str_radix(parts.next()?, 16).ok();
        let (run, conversation) = (hex()?, u32::try_from(hex()?).ok()?);
        let side = match parts.next()? {
            "v" => Side::Visitor,
            "a" => Side::Agent,
            _ => return None,
        };
        let mut hex = || u64::from_str_radix(parts.next()?, 16).ok();
        let (number, intended) = (u32::try_from(hex()?).ok()?, hex()?);
        let padding = parts.next()?;
        let start = text.len() - padding.len();
        let whole = padding.bytes().enumerate().all(|(n, b)| b == b'a' + ((start + n) % 26) as u8);
        whole.then_some(Self { run, conversation, side, number, intended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_and_notices_damage() {
        let payload =
            Payload { run: 7, conversation: 9, side: Side::Agent, number: 3, intended: 12_345 };
        let text = payload.encode(128);
        assert_eq!(text.len(), 128);
        assert_eq!(Payload::decode(&text), Some(payload));
        assert_eq!(Payload::decode(&text.replace('z', "y")), None);
        assert_eq!(Payload::decode("hello"), None);
    }
}
