//! Ways to Redis: one server, the master that sentinels name, or a cluster. It
//! tries once, within a deadline; when to try again is its user's business.

use super::address::{HostPort, RedisAddress};
use super::settings::Plan;
use redis::TlsMode;
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue,
    IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo, RedisError, TlsCertificates,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Sentinels are asked this often whether the master is still the same.
const ASK_SENTINELS: Duration = Duration::from_secs(5);

/// Why there is no connection, or no longer.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// Redis or the way to it refused.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// A certificate cannot be read.
    #[error("{0}")]
    Certificates(String),
    /// No answer in time.
    #[error("Redis did not answer within {0:?}")]
    Silent(Duration),
    /// The sentinels name another master.
    #[error("the sentinels name another master")]
    OtherMaster,
}

/// An open connection. Clones share it; it closes with the last of them.
#[derive(Clone)]
pub(super) enum Line {
    /// To one server.
    One(MultiplexedConnection),
    /// To all nodes of a cluster, each command to the node that has its channel.
    /// It heals itself as far as the cluster does.
    Cluster(ClusterConnection),
}

impl Line {
    /// Sends a command and waits for its answer, no longer than `deadline`.
    pub(super) async fn ask<T: FromRedisValue>(
        &mut self,
        command: &Cmd,
        deadline: Duration,
    ) -> Result<T, LinkError> {
        let answer = async {
            match self {
                Self::One(connection) => command.query_async(connection).await,
                Self::Cluster(connection) => command.query_async(connection).await,
            }
        };
        Ok(within(deadline, answer).await??)
    }

    /// Listens on a sharded channel. What comes goes to the push sender.
    pub(super) async fn subscribe(
        &mut self,
        channel: &str,
        deadline: Duration,
    ) -> Result<(), LinkError> {
        match self {
            Self::One(_) => self.ask(redis::cmd("SSUBSCRIBE").arg(channel), deadline).await,
            Self::Cluster(connection) => {
                Ok(within(deadline, connection.ssubscribe(channel)).await??)
            }
        }
    }
}

/// Opens connections. Each task that needs them has its own.
pub(super) struct Connector {
    plan: Arc<Plan>,
    /// Keeps its connections to the sentinels, and where the master was.
    sentinel: Option<(SentinelClient, Option<ConnectionAddr>)>,
}

impl Connector {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        Self { plan, sentinel: None }
    }

    /// Whether its connections connect and subscribe again by themselves.
    pub(super) fn heals(&self) -> bool {
        matches!(self.plan.address, RedisAddress::Cluster { .. })
    }

    /// One attempt to connect and to log in.
    pub(super) async fn open(&mut self) -> Result<Line, LinkError> {
        self.open_with(AsyncConnectionConfig::new(), |cluster| cluster).await
    }

    /// The same, for a connection that hears what comes unasked.
    pub(super) async fn open_listening(
        &mut self,
        hears: impl AsyncPushSender + Clone,
    ) -> Result<Line, LinkError> {
        let config = AsyncConnectionConfig::new().set_push_sender(hears.clone());
        self.open_with(config, |cluster| cluster.push_sender(hears)).await
    }

    async fn open_with(
        &mut self,
        config: AsyncConnectionConfig,
        cluster: impl FnOnce(ClusterClientBuilder) -> ClusterClientBuilder,
    ) -> Result<Line, LinkError> {
        let plan = self.plan.clone();
        let opened = async {
            let server = match &plan.address {
                RedisAddress::Cluster { nodes, .. } => {
                    let client = cluster(cluster_builder(&plan, nodes)?).build()?;
                    return Ok(Line::Cluster(client.get_async_connection().await?));
                }
                RedisAddress::Single { host, .. } => single(&plan, host)?,
                RedisAddress::Sentinel { sentinels, master, .. } => {
                    let server = self.master(sentinels, master).await?;
                    let address = server.get_connection_info().addr().clone();
                    self.sentinel.as_mut().expect("master() has set it").1 = Some(address);
                    server
                }
            };
            let config = config
                .set_connection_timeout(Some(plan.connect_timeout))
                .set_response_timeout(Some(plan.publish_timeout));
            Ok(Line::One(server.get_multiplexed_async_connection_with_config(&config).await?))
        };
        within(plan.connect_timeout, opened).await?
    }

    /// Asks the sentinels; the master itself has confirmed that it is one.
    async fn master(&mut self, sentinels: &[HostPort], name: &str) -> Result<Client, LinkError> {
        if self.sentinel.is_none() {
            self.sentinel = Some((sentinel(&self.plan, sentinels, name)?, None));
        }
        let (sentinel, _) = self.sentinel.as_mut().expect("it was set if it was missing");
        Ok(sentinel.async_get_client().await?)
    }

    /// Watches over a connection that this opened last. Ends with the reason when
    /// it must be replaced.
    pub(super) async fn until_unfit(&mut self, mut line: Line) -> LinkError {
        if let Line::Cluster(_) = line {
            // It watches over its connections itself.
            return std::future::pending().await;
        }
        let mut asked = Instant::now();
        loop {
            tokio::time::sleep(self.plan.probe_interval).await;
            let pong = line.ask::<()>(&redis::cmd("PING"), self.plan.publish_timeout).await;
            if let Err(error) = pong {
                return error;
            }
            if asked.elapsed() >= ASK_SENTINELS {
                asked = Instant::now();
                if self.master_is_another().await {
                    return LinkError::OtherMaster;
                }
            }
        }
    }

    /// Sentinels that do not answer say nothing against the master.
    async fn master_is_another(&mut self) -> bool {
        let plan = self.plan.clone();
        let RedisAddress::Sentinel { sentinels, master, .. } = &plan.address else { return false };
        let found = within(plan.connect_timeout, self.master(sentinels, master)).await;
        let known = self.sentinel.as_ref().and_then(|(_, known)| known.as_ref());
        matches!(found, Ok(Ok(server)) if Some(server.get_connection_info().addr()) != known)
    }
}

