//! A visitor of a shift: opens some conversations, stays, and reads them at the end.

use super::ledger::Account;
use frontdesk_client::{Address, Carrier, Tokens, Visitor};
use frontdesk_proto::v1::event::Body;
use tokio::sync::watch;

pub(super) struct Waiting {
    visitor: Visitor,
    conversations: Vec<String>,
}

/// Opens so many conversations. Panics when it is not let in.
pub(super) async fn arrive(address: Address, site_key: String, many: usize) -> Waiting {
    let tokens = Tokens::new(&address).expect("inside a runtime");
    let carrier = Carrier::WebSocketProtobuf;
    let visitor = Visitor::new(&address, carrier, &tokens, &site_key).await;
    let mut visitor = visitor.expect("a visitor gets a token");
    let mut conversations = Vec::new();
    for _ in 0..many {
        let state = visitor.start("").await.expect("a conversation begins");
        conversations.push(state.conversation_id);
    }
    Waiting { visitor, conversations }
}

impl Waiting {
    pub(super) fn conversations(&self) -> &[String] {
        &self.conversations
    }

    /// Stays until the shift is over; what the conversations say then.
    pub(super) async fn stay(mut self, mut is_over: watch::Receiver<bool>) -> Vec<Account> {
        loop {
            tokio::select! {
                _ = is_over.wait_for(|over| *over) => break,
                heard = self.visitor.session.next() => if heard.is_err() { break },
            }
        }
        let mut accounts = Vec::new();
        for conversation in std::mem::take(&mut self.conversations) {
            if let Ok(page) = self.visitor.session.history(&conversation, 0).await {
                let events: Vec<_> =
                    page.events.into_iter().filter_map(|p| Some((p.prev, p.event?))).collect();
                let count = |is: fn(&Body) -> bool| {
                    events.iter().filter_map(|(_, e)| e.body.as_ref()).filter(|b| is(b)).count()
                };
                let mut last = 0;
                let in_order = events.iter().all(|(prev, event)| {
                    let follows = *prev == last;
                    last = event.seq;
                    follows
                });
                accounts.push(Account {
                    assigned: count(|body| matches!(body, Body::Assigned(_))),
                    closed: count(|body| matches!(body, Body::Closed(_))),
                    in_order,
                    conversation,
                });
            }
        }
        accounts
    }
}
