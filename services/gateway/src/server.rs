//! Starting and stopping a gateway.

use crate::admin::Admin;
use crate::calls;
use crate::carriers::grpc::ChatService;
use crate::deps::GatewayDeps;
use crate::dispatch;
use crate::drain;
use crate::grpc_auth::Auth;
use crate::http;
use crate::inspect::Inspector;
use crate::listener;
use crate::oidc;
use crate::privacy;
use crate::profiles;
use crate::revoked;
use crate::settings::{Settings, TokenKey};
use crate::shared::Shared;
use crate::tokens::{KeyError, Tokens};
use axum::Router;
use frontdesk_cluster::tls::{Tls, TlsError, TlsFiles};
use frontdesk_proto::DESCRIPTORS;
use frontdesk_proto::status::CloseCode;
use frontdesk_proto::v1::admin_service_server::AdminServiceServer;
use frontdesk_proto::v1::auth_service_server::AuthServiceServer;
use frontdesk_telemetry::tasks;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys of tokens cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificates cannot be used.
    #[error("gateway.tls: {0}")]
    Tls(TlsError),
    /// The key is not the certificate's.
    #[error("gateway.tls: {cert} and {key}: {what}")]
    TlsPair {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What is wrong with them.
        what: String,
    },
    /// Clients show no certificates.
    #[error("gateway.tls.ca: clients show no certificates")]
    ClientCertificates,
    /// The provider's settings cannot be used.
    #[error("gateway.oidc: {0}")]
    Oidc(String),
    /// The schema cannot be offered for reflection.
    #[error("the schema cannot be read: {0}")]
    Schema(String),
}

/// The gateway role.
pub struct Gateway;

impl Gateway {
    /// Starts listening and delivering. Everything runs in tasks that the result
    /// owns.
    pub async fn start(settings: Settings, deps: GatewayDeps) -> Result<Running, StartError> {
        let tokens = Tokens::new(&settings.keys)?;
        let address = settings.listen;
        let tls = settings.tls.clone().map(load_tls).transpose()?;
        let listen_error = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let local_addr = listener.local_addr().map_err(listen_error)?;
        let (shared, router) = begin(settings, deps, tokens)?;
        // Ends when `stopping` is cancelled.
        tasks::spawn_tracked(
            &shared.tasks,
            "gateway.listener",
            listener::accept(shared.clone(), listener, tls, router),
        );
        tracing::info!(address = %local_addr, "the gateway listens");
        Ok(Running { local_addr, shared })
    }

    /// As `start`, but whoever calls listens and serves the routes: for networks
    /// that are not this machine's. WebSockets need a real socket.
    pub fn start_unbound(
        settings: Settings,
        deps: GatewayDeps,
    ) -> Result<(Running, Router), StartError> {
        let tokens = Tokens::new(&settings.keys)?;
        let local_addr = settings.listen;
        let (shared, router) = begin(settings, deps, tokens)?;
        Ok((Running { local_addr, shared }, router))
    }
}

/// Begins to deliver.
fn begin(
    settings: Settings,
    deps: GatewayDeps,
    tokens: Tokens,
) -> Result<(Arc<Shared>, Router), StartError> {
    let oidc = oidc::from_settings(&settings).map_err(StartError::Oidc)?;
    // The subscription comes before the first connection: nothing is missed.
    let subscription = deps.bus.subscribe(deps.node_id.clone());
    let shared = Shared::new(settings, deps, tokens, oidc);
    let router = router(&shared)?;
    // Each of these tasks ends when `stopping` is cancelled.
    tasks::spawn_tracked(
        &shared.tasks,
        "gateway.dispatch",
        dispatch::consume(shared.clone(), subscription),
    );
    tasks::spawn_tracked(
        &shared.tasks,
        "gateway.presence",
        dispatch::watch_presence(shared.clone()),
    );
    tasks::spawn_tracked(&shared.tasks, "gateway.owners", dispatch::watch_owners(shared.clone()));
    tasks::spawn_tracked(&shared.tasks, "gateway.profiles", profiles::watch(shared.clone()));
    tasks::spawn_tracked(&shared.tasks, "gateway.privacy", privacy::keep(shared.clone()));
    tasks::spawn_tracked(&shared.tasks, "gateway.revoked", revoked::watch(shared.clone()));
    Ok((shared, router))
}

/// A gateway that runs. Dropping it stops nothing; call `stop`.
pub struct Running {
    local_addr: SocketAddr,
    pub(crate) shared: Arc<Shared>,
}

impl Running {
    /// Where it listens; the port is the real one even if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// By which its connections can be looked at.
    pub fn inspector(&self) -> Inspector {
        Inspector::new(self.shared.clone())
    }

