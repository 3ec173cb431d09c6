//! The desk, asked over the network: any node of the role. What chats need all
//! the time (sites, accounts) is remembered for a few seconds, and for much longer
//! while no desk answers, so that its absence stops no chat.

use super::DEADLINE;
use crate::fabric::{Cluster, DeskQuestion, Question, Secret};
use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditQuery, Author};
use frontdesk_core::ids::{AgentId, AttachmentId, SiteId};
use frontdesk_core::presence::NodeRole;
use frontdesk_proto::api::{
    AgentAccount, ApiError, Applied, AttachmentFilter, AttachmentRecord, AuditPage, Desk,
    EndedSessions, PasswordAttempt, SiteConfig, Unbound, Vouched,
};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A password of each account that is made is hashed, some 50 ms each.
const APPLY_DEADLINE: Duration = Duration::from_secs(300);
/// A value younger than this is not asked for again.
const FRESH: Duration = Duration::from_secs(5);
/// A value up to this old stands in while no desk answers.
const STALE: Duration = Duration::from_secs(15 * 60);
/// Values of one kind remembered: 50,000 × about 500 bytes = 25 MB.
const MAX_REMEMBERED: usize = 50_000;

/// See the module.
pub struct RemoteDesk {
    cluster: Arc<Cluster>,
    by_key: Memory<String, Option<Arc<SiteConfig>>>,
    sites: Memory<SiteId, Option<Arc<SiteConfig>>>,
    all: Memory<(), Vec<Arc<SiteConfig>>>,
    agents: Memory<(SiteId, AgentId), Option<Arc<AgentAccount>>>,
}

impl RemoteDesk {
    /// By way of this process's connection to the cluster.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        let (by_key, sites) = (Memory::default(), Memory::default());
        Self { cluster, by_key, sites, all: Memory::default(), agents: Memory::default() }
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        question: DeskQuestion,
    ) -> Result<T, ApiError> {
        self.cluster.ask_any(NodeRole::Desk, &Question::Desk(question), DEADLINE).await
    }
}

