//! Those who ask: reservations, releases and reads, each at any voter and with a
//! deadline, written down for the checker.

use crate::group::Remote;
use crate::network::Host;
use frontdesk_cluster::{Clock as _, SystemClock};
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, SiteId};
use frontdesk_core::presence::{
    Action, AgentKey, AgentProfile, AgentStatus, AgentView, NodeRole, Refusal, incarnation_id,
};
use frontdesk_core::time::Millis;
use frontdesk_presence::PresenceService;
use frontdesk_proto::api::{AgentConnect, ApiError, Presence as _, ReserveRequest};
use frontdesk_tests::deadline::until;
use frontdesk_tests::linear::{Ask, Holds, Operation, Outcome, Recorder, Rooms, Told};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

pub(crate) type Event = Operation<Ask, Told>;

/// What every agent has room for.
pub(crate) const ROOMS: Rooms = Rooms { capacity: 6 };
pub(crate) const AGENTS: Range<u32> = 1..6;
const WEIGHTS: Range<u32> = 1..4;
/// Longer than a test takes by far, and within what the group grants at most: no
/// reservation of a history expires.
const RESERVED_FOR: Millis = Millis::from_mins(9);
/// Between two questions of one caller, in milliseconds.
const PAUSE_MS: Range<u64> = 2..20;
/// After a question that was not answered: each stays open for the checker.
const PAUSE_UNANSWERED: Duration = Duration::from_millis(300);
/// How long a caller waits for an answer, in milliseconds.
const DEADLINE_MS: Range<u64> = 600..1_800;
/// How long it waits when nothing is broken.
const PATIENT: Duration = Duration::from_secs(4);

fn site() -> SiteId {
    "acme".parse().expect("a slug")
}

fn agent_id(agent: u32) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(agent.into()))
}

fn conversation_id(conversation: u32) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(conversation.into()))
}

/// Brings every agent online, where it stays.
pub(crate) async fn bring_online(remote: &Remote) {
    let gateway = incarnation_id("gateway", 1).expect("a slug");
    for agent in AGENTS {
        let request = AgentConnect {
            site: site(),
            agent: agent_id(agent),
            profile: AgentProfile {
                name: Arc::from("Ann"),
                capacity: ROOMS.capacity,
                ..AgentProfile::default()
            },
            gateway: gateway.clone(),
            connection: ConnectionId::from_uuid(Uuid::from_u128(agent.into())),
        };
        until("an agent is online", async || {
            let (node, role, address) = (gateway.clone(), NodeRole::Gateway, "gateway:1".into());
            remote.cluster.propose(Action::JoinNode { node, role, address }).await.ok()?;
            remote.presence.connect(request.clone()).await.ok()?;
            let (site, agent) = (site(), agent_id(agent));
            remote.presence.set_status(&site, agent, AgentStatus::Online, "").await.ok()
        })
        .await;
    }
}

/// What the callers have in common.
pub(crate) struct Scene {
    pub(crate) remotes: BTreeMap<Host, Remote>,
    /// The hosts that are asked now.
    pub(crate) asked: watch::Receiver<Vec<Host>>,
    pub(crate) begun: Instant,
    /// Conversations that have room at each agent, perhaps.
    held: Mutex<BTreeMap<u32, BTreeSet<u32>>>,
    next_conversation: AtomicU32,
}

impl Scene {
    pub(crate) fn new(remotes: BTreeMap<Host, Remote>, asked: watch::Receiver<Vec<Host>>) -> Self {
        let (held, next_conversation) = (Mutex::default(), AtomicU32::new(1));
        Self { remotes, asked, begun: Instant::now(), held, next_conversation }
    }

    /// Asks one voter and writes it down.
    pub(crate) async fn ask(&self, host: Host, ask: Ask, deadline: Duration, to: &mut Notes) {
        if let Ask::Reserve { agent, conversation, .. } = ask {
            self.held(|held| held.entry(agent).or_default().insert(conversation));
        }
        let answer = async { timeout(deadline, answer(&self.remotes[&host], ask)).await.ok()? };
        to.record(ask, answer).await;
        let Some(Operation { outcome: Outcome::Returned { output, .. }, .. }) = to.last() else {
            return;
        };
        match (ask, output) {
            (Ask::Release { agent, conversation }, Told::Released)
            | (Ask::Reserve { agent, conversation, .. }, Told::NoRoom) => {
                self.held(|held| held.entry(agent).or_default().remove(&conversation));
            }
            // What was given up for lost may have come through after all.
            (Ask::Read { agent }, Told::Holds(seen)) => {
                self.held(|held| held.entry(agent).or_default().extend(seen.keys()));
            }
            _ => {}
        }
    }

    fn held<T>(&self, work: impl FnOnce(&mut BTreeMap<u32, BTreeSet<u32>>) -> T) -> T {
        work(&mut self.held.lock().expect("nobody panics while it is locked"))
    }

