//! One connection of the client protocol, driven frame by frame.
//!
//! Unlike a session it never reconnects, resends or hides anything: a test sees
//! what the server says. What every reader is promised (no gap in `prev`,
//! nothing internal for a visitor) is checked on every event.

mod requests;
mod watch;

use crate::accounts::Account;
use crate::deadline::{STEP, step, within};
use crate::server::Server;
use bytes::Bytes;
use frontdesk_client::{Address, Carrier, Connection, Ended, Receiver, Sender};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    ClientBatch, ClientFrame, Cursor, Error, Event, EventPush, Hello, Party, Pong, ServerFrame,
    Welcome,
};
pub use requests::*;
use std::collections::VecDeque;
use std::time::Duration;
use watch::Watch;

/// The code of a connection that ended without one.
const ABNORMAL: u32 = 1006;

/// A connection.
pub struct Wire {
    sender: Sender,
    receiver: Receiver,
    watch: Watch,
    /// Frames that came while something else was waited for.
    backlog: VecDeque<ServerFrame>,
    next_id: u32,
    ended: Option<Ended>,
    patience: Duration,
}

impl Wire {
    /// Connects without saying anything.
    pub async fn connect(server: &Server, carrier: Carrier) -> Self {
        Self::connect_to(&server.gateway(), carrier).await
    }

    async fn connect_to(gateway: &Address, carrier: Carrier) -> Self {
        let connection = Connection::connect(carrier, gateway).await;
        let Connection { sender, receiver } =
            connection.unwrap_or_else(|e| panic!("cannot connect: {e}"));
        Self {
            sender,
            receiver,
            watch: Watch::default(),
            backlog: VecDeque::new(),
            next_id: 0,
            ended: None,
            patience: STEP,
        }
    }

    /// Connects and says Hello.
    pub async fn open(server: &Server, carrier: Carrier, token: &str) -> (Self, Welcome) {
        Self::resume(server, carrier, token, Vec::new()).await
    }

    /// The same, at a gateway of a cluster.
    pub async fn open_at(gateway: &Address, carrier: Carrier, token: &str) -> Self {
        let wire = Self::connect_to(gateway, carrier).await;
        wire.hello(token, Vec::new()).await.0
    }

    /// Connects and goes on from cursors.
    pub async fn resume(
        server: &Server,
        carrier: Carrier,
        token: &str,
        resume: Vec<Cursor>,
    ) -> (Self, Welcome) {
        Self::connect(server, carrier).await.hello(token, resume).await
    }

    async fn hello(self, token: &str, resume: Vec<Cursor>) -> (Self, Welcome) {
        let mut wire = self;
        resume.iter().for_each(|cursor| wire.watch.from(cursor));
        let hello = Hello { token: token.to_owned(), resume, client: "frontdesk-tests".into() };
        match wire.request(Request::Hello(hello)).await {
            Ok(Frame::Welcome(welcome)) => {
                let party = welcome.you.as_ref().map(|p| p.party());
                wire.watch.visitor = party == Some(Party::Visitor);
                (wire, *welcome)
            }
            other => panic!("no Welcome but {other:?}"),
        }
    }

    /// A new visitor.
    pub async fn visitor(server: &Server, carrier: Carrier) -> Self {
        let token = server.visitor_token().await.token;
        Self::open(server, carrier, &token).await.0
    }

    /// A member of the staff, signed in and connected but not yet online.
    pub async fn staff(server: &Server, carrier: Carrier, account: &Account) -> Self {
        let token = server.sign_in(account).await.token;
        Self::open(server, carrier, &token).await.0
    }

    /// Sends a request and waits for its reply; whatever comes before stays for
    /// `push`.
    pub async fn request(&mut self, request: Request) -> Result<Frame, Error> {
        let id = self.send(request).await;
        self.reply(id).await
    }

    /// Sends a request without waiting; gives its id.
    pub async fn send(&mut self, request: Request) -> u32 {
        self.next_id += 1;
        let id = self.next_id;
        self.send_frames(vec![ClientFrame { id, request: Some(request) }]).await;
        id
    }

    /// Sends frames as one batch.
    pub async fn send_frames(&mut self, frames: Vec<ClientFrame>) {
        // What cannot be sent any more is told by `end`.
        let _ = step("sending", self.sender.send(&ClientBatch { frames })).await;
    }

