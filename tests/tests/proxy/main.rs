//! The faulty proxy by itself: what it does, and that it does nothing else.

mod tamper;

use frontdesk_client::{Agent, Breach, Carrier, Heard, Session, Tokens, Visitor};
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{AgentStatus, Party};
use frontdesk_tests::deadline::step;
use frontdesk_tests::proxy::{Fault, Plot, Proxy};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::fresh_id;
use std::time::Duration;
use tokio::time::Instant;

/// A visitor and an agent who have a conversation, both through the proxy.
struct Pair {
    visitor: Visitor,
    agent: Agent,
    conversation: String,
    proxy: Proxy,
    _server: Server,
}

impl Pair {
    async fn talk(fault: Fault, carrier: Carrier) -> Self {
        let server = Server::start().await;
        let proxy = Proxy::before(server.address(), Plot::new(fault, Party::Visitor, 2)).await;
        let (address, ready) = (proxy.address(), server.ready());
        let tokens = Tokens::new(&address).expect("an address");
        let account = server.agent(0);
        let password = account.password.as_deref().unwrap_or_default();
        let agent = (ready.site.as_str(), account.email.as_str(), password);
        let mut agent = Agent::new(&address, carrier, &tokens, agent).await.expect("signed in");
        agent.set_status(AgentStatus::Online).await.expect("online");
        let visitor = Visitor::new(&address, carrier, &tokens, &ready.site_key).await;
        let mut visitor = visitor.expect("a token");
        let conversation = visitor.start("").await.expect("a conversation").conversation_id;
        let offer = agent.next_offer().await.expect("an offer");
        agent.accept(&offer).await.expect("accepted");
        Self { visitor, agent, conversation, proxy, _server: server }
    }

    /// The visitor says so.
    async fn say(&mut self, text: &str) {
        let said = self.visitor.session.say(&self.conversation, &fresh_id(), text).await;
        said.expect("acknowledged");
    }

    /// What the agent hears up to this message: the words, and the breaches.
    async fn agent_hears(&mut self, last: &str) -> (Vec<String>, Vec<Breach>) {
        step(last, hear(&mut self.agent.session, last)).await
    }
}

async fn hear(session: &mut Session, last: &str) -> (Vec<String>, Vec<Breach>) {
    let (mut words, mut breaches) = (Vec::new(), Vec::new());
    while words.last().is_none_or(|words| words != last) {
        match session.next().await.expect("the session goes on") {
            Heard::Event(push) => {
                if let Some(Body::Message(message)) = push.event.and_then(|event| event.body) {
                    words.push(message.text);
                }
            }
            Heard::Breach { breach, .. } => breaches.push(breach),
            _ => {}
        }
    }
    (words, breaches)
}

const SAID: [&str; 3] = ["one", "two", "three"];

/// What the agent hears when the visitor says three things.
async fn heard(fault: Fault, carrier: Carrier) -> (Vec<String>, Vec<Breach>, Pair) {
    let mut pair = Pair::talk(fault, carrier).await;
    for words in SAID {
        pair.say(words).await;
    }
    let (words, breaches) = pair.agent_hears("three").await;
    (words, breaches, pair)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_proxy_changes_nothing_on_any_carrier() {
    for carrier in Carrier::ALL {
        let (words, breaches, _) = heard(Fault::None, carrier).await;
        assert_eq!((words.as_slice(), breaches.len()), (&SAID.map(str::to_owned)[..], 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_is_not_noticed_by_the_client() {
    let (words, breaches, pair) = heard(Fault::Lose, Carrier::WebSocketProtobuf).await;
    assert_eq!(words, ["one", "three"]);
    assert_eq!(breaches, []);
    let deed = pair.proxy.deed();
    assert_eq!((deed.conversation, deed.text), (pair.conversation, "two".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_noticed_and_healed() {
    let (words, breaches, pair) = heard(Fault::Gap, Carrier::WebSocketProtobuf).await;
    assert_eq!(words, SAID);
    let seq = pair.proxy.deed().seq;
    assert_eq!(breaches, [Breach::Gap { had: seq - 1, seq: seq + 1, prev: seq }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_acknowledgement_leaves_nothing_behind() {
    let (words, breaches, mut pair) = heard(Fault::FalseSent, Carrier::WebSocketProtobuf).await;
    assert_eq!((words.as_slice(), breaches.len()), (&["one", "three"].map(str::to_owned)[..], 0));
    let page = pair.agent.session.history_before(&pair.conversation, 0).await.expect("a page");
    let kept = page.events.iter().filter_map(|push| push.event.as_ref()?.body.as_ref());
    let kept = kept.filter(|body| matches!(body, Body::Message(_))).count();
    assert_eq!(kept, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_proxy_keeps_the_order() {
    let delay = Duration::from_millis(150);
    let mut pair = Pair::talk(Fault::Slow(delay), Carrier::WebSocketProtobuf).await;
    let begin = Instant::now();
    for words in SAID {
        pair.say(words).await;
    }
    // Each acknowledgement is late; that it comes at all needs no more.
    assert!(begin.elapsed() >= delay * 3);
    assert_eq!(pair.agent_hears("three").await, (SAID.map(str::to_owned).to_vec(), Vec::new()));
}
