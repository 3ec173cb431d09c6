//! A WebSocket client of another library, so that both sides are not wrong alike.

use super::World;
use frontdesk_proto::v1::{self, client_frame::Request, server_frame::Frame};
use futures::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use std::collections::VecDeque;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// How long a test waits for what must come.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// What the client runs over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(crate) struct TestClient {
    socket: WebSocketStream<Box<dyn Stream>>,
    json: bool,
    next_id: u32,
    frames: VecDeque<v1::ServerFrame>,
    /// The close code, once it has come.
    pub(crate) closed: Option<u16>,
}

impl TestClient {
    /// Connects without saying anything.
    pub(crate) async fn connect(world: &World, json: bool) -> Self {
        Self::connect_with(world, json, &[]).await
    }

    /// With more headers in the request.
    pub(crate) async fn connect_with(world: &World, json: bool, headers: &[(&str, &str)]) -> Self {
        let address = world.gateway.local_addr();
        let stream = TcpStream::connect(address).await.unwrap();
        Self::upgrade(Box::new(stream), &address.to_string(), json, headers).await
    }

    /// Over any stream to a gateway.
    pub(crate) async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        json: bool,
    ) -> Self {
        Self::upgrade(Box::new(stream), "localhost", json, &[]).await
    }

    async fn upgrade(
        stream: Box<dyn Stream>,
        host: &str,
        json: bool,
        headers: &[(&str, &str)],
    ) -> Self {
        let uri = format!("ws://{host}/v1/ws");
        let protocol = if json { "frontdesk.v1.json" } else { "frontdesk.v1.proto" };
        let mut builder = ClientBuilder::new()
            .uri(&uri)
            .unwrap()
            .add_header("sec-websocket-protocol".parse().unwrap(), protocol.parse().unwrap())
            .unwrap();
        for (name, value) in headers {
            builder = builder.add_header(name.parse().unwrap(), value.parse().unwrap()).unwrap();
        }
        let (socket, _) = builder.connect_on(stream).await.unwrap();
        Self { socket, json, next_id: 0, frames: VecDeque::new(), closed: None }
    }

    /// Connects and says Hello; gives the Welcome.
    pub(crate) async fn hello(
        world: &World,
        json: bool,
        token: String,
        resume: Vec<v1::Cursor>,
    ) -> (Self, v1::Welcome) {
        let mut client = Self::connect(world, json).await;
        let hello = v1::Hello { token, resume, client: "test".into() };
        match client.ask(Request::Hello(hello)).await {
            Frame::Welcome(welcome) => (client, *welcome),
            other => panic!("no welcome but {other:?}"),
        }
    }

    pub(crate) async fn send(&mut self, id: u32, request: Request) {
        let frames = vec![v1::ClientFrame { id, request: Some(request) }];
        self.send_batch(&v1::ClientBatch { frames }).await;
    }

    pub(crate) async fn send_batch(&mut self, batch: &v1::ClientBatch) {
        let message = if self.json {
            Message::text(serde_json::to_string(batch).unwrap())
        } else {
            Message::binary(batch.encode_to_vec())
        };
        self.send_raw(message).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends a request and waits for its answer; pushes are kept.
    pub(crate) async fn ask(&mut self, request: Request) -> Frame {
        self.next_id += 1;
        let id = self.next_id;
        self.send(id, request).await;
        self.answer(id).await
    }

    pub(crate) async fn answer(&mut self, id: u32) -> Frame {
        let mut kept = VecDeque::new();
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("closed: {:?}", self.closed));
            if frame.id == id {
                kept.append(&mut self.frames);
                self.frames = kept;
                return frame.frame.unwrap();
            }
            kept.push_back(frame);
        }
    }

    /// The next frame; `None` once the connection is closed.
    pub(crate) async fn next(&mut self) -> Option<v1::ServerFrame> {
        while self.frames.is_empty() {
            let message =
                tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message")?;
            let Ok(message) = message else { return None };
            if let Some((code, _)) = message.as_close() {
                self.closed = Some(code.into());
                return None;
            }
            let batch: v1::ServerBatch = if message.is_text() {
                serde_json::from_str(message.as_text().unwrap()).unwrap()
            } else {
                v1::ServerBatch::decode(&**message.as_payload()).unwrap()
            };
            self.frames.extend(batch.frames);
        }
        self.frames.pop_front()
    }

    /// The next event, whatever comes before it.
    pub(crate) async fn event(&mut self) -> (u32, u32, v1::event::Body) {
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("closed: {:?}", self.closed));
            if let Some(Frame::Event(push)) = frame.frame {
                let event = push.event.unwrap();
                return (event.seq, push.prev, event.body.unwrap());
            }
        }
    }

    /// Reads until the connection is closed; gives the close code.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        while self.next().await.is_some() {}
        self.closed
    }
}