/// Answers with the time they were given at.
struct Memory<K, V>(Mutex<HashMap<K, (Instant, V)>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Memory<K, V> {
    /// What is remembered when it is young enough, else what is answered, else
    /// what is remembered after all.
    async fn get(
        &self,
        key: K,
        ask: impl Future<Output = Result<V, ApiError>>,
    ) -> Result<V, ApiError> {
        let known = self.lock().get(&key).cloned();
        if let Some((at, value)) = &known
            && at.elapsed() < FRESH
        {
            return Ok(value.clone());
        }
        match ask.await {
            Ok(value) => {
                self.remember(key, value.clone());
                Ok(value)
            }
            Err(error @ (ApiError::Unavailable { .. } | ApiError::Moved)) => match known {
                Some((at, value)) if at.elapsed() < STALE => {
                    tracing::debug!(%error, "the desk does not answer: an older answer stands in");
                    Ok(value)
                }
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn remember(&self, key: K, value: V) {
        let mut known = self.lock();
        if known.len() >= MAX_REMEMBERED && !known.contains_key(&key) {
            known.retain(|_, (at, _)| at.elapsed() < FRESH);
            if known.len() >= MAX_REMEMBERED {
                known.clear();
            }
        }
        known.insert(key, (Instant::now(), value));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, (Instant, V)>> {
        // A map of whole values is as good after a panic as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Desk for RemoteDesk {
    async fn site_by_key(&self, key: &str) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        let ask = self.ask(DeskQuestion::SiteByKey { key: key.to_owned() });
        self.by_key.get(key.to_owned(), ask).await
    }

    async fn site(&self, site: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        let ask = self.ask(DeskQuestion::Site { site: site.clone() });
        self.sites.get(site.clone(), ask).await
    }

    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        self.all.get((), self.ask(DeskQuestion::Sites)).await
    }

    async fn sign_in(&self, attempt: PasswordAttempt) -> Result<AgentAccount, ApiError> {
        let PasswordAttempt { site, email, password, from } = attempt;
        let password = Secret(password);
        self.ask(DeskQuestion::SignIn { site, email, password, from }).await
    }

    async fn sign_in_vouched(&self, who: Vouched) -> Result<AgentAccount, ApiError> {
        let (site, asked) = (who.site.clone(), self.ask(DeskQuestion::SignInVouched(who)));
        let account: AgentAccount = asked.await?;
        // It may be new, or something else than before.
        self.agents.remember((site, account.id), Some(Arc::new(account.clone())));
        Ok(account)
    }

    async fn agent(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Option<Arc<AgentAccount>>, ApiError> {
        let ask = self.ask(DeskQuestion::Agent { site: site.clone(), agent });
        self.agents.get((site.clone(), agent), ask).await
    }

    async fn apply(
        &self,
        site: &SiteId,
        document: &str,
        by: Option<Author>,
    ) -> Result<Applied, ApiError> {
        let (site, document) = (site.clone(), document.to_owned());
        let question = Question::Desk(match by {
            None => DeskQuestion::Apply { site, document, dry_run: true },
            Some(by) => DeskQuestion::ApplyBy { site, document, by },
        });
        self.cluster.ask_any(NodeRole::Desk, &question, APPLY_DEADLINE).await
    }

    async fn end_sessions(
        &self,
        site: &SiteId,
        account: &str,
        by: Author,
    ) -> Result<EndedSessions, ApiError> {
        let (site, account) = (site.clone(), account.to_owned());
        self.ask(DeskQuestion::EndSessions { site, account, by }).await
    }

    async fn unbind(&self, site: &SiteId, account: &str, by: Author) -> Result<Unbound, ApiError> {
        let (site, account) = (site.clone(), account.to_owned());
        self.ask(DeskQuestion::Unbind { site, account, by }).await
    }

    async fn generations(&self, site: &SiteId) -> Result<Arc<BTreeMap<AgentId, u32>>, ApiError> {
        // Never an older answer: it would be as if nothing had been ended.
        self.ask(DeskQuestion::Generations { site: site.clone() }).await.map(Arc::new)
    }

    async fn record(&self, entry: AuditEntry) -> Result<(), ApiError> {
        self.ask(DeskQuestion::Record(entry)).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, ApiError> {
        self.ask(DeskQuestion::Audit(query)).await
    }

    async fn add_attachment(&self, record: AttachmentRecord) -> Result<(), ApiError> {
        self.ask(DeskQuestion::AddAttachment(record)).await
    }

    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError> {
        self.ask(DeskQuestion::Attachment { site: site.clone(), id }).await
    }

    async fn attachments(
        &self,
        site: &SiteId,
        filter: AttachmentFilter,
    ) -> Result<Vec<AttachmentRecord>, ApiError> {
        self.ask(DeskQuestion::Attachments { site: site.clone(), filter }).await
    }

    async fn remove_attachments(
        &self,
        site: &SiteId,
        ids: Vec<AttachmentId>,
    ) -> Result<(), ApiError> {
        self.ask(DeskQuestion::RemoveAttachments { site: site.clone(), ids }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn away() -> Result<u32, ApiError> {
        Err(ApiError::unavailable("away"))
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_answer_stands_in_for_a_while_when_nobody_answers() {
        let memory: Memory<&str, u32> = Memory::default();
        assert!(memory.get("a", away()).await.is_err());
        assert_eq!(memory.get("a", async { Ok(1) }).await, Ok(1));
        assert_eq!(memory.get("a", async { Ok(2) }).await, Ok(1), "it is fresh");
        tokio::time::advance(FRESH).await;
        assert_eq!(memory.get("a", away()).await, Ok(1));
        assert_eq!(memory.get("a", async { Ok(2) }).await, Ok(2));
        let gone = async { Err(ApiError::NotFound("site".into())) };
        tokio::time::advance(FRESH).await;
        assert_eq!(memory.get("a", gone).await, Err(ApiError::NotFound("site".into())));
        tokio::time::advance(STALE).await;
        assert!(memory.get("a", away()).await.is_err());
    }
}
