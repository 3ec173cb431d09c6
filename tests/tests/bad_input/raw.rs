//! A WebSocket written byte by byte, for what no library would send.

use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, Hello};
use frontdesk_tests::deadline::step;
use frontdesk_tests::server::Server;
use prost::Message as _;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// Small, so that a client which does not read is noticed soon.
const RECEIVE_BUFFER: u32 = 4 * 1024;

fn hello(token: &str) -> Request {
    Request::Hello(Hello { token: token.to_owned(), ..Hello::default() })
}

fn batch(request: Request) -> ClientBatch {
    ClientBatch { frames: vec![ClientFrame { id: 1, request: Some(request) }] }
}

pub(crate) struct RawSocket {
    stream: TcpStream,
}

impl RawSocket {
    /// Connects and upgrades with the JSON subprotocol.
    pub(crate) async fn open(server: &Server) -> Self {
        Self::upgrade(server, "frontdesk.v1.json").await
    }

    async fn upgrade(server: &Server, subprotocol: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(RECEIVE_BUFFER).expect("a receive buffer");
        let stream = socket.connect(server.address()).await.expect("the server listens");
        let mut raw = Self { stream };
        let request = format!(
            "GET /v1/ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n",
            server.address()
        );
        raw.stream.write_all(request.as_bytes()).await.expect("the server reads");
        let head = step("the upgrade", raw.head()).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        raw
    }

    /// Connects and says Hello with this token, without waiting for Welcome.
    pub(crate) async fn hello(server: &Server, token: &str) -> Self {
        let mut raw = Self::open(server).await;
        raw.request(hello(token)).await;
        raw
    }

    /// The same with the Protobuf subprotocol.
    pub(crate) async fn hello_in_protobuf(server: &Server, token: &str) -> Self {
        let mut raw = Self::upgrade(server, "frontdesk.v1.proto").await;
        let bytes = batch(hello(token)).encode_to_vec();
        raw.send(BINARY, &bytes).await.expect("the server reads");
        raw
    }

    /// Sends one request.
    pub(crate) async fn request(&mut self, request: Request) {
        let text = serde_json::to_vec(&batch(request)).expect("frames have a JSON form");
        self.send(TEXT, &text).await.expect("the server reads");
    }

    /// Sends a whole message, masked as a client must.
    pub(crate) async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
        const MASKED: u8 = 0x80;
        let mut bytes = vec![0x80 | opcode];
        match payload.len() {
            len @ 0..126 => bytes.push(MASKED | len as u8),
            len @ 126..65_536 => {
                bytes.push(MASKED | 126);
                bytes.extend((len as u16).to_be_bytes());
            }
            len => {
                bytes.push(MASKED | 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        bytes.extend(MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&bytes).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server reads");
    }

    /// Reads to the end; gives the code of the close frame, if there was one.
    pub(crate) async fn end(mut self) -> Option<u16> {
        step("the server ends the connection", async {
            loop {
                match self.frame().await {
                    Ok((CLOSE, payload)) => {
                        return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    }
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        })
        .await
    }

    async fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let opcode = self.stream.read_u8().await? & 0x0f;
        let len = match self.stream.read_u8().await? {
            126 => u64::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await?,
            len => u64::from(len),
        };
        let mut payload = vec![0; usize::try_from(len).expect("frames are small")];
        self.stream.read_exact(&mut payload).await?;
        Ok((opcode, payload))
    }

    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.expect("an answer"));
        }
        String::from_utf8_lossy(&head).into_owned()
    }
}
