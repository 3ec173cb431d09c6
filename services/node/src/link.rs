//! A gRPC connection that heals itself: reconnects with full-jitter back-off,
//! resumes every conversation from its last event and sends again whatever has
//! not been answered. Shows nothing and decides nothing for its user.

use crate::cli::TargetArgs;
use frontdesk_proto::v1::chat_service_client::ChatServiceClient;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{self, ClientBatch, ClientFrame, Cursor, Hello};
use frontdesk_telemetry::tasks;
use rand::RngExt as _;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

/// Requests and frames that may wait between the link and its user.
const QUEUE: usize = 64;
/// The longest a connection attempt may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// The longest pause between attempts.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Why the link could not be opened or has ended for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("{0} is not an address such as http://127.0.0.1:8080")]
    Address(String),
    #[error("--tls-name: {0} is not https://, so no certificate is shown")]
    Plain(String),
    #[error("--tls-name: {0:?} is not a name such as chat.example")]
    Name(String),
    #[error("the server ended the connection for good: {reason} (code {code})")]
    Final { code: u32, reason: String },
    #[error("cannot reach the server: {}", cause(.0))]
    Unreachable(#[from] tonic::transport::Error),
    #[error("{}", .0.message())]
    Refused(#[from] tonic::Status),
}

/// What is at the bottom of an error: tonic itself says no more than "transport error".
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

/// What the user of a link hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A frame; events come once each and in order.
    Frame(Box<Frame>),
    /// The connection is gone; the link is on it.
    Lost,
    /// The link has given up.
    Ended(LinkError),
}

/// A connection that heals itself. Dropping it ends it.
pub(crate) struct Link {
    requests: mpsc::Sender<Request>,
    heard: mpsc::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Starts connecting with a token.
    pub(crate) fn open(target: &TargetArgs, token: String) -> Result<Self, LinkError> {
        let endpoint = endpoint(target)?;
        let (requests, from_user) = mpsc::channel(QUEUE);
        let (to_user, heard) = mpsc::channel(QUEUE);
        let worker = Worker {
            endpoint,
            token,
            from_user,
            to_user,
            next_id: 1,
            unanswered: BTreeMap::new(),
            cursors: HashMap::new(),
        };
        // Owned by the link, ended with it.
        let task = tasks::spawn("chat.link", worker.run());
        Ok(Self { requests, heard, task })
    }

    /// Queues a request; it is repeated until it is answered.
    pub(crate) async fn ask(&self, request: Request) {
        // Fails only when the worker has ended, which `hear` tells.
        let _ = self.requests.send(request).await;
    }

    /// The next thing heard; `None` after the end.
    pub(crate) async fn hear(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }
}

/// The channel's settings, shared by all commands. With `https`, trusted are the
/// authorities that this machine trusts, or those of the file `SSL_CERT_FILE` names.
pub(crate) fn endpoint(args: &TargetArgs) -> Result<Endpoint, LinkError> {
    let malformed = || LinkError::Address(args.target.clone());
    let mut endpoint = Endpoint::from_shared(args.target.clone()).map_err(|_| malformed())?;
    let is_secure = endpoint.uri().scheme_str() == Some("https");
    let mut tls = ClientTlsConfig::new().with_native_roots();
    if let Some(name) = &args.tls_name {
        if !is_secure {
            return Err(LinkError::Plain(args.target.clone()));
        }
        tls = tls.domain_name(name);
        // The server is called by the name as well, as if that had led to it.
        let port = endpoint.uri().port_u16().unwrap_or(443);
        let origin = format!("https://{name}:{port}").parse();
        endpoint = endpoint.origin(origin.map_err(|_| LinkError::Name(name.clone()))?);
    }
    if is_secure {
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(endpoint
        .connect_timeout(CONNECT_DEADLINE)
        .http2_keep_alive_interval(Duration::from_secs(15))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true))
}

struct Worker {
    endpoint: Endpoint,
    token: String,
    from_user: mpsc::Receiver<Request>,
    to_user: mpsc::Sender<Heard>,
    next_id: u32,
    unanswered: BTreeMap<u32, Request>,
    cursors: HashMap<String, u32>,
}

/// How one connection ended.
enum End {
    /// Try again; the server may have said how long to wait.
    Again(Duration),
    /// The user has gone.
    UserGone,
    Final(LinkError),
}

