//! Which voter this process is: a founder of the group, or one that joined it later.
//! Whoever has an empty disk asks first, and never takes an id that votes: under it
//! somebody may have voted already.

use super::ClusterError;
use super::process::Process;
use super::settings::{ClusterSection, VoterSettings};
use crate::ops::DebugPages;
use frontdesk_cluster::{
    Cluster, ClusterQuestion, ClusterSettings, GroupStatus, Offer, Question, VoterId, has_log,
};
use frontdesk_core::presence::{Founding, FoundingStep, next_founding_step};
use frontdesk_presence::MemberSettings;
use frontdesk_proto::api::ApiError;
use futures::FutureExt as _;
use futures::future::join_all;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Holds the id of a voter that joined later.
const ID_FILE: &str = "voter-id";
/// There once this founder has said that it is prepared.
const PREPARED_FILE: &str = "founding";
/// Between two rounds of questions to the other founders.
const ASK_FOUNDERS_EVERY: Duration = Duration::from_millis(200);
/// Between two questions whether this voter has been added.
const ASK_GROUP_EVERY: Duration = Duration::from_secs(1);
/// The longest one question may take.
const ASK_DEADLINE: Duration = Duration::from_secs(3);
/// How often it is told what is waited for.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Which voter this is.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) voter: VoterId,
    /// Those it founds the group with; none for one that joined later.
    pub(super) founders: Vec<MemberSettings>,
}

/// What the disk says, or else the other founders and the group; `None` when the
/// process was stopped meanwhile. The listener is bound only for as long as it takes.
pub(super) async fn identity(
    process: &mut Process,
    folder: &Path,
) -> Result<Option<Identity>, ClusterError> {
    let section = process.settings.cluster.clone();
    if let Some(voter) = noted_id(folder)? {
        return Ok(Some(Identity { voter, founders: Vec::new() }));
    }
    let founder = section.voters.iter().find(|voter| voter.name == section.name);
    if let Some(founder) = founder.filter(|_| has_log(folder)) {
        return Ok(Some(Identity::founder(founder, &section)));
    }
    let listener = process.listen().await?;
    let address = section.address(listener.address());
    let prepared = folder.join(PREPARED_FILE).exists();
    let (own, said) = watch::channel(if prepared { Founding::Prepared } else { Founding::Empty });
    let to_be_added = Arc::new(AtomicBool::new(false));
    let offer = Offer { founding: Some(said), ..Offer::default() };
    let readiness = {
        let to_be_added = to_be_added.clone();
        // Whoever waits to be added is as ready as it can be by itself.
        Arc::new(move || {
            let ready = to_be_added.load(Ordering::Relaxed);
            let said = if ready { Ok(()) } else { Err("not a voter of the group yet".into()) };
            std::future::ready(said).boxed()
        })
    };
    let served = process.serve(listener, &offer, readiness, DebugPages::default()).await?;
    let asking = Asking::new(process, section.clone(), folder, own)?;
    let found = tokio::select! {
        found = asking.run(founder, &address, &to_be_added) => Some(found),
        () = process.until_stopped() => None,
    };
    served.stop().await;
    found.transpose()
}

impl Identity {
    fn founder(own: &VoterSettings, section: &ClusterSection) -> Self {
        let founders = section.voters.iter();
        let founders = founders.map(|v| MemberSettings { id: v.id, address: v.address.clone() });
        Self { voter: own.id, founders: founders.collect() }
    }
}

/// A process with an empty disk, as it asks what it is.
struct Asking<'f> {
    section: ClusterSection,
    folder: &'f Path,
    own: watch::Sender<Founding>,
    cluster: Arc<Cluster>,
    tasks: frontdesk_cluster::ClusterTasks,
}

impl<'f> Asking<'f> {
    fn new(
        process: &Process,
        section: ClusterSection,
        folder: &'f Path,
        own: watch::Sender<Founding>,
    ) -> Result<Self, ClusterError> {
        let settings = ClusterSettings {
            node: section.name.parse()?,
            roles: Vec::new(),
            address: Arc::from(""),
            voters: section.voter_addresses(),
        };
        let (cluster, tasks) = Cluster::start(settings, process.channels.clone());
        Ok(Self { section, folder, own, cluster, tasks })
    }

