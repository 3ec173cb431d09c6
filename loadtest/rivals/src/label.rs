//! The text of a message: which one it is, padded to the length that is asked
//! for. The same for every system, so that all carry the same bytes.

use frontdesk_loadtest::payload::Side;

/// Two numbers of eight hexadecimal digits and one letter.
pub const MIN_BYTES: usize = 17;
const PADDING: char = '.';

/// Which message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The pair that talks.
    pub pair: u32,
    /// Who said it.
    pub side: Side,
    /// The how-manieth of this side, from 1.
    pub number: u32,
}

impl Label {
    /// As text of so many bytes, at least [`MIN_BYTES`].
    pub fn text(self, bytes: usize) -> String {
        let letter = match self.side {
            Side::Visitor => 'v',
            Side::Agent => 'a',
        };
        let mut text = String::with_capacity(bytes.max(MIN_BYTES));
        text.push_str(&format!("{:08x}{letter}{:08x}", self.pair, self.number));
        text.extend(std::iter::repeat_n(PADDING, bytes.saturating_sub(text.len())));
        text
    }

    /// Reads a text back; `None` when a byte of it is not as it was written.
    pub fn read(text: &str, bytes: usize) -> Option<Self> {
        let (label, padding) = text.split_at_checked(MIN_BYTES)?;
        let pair = u32::from_str_radix(label.get(..8)?, 16).ok()?;
        let number = u32::from_str_radix(label.get(9..)?, 16).ok()?;
        let side = match label.as_bytes()[8] {
            b'v' => Side::Visitor,
            b'a' => Side::Agent,
            _ => return None,
        };
        let whole = text.len() == bytes && padding.chars().all(|c| c == PADDING);
        whole.then_some(Self { pair, side, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_label_is_read_back(pair: u32, number: u32, agent: bool, bytes in MIN_BYTES..300) {
            let side = if agent { Side::Agent } else { Side::Visitor };
            let label = Label { pair, side, number };
            let text = label.text(bytes);
            prop_assert_eq!(text.len(), bytes);
            prop_assert_eq!(Label::read(&text, bytes), Some(label));
        }
    }

    #[test]
    fn damage_is_noticed() {
        let text = Label { pair: 7, side: Side::Agent, number: 9 }.text(128);
        for wrong in [
            text.replacen('a', "b", 1),
            text.replacen('.', ",", 1),
            text[..127].to_owned(),
            format!("{text}."),
            text.replacen('7', "g", 1),
            String::new(),
        ] {
            assert_eq!(Label::read(&wrong, 128), None, "{wrong}");
        }
    }
}