impl Worker {
    async fn run(mut self) {
        let mut pause = Duration::from_millis(250);
        loop {
            let welcomed_before = self.next_id;
            let least = match self.connection().await {
                Ok(End::UserGone) => return,
                Ok(End::Final(error)) => {
                    let _ = self.to_user.send(Heard::Ended(error)).await;
                    return;
                }
                Ok(End::Again(least)) => least,
                Err(_) => Duration::ZERO,
            };
            if self.to_user.send(Heard::Lost).await.is_err() {
                return;
            }
            if self.next_id > welcomed_before {
                pause = Duration::from_millis(250);
            }
            let jitter = pause.mul_f64(rand::rng().random::<f64>());
            tokio::time::sleep(least + jitter).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    async fn connection(&mut self) -> Result<End, LinkError> {
        let channel: Channel = self.endpoint.connect().await?;
        let (to_server, outgoing) = mpsc::channel::<ClientBatch>(QUEUE);
        let hello = Hello {
            token: self.token.clone(),
            resume: self
                .cursors
                .iter()
                .map(|(id, seq)| Cursor { conversation_id: id.clone(), seq: *seq })
                .collect(),
            client: concat!("frontdesk-chat/", env!("CARGO_PKG_VERSION")).into(),
        };
        let hello_id = self.take_id();
        send(&to_server, hello_id, Request::Hello(hello)).await;
        let mut incoming =
            ChatServiceClient::new(channel).chat(ReceiverStream::new(outgoing)).await?.into_inner();
        for (id, request) in &self.unanswered {
            send(&to_server, *id, request.clone()).await;
        }
        loop {
            tokio::select! {
                request = self.from_user.recv() => {
                    let Some(request) = request else { return Ok(End::UserGone) };
                    let id = self.take_id();
                    if repeats(&request) {
                        self.unanswered.insert(id, request.clone());
                    }
                    send(&to_server, id, request).await;
                }
                batch = incoming.message() => {
                    let Some(batch) = batch? else { return Ok(End::Again(Duration::ZERO)) };
                    for frame in batch.frames {
                        if let Some(end) = self.frame(&to_server, frame).await {
                            return Ok(end);
                        }
                    }
                }
            }
        }
    }

    fn take_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    async fn frame(
        &mut self,
        to_server: &mpsc::Sender<ClientBatch>,
        frame: v1::ServerFrame,
    ) -> Option<End> {
        let body = frame.frame?;
        match &body {
            Frame::Error(e) if e.retryable => {
                // Asked again on the same connection, after the pause it names.
                if let Some(request) = self.unanswered.get(&frame.id).cloned() {
                    self.repeat_later(to_server.clone(), frame.id, request, e.retry_after);
                    return None;
                }
            }
            Frame::Ping(_) => {
                send(to_server, 0, Request::Pong(v1::Pong {})).await;
                return None;
            }
            Frame::Move(m) => return Some(End::Again(to_duration(m.delay))),
            Frame::Bye(bye) => return Some(ended(bye)),
            Frame::Event(push) => {
                let event = push.event.as_ref()?;
                let cursor = self.cursors.entry(event.conversation_id.clone()).or_default();
                if event.seq <= *cursor {
                    return None;
                }
                *cursor = event.seq;
            }
            _ => {}
        }
        self.unanswered.remove(&frame.id);
        let heard = Heard::Frame(Box::new(body));
        self.to_user.send(heard).await.is_err().then_some(End::UserGone)
    }

    fn repeat_later(
        &self,
        to_server: mpsc::Sender<ClientBatch>,
        id: u32,
        request: Request,
        after: Option<frontdesk_proto::wkt::Duration>,
    ) {
        let jitter = Duration::from_millis(rand::rng().random_range(0..200));
        // Ends by itself: one pause, one send into the connection, if still there.
        tasks::spawn("chat.repeat", async move {
            tokio::time::sleep(to_duration(after) + jitter).await;
            send(&to_server, id, request).await;
        });
    }
}

/// Typing is worth nothing later; everything else is repeated.
fn repeats(request: &Request) -> bool {
    !matches!(request, Request::Typing(_) | Request::Pong(_))
}

fn to_duration(d: Option<frontdesk_proto::wkt::Duration>) -> Duration {
    let Some(d) = d else { return Duration::ZERO };
    Duration::new(u64::try_from(d.seconds).unwrap_or(0), u32::try_from(d.nanos).unwrap_or(0))
}

/// The bands of close codes: see chat.proto.
fn ended(bye: &v1::Bye) -> End {
    match bye.code {
        4000..=4099 => End::Again(Duration::ZERO),
        4100..=4199 => End::Again(Duration::from_secs(5)),
        code => End::Final(LinkError::Final { code, reason: bye.reason.clone() }),
    }
}

async fn send(to_server: &mpsc::Sender<ClientBatch>, id: u32, request: Request) {
    let frame = ClientFrame { id, request: Some(request) };
    // Fails only when the connection is gone; the request is kept and repeated.
    let _ = to_server.send(ClientBatch { frames: vec![frame] }).await;
}
