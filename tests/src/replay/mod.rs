//! Real dialogues, all at once: visitors over WebSockets (half of them JSON, half
//! Protobuf), agents over gRPC. Whoever's turn it is speaks only after having
//! heard the line before.

mod agent;
mod verify;
mod visitor;

use crate::accounts::Account;
use crate::corpus::Dialogue;
use crate::deadline::within;
use crate::server::{Plan, Server};
use frontdesk_client::{Carrier, Heard, Session, SessionSettings};
use frontdesk_proto::v1::Sent;
use futures::future::join_all;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
pub use verify::verify;

/// The longest that anything takes, a killed server and its restart included.
const PATIENCE: Duration = Duration::from_secs(90);
/// Name of the attribute that tells an agent which dialogue it is in.
const ATTRIBUTE: &str = "dialogue";
/// Agents who share the dialogues; each takes up to 100.
const AGENTS: u32 = 4;

/// A message that the server has acknowledged.
#[derive(Debug, Clone)]
struct Acknowledged {
    dialogue: usize,
    line: usize,
    sent: Sent,
}

/// What all sides share.
#[derive(Debug)]
pub struct Script {
    dialogues: Vec<Dialogue>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    count: watch::Sender<usize>,
    reconnects: AtomicUsize,
}

impl Script {
    fn said(&self, dialogue: usize, line: usize, sent: Sent) {
        let mut all = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Acknowledged { dialogue, line, sent });
        self.count.send_replace(all.len());
    }

    /// How many lines are acknowledged one by one: all but the first ones, which
    /// go with the start of their conversations.
    pub fn lines(&self) -> usize {
        self.dialogues.iter().map(|d| d.lines.len() - 1).sum()
    }

    /// Waits until so many lines were acknowledged.
    pub async fn acknowledged(&self, lines: usize) {
        let mut count = self.count.subscribe();
        count.wait_for(|count| *count >= lines).await.expect("the sender lives in self");
    }

    /// Connections that were lost and made again, over all clients.
    pub fn reconnects(&self) -> usize {
        self.reconnects.load(Ordering::Relaxed)
    }
}

/// A visitor's side of one dialogue, for reading it back.
#[derive(Debug, Clone)]
pub struct Told {
    dialogue: usize,
    conversation: String,
    token: String,
}

/// A server that is large and fast enough for everybody at once.
pub async fn server() -> Server {
    let plan = Plan::default().extra_agents(AGENTS);
    let plan = plan.set("gateway.requests_per_second", 100_000);
    plan.set("gateway.request_burst", 100_000).start().await
}

/// The next thing a client hears; panics when the order of events was broken.
async fn next(session: &mut Session) -> Heard {
    let heard = within(PATIENCE, "something happens", session.next()).await;
    match heard.unwrap_or_else(|e| panic!("a session was given up: {e}")) {
        Heard::Breach { conversation, breach } => panic!("{conversation}: {breach}"),
        heard => heard,
    }
}

/// Everybody, ready to begin.
pub struct Replay {
    script: Arc<Script>,
    visitors: JoinSet<Told>,
    agents: JoinSet<()>,
}

impl Replay {
    /// Begins all dialogues.
    pub async fn begin(server: &Server, dialogues: Vec<Dialogue>) -> Self {
        let script = Arc::new(Script {
            dialogues,
            acknowledged: Mutex::default(),
            count: watch::Sender::new(0),
            reconnects: AtomicUsize::new(0),
        });
        let mut replay =
            Self { script: script.clone(), visitors: JoinSet::new(), agents: JoinSet::new() };
        let is_extra = |account: &Account| account.email.starts_with("agent-");
        for account in server.accounts("agent").iter().filter(|a| is_extra(a)) {
            let token = server.sign_in(account).await.token;
            let settings = SessionSettings::new(server.gateway(), Carrier::Grpc, token);
            replay.agents.spawn(agent::serve(Session::new(settings), script.clone()));
        }
        let tokens = join_all(script.dialogues.iter().map(|_| server.visitor_token())).await;
        for (n, token) in tokens.into_iter().enumerate() {
            let carrier = [Carrier::WebSocketJson, Carrier::WebSocketProtobuf][n % 2];
            let settings = SessionSettings::new(server.gateway(), carrier, token.token.clone());
            let session = Session::new(settings);
            replay.visitors.spawn(visitor::talk(session, script.clone(), n, token.token));
        }
        replay
    }

    /// What all sides share.
    pub fn script(&self) -> Arc<Script> {
        self.script.clone()
    }

    /// Waits for the end of all dialogues; panics when anybody failed.
    pub async fn finish(mut self) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            tokio::select! {
                visitor = self.visitors.join_next() => match visitor {
                    Some(done) => told.push(done.expect("a visitor failed")),
                    None => break,
                },
                Some(agent) = self.agents.join_next() => {
                    agent.expect("an agent failed");
                    panic!("an agent left before the end");
                }
            }
        }
        told.sort_by_key(|t| t.dialogue);
        told
    }
}
