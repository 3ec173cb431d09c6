//! The flow of a conversation step by step, and its laws under any commands.

mod alarms;
mod erase;
mod flow;
mod guests;
mod laws;
mod start;
mod stories;
mod supervise;
mod unserved;

use super::*;
use crate::ids::{AgentId, ConversationId, OfferId, QueueId, VisitorId};
use crate::party::{Origin, Participant, Party, Principal, Role};
use crate::skill::{Level, Skills};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const SITE: &str = "shop";
const VISITOR: u128 = 1;
const ANN: u128 = 10;
const BOB: u128 = 11;
const SUE: u128 = 12;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

fn principal(site: &str, role: Role, id: u128) -> Principal {
    Principal {
        site: site.parse().unwrap(),
        role,
        id: Uuid::from_u128(id),
        name: Arc::from(format!("person {id}")),
    }
}

fn visitor() -> Origin {
    Origin::Client(principal(SITE, Role::Visitor, VISITOR))
}

fn agent(id: u128) -> Origin {
    Origin::Client(principal(SITE, Role::Agent, id))
}

fn supervisor() -> Origin {
    Origin::Client(principal(SITE, Role::Supervisor, SUE))
}

fn named(id: u128) -> Participant {
    Participant::agent(AgentId::from_uuid(Uuid::from_u128(id)), format!("person {id}"))
}

fn agent_id(id: u128) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(id))
}

fn offer_id(id: u128) -> OfferId {
    OfferId::from_uuid(Uuid::from_u128(id))
}

fn queue(name: &str) -> QueueId {
    name.parse().unwrap()
}

fn start() -> Command {
    Command::Start(StartRequest {
        queue: queue("sales"),
        attributes: BTreeMap::new(),
        page: Arc::from("https://shop.example/"),
        language: Arc::from("en"),
        channel: None,
        consent: None,
        extra_minutes: 0,
        first_message: None,
    })
}

fn send(id: &str, text: &str) -> Command {
    Command::Send {
        client_msg_id: id.parse().unwrap(),
        text: Arc::from(text),
        attachments: vec![],
        after: None,
    }
}

fn note(id: &str) -> Command {
    Command::Note { client_msg_id: id.parse().unwrap(), text: Arc::from("psst"), mentions: vec![] }
}

fn mentioning(id: &str, whom: &[u128]) -> Command {
    let mentions = whom.iter().map(|id| named(*id)).collect();
    Command::Note { client_msg_id: id.parse().unwrap(), text: Arc::from("look"), mentions }
}

fn whisper(id: &str) -> Command {
    Command::Whisper { client_msg_id: id.parse().unwrap(), text: Arc::from("be kind") }
}

fn invite(whom: u128) -> Command {
    Command::Invite { agent: named(whom), note: Arc::from("help me") }
}

fn leave(who: Option<u128>) -> Command {
    Command::Leave { agent: who.map(agent_id) }
}

/// As routing knows her.
fn sue() -> Participant {
    Participant { party: Party::Supervisor, ..named(SUE) }
}

fn take_over() -> Command {
    Command::TakeOver { supervisor: sue() }
}

fn offer(id: u128, to: u128, until: Timestamp) -> Command {
    Command::Offer { offer: offer_id(id), agent: named(to), expires_at: until }
}

fn accept(id: u128, by: u128) -> Command {
    Command::Accept { offer: offer_id(id), agent: agent_id(by) }
}

fn end_offer(id: u128, outcome: OfferOutcome) -> Command {
    Command::EndOffer { offer: offer_id(id), outcome, reason: Arc::from("") }
}

fn contact(email: &str) -> Command {
    Command::LeaveContact(Contact {
        email: Arc::from(email),
        phone: Arc::from(""),
        text: Arc::from("please write"),
    })
}

fn transfer(target: TransferTarget) -> Command {
    Command::Transfer { target, note: Arc::from("knows it all"), warm: false }
}

fn warmly(target: TransferTarget) -> Command {
    Command::Transfer { target, note: Arc::from("knows it all"), warm: true }
}

fn skills(all: &[(&str, u8)]) -> Skills {
    let one =
        |(name, level): &(&str, u8)| (name.parse().unwrap(), Level::try_from(*level).unwrap());
    all.iter().map(one).collect()
}

fn guests(it: &Conversation) -> Vec<u128> {
    it.summary().guests.iter().map(|guest| guest.id.as_u128()).collect()
}

/// What a command leads to.
fn told(it: &mut Conversation, who: &Origin, command: &Command, secs: u64) -> Vec<Body> {
    let step = it.step(who, command, at(secs)).unwrap();
    step.events.into_iter().map(|event| event.body).collect()
}

fn opened() -> (Conversation, Step) {
    let id = ConversationId::from_uuid(Uuid::from_u128(100));
    Conversation::open(id, &visitor(), &start(), at(100)).unwrap()
}

/// Opened at 100 s, with Ann from 110 s on.
fn with_ann() -> Conversation {
    let (mut it, _) = opened();
    it.step(&Origin::System, &offer(1, ANN, at(130)), at(105)).unwrap();
    it.step(&Origin::System, &accept(1, ANN), at(110)).unwrap();
    it
}

fn assert_assigned(it: &Conversation, to: u128) {
    assert!(
        matches!(it.phase(), Phase::Assigned { agent, .. } if agent.id == Uuid::from_u128(to)),
        "{:?}",
        it.phase()
    );
}

fn visitor_id() -> VisitorId {
    VisitorId::from_uuid(Uuid::from_u128(VISITOR))
}