async fn within<T>(deadline: Duration, work: impl Future<Output = T>) -> Result<T, LinkError> {
    tokio::time::timeout(deadline, work).await.map_err(|_| LinkError::Silent(deadline))
}

fn address(host: &HostPort, tls: bool) -> ConnectionAddr {
    let HostPort { host, port } = host.clone();
    match tls {
        true => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        false => ConnectionAddr::Tcp(host, port),
    }
}

/// What TLS needs, if it is spoken.
fn certificates(plan: &Plan) -> Result<Option<TlsCertificates>, LinkError> {
    let read = plan.address.is_tls().then(|| plan.certificates.read());
    read.transpose().map_err(LinkError::Certificates)
}

fn single(plan: &Plan, host: &HostPort) -> Result<Client, LinkError> {
    let info = info(plan, host)?;
    Ok(match certificates(plan)? {
        Some(certificates) => Client::build_with_tls(info, certificates)?,
        None => Client::open(info)?,
    })
}

fn sentinel(plan: &Plan, sentinels: &[HostPort], name: &str) -> Result<SentinelClient, LinkError> {
    let tls = plan.address.is_tls();
    let addresses = sentinels.iter().map(|host| address(host, tls));
    let mut builder = SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?
        .set_client_to_redis_protocol(ProtocolVersion::RESP3)
        .set_client_to_redis_tcp_settings(tcp());
    if let Some(login) = &plan.login {
        builder = builder.set_client_to_redis_password(&login.password);
        if let Some(user) = &login.user {
            builder = builder.set_client_to_redis_username(user);
        }
    }
    if let Some(certificates) = certificates(plan)? {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_certificates(certificates);
    }
    Ok(builder.build()?)
}

fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// How every server is greeted. What comes unasked needs the third protocol.
fn login(plan: &Plan) -> RedisConnectionInfo {
    let mut info = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    if let Some(login) = &plan.login {
        info = info.set_password(&login.password);
        if let Some(user) = &login.user {
            info = info.set_username(user);
        }
    }
    info
}

fn info(plan: &Plan, host: &HostPort) -> Result<ConnectionInfo, RedisError> {
    let info = address(host, plan.address.is_tls()).into_connection_info()?;
    Ok(info.set_redis_settings(login(plan)).set_tcp_settings(tcp()))
}

fn cluster_builder(plan: &Plan, nodes: &[HostPort]) -> Result<ClusterClientBuilder, LinkError> {
    let nodes: Result<Vec<_>, _> = nodes.iter().map(|node| info(plan, node)).collect();
    let mut builder = ClusterClientBuilder::new(nodes?);
    if let Some(certificates) = certificates(plan)? {
        builder = builder.tls(TlsMode::Secure).certs(certificates);
    }
    Ok(builder
        .use_protocol(ProtocolVersion::RESP3)
        .tcp_settings(tcp())
        .connection_timeout(plan.connect_timeout)
        .response_timeout(plan.publish_timeout)
        // One for a channel that has moved; what fails is healed by a marker.
        .retries(1))
}
