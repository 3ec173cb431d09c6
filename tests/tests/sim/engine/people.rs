//! Visitors and agents: the real client, over the simulated network, writing down
//! what they do and see.

use super::desk::{SITE, SITE_KEY, email};
use super::entropy::elapsed;
use super::ledger::Ledger;
use super::net;
use super::plan::{END_MS, GATEWAYS, Plan, QUIET_MS};
use frontdesk_client::{Address, Carrier, Heard, Session, SessionSettings, TokenError, Tokens};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AgentStatus, Cursor, EventPush, SendMessage, SetStatus, StartConversation,
    Subscribe,
};
use rand::RngExt as _;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

/// Before somebody without a token asks again.
const TOKEN_PAUSE: Duration = Duration::from_millis(300);
/// How often a visitor looks whether the conversation has begun.
const A_LITTLE: Duration = Duration::from_millis(50);
/// A message is said again, under its old id, this long before the end.
const AGAIN_MS: u64 = 5_000;

fn gateways() -> Vec<Address> {
    let address = |host: &str| -> Address {
        format!("http://{host}:{}", net::PUBLIC).parse().expect("an address")
    };
    GATEWAYS.into_iter().map(|host| address(host).through(net::client_dial())).collect()
}

/// Asks one gateway after the other until there is a session.
async fn sign_in<F, T>(mut token: impl FnMut(Tokens) -> F) -> Session
where
    F: Future<Output = Result<T, TokenError>>,
    T: Into<String>,
{
    let addresses = gateways();
    for turn in 0.. {
        let tokens = Tokens::new(&addresses[turn % addresses.len()]).expect("an address");
        if let Ok(token) = token(tokens).await {
            let first = addresses[turn % addresses.len()].clone();
            let settings = SessionSettings::new(first, Carrier::Grpc, token.into());
            return Session::new(SessionSettings { addresses, ..settings });
        }
        sleep(TOKEN_PAUSE).await;
    }
    unreachable!("the loop has no end")
}

async fn until(ms: u64) {
    sleep(Duration::from_millis(ms.saturating_sub(elapsed()))).await;
}

/// What a request was for.
enum Asked {
    Start,
    Message(String),
    Other,
}

/// One person's session and what is under way.
struct Person {
    name: String,
    session: Session,
    ledger: Ledger,
    asked: HashMap<u32, Asked>,
    count: u32,
}

impl Person {
    fn new(name: String, session: Session, ledger: Ledger) -> Self {
        Self { name, session, ledger, asked: HashMap::new(), count: 0 }
    }

    fn ask(&mut self, request: Request, asked: Asked) {
        let id = self.session.submit(request).expect("people ask little at a time");
        self.asked.insert(id, asked);
    }

    fn say(&mut self, conversation: &str, words: &str) {
        self.count += 1;
        let (key, text) = (format!("m{}", self.count), format!("{} {words}", self.name));
        self.ledger.said(&self.name, &key, conversation, &text);
        self.send(conversation, key, text);
    }

    fn send(&mut self, conversation: &str, key: String, text: String) {
        let message = SendMessage {
            conversation_id: conversation.to_owned(),
            client_msg_id: key.clone(),
            text,
            ..SendMessage::default()
        };
        self.ask(Request::Send(message), Asked::Message(key));
    }

    /// Writes down what was heard; gives events that are new.
    fn note(&mut self, heard: Heard) -> Option<EventPush> {
        match heard {
            Heard::Event(push) => {
                if let Some(event) = &push.event {
                    let text = match &event.body {
                        Some(Body::Message(message)) => Some(message.text.clone()),
                        _ => None,
                    };
                    self.ledger.heard(&self.name, &event.conversation_id, event.seq, text);
                }
                return Some(*push);
            }
            Heard::Breach { conversation, breach } => {
                let name = &self.name;
                self.ledger.wrong(format!("P2: {name} in {conversation}: {breach:?}"));
            }
            Heard::Answer { id, frame } => self.answered(id, *frame),
            Heard::Unfollowed { conversation, error } => {
                let why = format!("P7: {} may not follow {conversation}: {error:?}", self.name);
                self.ledger.wrong(why);
            }
            Heard::Connected(_) | Heard::Deferred { .. } | Heard::Push(_) | Heard::Lost(_) => {}
        }
        None
    }

    fn answered(&mut self, id: u32, frame: Frame) {
        match (self.asked.remove(&id), frame) {
            (Some(Asked::Message(key)), Frame::Sent(sent)) => {
                self.ledger.acked(&self.name, &key, sent.seq);
            }
            (Some(Asked::Message(key)), Frame::Error(error)) => {
                self.ledger.refused(&self.name, &key, format!("{error:?}"));
            }
            (Some(Asked::Start), Frame::Error(error)) => {
                let why = format!("P7: {} could not begin: {error:?}", self.name);
                self.ledger.wrong(why);
            }
            _ => {}
        }
    }

