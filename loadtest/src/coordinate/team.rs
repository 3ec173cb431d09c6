//! The workers of a run: one in this process, several as child processes, or
//! some that call from elsewhere. All speak the same protocol.

use super::CoordinateError;
use crate::drive;
use crate::protocol::coordinator_server::{Coordinator, CoordinatorServer};
use crate::protocol::{Assignment, FromWorker, Hello, ToWorker, from_worker, to_worker};
use futures::stream::{self, BoxStream, StreamExt as _};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};

/// Reports on their way to the coordinator, of all workers together.
const QUEUE: usize = 1_024;
/// Orders on their way to one worker: there are four in its life.
const ORDERS: usize = 8;
/// The longest that workers may take to call.
const CALL_WITHIN: Duration = Duration::from_secs(120);
/// Clocks further apart than this would be measured as latency.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_millis(250);
/// The longest that children may take to go.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// Where workers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recruit {
    /// One in this process.
    Here,
    /// As many child processes on this machine.
    Children(u32),
    /// As many that call this address; started by somebody else.
    Callers(u32, SocketAddr),
}

impl Recruit {
    /// How many.
    pub fn count(self) -> u32 {
        match self {
            Self::Here => 1,
            Self::Children(count) | Self::Callers(count, _) => count,
        }
    }
}

/// The workers of a run.
pub(super) struct Team {
    orders: Vec<mpsc::Sender<ToWorker>>,
    reports: mpsc::Receiver<(usize, FromWorker)>,
    here: Option<JoinHandle<()>>,
    children: Vec<Child>,
    server: Option<JoinHandle<Result<(), tonic::transport::Error>>>,
}

impl Team {
    /// Gathers the workers and gives each its assignment.
    pub(super) async fn gather(
        recruit: Recruit,
        assignment: impl Fn(u32) -> Assignment,
    ) -> Result<Self, CoordinateError> {
        let team = match recruit {
            Recruit::Here => Self::here(),
            Recruit::Children(count) => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let url = format!("http://{}", listener.local_addr()?);
                let children = (0..count).map(|_| child(&url)).collect::<Result<_, _>>()?;
                Self::callers(count, listener, children).await?
            }
            Recruit::Callers(count, address) => {
                Self::callers(count, TcpListener::bind(address).await?, Vec::new()).await?
            }
        };
        for (index, orders) in (0..).zip(&team.orders) {
            let message = to_worker::Message::Assignment(assignment(index));
            // A worker that is gone has said so, or its stream tells.
            let _ = orders.send(ToWorker { message: Some(message) }).await;
        }
        Ok(team)
    }

    fn here() -> Self {
        let (to_worker, orders) = mpsc::channel(ORDERS);
        let (from_worker, mut received) = mpsc::channel(QUEUE);
        let (reports, all) = mpsc::channel(QUEUE);
        // Owned by the team, which joins it.
        let here = tokio::spawn(async move {
            let work = drive::work(orders, from_worker);
            let forward = async {
                while let Some(report) = received.recv().await {
                    if reports.send((0, report)).await.is_err() {
                        break;
                    }
                }
            };
            let (worked, ()) = tokio::join!(work, forward);
            if let Err(error) = worked {
                let message = Some(from_worker::Message::Failed(error.to_string()));
                // Nobody is left to be told.
                let _ = reports.send((0, FromWorker { message })).await;
            }
        });
        Self {
            orders: vec![to_worker],
            reports: all,
            here: Some(here),
            children: Vec::new(),
            server: None,
        }
    }

    async fn callers(
        count: u32,
        listener: TcpListener,
        children: Vec<Child>,
    ) -> Result<Self, CoordinateError> {
        let (calls, mut called) = mpsc::channel(count as usize);
        let (reports, all) = mpsc::channel(QUEUE);
        let desk = Desk { calls, reports, next: Mutex::new(0), count };
        let incoming = stream::unfold(listener, async |listener| {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, listener))
        });
        // Owned by the team, which ends it when all have gone.
        let serving = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(10)))
            .add_service(CoordinatorServer::new(desk))
            .serve_with_incoming(incoming);
        let server = tokio::spawn(serving);
        let mut team =
            Self { orders: Vec::new(), reports: all, here: None, children, server: Some(server) };
        while team.orders.len() < count as usize {
            match timeout(CALL_WITHIN, called.recv()).await {
                Ok(Some(orders)) => team.orders.push(orders),
                _ => return Err(CoordinateError::Missing { have: team.orders.len(), count }),
            }
        }
        Ok(team)
    }

    /// Tells all.
    pub(super) async fn order(&self, message: to_worker::Message) {
        for orders in &self.orders {
            // A worker that is gone has said so, or its stream tells.
            let _ = orders.send(ToWorker { message: Some(message.clone()) }).await;
        }
    }

    /// The next report, with its worker. Safe to cancel.
    pub(super) async fn report(
        &mut self,
    ) -> Result<(usize, from_worker::Message), CoordinateError> {
        match self.reports.recv().await {
            Some((worker, FromWorker { message: Some(from_worker::Message::Failed(why)) })) => {
                Err(CoordinateError::Worker { worker, why })
            }
            Some((worker, FromWorker { message: Some(message) })) => Ok((worker, message)),
            Some((worker, FromWorker { message: None })) => {
                Err(CoordinateError::Worker { worker, why: "it said nothing known".into() })
            }
            None => Err(CoordinateError::Worker { worker: 0, why: "all are gone".into() }),
        }
    }

    /// Lets everybody go.
    pub(super) async fn dismiss(mut self) {
        self.orders.clear();
        if let Some(here) = self.here.take() {
            // It has reported before it ended, or panicked and said so.
            let _ = timeout(LEAVE_WITHIN, here).await;
        }
        for child in &mut self.children {
            if timeout(LEAVE_WITHIN, child.wait()).await.is_err() {
                // It is being killed: nothing else can be done.
                let _ = child.start_kill();
            }
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
        if let Some(here) = &self.here {
            here.abort();
        }
    }
}