    async fn run(
        self,
        founder: Option<&VoterSettings>,
        address: &str,
        to_be_added: &AtomicBool,
    ) -> Result<Identity, ClusterError> {
        let founds = match founder {
            Some(founder) => self.may_found(founder).await?,
            None => false,
        };
        let identity = match founder.filter(|_| founds) {
            Some(founder) => Identity::founder(founder, &self.section),
            None => {
                let voter = self.given_id(address, to_be_added).await;
                write_durably(self.folder, ID_FILE, &voter.to_string())?;
                Identity { voter, founders: Vec::new() }
            }
        };
        self.tasks.stop().await;
        Ok(identity)
    }

    /// Waits until all founders are as far, or one of them knows of a group.
    async fn may_found(&self, founder: &VoterSettings) -> Result<bool, ClusterError> {
        let others: Vec<&VoterSettings> =
            self.section.voters.iter().filter(|voter| voter.id != founder.id).collect();
        let mut told: Option<Instant> = None;
        loop {
            let said = join_all(others.iter().map(|other| self.ask_founder(other))).await;
            let prepared = *self.own.borrow() == Founding::Prepared;
            match next_founding_step(prepared, &said) {
                FoundingStep::Prepare => {
                    write_durably(self.folder, PREPARED_FILE, "")?;
                    self.own.send_replace(Founding::Prepared);
                    continue;
                }
                FoundingStep::Found => return Ok(true),
                FoundingStep::Refuse => {
                    tracing::warn!(
                        "the group has been founded, and this disk is empty: joining as a newcomer"
                    );
                    return Ok(false);
                }
                FoundingStep::Wait => {}
            }
            if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
                let away = others.iter().zip(&said).filter(|(_, said)| said.is_none());
                let away: Vec<&str> = away.map(|(other, _)| other.name.as_str()).collect();
                tracing::info!(?away, "the group is founded once all its founders are there");
                told = Some(Instant::now());
            }
            sleep(ASK_FOUNDERS_EVERY).await;
        }
    }

    async fn ask_founder(&self, other: &VoterSettings) -> Option<Founding> {
        let question = Question::Cluster(ClusterQuestion::Founding);
        match self.cluster.ask_at(&other.address, &question, ASK_DEADLINE).await {
            Ok(said) => Some(said),
            // A version that did not ask: it founded at once.
            Err(ApiError::Unimplemented(_)) => Some(Founding::Founded),
            Err(_) => None,
        }
    }

    /// The id that the group has given to this address, once an operator or a hook has
    /// had it added.
    async fn given_id(&self, address: &str, to_be_added: &AtomicBool) -> VoterId {
        let question = Question::Cluster(ClusterQuestion::Status);
        let mut told: Option<Instant> = None;
        loop {
            let status = self.cluster.ask_voters::<GroupStatus>(&question, ASK_DEADLINE).await;
            let known = status.map(|s| s.voters.into_iter().find(|v| v.address == address));
            if let Ok(known) = &known {
                // As long as it should vote and cannot, no other voter is to be replaced.
                let votes = known.as_ref().is_some_and(|voter| voter.votes);
                to_be_added.store(!votes, Ordering::Relaxed);
            }
            let tell = told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
            match known {
                Ok(Some(learner)) if !learner.votes => return learner.id,
                Ok(Some(voter)) if tell => tracing::error!(
                    voter = voter.id,
                    "a voter at this address votes and its disk is not here: frontdesk ctl raft \
                     remove {}, then add {address}",
                    voter.id
                ),
                Ok(None) if tell => {
                    tracing::info!("waiting to be added: frontdesk ctl raft add {address}");
                }
                Err(error) if tell => {
                    tracing::warn!(%error, "the presence group was not reached");
                }
                Ok(_) | Err(_) => {}
            }
            if tell {
                told = Some(Instant::now());
            }
            sleep(ASK_GROUP_EVERY).await;
        }
    }
}

fn noted_id(folder: &Path) -> Result<Option<VoterId>, ClusterError> {
    let file = folder.join(ID_FILE);
    match fs::read_to_string(&file) {
        Ok(text) => {
            let id = text.trim().parse().map(Some);
            id.map_err(|_| ClusterError::Settings(format!("{}: no id", file.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The file is there after a power cut, and whole.
fn write_durably(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let (new, file) = (folder.join(format!("{name}.new")), folder.join(name));
    fs::write(&new, text)?;
    File::open(&new)?.sync_all()?;
    fs::rename(&new, &file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_noted_for_good() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(noted_id(folder.path()).unwrap(), None);
        write_durably(folder.path(), ID_FILE, "1017").unwrap();
        assert_eq!(noted_id(folder.path()).unwrap(), Some(1_017));
        write_durably(folder.path(), ID_FILE, "first").unwrap();
        assert!(noted_id(folder.path()).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
