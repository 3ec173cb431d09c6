//! A server that a test plays itself: it accepts connections over every carrier
//! and lets the test say each word of the dialogue.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use frontdesk_client::{Address, Carrier};
use frontdesk_proto::v1::auth_service_server::{AuthService, AuthServiceServer};
use frontdesk_proto::v1::chat_service_server::{ChatService, ChatServiceServer};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    Bye, ClientBatch, ClientFrame, Event, EventPush, Hello, IssueVisitorTokenRequest, Message,
    ServerBatch, ServerFrame, SignInRequest, Token, Welcome,
};
use frontdesk_proto::wkt;
use futures::stream::BoxStream;
use futures::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_websockets::{CloseCode, Message as WsMessage, ServerBuilder};
use tonic::{Response, Status, Streaming};

/// The longest any step of a test may take.
const STEP: Duration = Duration::from_secs(20);

/// Fails the test when something takes forever.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(STEP, future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// Listens; every connection becomes a [`Peer`].
pub(crate) struct Fake {
    pub(crate) address: Address,
    pub(crate) carrier: Carrier,
    peers: mpsc::Receiver<Peer>,
    _tasks: JoinSet<()>,
}

impl Fake {
    pub(crate) async fn listen(carrier: Carrier) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (to_test, peers) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        match carrier {
            Carrier::Grpc => {
                let chat = ChatServiceServer::new(Grpc(to_test));
                let auth = AuthServiceServer::new(Auth);
                let incoming = futures::stream::unfold(listener, async |listener| {
                    let tcp = listener.accept().await.map(|(tcp, _)| tcp);
                    Some((tcp, listener))
                });
                let router =
                    tonic::transport::Server::builder().add_service(chat).add_service(auth);
                tasks.spawn(async move { router.serve_with_incoming(incoming).await.unwrap() });
            }
            _ => {
                tasks.spawn(serve_websockets(listener, carrier, to_test));
            }
        }
        Self { address, carrier, peers, _tasks: tasks }
    }

    /// The next connection, before its Hello.
    pub(crate) async fn accept_raw(&mut self) -> Peer {
        self.peers.recv().await.expect("the listener runs")
    }

    /// The next connection, welcomed.
    pub(crate) async fn accept(&mut self) -> (Peer, Hello) {
        let mut peer = within("a connection", self.accept_raw()).await;
        let hello = peer.hello().await;
        peer.answer(1, welcome()).await;
        (peer, hello)
    }
}

pub(crate) fn welcome() -> Frame {
    Frame::Welcome(Box::new(Welcome {
        ping_interval: Some(wkt::Duration { seconds: 25, nanos: 0 }),
        max_batch_bytes: 65_536,
        max_batch_frames: 64,
        ..Welcome::default()
    }))
}

/// A message event.
pub(crate) fn event(conversation: &str, seq: u32, prev: u32, text: &str) -> Frame {
    let body = Message { text: text.to_owned(), ..Message::default() };
    let event = Event {
        conversation_id: conversation.to_owned(),
        seq,
        body: Some(Body::Message(body)),
        ..Event::default()
    };
    Frame::Event(EventPush { event: Some(event), prev })
}

enum Out {
    Batch(ServerBatch),
    Close(u16),
}

/// One connection, seen from the server.
pub(crate) struct Peer {
    incoming: mpsc::Receiver<ClientBatch>,
    outgoing: mpsc::Sender<Out>,
    frames: VecDeque<ClientFrame>,
}

impl Peer {
    /// The next request; `None` once the client has gone.
    pub(crate) async fn request(&mut self) -> Option<(u32, Request)> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some((frame.id, frame.request.expect("a known request")));
            }
            self.frames = within("a request", self.incoming.recv()).await?.frames.into();
        }
    }

    pub(crate) async fn hello(&mut self) -> Hello {
        match self.request().await {
            Some((1, Request::Hello(hello))) => hello,
            other => panic!("no Hello: {other:?}"),
        }
    }

    pub(crate) async fn answer(&self, id: u32, frame: Frame) {
        let frames = vec![ServerFrame { id, frame: Some(frame) }];
        // The client may have gone: what it hears is the test's to check.
        let _ = self.outgoing.send(Out::Batch(ServerBatch { frames })).await;
    }

    pub(crate) async fn push(&self, frame: Frame) {
        self.answer(0, frame).await;
    }

    /// Ends the connection with a code.
    pub(crate) async fn bye(self, code: u16) {
        self.push(Frame::Bye(Bye { code: code.into(), reason: "because".into() })).await;
        let _ = self.outgoing.send(Out::Close(code)).await;
    }

    /// What the client sends, and what it is told, for a server of its own.
    pub(crate) fn split(self) -> (mpsc::Receiver<ClientBatch>, Told) {
        (self.incoming, Told(self.outgoing))
    }
}

