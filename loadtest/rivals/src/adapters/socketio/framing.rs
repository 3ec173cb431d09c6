//! Packets of Socket.IO 5 in those of Engine.IO 4, as text: a digit for the
//! outer kind, one for the inner, an id where an answer is asked for, and JSON.
//! Only the main namespace, and no binary attachments.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Joins the main namespace.
pub(super) const CONNECT: &str = "40";
/// Answers [`Packet::Ping`].
pub(super) const PONG: &str = "3";

/// What a server sends.
#[derive(Debug, PartialEq)]
pub(super) enum Packet<'a> {
    /// The connection is there.
    Open,
    /// Wants a sign of life.
    Ping,
    /// The namespace was joined.
    Connected,
    /// The namespace was refused or left, or the connection ends.
    Gone(&'a str),
    /// Something happened.
    Event(Event<'a>),
    /// The request with this id was answered.
    Acknowledgement(u32),
}

/// An event with a room and a text.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) room: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
}

impl<'a> Packet<'a> {
    /// `None` when it is none of these.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        match kind {
            "0" => Some(Self::Open),
            "1" => Some(Self::Gone(rest)),
            "2" => Some(Self::Ping),
            "4" => Self::message(rest),
            _ => None,
        }
    }

    fn message(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        match kind {
            "0" => Some(Self::Connected),
            "1" | "4" => Some(Self::Gone(rest)),
            "2" => serde_json::from_str(rest).ok().map(Self::Event),
            "3" => {
                let (id, arguments) = rest.split_at(rest.find('[')?);
                arguments.ends_with(']').then_some(Self::Acknowledgement(id.parse().ok()?))
            }
            _ => None,
        }
    }
}

/// An event that asks for an answer with this id; `arguments` begins with the
/// event's name.
pub(super) fn event(id: u32, arguments: &impl Serialize) -> String {
    let arguments = serde_json::to_string(arguments).expect("strings are always JSON");
    format!("42{id}{arguments}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packets_are_told_apart() {
        let open = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
        assert_eq!(Packet::parse(open), Some(Packet::Open));
        assert_eq!(Packet::parse("2"), Some(Packet::Ping));
        assert_eq!(Packet::parse(r#"40{"sid":"b"}"#), Some(Packet::Connected));
        assert_eq!(
            Packet::parse(r#"44{"message":"no"}"#),
            Some(Packet::Gone(r#"{"message":"no"}"#))
        );
        assert_eq!(Packet::parse("41"), Some(Packet::Gone("")));
        assert_eq!(Packet::parse("4312[]"), Some(Packet::Acknowledgement(12)));
        assert_eq!(Packet::parse("430[true]"), Some(Packet::Acknowledgement(0)));
        let event = Event { name: "message".into(), room: "c7".into(), text: "hello".into() };
        assert_eq!(Packet::parse(r#"42["message","c7","hello"]"#), Some(Packet::Event(event)));
    }

    #[test]
    fn other_text_is_no_packet() {
        for text in ["", "4", "7", "43[]", "43x[]", "4312", "42{}", "42[\"a\"]", "é", "4é"] {
            assert_eq!(Packet::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_event_asks_for_its_answer() {
        assert_eq!(event(3, &("join", ["c1", "c2"])), r#"423["join",["c1","c2"]]"#);
        assert_eq!(event(4, &("message", "c1", "\"")), r#"424["message","c1","\""]"#);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(room: String, text: String) {
            let sent = event(9, &("message", &room, &text));
            // As the server passes it on: without the id.
            let passed_on = sent.replacen("429", "42", 1);
            let event = Event { name: "message".into(), room: room.into(), text: text.into() };
            prop_assert_eq!(Packet::parse(&passed_on), Some(Packet::Event(event)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Packet::parse(&text);
        }
    }
}
