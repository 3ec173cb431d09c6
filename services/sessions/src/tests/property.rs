//! P1, P2, P3 under random commands and a journal that fails at random.

use crate::Settings;
use crate::testing::{
    Fault, STALL, World, agent, conversation, gateway, message, settle, start, visitor,
};
use frontdesk_core::conversation::{Command, Outcome, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, OfferId, Seq};
use frontdesk_core::party::{Origin, Participant, Principal};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, ReplyFuture, Sessions as _};
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

const CONVERSATIONS: u128 = 2;
/// The longest any answer may take: attempts, pauses and deadlines together.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
enum Act {
    Say { by_agent: bool, key: u8 },
    Note { key: u8 },
    Close,
    Reopen,
    Offer { offer: u8 },
    Accept { offer: u8 },
    Lose,
    Tag { tag: u8 },
    Read { seq: u32 },
    Look,
    Attach,
    FailLoad,
    FailRead,
    Pause { millis: u64 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (any::<bool>(), 0..24_u8).prop_map(|(by_agent, key)| Act::Say { by_agent, key }),
        1 => (0..8_u8).prop_map(|key| Act::Note { key }),
        1 => Just(Act::Close),
        1 => Just(Act::Reopen),
        2 => (1..4_u8).prop_map(|offer| Act::Offer { offer }),
        2 => (1..4_u8).prop_map(|offer| Act::Accept { offer }),
        1 => Just(Act::Lose),
        1 => (0..3_u8).prop_map(|tag| Act::Tag { tag }),
        1 => (0..20_u32).prop_map(|seq| Act::Read { seq }),
        1 => Just(Act::Look),
        1 => Just(Act::Attach),
        1 => Just(Act::FailLoad),
        1 => Just(Act::FailRead),
        4 => prop_oneof![Just(0), 1..20_u64, Just(3_000)].prop_map(|millis| Act::Pause { millis }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::Unavailable),
        1 => Just(Fault::Conflict),
        1 => Just(Fault::UnknownLost),
        1 => Just(Fault::UnknownKept),
        1 => Just(Fault::Silent),
        1 => Just(Fault::Stall),
    ]
}

/// A command whose answer is awaited, with its key when it has one.
struct Asked {
    id: ConversationId,
    key: Option<(Uuid, String)>,
    reply: ReplyFuture,
}

fn command(act: &Act) -> Option<(Origin, Command, Option<String>)> {
    let ana = AgentId::from_uuid(agent(7).id);
    let offer = |n: u8| OfferId::from_uuid(Uuid::from_u128(u128::from(n)));
    let agents = || Origin::Client(agent(7));
    Some(match act {
        Act::Say { by_agent: true, key } => {
            (agents(), message(&format!("m{key}")), Some(format!("m{key}")))
        }
        // The visitor is filled in by the caller.
        Act::Say { key, .. } => {
            (Origin::System, message(&format!("m{key}")), Some(format!("m{key}")))
        }
        Act::Note { key } => {
            let key = format!("n{key}");
            let client_msg_id = key.parse().unwrap();
            (
                agents(),
                Command::Note { client_msg_id, text: "psst".into(), mentions: vec![] },
                Some(key),
            )
        }
        Act::Close => (agents(), Command::Close, None),
        Act::Reopen => (Origin::System, Command::Reopen, None),
        Act::Offer { offer: n } => {
            let (agent, expires_at) =
                (Participant::agent(ana, "Ana"), Timestamp::from_millis(u64::MAX));
            (Origin::System, Command::Offer { offer: offer(*n), agent, expires_at }, None)
        }
        Act::Accept { offer: n } => {
            (Origin::System, Command::Accept { offer: offer(*n), agent: ana }, None)
        }
        Act::Lose => (Origin::System, Command::AgentLost { agent: ana }, None),
        Act::Tag { tag } => {
            (agents(), Command::SetTags { tags: vec![format!("t{tag}").into()] }, None)
        }
        Act::Read { seq } => (Origin::System, Command::MarkRead { seq: Seq::new(*seq) }, None),
        Act::Look | Act::Attach | Act::FailLoad | Act::FailRead | Act::Pause { .. } => return None,
    })
}

/// Everything that was told, checked as it is told.
#[derive(Default)]
struct Told {
    places: HashMap<(ConversationId, Uuid, String), (Seq, Timestamp)>,
}

impl Told {
    fn check(
        &mut self,
        world: &World,
        asked: (ConversationId, Option<(Uuid, String)>),
        reply: &Result<Outcome, ApiError>,
    ) {
        let (id, key) = asked;
        let (Ok(Outcome::Sent { seq, at, .. }), Some((sender, key))) = (reply, key) else { return };
        let stored = world.journal.stored();
        let record = stored.records.get(&id).and_then(|r| r.get(seq.get() as usize - 1));
        let dedup = record.and_then(|r| r.dedup.as_ref()).expect("P1: acknowledged and durable");
        assert_eq!((dedup.sender, &*dedup.client_msg_id), (sender, &*key), "P1: another message");
        let place = *self.places.entry((id, sender, key)).or_insert((*seq, *at));
        assert_eq!(place, (*seq, *at), "P3: one place for all retries");
    }
}