/// Tells one client.
#[derive(Clone)]
pub(crate) struct Told(mpsc::Sender<Out>);

impl Told {
    /// Whether it is the same client.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Ends the connection without a word of why.
    pub(crate) fn cut(&self) {
        let _ = self.0.try_send(Out::Close(1001));
    }

    /// Without waiting: a test's queues are long enough.
    pub(crate) fn tell(&self, id: u32, frame: Frame) {
        let frames = vec![ServerFrame { id, frame: Some(frame) }];
        // A client that has gone hears nothing.
        let _ = self.0.try_send(Out::Batch(ServerBatch { frames }));
    }
}

fn pair() -> (Peer, mpsc::Sender<ClientBatch>, mpsc::Receiver<Out>) {
    let (to_peer, incoming) = mpsc::channel(64);
    let (outgoing, from_peer) = mpsc::channel(16_384);
    (Peer { incoming, outgoing, frames: VecDeque::new() }, to_peer, from_peer)
}

async fn serve_websockets(listener: TcpListener, carrier: Carrier, to_test: mpsc::Sender<Peer>) {
    let mut connections = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        connections.spawn(serve_websocket(tcp, carrier, to_test.clone()));
    }
}

async fn serve_websocket(
    tcp: tokio::net::TcpStream,
    carrier: Carrier,
    to_test: mpsc::Sender<Peer>,
) {
    let json = carrier == Carrier::WebSocketJson;
    let subprotocol = if json { "frontdesk.v1.json" } else { "frontdesk.v1.proto" };
    let name = http::HeaderName::from_static("sec-websocket-protocol");
    let builder = ServerBuilder::new().add_header(name, subprotocol.parse().unwrap()).unwrap();
    let (_, socket) = builder.accept(tcp).await.unwrap();
    let (mut sink, mut stream) = socket.split();
    let (peer, to_peer, mut from_peer) = pair();
    to_test.send(peer).await.unwrap_or_else(|_| panic!("the test listens"));
    loop {
        tokio::select! {
            message = stream.next() => {
                let Some(Ok(message)) = message else { return };
                if message.is_close() {
                    return;
                }
                assert_eq!(message.is_text(), json);
                let payload = message.as_payload();
                let batch = match json {
                    true => serde_json::from_slice(payload).unwrap(),
                    false => ClientBatch::decode(&payload[..]).unwrap(),
                };
                if to_peer.send(batch).await.is_err() {
                    return;
                }
            }
            out = from_peer.recv() => match out {
                Some(Out::Batch(batch)) => {
                    let message = match json {
                        true => WsMessage::text(serde_json::to_string(&batch).unwrap()),
                        false => WsMessage::binary(batch.encode_to_vec()),
                    };
                    let _ = sink.send(message).await;
                }
                Some(Out::Close(code)) => {
                    let code = CloseCode::try_from(code).unwrap();
                    let _ = sink.send(WsMessage::close(Some(code), "because")).await;
                }
                None => return,
            }
        }
    }
}

struct Grpc(mpsc::Sender<Peer>);

#[tonic::async_trait]
impl ChatService for Grpc {
    type ChatStream = BoxStream<'static, Result<ServerBatch, Status>>;

    async fn chat(
        &self,
        request: tonic::Request<Streaming<ClientBatch>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let mut incoming = request.into_inner();
        let (peer, to_peer, from_peer) = pair();
        self.0.send(peer).await.unwrap_or_else(|_| panic!("the test listens"));
        // Ends with the client's stream or the test's end of it.
        tokio::spawn(async move {
            while let Ok(Some(batch)) = incoming.message().await {
                if to_peer.send(batch).await.is_err() {
                    return;
                }
            }
        });
        let out = futures::stream::unfold(from_peer, async |mut from_peer| {
            match from_peer.recv().await {
                Some(Out::Batch(batch)) => Some((Ok(batch), from_peer)),
                Some(Out::Close(_)) | None => None,
            }
        });
        Ok(Response::new(out.boxed()))
    }
}

struct Auth;

#[tonic::async_trait]
impl AuthService for Auth {
    async fn issue_visitor_token(
        &self,
        request: tonic::Request<IssueVisitorTokenRequest>,
    ) -> Result<Response<Token>, Status> {
        let token = format!("visitor of {}", request.into_inner().site_key);
        Ok(Response::new(Token { token, ..Token::default() }))
    }

    async fn sign_in(
        &self,
        request: tonic::Request<SignInRequest>,
    ) -> Result<Response<Token>, Status> {
        let SignInRequest { email, password, .. } = request.into_inner();
        if password != "right" {
            return Err(Status::unauthenticated("wrong password"));
        }
        Ok(Response::new(Token { token: format!("agent {email}"), ..Token::default() }))
    }
}
