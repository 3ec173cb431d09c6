//! The certificates in use, and the task that follows their files.

use super::identity::{Contents, Identity};
use super::stream::ServerStream;
use super::{INTERNAL_NAME, TlsError, TlsFiles};
use frontdesk_telemetry::tasks;
use metrics::counter;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, client};

/// How often the files are compared: kubelets and operators renew days ahead.
const EVERY: Duration = Duration::from_secs(5);
/// The longest a handshake may take.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);

/// The certificates of a process; clones share them.
#[derive(Clone)]
pub struct Tls {
    files: Arc<TlsFiles>,
    current: Arc<RwLock<Current>>,
}

struct Current {
    identity: Identity,
    contents: Contents,
}

/// Follows the files until it is dropped.
pub struct ReloadTask(JoinHandle<()>);

impl Drop for ReloadTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Tls {
    /// Reads the certificates.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let contents = Contents::read(&files)?;
        let identity = Identity::new(&files, &contents)?;
        let current = Arc::new(RwLock::new(Current { identity, contents }));
        Ok(Self { files: Arc::new(files), current })
    }

    /// Follows the files from now on.
    pub fn follow(&self) -> ReloadTask {
        let tls = self.clone();
        ReloadTask(tasks::spawn("tls.reload", async move {
            let mut looks = interval(EVERY);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut told = String::new();
            loop {
                looks.tick().await;
                match tls.reload() {
                    Ok(true) => {
                        tracing::info!(cert = %tls.files.cert.display(), "new certificates")
                    }
                    Ok(false) => {}
                    // Once for each way in which they are wrong.
                    Err(error) if error.to_string() == told => continue,
                    Err(error) => {
                        counter!("frontdesk_tls_reloads_total", "outcome" => "failed").increment(1);
                        tracing::error!(%error, "the certificates stay: new ones cannot be used");
                        told = error.to_string();
                        continue;
                    }
                }
                told.clear();
            }
        }))
    }

    /// Reads the files again when they have changed; whether they had. Those in
    /// use stay when the new ones are wrong.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let contents = Contents::read(&self.files)?;
        if self.read().contents == contents {
            return Ok(false);
        }
        let identity = Identity::new(&self.files, &contents)?;
        let new = Current { identity, contents };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        counter!("frontdesk_tls_reloads_total", "outcome" => "done").increment(1);
        Ok(true)
    }

    /// Ends TLS on a connection that was accepted.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<ServerStream> {
        let acceptor = TlsAcceptor::from(self.read().identity.server.clone());
        let accepted = timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await;
        let stream = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(ServerStream::Tls(Box::new(stream)))
    }

    /// Begins TLS towards another process of the cluster.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let config = self.read().identity.client.clone();
        let config = config.ok_or_else(|| io::Error::other(TlsError::NoAuthority))?;
        let name = ServerName::try_from(INTERNAL_NAME).map_err(io::Error::other)?;
        let connecting = TlsConnector::from(config).connect(name, stream);
        let connected = timeout(HANDSHAKE_DEADLINE, connecting).await;
        connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Whether connections to other processes can be made with these.
    pub fn is_mutual(&self) -> bool {
        self.files.ca.is_some()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Current> {
        // Every write is one assignment: a poisoned state is a whole one.
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}
