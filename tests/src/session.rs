//! A client that heals itself, as the protocol asks clients to be: it connects
//! again, goes on from its cursors, and repeats what was not answered.
//!
//! An event is handed out once and in order; a gap panics. It never gives up
//! before [`PATIENCE`] has passed.

use crate::deadline::within;
use crate::wire::{Carrier, End, Link, pong};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    ClientFrame, Cursor, Error, EventPush, Hello, ServerFrame, Subscribe, Welcome,
};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::sleep;

/// The longest that anything takes, a killed server and its restart included.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Pause between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// Something that was not asked for.
#[derive(Debug)]
pub enum Happening {
    /// The connection is new; conversations go on from their cursors.
    Connected(Box<Welcome>),
    /// A push.
    Pushed(Box<Frame>),
}

/// One person's client.
#[derive(Debug)]
pub struct Session {
    address: SocketAddr,
    carrier: Carrier,
    token: String,
    link: Option<Link>,
    cursors: HashMap<String, u32>,
    inbox: VecDeque<Happening>,
    replies: HashMap<u32, Frame>,
    last_id: u32,
    connections: u32,
}

impl Session {
    /// A client that connects when it is first used.
    pub fn new(address: SocketAddr, carrier: Carrier, token: String) -> Self {
        Self {
            address,
            carrier,
            token,
            link: None,
            cursors: HashMap::new(),
            inbox: VecDeque::new(),
            replies: HashMap::new(),
            last_id: 0,
            connections: 0,
        }
    }

    /// How often it has connected.
    pub fn connections(&self) -> u32 {
        self.connections
    }

    /// Has a request carried out, however often it takes. An error is final.
    pub async fn ask(&mut self, request: Request) -> Result<Frame, Error> {
        let what = format!("{request:?}").chars().take(100).collect::<String>();
        within(PATIENCE, what, self.ask_until_final(request)).await
    }

    /// The next thing that happens.
    pub async fn next(&mut self) -> Happening {
        within(PATIENCE, "something happens", async {
            loop {
                if let Some(happening) = self.inbox.pop_front() {
                    return happening;
                }
                self.read().await;
            }
        })
        .await
    }

    /// Follows a conversation from where this client has read it to.
    pub async fn follow(&mut self, conversation: &str) -> Result<Frame, Error> {
        let seq = self.cursors.get(conversation).copied().unwrap_or_default();
        let cursor = Some(Cursor { conversation_id: conversation.to_owned(), seq });
        self.ask(Request::Subscribe(Subscribe { cursor })).await
    }

    /// No longer goes on with a conversation after a reconnect.
    pub fn forget(&mut self, conversation: &str) {
        self.cursors.remove(conversation);
    }

    async fn ask_until_final(&mut self, request: Request) -> Result<Frame, Error> {
        loop {
            match self.ask_once(request.clone()).await {
                Some(Frame::Error(error)) if error.retryable => {
                    let wait = error.retry_after.as_ref().expect("retryable errors say when");
                    sleep(Duration::new(wait.seconds as u64, wait.nanos as u32)).await;
                }
                Some(Frame::Error(error)) => return Err(error),
                Some(frame) => return Ok(frame),
                // The connection was lost: nobody knows whether it was done.
                None => {}
            }
        }
    }

    /// `None` when the connection ended before the answer.
    async fn ask_once(&mut self, request: Request) -> Option<Frame> {
        self.connect().await;
        self.last_id += 1;
        let id = self.last_id;
        let frames = vec![ClientFrame { id, request: Some(request) }];
        self.link.as_mut()?.send(frames).await;
        while self.link.is_some() {
            if let Some(reply) = self.replies.remove(&id) {
                return Some(reply);
            }
            self.read().await;
        }
        self.replies.remove(&id)
    }

    /// Connects if it is not connected.
    async fn connect(&mut self) {
        while self.link.is_none() {
            if self.try_connect().await.is_err() {
                self.link = None;
                sleep(PAUSE).await;
            }
        }
    }

    async fn try_connect(&mut self) -> Result<(), End> {
        let mut link = Link::open(self.address, self.carrier).await?;
        let resume = self.cursors.iter().map(|(id, seq)| (id.clone(), *seq));
        let resume = resume.map(|(conversation_id, seq)| Cursor { conversation_id, seq }).collect();
        let hello = Hello { token: self.token.clone(), resume, client: "frontdesk-tests".into() };
        self.last_id += 1;
        let frames = vec![ClientFrame { id: self.last_id, request: Some(Request::Hello(hello)) }];
        link.send(frames).await;
        loop {
            let mut frames = link.receive().await?.into_iter();
            match frames.next().and_then(|f| f.frame) {
                Some(Frame::Welcome(welcome)) => {
                    self.connections += 1;
                    self.inbox.push_back(Happening::Connected(welcome));
                    frames.for_each(|frame| self.take(frame));
                    self.link = Some(link);
                    return Ok(());
                }
                Some(Frame::Error(error)) => {
                    assert!(error.retryable, "Hello was refused for good: {error:?}");
                }
                other => panic!("neither Welcome nor an error: {other:?}"),
            }
        }
    }

    /// Reads one batch; without a connection it connects.
    async fn read(&mut self) {
        let Some(link) = &mut self.link else { return self.connect().await };
        let Ok(frames) = link.receive().await else {
            self.link = None;
            return;
        };
        if frames.iter().any(|f| matches!(f.frame, Some(Frame::Ping(_)))) {
            link.send(vec![pong()]).await;
        }
        frames.into_iter().for_each(|frame| self.take(frame));
    }

    fn take(&mut self, frame: ServerFrame) {
        match frame.frame {
            None | Some(Frame::Ping(_) | Frame::Bye(_)) => {}
            Some(Frame::Event(push)) => {
                if self.is_new(&push) {
                    self.inbox.push_back(Happening::Pushed(Box::new(Frame::Event(push))));
                }
            }
            Some(push) if frame.id == 0 => self.inbox.push_back(Happening::Pushed(Box::new(push))),
            Some(reply) => {
                self.replies.insert(frame.id, reply);
            }
        }
    }

    /// Whether the event was not seen before; moves the cursor.
    fn is_new(&mut self, push: &EventPush) -> bool {
        let event = push.event.as_ref().expect("a push carries an event");
        let cursor = self.cursors.entry(event.conversation_id.clone()).or_default();
        if event.seq <= *cursor {
            return false;
        }
        assert_eq!(push.prev, *cursor, "a gap before {event:?}");
        *cursor = event.seq;
        true
    }
}