fn child(url: &str) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["worker", "--coordinator", url])
        .stdin(Stdio::null())
        // Ctrl-C on a terminal is for the coordinator, which lets them go.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Where workers call.
struct Desk {
    calls: mpsc::Sender<mpsc::Sender<ToWorker>>,
    reports: mpsc::Sender<(usize, FromWorker)>,
    next: Mutex<u32>,
    count: u32,
}

#[tonic::async_trait]
impl Coordinator for Desk {
    type WorkStream = BoxStream<'static, Result<ToWorker, Status>>;

    async fn work(
        &self,
        request: Request<Streaming<FromWorker>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let mut incoming = request.into_inner();
        let first = incoming.message().await?.and_then(|first| first.message);
        let Some(from_worker::Message::Hello(hello)) = first else {
            return Err(Status::invalid_argument("the first message must be Hello"));
        };
        check(&hello)?;
        let mut next = self.next.lock().await;
        if *next == self.count {
            return Err(Status::resource_exhausted("all workers are there"));
        }
        let worker = *next as usize;
        *next += 1;
        let (orders, received) = mpsc::channel(ORDERS);
        self.calls.send(orders).await.map_err(|_| Status::cancelled("the run is over"))?;
        let reports = self.reports.clone();
        // Ends with the worker's stream, or with the run that holds its receiver.
        tokio::spawn(async move {
            let why = loop {
                match incoming.message().await {
                    Ok(Some(report)) => {
                        let finished =
                            matches!(report.message, Some(from_worker::Message::Finished(_)));
                        if reports.send((worker, report)).await.is_err() || finished {
                            return;
                        }
                    }
                    Ok(None) => break "it has gone without a word".to_owned(),
                    Err(status) => break status.to_string(),
                }
            };
            let message = Some(from_worker::Message::Failed(why));
            // Nobody is left to be told.
            let _ = reports.send((worker, FromWorker { message })).await;
        });
        let orders = stream::unfold(received, async |mut received: mpsc::Receiver<_>| {
            received.recv().await.map(|order| (Ok(order), received))
        });
        Ok(Response::new(orders.boxed()))
    }
}

fn check(hello: &Hello) -> Result<(), Status> {
    if hello.version != env!("CARGO_PKG_VERSION") {
        return Err(Status::failed_precondition("another version of frontdesk-loadtest"));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let difference = now.abs_diff(Duration::from_micros(hello.clock_us));
    if difference > MAX_CLOCK_DIFFERENCE {
        let text = format!("the clocks differ by {difference:?}: synchronise them first");
        return Err(Status::failed_precondition(text));
    }
    Ok(())
}

/// A worker's life in a process of its own.
pub async fn work_for(coordinator: String) -> Result<(), CoordinateError> {
    let mut client = crate::protocol::coordinator_client::CoordinatorClient::connect(coordinator)
        .await
        .map_err(|e| CoordinateError::Unreachable(e.to_string()))?
        .max_decoding_message_size(64 << 20);
    let (reports, outgoing) = mpsc::channel(QUEUE);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let hello = Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        clock_us: u64::try_from(now.as_micros()).unwrap_or_default(),
    };
    let message = Some(from_worker::Message::Hello(hello));
    // The queue is new.
    let _ = reports.send(FromWorker { message }).await;
    let outgoing = stream::unfold(outgoing, async |mut outgoing: mpsc::Receiver<_>| {
        outgoing.recv().await.map(|report| (report, outgoing))
    });
    let unreachable = |status: Status| CoordinateError::Unreachable(status.message().to_owned());
    let mut incoming = client.work(outgoing).await.map_err(unreachable)?.into_inner();
    let (to_worker, orders) = mpsc::channel(ORDERS);
    let forward = async move {
        while let Ok(Some(order)) = incoming.message().await {
            if to_worker.send(order).await.is_err() {
                break;
            }
        }
    };
    let work = async {
        let worked = drive::work(orders, reports.clone()).await;
        if let Err(error) = &worked {
            let message = Some(from_worker::Message::Failed(error.to_string()));
            // Nobody is left to be told.
            let _ = reports.send(FromWorker { message }).await;
        }
        drop(reports);
        worked
    };
    let (worked, ()) = tokio::join!(work, forward);
    Ok(worked?)
}
