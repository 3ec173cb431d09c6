//! What happened in a site's conversations, page after page as the journal tells it, and
//! the accounts of those who had them: what figures and replays are made of. Keeps
//! nothing.

use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::figures::{Episode, Record};
use frontdesk_core::ids::{AgentId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_core::routes::{self, Visit};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{AgentAccount, ApiError, Place, SiteConfig};
use frontdesk_proto::convert::{account_to_proto, record_to_proto, timestamp_from_proto};
use frontdesk_proto::status::to_status;
use frontdesk_proto::{v1, wkt};
use serde_json::{Value, json};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::Status;

/// Conversations of one answer.
const MOST: usize = 200_000;
/// Conversations of one page.
const PAGE: u32 = 500;
/// Pages that wait for a slow caller.
pub(crate) const PAGES_WAITING: usize = 2;

/// The conversations of a site in which anything happened since a moment.
pub(crate) struct Pages<'s> {
    shared: &'s Shared,
    who: &'s Principal,
    place: Option<Place>,
    read: usize,
}

impl<'s> Pages<'s> {
    pub(crate) fn new(shared: &'s Shared, who: &'s Principal, from: Timestamp) -> Self {
        Self { shared, who, place: Some(Place { from, after: None }), read: 0 }
    }

    /// `None` after the last. A conversation in which something happens meanwhile may be
    /// in two pages.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Record>>, ApiError> {
        let Some(at) = self.place.take() else { return Ok(None) };
        let asked = self.shared.deps.sessions.records(&self.who.site, at, PAGE);
        let page = within(CALL_DEADLINE, "sessions", asked).await?;
        self.place = page.next;
        self.read += page.records.len();
        if self.read > MOST {
            return Err(ApiError::Invalid("these are more than 200,000 conversations".into()));
        }
        Ok(Some(page.records))
    }
}

/// Accounts of those who had conversations, each asked for once.
#[derive(Default)]
pub(crate) struct Accounts(BTreeMap<AgentId, Option<Arc<AgentAccount>>>);

impl Accounts {
    /// Learns of those in some records.
    pub(crate) async fn learn(
        &mut self,
        shared: &Shared,
        site: &SiteId,
        records: &[Record],
    ) -> Result<(), ApiError> {
        self.ask(shared, site, agents(records)).await
    }

    /// Learns of those who had nothing, too: they are not new to the site.
    async fn learn_of_idle(&mut self, shared: &Shared, site: &SiteId) -> Result<(), ApiError> {
        let asked = shared.deps.presence.agents(Some(site));
        let known = within(CALL_DEADLINE, "presence", asked).await?;
        let ids: BTreeSet<AgentId> = known.iter().map(|agent| agent.id).collect();
        self.ask(shared, site, ids).await
    }

    async fn ask(
        &mut self,
        shared: &Shared,
        site: &SiteId,
        agents: BTreeSet<AgentId>,
    ) -> Result<(), ApiError> {
        for agent in agents {
            let Entry::Vacant(unknown) = self.0.entry(agent) else { continue };
            let asked = shared.deps.desk.agent(site, agent);
            unknown.insert(within(CALL_DEADLINE, "desk", asked).await?);
        }
        Ok(())
    }

    /// `None` when there is none any more, or it was not learned of.
    pub(crate) fn get(&self, agent: AgentId) -> Option<&AgentAccount> {
        self.0.get(&agent)?.as_deref()
    }

    fn to_proto(&self) -> Vec<v1::RecordedAgent> {
        self.0.values().flatten().map(|account| account_to_proto(account)).collect()
    }
}

/// Which they are, for the audit log.
pub(crate) fn details(asked: &v1::RecordedArrivalsRequest) -> Value {
    json!({ "from": asked.from, "to": asked.to })
}

/// Those who had conversations, or were asked for them.
fn agents(records: &[Record]) -> BTreeSet<AgentId> {
    let episodes = records.iter().flat_map(|record| &record.episodes);
    let of_episode = |episode: &Episode| {
        let had = episode.stints.iter().map(|stint| stint.agent);
        let asked = episode.offers.iter().map(|offer| offer.agent);
        had.chain(asked).collect::<Vec<_>>()
    };
    episodes.flat_map(of_episode).collect()
}

