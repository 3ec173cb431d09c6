//! Questions to whoever owns a shard, or does a role at all, asked again while
//! ownership moves. Only for questions that are safe to repeat.

use super::ask::ask;
use super::cluster::Cluster;
use super::question::Question;
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::ApiError;
use rand::RngExt as _;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

/// For one attempt; the other side may have died just now.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Before it is asked again.
const PAUSE: Duration = Duration::from_millis(60);

impl Cluster {
    /// The channel to the live owner of a shard.
    pub(crate) fn owner_of(&self, role: NodeRole, shard: ShardId) -> Result<Channel, ApiError> {
        let view = self.view().borrow().clone();
        let owner = view.owner(role, shard).ok_or_else(|| nobody(role))?;
        self.channels().to(&owner.address)
    }

    /// The channel to a live node of a role, another one each time.
    pub(crate) fn any_of(&self, role: NodeRole) -> Result<Channel, ApiError> {
        let view = self.view().borrow().clone();
        let all: Vec<_> = view.of_role(role).collect();
        if all.is_empty() {
            return Err(nobody(role));
        }
        self.channels().to(&all[rand::rng().random_range(0..all.len())].address)
    }

    /// Asks the owner of a shard.
    pub async fn ask_owner<T: DeserializeOwned>(
        &self,
        role: NodeRole,
        shard: ShardId,
        question: &Question,
        deadline: Duration,
    ) -> Result<T, ApiError> {
        repeat(
            deadline,
            |left| async move { ask(self.owner_of(role, shard)?, question, left).await },
        )
        .await
    }

    /// Tells one process something, once.
    pub async fn tell(
        &self,
        address: &str,
        question: &Question,
        deadline: Duration,
    ) -> Result<(), ApiError> {
        self.ask_at(address, question, deadline).await
    }

    /// Asks one process, once.
    pub async fn ask_at<T: DeserializeOwned>(
        &self,
        address: &str,
        question: &Question,
        deadline: Duration,
    ) -> Result<T, ApiError> {
        ask(self.channels().to(address)?, question, deadline).await
    }

    /// Asks any node of a role.
    pub(crate) async fn ask_any<T: DeserializeOwned>(
        &self,
        role: NodeRole,
        question: &Question,
        deadline: Duration,
    ) -> Result<T, ApiError> {
        repeat(deadline, |left| async move { ask(self.any_of(role)?, question, left).await }).await
    }
}

/// Repeats a call while the other side is away or not the owner.
pub(crate) async fn repeat<T, F>(
    deadline: Duration,
    mut call: impl FnMut(Duration) -> F,
) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let give_up = Instant::now() + deadline;
    loop {
        let left = give_up.saturating_duration_since(Instant::now()).min(ATTEMPT);
        match call(left).await {
            Err(error @ (ApiError::Unavailable { .. } | ApiError::Moved)) => {
                let pause = PAUSE.mul_f64(rand::rng().random_range(0.5..1.5));
                if Instant::now() + pause >= give_up {
                    return Err(error);
                }
                sleep(pause).await;
            }
            answered => return answered,
        }
    }
}

fn nobody(role: NodeRole) -> ApiError {
    ApiError::unavailable(format!("no {} node is there for it now", role.as_str()))
}
