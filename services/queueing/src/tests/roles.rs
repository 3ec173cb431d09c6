//! The traits of the other roles, as far as queueing uses them.

use super::world::{World, queue, site};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::audit::Author;
use frontdesk_core::conversation::{Conversation, Phase, Summary};
use frontdesk_core::figures::Record;
use frontdesk_core::hours::Hours;
use frontdesk_core::ids::{AgentId, AttachmentId, CalendarId, ConversationId, NodeId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_core::presence::{Action, AgentKey, AgentView, Reply};
use frontdesk_core::time::Millis;
use frontdesk_proto::api::*;
use frontdesk_proto::v1::{ServerFrame, server_frame::Frame};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::broadcast;

#[async_trait]
impl Sessions for World {
    fn submit(&self, envelope: Envelope) -> ReplyFuture {
        let now = self.now();
        let mut inner = self.lock();
        if inner.is_away {
            return ReplyFuture::by(async { Err(ApiError::unavailable("test")) });
        }
        let it = inner.conversations.get_mut(&envelope.conversation).unwrap();
        let step = it.step(&envelope.origin, &envelope.command, now).unwrap();
        ReplyFuture::by(async move { Ok(step.outcome) })
    }
    async fn attach(&self, _: Attach) -> Result<Attached, ApiError> {
        unreachable!("queueing attaches nobody")
    }
    async fn detach(&self, _: &NodeId, _: ConversationId) {}
    async fn history(&self, _: HistoryQuery) -> Result<EventPage, ApiError> {
        unreachable!("queueing reads no history")
    }
    async fn summary(
        &self,
        conversation: ConversationId,
        _: Option<&Principal>,
    ) -> Result<Summary, ApiError> {
        let mut inner = self.lock();
        if inner.is_away {
            return Err(ApiError::unavailable("test"));
        }
        inner.looks += 1;
        let found = inner.conversations.get(&conversation).map(Conversation::summary);
        let mut found = found.ok_or_else(|| ApiError::NotFound("conversation".into()))?;
        found.watch.visitor = inner.visitor;
        Ok(found)
    }
    async fn list(
        &self,
        _: Option<&SiteId>,
        _: ListFilter,
        _: u32,
    ) -> Result<Vec<Summary>, ApiError> {
        unreachable!("nothing here asks for it")
    }
    /// Pages of two, so that there are several.
    async fn changed(
        &self,
        site: Option<&SiteId>,
        from: Place,
        _: u32,
    ) -> Result<SummaryPage, ApiError> {
        let inner = self.lock();
        if inner.is_away {
            return Err(ApiError::unavailable("test"));
        }
        let mut all: Vec<_> = inner.conversations.values().map(Conversation::summary).collect();
        all.retain(|s| site.is_some() || !matches!(s.phase, Phase::Closed { .. }));
        all.retain(|s| (s.last_at, Some(s.id)) > (from.from, from.after));
        all.sort_by_key(|s| (s.last_at, s.id));
        let more = all.len() > 2;
        all.truncate(2);
        let next = all.last().map(|s| Place { from: s.last_at, after: Some(s.id) });
        Ok(SummaryPage { summaries: all, next: next.filter(|_| more) })
    }
    async fn records(&self, _: &SiteId, from: Place, _: u32) -> Result<RecordPage, ApiError> {
        let records = self.lock().records.clone();
        let changed = |record: &Record| {
            let ended = record.episodes.last().and_then(|episode| episode.ended);
            ended.is_some_and(|(at, _)| at >= from.from)
        };
        let records = records.into_iter().filter(changed).collect();
        Ok(RecordPage { records, next: None })
    }
    fn hint(&self, conversation: ConversationId, internal: bool, frame: Bytes) {
        let Some(Frame::Queue(push)) = ServerFrame::decode(frame).unwrap().frame else {
            panic!("queueing hints places only")
        };
        assert!(!internal);
        assert_eq!(push.conversation_id, conversation.to_string());
        self.lock().hints.push(push);
    }
}

#[async_trait]
impl PresencePort for World {
    async fn propose(&self, _: Action) -> Result<Reply, ApiError> {
        unreachable!("queueing changes nobody's presence")
    }
    async fn view(&self, _: AgentKey) -> Result<Option<AgentView>, ApiError> {
        Ok(None)
    }
    async fn views(&self, _: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        Ok(self.lock().agents.clone())
    }
    fn changes(&self) -> broadcast::Receiver<PresenceChange> {
        self.presence.subscribe()
    }
}

#[async_trait]
impl Desk for World {
    async fn site_by_key(&self, _: &str) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok(None)
    }
    async fn site(&self, name: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok(self.sites().await?.into_iter().find(|s| s.id == *name))
    }
    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        let inner = self.lock();
        let calendar = "office".parse().unwrap();
        let calendars = inner.hours.clone().map(|hours| (calendar, Arc::new(hours)));
        let calendars: BTreeMap<CalendarId, Arc<Hours>> = calendars.into_iter().collect();
        let sales = QueueConfig {
            priority_minutes: inner.head_start,
            limits: inner.limits.clone(),
            alarms: inner.alarms.clone(),
            answer_within: Some(Millis::from_secs(60)),
            transfer_return: inner.transfer_return,
            hours: calendars.keys().next().cloned(),
            ..QueueConfig::plain(queue("sales"))
        };
        let transfer_return = inner.transfer_return;
        let night = QueueConfig { transfer_return, ..QueueConfig::plain(queue("night")) };
        Ok(vec![Arc::new(SiteConfig {
            id: site(),
            title: String::new(),
            key: String::new(),
            allowed_origins: vec![],
            default_queue: queue("sales"),
            routes: vec![],
            queues: vec![sales, night],
            calendars,
            away_after_missed: None,
            privacy: Default::default(),
            bots: BTreeSet::new(),
        })])
    }
    async fn sign_in(&self, _: PasswordAttempt) -> Result<AgentAccount, ApiError> {
        unreachable!("queueing signs nobody in")
    }
    async fn agent(&self, _: &SiteId, _: AgentId) -> Result<Option<Arc<AgentAccount>>, ApiError> {
        Ok(None)
    }
    async fn apply(&self, _: &SiteId, _: &str, _: Option<Author>) -> Result<Applied, ApiError> {
        unreachable!("queueing changes no configuration")
    }
    async fn add_attachment(&self, _: AttachmentRecord) -> Result<(), ApiError> {
        unreachable!("queueing stores no files")
    }
    async fn attachment(
        &self,
        _: &SiteId,
        _: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError> {
        Ok(None)
    }
}
