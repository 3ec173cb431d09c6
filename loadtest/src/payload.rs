//! The text of an audited message: who sent what to whom and when it was meant
//! to be sent, in some two dozen characters, padded to the wished length. It
//! must never be taken for another: damage anywhere is noticed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The longest header, with the space behind it.
pub const MAX_HEADER_BYTES: usize = 39;

/// Which end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The visitor.
    Visitor,
    /// The agent.
    Agent,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Visitor, Self::Agent];

    /// Whom this side talks to.
    pub fn other(self) -> Self {
        match self {
            Self::Visitor => Self::Agent,
            Self::Agent => Self::Visitor,
        }
    }

    /// As results name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Agent => "agent",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who numbers messages: a side of a conversation, for as long as one person
/// holds it. The visitor's segment is 0, the n-th assigned agent's is n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Speaker {
    /// The side.
    pub side: Side,
    /// Which of its holders.
    pub segment: u16,
}

impl Speaker {
    /// The only speaker of the visitor's side.
    pub const VISITOR: Self = Self { side: Side::Visitor, segment: 0 };

    /// The n-th assigned agent, from 1.
    pub fn agent(segment: u16) -> Self {
        Self { side: Side::Agent, segment }
    }
}

/// What a message says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// The run.
    pub run: u32,
    /// The conversation's number within the run.
    pub conversation: u32,
    /// Who sent it.
    pub speaker: Speaker,
    /// 1, 2, 3 … of this speaker in this conversation.
    pub number: u32,
    /// When it was meant to be sent, since the run began; whole microseconds.
    pub intended: Duration,
}

impl Payload {
    /// As text of exactly `bytes` bytes (or as long as the header, if longer).
    pub fn encode(&self, bytes: usize) -> String {
        let mut header = Vec::with_capacity(32);
        header.extend_from_slice(&[0; 2]);
        header.extend_from_slice(&self.run.to_be_bytes());
        let agent = u64::from(self.speaker.side == Side::Agent);
        push(&mut header, self.conversation.into());
        push(&mut header, u64::from(self.speaker.segment) << 1 | agent);
        push(&mut header, self.number.into());
        push(&mut header, u64::try_from(self.intended.as_micros()).unwrap_or(u64::MAX));
        let check = checksum(&header[2..]);
        header[..2].copy_from_slice(&check.to_be_bytes());
        let mut text = String::with_capacity(bytes.max(MAX_HEADER_BYTES));
        URL_SAFE_NO_PAD.encode_string(&header, &mut text);
        text.push(' ');
        while text.len() < bytes {
            text.push(padding(text.len()));
        }
        text
    }

    /// From text; `None` when it is no such message or was damaged.
    pub fn decode(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once(' ')?;
        let start = head.len() + 1;
        let whole = rest.bytes().enumerate().all(|(n, b)| char::from(b) == padding(start + n));
        let header = URL_SAFE_NO_PAD.decode(head).ok().filter(|h| whole && h.len() > 6)?;
        let (check, body) = header.split_at(2);
        if check != checksum(body).to_be_bytes() {
            return None;
        }
        let (run, mut numbers) = body.split_at(4);
        let mut next = || pull(&mut numbers);
        let (conversation, who, number, micros) = (next()?, next()?, next()?, next()?);
        if !numbers.is_empty() {
            return None;
        }
        let side = if who & 1 == 1 { Side::Agent } else { Side::Visitor };
        Some(Self {
            run: u32::from_be_bytes(run.try_into().ok()?),
            conversation: conversation.try_into().ok()?,
            speaker: Speaker { side, segment: (who >> 1).try_into().ok()? },
            number: number.try_into().ok()?,
            intended: Duration::from_micros(micros),
        })
    }
}

impl Payload {
    /// From the first words of a message, as an offer shows them.
    pub fn of_preview(preview: &str) -> Option<Self> {
        let header = preview.split(' ').next()?;
        Self::decode(&format!("{header} "))
    }
}

fn padding(place: usize) -> char {
    char::from(b'a' + (place % 26) as u8)
}

/// Appends a number in groups of seven bits (LEB128).
fn push(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn pull(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// FNV-1a, folded to 16 bits.
fn checksum(bytes: &[u8]) -> u16 {
    let hash = bytes
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash >> 16) as u16 ^ hash as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn payloads()(run: u32, conversation: u32, agent: bool, segment: u16, number: u32,
            micros in 0..1u64 << 42) -> Payload
        {
            let side = if agent { Side::Agent } else { Side::Visitor };
            let speaker = Speaker { side, segment };
            Payload { run, conversation, speaker, number, intended: Duration::from_micros(micros) }
        }
    }

    proptest! {
        #[test]
        fn survives_at_any_length(payload in payloads(), bytes in 0usize..300) {
            let text = payload.encode(bytes);
            prop_assert_eq!(Payload::decode(&text), Some(payload));
            prop_assert!(text.len() <= bytes.max(MAX_HEADER_BYTES));
            prop_assert!(text.len() >= bytes);
        }

        #[test]
        fn damage_is_noticed(payload in payloads(), at in 0usize..128, with in 0x21u8..0x7f) {
            let mut bytes = payload.encode(128).into_bytes();
            prop_assume!(bytes[at] != with);
            bytes[at] = with;
            prop_assert_eq!(Payload::decode(std::str::from_utf8(&bytes).unwrap()), None);
        }
    }

    #[test]
    fn a_usual_header_is_short_and_other_text_is_none() {
        let intended = Duration::from_secs(60);
        let speaker = Speaker::agent(1);
        let usual = Payload { run: u32::MAX, conversation: 300, speaker, number: 5, intended };
        assert!(usual.encode(0).len() <= 25, "{}", usual.encode(0));
        let preview = usual.encode(300);
        assert_eq!(Payload::of_preview(&preview[..200]), Some(usual));
        assert_eq!(Payload::of_preview(usual.encode(0).trim()), Some(usual));
        for other in ["", "hello", "hello world", "AAAA ", "\u{1f600} x"] {
            assert_eq!(Payload::decode(other), None, "{other}");
        }
    }
}