    /// By which the keys of tokens can be replaced.
    pub fn key_ring(&self) -> KeyRing {
        KeyRing(self.shared.clone())
    }

    /// Before a planned stop, where clients have another gateway to go to: lets
    /// nobody in any more, asks everybody to go elsewhere at the rate that is set,
    /// and waits until they have, at most `drain_deadline_seconds` after
    /// `drain_notice_seconds`.
    pub async fn drain(&self) {
        drain::run(&self.shared).await;
    }

    /// Stops in order: takes no more connections, says Bye 4000 to those that
    /// are open, then waits for all tasks, at most `stop_grace_seconds`.
    pub async fn stop(self) {
        let shared = self.shared;
        shared.stopping.cancel();
        shared.close_all(CloseCode::Draining);
        shared.tasks.close();
        let grace = Duration::from_secs(shared.settings.stop_grace_seconds);
        if tokio::time::timeout(grace, shared.tasks.wait()).await.is_err() {
            let left = shared.tasks.len();
            tracing::warn!(left, "the gateway stopped before all its tasks had ended");
        }
    }
}

/// The keys of a running gateway's tokens.
#[derive(Clone)]
pub struct KeyRing(Arc<Shared>);

impl KeyRing {
    /// Takes tokens of these keys and of no others from now on; the first one signs.
    /// Connections whose token is of a key that has gone end with 4200.
    ///
    /// # Errors
    /// Why they cannot be used; then nothing has changed.
    pub fn replace(&self, keys: &[TokenKey]) -> Result<(), KeyError> {
        self.0.tokens.replace(keys)?;
        if let Some(oidc) = &self.0.oidc {
            oidc.replace_keys(keys);
        }
        self.0.standings.end_unless(|kid| self.0.tokens.knows(kid));
        Ok(())
    }
}

fn router(shared: &Arc<Shared>) -> Result<Router, StartError> {
    let schema_error = |e: tonic_reflection::server::Error| StartError::Schema(e.to_string());
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .with_service_name("frontdesk.v1.ChatService")
            .with_service_name("frontdesk.v1.AuthService")
            .with_service_name("frontdesk.v1.AdminService")
    };
    let calls = tonic::service::Routes::new(AuthServiceServer::new(Auth::new(shared.clone())))
        .add_service(AdminServiceServer::new(Admin::new(shared.clone())))
        .prepare()
        .into_axum_router()
        .reset_fallback()
        .route_layer(axum::middleware::from_fn(calls::grpc));
    // What is said on a chat's stream is recorded there.
    let grpc = tonic::service::Routes::new(ChatService::new(shared.clone()))
        .add_service(reflection().build_v1().map_err(schema_error)?)
        // What older clients, such as grpcurl before 1.8.8, ask for.
        .add_service(reflection().build_v1alpha().map_err(schema_error)?)
        .prepare()
        .into_axum_router();
    // The HTTP routes' fallback answers for what neither knows.
    Ok(grpc.reset_fallback().merge(calls).merge(http::router(shared.clone())))
}

fn load_tls(files: TlsFiles) -> Result<Tls, StartError> {
    if files.ca.is_some() {
        return Err(StartError::ClientCertificates);
    }
    Tls::load(files.clone()).map_err(|error| match error {
        TlsError::Mismatch(what) => StartError::TlsPair { cert: files.cert, key: files.key, what },
        other => StartError::Tls(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_cluster::tls::local_ca;
    use std::fs;

    /// What a start with these files says; none when it would go on.
    fn said(files: &TlsFiles) -> Option<String> {
        load_tls(files.clone()).err().map(|error| error.to_string())
    }

    #[test]
    fn certificates_that_cannot_be_used_are_told_in_one_line_with_their_file() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mutual = local_ca(ours.path()).unwrap();
        let files = TlsFiles { ca: None, ..mutual.clone() };
        assert_eq!(said(&files), None);
        assert_eq!(said(&mutual).unwrap(), "gateway.tls.ca: clients show no certificates");

        let (cert, key) = (files.cert.display().to_string(), files.key.display().to_string());
        let other = local_ca(theirs.path()).unwrap();
        let mixed = TlsFiles { key: other.key.clone(), ..files.clone() };
        let error = said(&mixed).unwrap();
        let both = format!("gateway.tls: {cert} and {}: ", other.key.display());
        assert!(error.starts_with(&both) && !error.contains('\n'), "{error}");

        fs::write(&files.key, "no key").unwrap();
        let error = said(&files).unwrap();
        assert!(error.starts_with(&format!("gateway.tls: {key}: ")), "{error}");
        fs::remove_file(&files.cert).unwrap();
        let error = said(&files).unwrap();
        assert!(error.starts_with(&format!("gateway.tls: {cert}: ")), "{error}");
    }
}