async fn run(acts: Vec<(u128, Act)>, faults: Vec<Fault>, settings: Settings) {
    let world = World::with(settings).await;
    for n in 0..CONVERSATIONS {
        world.submit(conversation(n), &visitor(n), start()).await.unwrap();
        world.attach(conversation(n), &visitor(n), 0).await.unwrap();
    }
    world.journal.stored().faults = faults.into();
    world.journal.stored().delay = Duration::from_millis(2);
    let (mut told, mut asked) = (Told::default(), Vec::new());
    for (n, act) in &acts {
        let (id, vi) = (conversation(*n), visitor(*n));
        match act {
            Act::Pause { millis } => {
                tokio::time::sleep(Duration::from_millis(*millis)).await;
                settle().await;
            }
            Act::FailLoad => world.journal.stored().failing_loads += 1,
            Act::FailRead => world.journal.stored().failing_reads += 1,
            Act::Look => look(&world, id).await,
            Act::Attach => drop(world.attach(id, &vi, 0).await),
            act => asked.extend(ask(&world, id, &vi, act)),
        }
    }
    for Asked { id, key, reply } in asked {
        let reply = tokio::time::timeout(PATIENCE, reply).await.expect("an answer in time");
        told.check(&world, (id, key), &reply);
    }
    world.journal.stored().faults.clear();
    world.journal.stored().failing_loads = 0;
    world.journal.stored().failing_reads = 0;
    // What the journal has begun to stall for is over then.
    tokio::time::sleep(STALL).await;
    heals(&world, &acts, &mut told).await;
    assert_eq!(world.bus.premature(), Vec::<String>::new(), "nothing before its commit");
    world.sessions.stop().await;
    taken_over(&world, &mut told).await;
}

/// What the owner says, but for who is connected: that is no event.
async fn asked(world: &World, id: ConversationId) -> Summary {
    let mut summary = world.sessions.summary(id, None).await.unwrap();
    assert!(summary.watch.visitor.take().is_some());
    summary
}

/// Another owner tells the same, from snapshots or without.
async fn taken_over(world: &World, told: &mut Told) {
    let next = World::on(world.journal.clone(), Settings::default(), 2).await;
    for n in 0..CONVERSATIONS {
        let id = conversation(n);
        let summary = asked(&next, id).await;
        let folded = next.folded(id).unwrap().summary();
        let (visitor_read, agent_read) = (summary.visitor_read, summary.agent_read);
        assert_eq!(summary, Summary { visitor_read, agent_read, ..folded });
    }
    let places: Vec<_> = told.places.keys().cloned().collect();
    for (id, sender, key) in places.into_iter().filter(|(.., key)| key.starts_with('m')) {
        let who = people().into_iter().find(|who| who.id == sender).unwrap();
        let reply = next.submit(id, &who, message(&key)).await;
        assert!(matches!(reply, Ok(Outcome::Sent { duplicate: true, .. })), "P3: {reply:?}");
        told.check(&next, (id, Some((sender, key))), &reply);
    }
}

fn people() -> Vec<Principal> {
    (0..CONVERSATIONS).map(visitor).chain([agent(7)]).collect()
}

fn ask(world: &World, id: ConversationId, vi: &Principal, act: &Act) -> Option<Asked> {
    let (origin, command, key) = command(act)?;
    let by_visitor = matches!(act, Act::Say { .. } | Act::Reopen | Act::Read { .. });
    let origin = match origin {
        Origin::System if by_visitor => Origin::Client(vi.clone()),
        origin => origin,
    };
    let sender = match &origin {
        Origin::Client(who) => who.id,
        Origin::System => Uuid::nil(),
    };
    let reply = world.submit(id, origin, command);
    Some(Asked { id, key: key.map(|key| (sender, key)), reply })
}

/// What a reader is told is never ahead of the journal.
async fn look(world: &World, id: ConversationId) {
    if let Ok(summary) = world.sessions.summary(id, None).await {
        let durable = world.journal.stored().records.get(&id).map_or(0, Vec::len);
        assert!(summary.head.get() as usize <= durable, "told of {}", summary.head);
    }
}

/// Once the journal is well, memory is what the journal tells, every retry finds
/// its place, and gateways have received every event, in order.
async fn heals(world: &World, acts: &[(u128, Act)], told: &mut Told) {
    for (n, act) in acts.iter().filter(|(_, act)| matches!(act, Act::Say { .. })) {
        let (id, vi) = (conversation(*n), visitor(*n));
        let Some(Asked { key, reply, .. }) = ask(world, id, &vi, act) else { continue };
        let reply = tokio::time::timeout(PATIENCE, reply).await.expect("an answer in time");
        assert!(!matches!(reply, Err(ApiError::Unavailable { .. })), "{reply:?}");
        told.check(world, (id, key), &reply);
    }
    settle().await;
    for n in 0..CONVERSATIONS {
        let id = conversation(n);
        // Has the last word, so that a lost answer before it is found too.
        let _ = world.submit(id, &visitor(n), message("last")).await;
        settle().await;
        let folded = world.folded(id).unwrap();
        let summary = asked(world, id).await;
        let (visitor_read, agent_read) = (summary.visitor_read, summary.agent_read);
        assert_eq!(summary, Summary { visitor_read, agent_read, ..folded.summary() });
        // As a gateway does: what it has is dropped; after a late append that
        // may happen.
        let mut cursor = 2;
        for seq in world.bus.seqs(&gateway(), id) {
            assert!(seq <= cursor + 1, "P2: {seq} published after {cursor}");
            cursor = cursor.max(seq);
        }
        assert_eq!(cursor, folded.head().get(), "P2: every event is published");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_is_durable_ordered_and_said_once(
        acts in prop::collection::vec((0..CONVERSATIONS, act()), 1..80),
        faults in prop::collection::vec(fault(), 0..60),
        small in any::<bool>(),
    ) {
        let settings = if small {
            Settings { idle_seconds: 1, live_per_shard: 1, snapshot_events: 5, ..Default::default() }
        } else {
            Settings::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(acts, faults, settings));
    }
}
