//! A connection that heals itself. It reconnects with full-jitter back-off as
//! the close codes say, resumes every conversation from the last event seen,
//! repeats unanswered requests in order under the same ids, repeats what was
//! refused for the moment, and follows Move.
//!
//! A session is a value driven by its owner through [`Session::next`]: no task
//! and no channel of its own. Events come out once and in order; a breach of
//! their order is handed out too. Requests that were under way together may be
//! carried out in another order when one of them had to be repeated.

mod link;
mod receive;
mod unanswered;

use super::address::Address;
use super::backoff::Backoff;
use super::close::Ended;
use super::codec::{BatchLimits, Carrier};
use super::order::{Breach, Reading};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{Error, EventPush, Welcome};
use link::{Link, Outgoing};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use unanswered::{Asker, Unanswered};

/// The longest wait for one thing, reconnecting included.
const ASK_DEADLINE: Duration = Duration::from_secs(60);
/// What may come in during one such wait.
const MAX_ASIDE: usize = 100_000;
/// Conversations that are remembered as forgotten: events may still be on
/// their way for a moment.
const MAX_FORGOTTEN: usize = 256;

/// Whom to connect to, as whom and how.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// Gateways; each new connection goes to the next one. At least one.
    pub addresses: Vec<Address>,
    /// How the connection is carried.
    pub carrier: Carrier,
    /// The token; refreshed in band before it ends.
    pub token: String,
    /// Name and version of the program, at most 100 bytes.
    pub client: String,
    /// Requests that may be under way.
    pub max_unanswered: usize,
}

impl SessionSettings {
    /// With the defaults of this program.
    pub fn new(address: Address, carrier: Carrier, token: String) -> Self {
        Self {
            addresses: vec![address],
            carrier,
            token,
            client: concat!("frontdesk-loadtest/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_unanswered: 16_384,
        }
    }
}

/// What a session hears.
#[derive(Debug)]
pub enum Heard {
    /// A new connection is open; conversations go on from their cursors.
    Connected(Box<Welcome>),
    /// An event, once and in order.
    Event(Box<EventPush>),
    /// The server broke the order of a conversation's events. It is healed.
    Breach {
        /// The conversation.
        conversation: String,
        /// What was wrong.
        breach: Breach,
    },
    /// The final answer to a request: a reply, or an error that is not retried.
    Answer {
        /// As [`Session::submit`] gave it.
        id: u32,
        /// What was answered.
        frame: Box<Frame>,
    },
    /// A request was refused for the moment and will be repeated.
    Deferred {
        /// As [`Session::submit`] gave it.
        id: u32,
        /// The error.
        error: Error,
    },
    /// A conversation is followed no longer: the server refuses for good.
    Unfollowed {
        /// The conversation.
        conversation: String,
        /// Why.
        error: Error,
    },
    /// Any other push.
    Push(Box<Frame>),
    /// The connection is gone or could not be opened; another try follows.
    Lost(String),
}

/// Why a session has given up. It stays so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The server ended it with a code that forbids coming back.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// A request cannot be written in the carrier's format.
    #[error(transparent)]
    Encode(#[from] super::codec::EncodeError),
}

/// Too many requests are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many unanswered requests")]
pub struct SubmitError;

/// Why a request has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The session has given up.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The server refuses for good.
    #[error("refused: {} ({:?})", .0.message, .0.code())]
    Refused(Error),
    /// Another kind of answer than the protocol says.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// Too many requests are under way.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// No answer came in time.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    /// Too much came in meanwhile.
    #[error("more than {0} things came in before the answer")]
    Flooded(usize),
}

/// One person's client.
pub struct Session {
    settings: SessionSettings,
    link: Link,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires.
    timer_at: Instant,
    backoff: Backoff,
    unanswered: Unanswered,
    readings: HashMap<String, Reading>,
    forgotten: VecDeque<String>,
    outgoing: VecDeque<Outgoing>,
    inbox: VecDeque<Heard>,
    /// What a wait for something else has passed over.
    aside: VecDeque<Heard>,
    limits: BatchLimits,
    ping_interval: Duration,
    heard_at: Instant,
    /// When to look whether the server is silent.
    check_at: Instant,
    /// The server's clock at the Welcome, in seconds.
    server_clock: Option<(i64, Instant)>,
    /// Conversations for which the present Hello had no room.
    not_in_hello: Vec<String>,
    refresh_at: Option<Instant>,
    move_at: Option<Instant>,
    attempts: usize,
    connections: u32,
}

