//! A voter of the presence group, or one that is to become one.

use super::ClusterError;
use super::process::Process;
use super::settings::ClusterSection;
use frontdesk_cluster::{
    Channels, Cluster, ClusterQuestion, ClusterSettings, GrpcTransport, Offer, Question,
};
use frontdesk_presence::{MemberSettings, PresenceService, PresenceSettings, SystemClock};
use futures::FutureExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Holds the id of a voter that joined later.
const ID_FILE: &str = "voter-id";
/// Between two questions whether this voter has been added.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// The longest one such question may take.
const ASK_DEADLINE: Duration = Duration::from_secs(3);

pub(super) async fn run(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let folder = process.settings.data.join("presence");
    std::fs::create_dir_all(&folder)?;
    let section = process.settings.cluster.clone();
    let members: Vec<MemberSettings> = section
        .voters
        .iter()
        .map(|v| MemberSettings { id: v.id, address: v.address.clone() })
        .collect();
    let founder = section.voters.iter().find(|voter| voter.name == section.name);
    let (voter, members) = match founder {
        Some(voter) => (voter.id, members),
        None => {
            let address = section.address(listener.address());
            let (section, channels) = (section.clone(), process.channels.clone());
            let id = tokio::select! {
                id = later_id(section, channels, &folder, &address) => id?,
                () = process.until_stopped() => return Ok(()),
            };
            (id, Vec::new())
        }
    };
    let settings = PresenceSettings {
        folder,
        voter,
        members,
        ready_within_secs: 30,
        node_ttl_secs: section.node_ttl_seconds.max(1),
    };
    let transport = Arc::new(GrpcTransport::new(process.channels.clone()));
    let presence = PresenceService::open(&settings, transport, Arc::new(SystemClock)).await?;
    let offer = Offer { presence: Some(presence.group().clone()), ..Offer::default() };
    let group = presence.group().clone();
    let readiness = Arc::new(move || {
        let led = group.status().leader.is_some();
        let ready = if led { Ok(()) } else { Err("the group has no leader".to_owned()) };
        std::future::ready(ready).boxed()
    });
    let served = process.serve(listener, &offer, readiness).await?;
    tracing::info!(voter, "presence runs");
    process.until_stopped().await;
    if let Err(error) = presence.group().hand_over().await {
        tracing::warn!(%error, "leadership was not handed over");
    }
    served.stop().await;
    presence.shutdown().await;
    Ok(())
}

/// The id that the group has given to this address: from the last start, or asked
/// for until `frontdesk ctl raft add` has been run.
async fn later_id(
    section: ClusterSection,
    channels: Arc<Channels>,
    folder: &Path,
    address: &str,
) -> Result<u64, ClusterError> {
    let file = folder.join(ID_FILE);
    if let Ok(text) = std::fs::read_to_string(&file) {
        let id = text.trim().parse();
        return id.map_err(|_| ClusterError::Settings(format!("{}: no id", file.display())));
    }
    let settings = ClusterSettings {
        node: section.name.parse()?,
        roles: Vec::new(),
        address: Arc::from(address),
        voters: section.voter_addresses(),
    };
    let (cluster, tasks) = Cluster::start(settings, channels);
    let question = Question::Cluster(ClusterQuestion::VoterAt { address: address.to_owned() });
    tracing::info!(address, "waiting to be added: frontdesk ctl raft add {address}");
    let id = loop {
        match cluster.ask_voters::<Option<u64>>(&question, ASK_DEADLINE).await {
            Ok(Some(id)) => break id,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the presence group was not reached"),
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    tasks.stop().await;
    std::fs::write(&file, id.to_string())?;
    Ok(id)
}
