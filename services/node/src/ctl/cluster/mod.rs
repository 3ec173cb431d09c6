//! What is asked of the voters: nodes, placement, the Raft group. The settings file
//! of the cluster says where they are, and holds the certificates to be let in.

mod conversation;
mod fit;
mod health;
mod nodes;
mod placement;
mod raft;
mod reservations;
mod written;

use super::CtlError;
use crate::cli::{ClusterCommands, Output, PlacedRole, SettingsArgs};
use crate::cluster::load_tls;
use crate::settings::{self, Settings};
use frontdesk_cluster::{
    Channels, Cluster, ClusterQuestion, ClusterSettings, ClusterTasks, ClusterView, Question,
};
use frontdesk_core::presence::{Member, NodeRole, node_name};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use written::Written;

/// For one question, with all its attempts.
const DEADLINE: Duration = Duration::from_secs(6);

/// The way to the voters of a cluster.
pub(crate) struct Link {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) settings: Settings,
    /// Go on with what cannot be written down.
    unrecorded: bool,
    written: Written,
    tasks: ClusterTasks,
}

impl Link {
    /// Connects when it is first asked something.
    pub(crate) fn open(settings: Settings) -> Result<Self, CtlError> {
        if settings.cluster.voters.is_empty() {
            let why = "no voters are configured: name the cluster's settings file with --config";
            return Err(CtlError::Usage(why.into()));
        }
        let channels = Arc::new(Channels::new(load_tls(&settings.cluster)?));
        let own = ClusterSettings {
            node: "ctl".parse()?,
            roles: Vec::new(),
            address: Arc::from(""),
            voters: settings.cluster.voter_addresses(),
        };
        let (cluster, tasks) = Cluster::start(own, channels);
        let (unrecorded, written) = (false, Written::default());
        Ok(Self { cluster, settings, unrecorded, written, tasks })
    }

    /// Ends its tasks.
    pub(crate) async fn close(self) {
        self.tasks.stop().await;
    }

    /// The group's own view, now.
    pub(crate) async fn view(&self) -> Result<ClusterView, ApiError> {
        let question = Question::Cluster(ClusterQuestion::View);
        self.cluster.ask_voters(&question, DEADLINE).await
    }
}

/// Runs one command.
pub(super) async fn run(
    command: ClusterCommands,
    config: Option<PathBuf>,
    output: Output,
    unrecorded: bool,
) -> Result<(), CtlError> {
    let source = SettingsArgs { config, data: None, listen: None, log: None };
    let link = Link { unrecorded, ..Link::open(settings::load(&source)?)? };
    let done = match command {
        ClusterCommands::Nodes => nodes::list(&link, output).await,
        ClusterCommands::Drain { node, timeout } => {
            nodes::drain(&link, &node, Duration::from_secs(timeout)).await
        }
        ClusterCommands::Placement { role } => placement::list(&link, output, role).await,
        ClusterCommands::Move { role, shards, to, .. } => {
            placement::move_shards(&link, role.into(), &shards, to.as_deref()).await
        }
        ClusterCommands::Reservations { agent } => {
            reservations::list(&link, output, agent.as_deref()).await
        }
        ClusterCommands::Where { conversation } => {
            conversation::locate(&link, output, &conversation).await
        }
        ClusterCommands::Raft(command) => raft::run(&link, output, command).await,
    };
    link.close().await;
    done
}

impl From<PlacedRole> for NodeRole {
    fn from(role: PlacedRole) -> Self {
        match role {
            PlacedRole::Sessions => Self::Sessions,
            PlacedRole::Queueing => Self::Queueing,
            PlacedRole::Routing => Self::Routing,
        }
    }
}

/// Where processes tell of their health, by their names: what each says of itself. And
/// the admin token of the settings.
pub(super) async fn health_of(
    names: &[String],
    config: Option<PathBuf>,
) -> Result<(Vec<String>, String), CtlError> {
    let source = SettingsArgs { config, data: None, listen: None, log: None };
    let link = Link::open(settings::load(&source)?)?;
    let found = health::all(&link, names).await;
    let token = link.settings.telemetry.admin_token.clone();
    link.close().await;
    Ok((found?, token))
}

/// The live process of a name; its id with the incarnation will do as well.
fn member<'v>(view: &'v ClusterView, name: &str) -> Result<&'v Member, CtlError> {
    let found = view.members().find(|m| node_name(&m.node) == name || m.node.as_str() == name);
    found.ok_or_else(|| CtlError::Usage(format!("there is no live process {name}")))
}

/// This machine's time.
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// How long from now until then, for people.
fn until(then: Timestamp) -> String {
    format!("{:.0}s", then.since(now()).to_duration().as_secs_f64())
}
