//! Follows what the group decides: one stream from one voter, and from another
//! one when that ends.

use super::document::{decode, encode};
use super::question::FollowQuestion;
use super::view::ClusterView;
use super::voters::Voters;
use frontdesk_core::presence::{AgentView, Member, Place, Placement};
use frontdesk_proto::api::{ApiError, PresenceChange};
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::Document;
use frontdesk_proto::internal::role_service_client::RoleServiceClient;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;
use tonic::transport::Channel;

/// Silence after which a stream counts as dead: the other side says something at
/// least every second.
const SILENCE: Duration = Duration::from_secs(4);
/// Before another voter is followed.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of one piece of news: 100,000 agents of about 600 bytes.
const MAX_NEWS_BYTES: usize = 96 * 1024 * 1024;

/// One message of the stream: the first has everything, later ones what changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct News {
    /// All members, when any has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) members: Option<Vec<Member>>,
    /// Shards that changed hands or are about to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) placement: Vec<(Place, Placement)>,
    /// Agents that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) agents: Vec<Arc<AgentView>>,
}

/// Follows until the task is aborted.
pub(super) async fn run(
    voters: Arc<Voters>,
    view: watch::Sender<Arc<ClusterView>>,
    agents: broadcast::Sender<PresenceChange>,
) {
    loop {
        let number = match voters.current() {
            Ok((number, channel)) => {
                let end = one_stream(channel, &view, &agents).await;
                tracing::debug!(error = ?end.err(), "the presence group is followed elsewhere");
                Some(number)
            }
            Err(error) => {
                tracing::error!(%error, "no voter can be followed");
                None
            }
        };
        if let Some(number) = number {
            voters.avoid(number);
        }
        let pause = PAUSE.mul_f64(rand::rng().random_range(0.5..1.5));
        tokio::time::sleep(pause).await;
    }
}

async fn one_stream(
    channel: Channel,
    view: &watch::Sender<Arc<ClusterView>>,
    agents: &broadcast::Sender<PresenceChange>,
) -> Result<(), ApiError> {
    let mut client = RoleServiceClient::new(channel).max_decoding_message_size(MAX_NEWS_BYTES);
    let question = encode(&FollowQuestion::Cluster)?;
    let opened = timeout(SILENCE, client.follow(question)).await;
    let mut stream = opened.map_err(|_| silent())?.map_err(|s| error_from_status(&s))?.into_inner();
    loop {
        let message = timeout(SILENCE, stream.message()).await.map_err(|_| silent())?;
        let Some(document) = message.map_err(|s| error_from_status(&s))? else { return Ok(()) };
        take(&document, view, agents)?;
    }
}

fn take(
    document: &Document,
    view: &watch::Sender<Arc<ClusterView>>,
    agents: &broadcast::Sender<PresenceChange>,
) -> Result<(), ApiError> {
    let news: News = decode(document)?;
    if news.members.is_some() || !news.placement.is_empty() {
        view.send_modify(|view| Arc::make_mut(view).learn(news.members, news.placement));
    }
    for agent in news.agents {
        // Fails when nobody listens, which is fine.
        let _ = agents.send(PresenceChange { agent });
    }
    Ok(())
}

fn silent() -> ApiError {
    ApiError::unavailable("the voter is silent")
}