    fn choose(&self, rng: &mut SmallRng) -> Ask {
        let agent = rng.random_range(AGENTS);
        let weight = rng.random_range(WEIGHTS);
        let held: Vec<u32> =
            self.held(|held| held.entry(agent).or_default().iter().copied().collect());
        match (rng.random_range(0..10), held.choose(rng)) {
            (0..3, Some(conversation)) => Ask::Release { agent, conversation: *conversation },
            (3, Some(conversation)) => Ask::Reserve { agent, conversation: *conversation, weight },
            (0..7, _) => {
                let conversation = self.next_conversation.fetch_add(1, Ordering::Relaxed);
                Ask::Reserve { agent, conversation, weight }
            }
            _ => Ask::Read { agent },
        }
    }
}

pub(crate) type Notes = Recorder<Ask, Told>;

/// Asks until it is told to stop, and gives what it wrote down.
pub(crate) async fn caller(
    scene: Arc<Scene>,
    process: u32,
    seed: u64,
    mut stop: watch::Receiver<bool>,
) -> Vec<Event> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut notes = Notes::new(scene.begun, process);
    while !*stop.borrow_and_update() {
        let hosts = scene.asked.borrow().clone();
        let host = *hosts.choose(&mut rng).expect("somebody is asked");
        let deadline = Duration::from_millis(rng.random_range(DEADLINE_MS));
        let ask = scene.choose(&mut rng);
        scene.ask(host, ask, deadline, &mut notes).await;
        let answered = notes.last().is_some_and(|last| last.outcome != Outcome::Unknown);
        let pause = Duration::from_millis(rng.random_range(PAUSE_MS));
        sleep(if answered { pause } else { PAUSE_UNANSWERED }).await;
    }
    notes.finish()
}

/// Reads every agent at every voter until each has answered: what is wrong in the
/// end is seen, even if nobody had asked again.
pub(crate) async fn read_everywhere(scene: &Scene, process: u32) -> Vec<Event> {
    let notes = &AsyncMutex::new(Notes::new(scene.begun, process));
    let hosts = scene.asked.borrow().clone();
    for (host, agent) in hosts.iter().flat_map(|host| AGENTS.map(move |agent| (*host, agent))) {
        until(format_args!("host {host} is read"), async || {
            let mut notes = notes.lock().await;
            scene.ask(host, Ask::Read { agent }, PATIENT, &mut notes).await;
            notes.last().filter(|last| last.outcome != Outcome::Unknown).map(|_| ())
        })
        .await;
    }
    notes.lock().await.clone().finish()
}

/// What a voter answers; `None` when that leaves open whether it was done.
async fn answer(remote: &Remote, ask: Ask) -> Option<Told> {
    let (site, presence) = (site(), &remote.presence);
    let told = match ask {
        Ask::Reserve { agent, conversation, weight } => {
            let request = ReserveRequest {
                site,
                agent: agent_id(agent),
                conversation: conversation_id(conversation),
                weight,
                expires_at: SystemClock.now() + RESERVED_FOR,
                claim: None,
            };
            presence.reserve(request).await.map(|()| Told::Granted)
        }
        Ask::Release { agent, conversation } => {
            let conversation = conversation_id(conversation);
            let released = presence.release(&site, agent_id(agent), conversation, Millis::ZERO);
            released.await.map(|()| Told::Released)
        }
        Ask::Read { agent } => {
            presence.agent(&site, agent_id(agent)).await.map(|view| shown(view.as_ref()))
        }
    };
    match told {
        Ok(told) => Some(told),
        Err(ApiError::State(why)) if why == Refusal::NoRoom.to_string() => Some(Told::NoRoom),
        Err(wrong @ (ApiError::State(_) | ApiError::NotFound(_) | ApiError::Invalid(_))) => {
            Some(Told::Otherwise(wrong.to_string()))
        }
        Err(_) => None,
    }
}

/// What a view tells of an agent's room.
pub(crate) fn shown(view: Option<&AgentView>) -> Told {
    let Some(view) = view else { return Told::Otherwise("it is not known".into()) };
    let held = view.reservations.iter();
    let held: Holds = held.map(|r| (r.conversation.as_uuid().as_u128() as u32, r.weight)).collect();
    match held.values().sum::<u32>() == view.load {
        true => Told::Holds(held),
        false => Told::Otherwise(format!("a load of {} for {held:?}", view.load)),
    }
}

/// Reads what a voter has applied so far, which is no answer to rely on.
pub(crate) fn glance(service: &PresenceService, agent: u32) -> Told {
    let key = AgentKey { site: site(), agent: agent_id(agent) };
    service.group().view(|state| shown(state.agent(&key).map(|view| &**view)))
}
