//! One connection through the proxy.

use super::plot::{Fault, Plot};
use super::tamper::Tamper;
use bytes::Bytes;
use frontdesk_proto::v1::{ClientBatch, ServerBatch, ServerFrame};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue};
use prost::Message as _;
use std::io::{self, Cursor};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_websockets::{ClientBuilder, Message, ServerBuilder, WebSocketStream};

/// The only subprotocol that is looked into.
const SUBPROTOCOL: &str = "frontdesk.v1.proto";
/// How HTTP/2 begins.
const HTTP2: &[u8] = b"PRI * HTTP/2.0";
/// The longest head of a request.
const MAX_HEAD: usize = 16 * 1024;
/// Messages that may wait for their time on one connection.
const WAITING: usize = 4_096;

/// Carries one connection to its end. What breaks on one side ends the other.
pub(super) async fn connection(mut client: TcpStream, server: SocketAddr, plot: Arc<Plot>) {
    // Whoever hangs up in the middle of anything only ends this connection.
    let _ = try_connection(&mut client, server, plot).await;
}

async fn try_connection(
    client: &mut TcpStream,
    server: SocketAddr,
    plot: Arc<Plot>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let head = read_head(client).await?;
    let mut upstream = TcpStream::connect(server).await?;
    upstream.set_nodelay(true)?;
    if !is_ours(&head) {
        upstream.write_all(&head).await?;
        tokio::io::copy_bidirectional(client, &mut upstream).await?;
        return Ok(());
    }
    let (read, write) = client.split();
    let client = tokio::io::join(Cursor::new(head).chain(read), write);
    let broken = |e: tokio_websockets::Error| io::Error::other(e);
    let name = HeaderName::from_static("sec-websocket-protocol");
    let value = HeaderValue::from_static(SUBPROTOCOL);
    let (upstream, _) = ClientBuilder::new()
        .uri(&format!("ws://{server}/v1/ws"))
        .map_err(io::Error::other)?
        .add_header(name.clone(), value.clone())
        .map_err(broken)?
        .connect_on(upstream)
        .await
        .map_err(broken)?;
    let builder = ServerBuilder::new().add_header(name, value).map_err(broken)?;
    let (_, client) = builder.accept(client).await.map_err(broken)?;
    relay(client, upstream, plot).await;
    Ok(())
}

/// Reads to the end of a request's head, or until it is no HTTP/1.
async fn read_head(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let decided = head.starts_with(HTTP2) || head.windows(4).any(|w| w == b"\r\n\r\n");
        if decided || head.len() > MAX_HEAD {
            return Ok(head);
        }
        if client.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Whether it asks for a WebSocket that is looked into.
fn is_ours(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-protocol") && value.trim() == SUBPROTOCOL
        })
    })
}

/// Passes messages on, both ways, until one side has ended.
async fn relay<C, S>(client: WebSocketStream<C>, server: WebSocketStream<S>, plot: Arc<Plot>)
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let delay = match plot.fault {
        Fault::Slow(delay) => delay,
        _ => Duration::ZERO,
    };
    let (to_client, from_client) = client.split();
    let (to_server, from_server) = server.split();
    let tamper = Mutex::new(Tamper::new(plot));
    let (late, due) = mpsc::channel(WAITING);
    let later = Later { queue: late, delay };
    // All three run in this task and end together.
    tokio::select! {
        () = upward(from_client, to_server, &tamper, &later) => {}
        () = downward(from_server, &tamper, &later) => {}
        () = deliver(due, to_client) => {}
    }
}

/// Messages for the client, each with its time.
struct Later {
    queue: mpsc::Sender<(Instant, Message)>,
    delay: Duration,
}

impl Later {
    async fn send(&self, message: Message) {
        // The receiver lives as long as the relay.
        let _ = self.queue.send((Instant::now() + self.delay, message)).await;
    }
}

async fn upward<C, S>(
    mut client: SplitStream<WebSocketStream<C>>,
    mut server: SplitSink<WebSocketStream<S>, Message>,
    tamper: &Mutex<Tamper>,
    later: &Later,
) where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = client.next().await {
        let (message, answers) = match batch(&message, ClientBatch::decode) {
            Some(batch) => {
                let (batch, answers) =
                    tamper.lock().unwrap_or_else(PoisonError::into_inner).to_server(batch);
                (Message::binary(batch.encode_to_vec()), answers)
            }
            None => (message, Vec::<ServerFrame>::new()),
        };
        if !answers.is_empty() {
            let batch = ServerBatch { frames: answers };
            later.send(Message::binary(batch.encode_to_vec())).await;
        }
        if server.send(message).await.is_err() {
            return;
        }
    }
}

async fn downward<S>(
    mut server: SplitStream<WebSocketStream<S>>,
    tamper: &Mutex<Tamper>,
    later: &Later,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = server.next().await {
        let message = match batch(&message, ServerBatch::decode) {
            Some(batch) => {
                let batch = tamper.lock().unwrap_or_else(PoisonError::into_inner).to_client(batch);
                Message::binary(batch.encode_to_vec())
            }
            None => message,
        };
        let is_last = message.is_close();
        later.send(message).await;
        if is_last {
            // It is still to be delivered; that ends the relay.
            return std::future::pending().await;
        }
    }
}

async fn deliver<C>(
    mut due: mpsc::Receiver<(Instant, Message)>,
    mut client: SplitSink<WebSocketStream<C>, Message>,
) where
    C: AsyncRead + AsyncWrite + Unpin,
{
    while let Some((at, message)) = due.recv().await {
        sleep_until(at).await;
        let is_last = message.is_close();
        if client.send(message).await.is_err() || is_last {
            return;
        }
    }
}

/// The batch in a message; what is none is passed on as it is.
fn batch<T>(
    message: &Message,
    decode: impl Fn(Bytes) -> Result<T, prost::DecodeError>,
) -> Option<T> {
    let bytes = Bytes::copy_from_slice(message.as_payload());
    message.is_binary().then(|| decode(bytes).ok()).flatten()
}