    /// Hears until then; `react` may answer events.
    async fn listen(&mut self, until: Instant, mut react: impl FnMut(&mut Self, EventPush)) {
        loop {
            tokio::select! {
                heard = self.session.next() => match heard {
                    Ok(heard) => {
                        if let Some(push) = self.note(heard) {
                            react(self, push);
                        }
                    }
                    Err(error) => {
                        self.ledger.wrong(format!("P7: {} has given up: {error}", self.name));
                        sleep_until(until).await;
                        return;
                    }
                },
                () = sleep_until(until) => return,
            }
        }
    }
}

/// Comes, begins a conversation, says something now and then, repeats itself, and
/// reads everything once more at the end.
pub(crate) async fn visitor(plan: Plan, ledger: Ledger, n: usize) -> turmoil::Result {
    until(rand::rng().random_range(plan.arrivals)).await;
    let session =
        sign_in(|tokens| async move { tokens.visitor(SITE_KEY).await.map(|token| token.token) })
            .await;
    let token = session.token().to_owned();
    let mut person = Person::new(format!("visitor{n}"), session, ledger.clone());
    let conversation = Uuid::now_v7().to_string();
    let begun = (conversation.clone(), elapsed());
    ledger.entries().begun.insert(person.name.clone(), begun);
    let start =
        StartConversation { conversation_id: conversation.clone(), ..StartConversation::default() };
    person.ask(Request::Start(start), Asked::Start);
    while !person.asked.is_empty() && elapsed() < QUIET_MS {
        let next = Instant::now() + A_LITTLE;
        person.listen(next, |_, _| {}).await;
    }
    while elapsed() < QUIET_MS {
        let pause = rand::rng().random_range(plan.every_ms / 4..plan.every_ms * 2);
        let next = Instant::now() + Duration::from_millis(pause);
        person.listen(next, |_, _| {}).await;
        let words = format!("says {}", person.count + 1);
        person.say(&conversation, &words);
    }
    person.listen(at(END_MS - AGAIN_MS), |_, _| {}).await;
    // Repeated long after: the same answer, and nothing new.
    person.send(&conversation, "m1".into(), format!("{} says 1", person.name));
    let mut again = second_tab(&person, token, &conversation);
    tokio::join!(person.listen(at(END_MS), |_, _| {}), again.listen(at(END_MS), |_, _| {}));
    Ok(())
}

/// The same visitor elsewhere, who has seen nothing yet.
fn second_tab(person: &Person, token: String, conversation: &str) -> Person {
    let mut addresses = gateways();
    addresses.reverse();
    let settings = SessionSettings::new(addresses[0].clone(), Carrier::Grpc, token);
    let session = Session::new(SessionSettings { addresses, ..settings });
    let mut again = Person::new(format!("{}-again", person.name), session, person.ledger.clone());
    let cursor = Cursor { conversation_id: conversation.to_owned(), seq: 0 };
    again.ask(Request::Subscribe(Subscribe { cursor: Some(cursor) }), Asked::Other);
    again
}

fn at(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms.saturating_sub(elapsed()))
}

/// Comes online, takes what is offered and answers what is said.
pub(crate) async fn agent(ledger: Ledger, n: usize) -> turmoil::Result {
    // The first look whether the cluster stands.
    until(1_500).await;
    let session = sign_in(|tokens| async move {
        tokens.sign_in(SITE, &email(n), "any").await.map(|token| token.token)
    })
    .await;
    let mut person = Person::new(format!("agent{n}"), session, ledger);
    let online = SetStatus { status: AgentStatus::Online.into(), reason: String::new() };
    person.ask(Request::SetStatus(online), Asked::Other);
    loop {
        let heard = match person.session.next().await {
            Ok(heard) => heard,
            Err(error) => {
                person.ledger.wrong(format!("P7: {} has given up: {error}", person.name));
                return Ok(());
            }
        };
        if let Heard::Push(frame) = &heard
            && let Frame::Offer(offer) = &**frame
        {
            let (conversation_id, offer_id) =
                (offer.conversation_id.clone(), offer.offer_id.clone());
            let accept = AcceptOffer { conversation_id, offer_id };
            person.ask(Request::AcceptOffer(accept), Asked::Other);
        }
        if let Some(push) = person.note(heard) {
            answer(&mut person, &push);
        }
    }
}

/// Every third thing that a visitor says is answered.
fn answer(person: &mut Person, push: &EventPush) {
    let Some(event) = &push.event else { return };
    match &event.body {
        Some(Body::Assigned(_)) => {
            let mut entries = person.ledger.entries();
            entries.assigned.entry(event.conversation_id.clone()).or_insert_with(elapsed);
        }
        Some(Body::Message(message))
            if message.text.starts_with("visitor")
                && event.seq % 3 == 0
                && elapsed() < QUIET_MS =>
        {
            let conversation = event.conversation_id.clone();
            person.say(&conversation, &format!("answers {}", event.seq));
        }
        _ => {}
    }
}