    /// Sends any bytes as one message of the carrier.
    pub async fn send_raw(&mut self, bytes: impl Into<Bytes>) {
        let _ = step("sending", self.sender.send_raw(bytes.into())).await;
    }

    /// Waits for the reply with this id.
    pub async fn reply(&mut self, id: u32) -> Result<Frame, Error> {
        let what = format!("a reply to request {id}");
        let frame = self.first(&what, |frame| frame.id == id).await;
        match frame.frame {
            Some(Frame::Error(error)) => Err(error),
            Some(frame) => Ok(frame),
            None => panic!("an empty reply to request {id}"),
        }
    }

    /// The first push, already come or yet to come, that `pick` accepts. Others
    /// stay for later.
    pub async fn push<T>(&mut self, what: &str, pick: impl Fn(&Frame) -> Option<T>) -> T {
        let wanted = |frame: &ServerFrame| {
            frame.id == 0 && frame.frame.as_ref().is_some_and(|frame| pick(frame).is_some())
        };
        let frame = self.first(what, wanted).await.frame;
        frame.as_ref().and_then(&pick).expect("it was picked a moment ago")
    }

    /// The first event that `wanted` accepts.
    pub async fn event(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> EventPush {
        let pick = |frame: &Frame| match frame {
            Frame::Event(push) if push.event.as_ref().is_some_and(&wanted) => Some(push.clone()),
            _ => None,
        };
        self.push(what, pick).await
    }

    /// Answers pings, and keeps what comes, until something else is done.
    pub async fn attend<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                more = self.read() => assert!(more, "the connection ended: {:?}", self.ended),
            }
        }
    }

    /// Waits until the server ends the connection; gives the code, 1006 when it
    /// said none.
    pub async fn end(&mut self) -> u32 {
        step("the server ends the connection", async { while self.read().await {} }).await;
        match self.ended.as_ref().expect("it was read to its end") {
            Ended::Closed { code, .. } => *code,
            Ended::Cut(_) => ABNORMAL,
            Ended::Malformed(what) => panic!("the server broke the protocol: {what}"),
        }
    }

    /// Frames that have come and were not asked for.
    pub fn backlog(&self) -> impl Iterator<Item = &Frame> {
        self.backlog.iter().filter_map(|f| f.frame.as_ref())
    }

    /// The last event seen of a conversation, as a cursor.
    pub fn cursor(&self, conversation: &str) -> Cursor {
        self.watch.cursor(conversation)
    }

    /// Waits this long for what the server does only after a long time.
    pub fn patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    async fn first(&mut self, what: &str, wanted: impl Fn(&ServerFrame) -> bool) -> ServerFrame {
        // Over all reads: pushes that never cease must not keep a test waiting.
        within(self.patience, what, self.first_ever(what, wanted)).await
    }

    async fn first_ever(
        &mut self,
        what: &str,
        wanted: impl Fn(&ServerFrame) -> bool,
    ) -> ServerFrame {
        let mut looked_at = 0;
        loop {
            if let Some(n) = (looked_at..self.backlog.len()).find(|n| wanted(&self.backlog[*n])) {
                return self.backlog.remove(n).expect("found there");
            }
            looked_at = self.backlog.len();
            assert!(self.read().await, "the connection ended ({:?}) before {what}", self.ended);
        }
    }

    /// Reads one batch into the backlog; false at the end.
    async fn read(&mut self) -> bool {
        let batch = match self.receiver.receive().await {
            Ok(batch) => batch,
            Err(ended) => {
                self.ended.get_or_insert(ended);
                return false;
            }
        };
        let mut pinged = false;
        for frame in batch.frames {
            match &frame.frame {
                Some(Frame::Ping(_)) => {
                    pinged = true;
                    continue;
                }
                Some(Frame::Event(push)) => self.watch.saw(push),
                Some(Frame::History(history)) => self.watch.read(history),
                _ => {}
            }
            self.backlog.push_back(frame);
        }
        // Last, so that nothing is lost when the caller stops waiting here.
        if pinged {
            let pong = ClientFrame { id: 0, request: Some(Request::Pong(Pong {})) };
            self.send_frames(vec![pong]).await;
        }
        true
    }
}