impl Session {
    /// A session that connects when it is first driven.
    ///
    /// # Panics
    ///
    /// Panics without any address, or outside a runtime.
    pub fn new(settings: SessionSettings) -> Self {
        assert!(!settings.addresses.is_empty(), "a session needs a gateway");
        let now = Instant::now();
        Self {
            link: Link::Waiting { until: now },
            timer: Box::pin(tokio::time::sleep_until(now)),
            timer_at: now,
            backoff: Backoff::default(),
            unanswered: Unanswered::new(settings.max_unanswered),
            readings: HashMap::new(),
            forgotten: VecDeque::new(),
            outgoing: VecDeque::new(),
            inbox: VecDeque::new(),
            aside: VecDeque::new(),
            limits: BatchLimits::default(),
            ping_interval: Duration::from_secs(25),
            heard_at: now,
            check_at: now,
            server_clock: None,
            not_in_hello: Vec::new(),
            refresh_at: None,
            move_at: None,
            attempts: 0,
            connections: 0,
            settings,
        }
    }

    /// How often it has been welcomed.
    pub fn connections(&self) -> u32 {
        self.connections
    }

    /// The present token.
    pub fn token(&self) -> &str {
        &self.settings.token
    }

    /// Requests without a final answer.
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// Whether [`Session::submit`] would refuse.
    pub fn is_full(&self) -> bool {
        self.unanswered.len() >= self.settings.max_unanswered
    }

    /// The last event seen of a conversation; 0 for none.
    pub fn cursor(&self, conversation: &str) -> u32 {
        self.readings.get(conversation).map_or(0, Reading::seen)
    }

    /// Queues a request; [`Session::next`] sends it and repeats it until there
    /// is an answer, handed out under the id given here.
    pub fn submit(&mut self, request: Request) -> Result<u32, SubmitError> {
        let subscribe = match &request {
            Request::Subscribe(subscribe) => subscribe.cursor.clone(),
            _ => None,
        };
        let id = self.unanswered.add(request, Asker::User).ok_or(SubmitError)?;
        if let Some(cursor) = subscribe {
            self.readings.entry(cursor.conversation_id).or_default().subscribe_from(cursor.seq);
        }
        self.push_out(Outgoing::Request(id));
        Ok(id)
    }

    /// Queues what is worth nothing later (typing): never repeated, never
    /// answered, dropped without a connection or when too much waits.
    pub fn hint(&mut self, request: Request) {
        if self.outgoing.len() < self.settings.max_unanswered {
            self.push_out(Outgoing::Hint(Box::new(request)));
        }
    }

    /// Follows no longer; a conversation that is over should not be resumed.
    /// What still comes of it is dropped, until it begins anew.
    pub fn forget(&mut self, conversation: &str) {
        if self.readings.remove(conversation).is_some() {
            if self.forgotten.len() == MAX_FORGOTTEN {
                self.forgotten.pop_front();
            }
            self.forgotten.push_back(conversation.to_owned());
        }
    }

    /// Loses the connection as if the network had broken, and comes back as
    /// after any other loss. Without a connection nothing happens.
    pub fn cut(&mut self) {
        if matches!(self.link, Link::Open(_) | Link::Connecting(_)) {
            self.lost(&Ended::Cut("on purpose".into()));
        }
    }

    /// The next thing heard. Drives the connection; safe to cancel.
    pub async fn next(&mut self) -> Result<Heard, SessionError> {
        self.put_back();
        poll_fn(|cx| self.poll_heard(cx)).await
    }

    /// What has been heard already, without touching the network.
    pub fn heard(&mut self) -> Option<Heard> {
        self.put_back();
        self.inbox.pop_front()
    }

    /// Has a request carried out, however often it takes; what else is heard
    /// stays for [`Session::next`].
    pub async fn ask(&mut self, request: Request) -> Result<Frame, AskError> {
        let id = self.submit(request)?;
        self.wait_for(|heard| match heard {
            Heard::Answer { id: of, frame } if of == id => ControlFlow::Break(match *frame {
                Frame::Error(error) => Err(AskError::Refused(error)),
                frame => Ok(frame),
            }),
            other => ControlFlow::Continue(other),
        })
        .await?
    }

    /// Waits until `pick` breaks off; what it lets pass stays for [`Session::next`], in order. Safe to cancel.
    pub async fn wait_for<T>(
        &mut self,
        mut pick: impl FnMut(Heard) -> ControlFlow<T, Heard>,
    ) -> Result<T, AskError> {
        self.put_back();
        let picking = async {
            loop {
                match pick(poll_fn(|cx| self.poll_heard(cx)).await?) {
                    ControlFlow::Break(picked) => return Ok(picked),
                    ControlFlow::Continue(_) if self.aside.len() >= MAX_ASIDE => {
                        return Err(AskError::Flooded(MAX_ASIDE));
                    }
                    ControlFlow::Continue(other) => self.aside.push_back(other),
                }
            }
        };
        let picked = tokio::time::timeout(ASK_DEADLINE, picking).await;
        self.put_back();
        picked.unwrap_or(Err(AskError::Deadline(ASK_DEADLINE)))
    }

    /// What was set aside comes before what is in the inbox.
    fn put_back(&mut self) {
        if !self.aside.is_empty() {
            self.aside.append(&mut self.inbox);
            std::mem::swap(&mut self.aside, &mut self.inbox);
        }
    }
}
