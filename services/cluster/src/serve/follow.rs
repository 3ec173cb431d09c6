//! The group's state and its changes, for those who follow them.

use crate::fabric::{News, encode};
use crate::{PlacementChange, PresenceGroup};
use frontdesk_core::presence::PresenceState;
use frontdesk_proto::api::{ApiError, PresenceChange, QueueChange, Queueing};
use frontdesk_proto::convert::error_to_status;
use frontdesk_proto::internal::Document;
use frontdesk_telemetry::tasks;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tonic::Status;

/// News that may wait for one follower, each of which may hold many changes.
const WAITING: usize = 16;
/// Changes gathered into one message.
const BATCH: usize = 512;
/// Something is said at least this often, so that silence means trouble.
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);
/// A voter that has had no leader for longer than this knows nothing current.
const LEADERLESS: Duration = Duration::from_secs(3);

pub(super) type Stream = mpsc::Receiver<Result<Document, Status>>;

/// Follows the group. The task ends when the follower has gone.
pub(super) fn cluster(group: PresenceGroup) -> Stream {
    let (out, stream) = mpsc::channel(WAITING);
    tasks::spawn("presence.follower", async move {
        if let Err(error) = follow_cluster(&group, &out).await {
            // Fails when the follower has gone already.
            let _ = out.send(Err(error_to_status(&error))).await;
        }
    });
    stream
}

struct Changes {
    placement: broadcast::Receiver<PlacementChange>,
    agents: broadcast::Receiver<PresenceChange>,
    members: watch::Receiver<u64>,
}

impl Changes {
    fn of(group: &PresenceGroup) -> Self {
        Self {
            placement: group.placement_changes(),
            agents: group.agent_changes(),
            members: group.member_changes(),
        }
    }

    /// Waits for changes and gathers them; `None` when some were missed and all
    /// must be told again.
    async fn next(&mut self, group: &PresenceGroup) -> Result<Option<News>, ApiError> {
        let mut news = News::default();
        let quiet = sleep_until(Instant::now() + AT_LEAST_EVERY);
        tokio::select! {
            change = self.placement.recv() => match change {
                Ok(PlacementChange { place, placement }) => news.placement.push((place, placement)),
                Err(RecvError::Lagged(_)) => return Ok(None),
                Err(RecvError::Closed) => return Err(ended()),
            },
            change = self.agents.recv() => match change {
                Ok(PresenceChange { agent }) => news.agents.push(agent),
                Err(RecvError::Lagged(_)) => return Ok(None),
                Err(RecvError::Closed) => return Err(ended()),
            },
            changed = self.members.changed() => {
                changed.map_err(|_| ended())?;
                news.members = Some(group.view(|s| s.members().cloned().collect()));
            }
            () = quiet => {}
        }
        while news.placement.len() < BATCH
            && let Ok(PlacementChange { place, placement }) = self.placement.try_recv()
        {
            news.placement.push((place, placement));
        }
        while news.agents.len() < BATCH
            && let Ok(PresenceChange { agent }) = self.agents.try_recv()
        {
            news.agents.push(agent);
        }
        Ok(Some(news))
    }
}

async fn follow_cluster(
    group: &PresenceGroup,
    out: &mpsc::Sender<Result<Document, Status>>,
) -> Result<(), ApiError> {
    // Listening first: what changes while all is told is told again.
    let mut changes = Changes::of(group);
    let mut news = Some(group.view(whole));
    let mut led_at = Instant::now();
    loop {
        let message = news.unwrap_or_else(|| group.view(whole));
        if out.send(Ok(encode(&message)?)).await.is_err() {
            return Ok(());
        }
        if group.status().leader.is_some() {
            led_at = Instant::now();
        } else if led_at.elapsed() > LEADERLESS {
            return Err(ApiError::unavailable("this voter has no leader"));
        }
        news = changes.next(group).await?;
    }
}

fn whole(state: &PresenceState) -> News {
    News {
        members: Some(state.members().cloned().collect()),
        placement: state.placement().map(|(place, p)| (place, p.clone())).collect(),
        agents: state.agents().cloned().collect(),
    }
}

fn ended() -> ApiError {
    ApiError::unavailable("the voter stops")
}

/// Follows the queues of a keeper. The task ends when the follower has gone.
pub(super) fn queues(queueing: Arc<dyn Queueing>) -> Stream {
    let (out, stream) = mpsc::channel(WAITING);
    let mut changes = queueing.subscribe();
    tasks::spawn("queueing.follower", async move {
        loop {
            let told = tokio::select! {
                () = out.closed() => return,
                told = changed_queues(&mut changes, &*queueing) => told,
            };
            let message = told.and_then(|queues| encode(&queues));
            let failed = message.is_err();
            if out.send(message.map_err(|e| error_to_status(&e))).await.is_err() || failed {
                return;
            }
        }
    });
    stream
}

async fn changed_queues(
    changes: &mut broadcast::Receiver<QueueChange>,
    queueing: &dyn Queueing,
) -> Result<BTreeSet<frontdesk_proto::api::QueueKey>, ApiError> {
    let mut changed = BTreeSet::new();
    tokio::select! {
        change = changes.recv() => match change {
            Ok(QueueChange { queue }) => drop(changed.insert(queue)),
            Err(RecvError::Lagged(_)) => return Ok(queueing.active().await?.into_iter().collect()),
            Err(RecvError::Closed) => return Err(ApiError::unavailable("queueing stops")),
        },
        () = tokio::time::sleep(AT_LEAST_EVERY) => {}
    }
    while changed.len() < BATCH
        && let Ok(QueueChange { queue }) = changes.try_recv()
    {
        changed.insert(queue);
    }
    Ok(changed)
}