/// A moment of a request.
pub(crate) fn moment(
    at: Option<&wkt::Timestamp>,
    what: &str,
) -> Result<Option<Timestamp>, ApiError> {
    let parsed = |t| timestamp_from_proto(t).ok_or(ApiError::Invalid(format!("{what} is no time")));
    at.map(parsed).transpose()
}

/// From when to before when.
pub(crate) fn stretch(
    shared: &Shared,
    from: Option<&wkt::Timestamp>,
    to: Option<&wkt::Timestamp>,
) -> Result<(Timestamp, Timestamp), ApiError> {
    let from = moment(from, "from")?.ok_or_else(|| ApiError::Invalid("from is absent".into()))?;
    Ok((from, moment(to, "to")?.unwrap_or_else(|| shared.now())))
}

/// The caller's site as it is configured.
pub(crate) async fn site(shared: &Shared, who: &Principal) -> Result<Arc<SiteConfig>, ApiError> {
    let site = within(CALL_DEADLINE, "desk", shared.deps.desk.site(&who.site)).await?;
    site.ok_or_else(|| ApiError::NotFound("site".into()))
}

/// Answers a question for what came, page by page, until done or the caller hangs up.
pub(crate) async fn send(
    shared: Arc<Shared>,
    who: Principal,
    request: v1::RecordedArrivalsRequest,
    pages: mpsc::Sender<Result<v1::RecordedArrivalsPage, Status>>,
) {
    let sent = tokio::select! {
        sent = send_pages(&shared, &who, &request, &pages) => sent,
        () = pages.closed() => return,
        () = shared.stopping.cancelled() => Err(ApiError::unavailable("the gateway is stopping")),
    };
    if let Err(error) = sent {
        // Who asked may have gone: then nobody misses the answer.
        let _ = pages.send(Err(to_status(&error))).await;
    }
}

async fn send_pages(
    shared: &Shared,
    who: &Principal,
    request: &v1::RecordedArrivalsRequest,
    pages: &mpsc::Sender<Result<v1::RecordedArrivalsPage, Status>>,
) -> Result<(), ApiError> {
    let (from, to) = stretch(shared, request.from.as_ref(), request.to.as_ref())?;
    let site = site(shared, who).await?;
    let is_wanted = move |episode: &Episode| from <= episode.began_at && episode.began_at < to;
    let (mut seen, mut accounts) = (HashSet::new(), Accounts::default());
    let mut read = Pages::new(shared, who, from);
    while let Some(mut records) = read.next().await? {
        records.retain(|r| r.episodes.iter().any(is_wanted) && seen.insert(r.conversation));
        accounts.learn(shared, &who.site, &records).await?;
        let conversations = conversations(&site, &records, is_wanted);
        let page = v1::RecordedArrivalsPage { conversations, agents: Vec::new() };
        if pages.send(Ok(page)).await.is_err() {
            return Ok(());
        }
    }
    accounts.learn_of_idle(shared, &who.site).await?;
    let page = v1::RecordedArrivalsPage { conversations: Vec::new(), agents: accounts.to_proto() };
    // Who asked may have gone: then nobody misses the answer.
    let _ = pages.send(Ok(page)).await;
    Ok(())
}

fn conversations(
    site: &SiteConfig,
    records: &[Record],
    is_wanted: impl Fn(&Episode) -> bool + Copy,
) -> Vec<v1::RecordedConversation> {
    let to_proto = |record: &Record| {
        let first = record.episodes.iter().find(|episode| is_wanted(episode));
        let routed = first.is_some_and(|first| was_routed(site, record, first));
        record_to_proto(record, routed, is_wanted)
    };
    records.iter().map(to_proto).collect()
}

/// Whether the rules in force would have chosen a queue.
fn was_routed(site: &SiteConfig, record: &Record, first: &Episode) -> bool {
    let opening = &record.opening;
    let visit = Visit {
        page: &opening.page,
        language: &record.language,
        attributes: &opening.attributes,
        text: &opening.text,
        channel: &record.channel,
        now: first.began_at,
        calendars: &site.calendars,
    };
    let chosen = routes::decide(&site.routes, &visit).route.map(|route| &route.queue);
    first.queue == *chosen.unwrap_or(&site.default_queue)
}
