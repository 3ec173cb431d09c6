//! When boards are sent and to whom, and that a board says what the lists say.

use super::drawn::{self, MAX_CONVERSATIONS, Seen};
use super::poll::Poll;
use super::{Boards, SiteId};
use crate::codec::WireFormat;
use crate::metrics::Metrics;
use crate::outbox::{Class, Outbox};
use crate::registry::Reader;
use crate::testing::{FakeDesk, TestClient, World, now, site};
use frontdesk_core::conversation::{Command, Conversation, Phase, StartRequest, Summary};
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId};
use frontdesk_core::party::{Origin, Participant, Principal, Role};
use frontdesk_core::presence::{AgentProfile, AgentStatus, AgentView, Hold, Reservation};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Desk as _, QueueKey, QueueView};
use frontdesk_proto::convert::{agent_view_to_proto, queue_view_to_proto};
use frontdesk_proto::v1::{self, ErrorCode, client_frame::Request, server_frame::Frame};
use proptest::prelude::*;
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// A little after a second: what was due in it has been done.
const A_SECOND: Duration = Duration::from_millis(1_010);

fn watcher() -> Arc<Reader> {
    let (id, name) = (Uuid::now_v7(), Arc::from(""));
    let who = Principal { site: site(), role: Role::Supervisor, id, name };
    let outbox = Arc::new(Outbox::new(WireFormat::Protobuf));
    Arc::new(Reader::new(ConnectionId::from_uuid(Uuid::now_v7()), who, outbox))
}

/// Takes what waits; gives how many waited at each board.
fn waiting_on(reader: &Reader) -> Vec<u32> {
    let (mut found, mut batch) = (Vec::new(), Vec::new());
    while reader.outbox.take_batch(&mut batch) > 0 {
        // What is no batch was put there to be in the way.
        for frame in v1::ServerBatch::decode(&*batch).unwrap_or_default().frames {
            if let Some(Frame::Board(board)) = frame.frame {
                found.push(board.queues[0].state.as_ref().unwrap().waiting);
            }
        }
        batch.clear();
    }
    found
}

/// A site where so many wait, and how often it was looked at.
#[derive(Default)]
struct Scene {
    boards: Boards,
    waiting: AtomicU32,
    looks: AtomicU32,
}

/// So many wait when nobody can say how many do.
const UNKNOWN: u32 = u32::MAX;

impl Scene {
    async fn look(&self) -> Result<v1::BoardPush, ApiError> {
        let nth = self.looks.fetch_add(1, Ordering::Relaxed);
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting == UNKNOWN {
            return Err(ApiError::unavailable("away"));
        }
        let state = Some(v1::QueueState { waiting, ..v1::QueueState::default() });
        // The time alone is no change.
        let at = Some(frontdesk_proto::wkt::Timestamp { seconds: nth.into(), nanos: 0 });
        let queues = vec![v1::BoardQueue { state, ..v1::BoardQueue::default() }];
        Ok(v1::BoardPush { at, queues, ..v1::BoardPush::default() })
    }

    /// Watched from the beginning by one reader, until `script` has ended.
    async fn play<F: Future<Output = ()>>(&self, script: impl FnOnce(Arc<Reader>) -> F) {
        let first = watcher();
        let news = self.boards.join(&first).expect("the first one");
        let (site, metrics): (SiteId, Metrics) = (site(), Metrics::new());
        let poll = Poll::new(&self.boards, &site, &news);
        // In this order: what the script does at a moment is seen by the look of it.
        tokio::select! {
            biased;
            () = script(first) => {}
            () = poll.run(|| self.look(), &metrics) => {}
        }
    }

    fn set(&self, waiting: u32) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_board_comes_at_once_then_when_it_has_changed() {
    let scene = Scene::default();
    scene
        .play(async |reader| {
            sleep(Duration::from_millis(1)).await;
            assert_eq!(waiting_on(&reader), [0]);
            sleep(Duration::from_secs(10)).await;
            assert_eq!(waiting_on(&reader), [0; 0], "nothing has changed");
            for waiting in 1..=5 {
                scene.set(waiting + 100);
                sleep(Duration::from_millis(10)).await;
                scene.set(waiting);
                sleep(A_SECOND).await;
                assert_eq!(waiting_on(&reader), [waiting]);
            }
            sleep(Duration::from_secs(16)).await;
            assert_eq!(waiting_on(&reader), [5], "a sign of life");
            let looks = scene.looks.load(Ordering::Relaxed);
            assert!((25..=33).contains(&looks), "{looks} looks in 31 s");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn all_who_watch_share_one_look() {
    let scene = Scene::default();
    scene
        .play(async |first| {
            sleep(Duration::from_millis(100)).await;
            let others: Vec<_> = (0..50).map(|_| watcher()).collect();
            assert!(others.iter().all(|other| scene.boards.join(other).is_none()));
            assert!(scene.boards.join(&others[0]).is_none(), "twice is once");
            sleep(Duration::from_millis(1)).await;
            assert_eq!(scene.looks.load(Ordering::Relaxed), 1, "what is known is shown");
            scene.set(7);
            sleep(A_SECOND).await;
            assert_eq!(waiting_on(&first), [0, 7]);
            for other in &others {
                assert_eq!(waiting_on(other), [0, 7]);
            }
            assert_eq!(scene.looks.load(Ordering::Relaxed), 2);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_who_is_slow_gets_the_newest_board_later() {
    let scene = Scene::default();
    scene
        .play(async |quick| {
            let slow = watcher();
            slow.outbox.push(&vec![0; 100_000], Class::Durable);
            scene.boards.join(&slow);
            for waiting in 1..=4 {
                scene.set(waiting);
                sleep(A_SECOND).await;
            }
            assert_eq!(waiting_on(&quick), [1, 2, 3, 4]);
            assert_eq!((slow.outbox.depth(), slow.outbox.closing()), (1, None));
            assert_eq!(waiting_on(&slow), [0; 0], "only what was in the way");
            sleep(A_SECOND).await;
            assert_eq!(waiting_on(&slow), [4]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_when_nobody_watches() {
    let scene = Scene::default();
    let (first, second) = (watcher(), watcher());
    let news = scene.boards.join(&first).unwrap();
    assert!(scene.boards.join(&second).is_none());
    let (site, metrics) = (site(), Metrics::new());
    let poll = Poll::new(&scene.boards, &site, &news).run(|| scene.look(), &metrics);
    let leaving = async {
        sleep(A_SECOND).await;
        scene.boards.leave(&first);
        sleep(A_SECOND).await;
        assert!(scene.looks.load(Ordering::Relaxed) >= 2, "one still watches");
        scene.boards.leave(&second);
        scene.boards.leave(&second);
    };
    timeout(Duration::from_secs(5), async { tokio::join!(poll, leaving) }).await.expect("it ends");
    assert!(scene.boards.join(&first).is_some(), "somebody has to begin again");
}

#[tokio::test(start_paused = true)]
async fn a_board_that_is_not_known_comes_when_it_is() {
    let scene = Scene::default();
    scene.set(UNKNOWN);
    scene
        .play(async |reader| {
            sleep(Duration::from_secs(3)).await;
            assert_eq!(waiting_on(&reader), [0; 0]);
            scene.set(3);
            sleep(A_SECOND).await;
            scene.set(UNKNOWN);
            sleep(Duration::from_secs(3)).await;
            assert_eq!(waiting_on(&reader), [3], "the last one stands");
        })
        .await;
}

#[tokio::test]
async fn only_supervisors_watch() {
    let world = World::start().await;
    let (mut visitor, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    let (mut agent, _) = TestClient::hello(&world, true, world.agent(), vec![]).await;
    let watch = |on| Request::WatchBoard(v1::WatchBoard { on });
    for client in [&mut visitor, &mut agent] {
        match client.ask(watch(true)).await {
            Frame::Error(e) => assert_eq!(e.code(), ErrorCode::PermissionDenied),
            other => panic!("not refused: {other:?}"),
        }
    }
    let start = Request::Start(v1::StartConversation::default());
    let Frame::Conversation(started) = visitor.ask(start).await else { panic!("not started") };
    for json in [true, false] {
        let (mut supervisor, _) = TestClient::hello(&world, json, world.supervisor(), vec![]).await;
        assert!(matches!(supervisor.ask(watch(true)).await, Frame::Done(_)));
        let board = loop {
            let frame = supervisor.next().await.expect("a frame");
            if let Some(Frame::Board(board)) = frame.frame {
                break board;
            }
        };
        assert_eq!(board.conversations[0].conversation_id, started.conversation_id);
        assert_eq!(board.agents.len(), 2);
        assert!(matches!(supervisor.ask(watch(false)).await, Frame::Done(_)));
    }
    // Waits for the task that looks, too.
    world.gateway.stop().await;
}

fn summary(n: u128, phase: &Phase) -> Summary {
    let id = ConversationId::from_uuid(Uuid::from_u128(n + 1));
    let who =
        Principal { site: site(), role: Role::Visitor, id: Uuid::from_u128(9), name: "".into() };
    let attributes = [(Arc::from("tier"), Arc::from("gold"))].into();
    let start = StartRequest {
        queue: "sales".parse().unwrap(),
        attributes,
        page: "".into(),
        language: "".into(),
        consent: None,
        first_message: None,
        channel: Default::default(),
        extra_minutes: 0,
    };
    let (opened, _) =
        Conversation::open(id, &Origin::Client(who), &Command::Start(start), now()).unwrap();
    Summary { phase: phase.clone(), ..opened.summary() }
}

fn agent(
    n: u128,
    status: AgentStatus,
    capacity: u32,
    chats: u32,
    queues: &[&str],
) -> Arc<AgentView> {
    let reservation = |n: u32| Reservation {
        conversation: ConversationId::from_uuid(Uuid::from_u128(u128::from(n) + 1)),
        weight: 1,
        claim: None,
        hold: if n.is_multiple_of(3) { Hold::WrapUp(Timestamp::ZERO) } else { Hold::Active },
    };
    let gateway = ("gateway-1".parse().unwrap(), 1);
    Arc::new(AgentView {
        site: site(),
        id: AgentId::from_uuid(Uuid::from_u128(n + 1)),
        profile: AgentProfile {
            name: format!("Agent {}", n % 7).into(),
            capacity,
            queues: queues.iter().map(|queue| queue.parse().unwrap()).collect(),
            supervisor: n.is_multiple_of(5),
            ..AgentProfile::default()
        },
        status,
        reason: "".into(),
        since: Timestamp::ZERO,
        load: chats,
        reservations: (0..chats).map(reservation).collect(),
        idle_since: Timestamp::ZERO,
        gateways: if status == AgentStatus::Offline { vec![] } else { vec![gateway] },
        revision: 1,
        assigned_at: Timestamp::ZERO,
        missed: 0,
    })
}

fn agents() -> impl Strategy<Value = Vec<Arc<AgentView>>> {
    let status = prop_oneof![
        Just(AgentStatus::Online),
        Just(AgentStatus::Busy),
        Just(AgentStatus::Away),
        Just(AgentStatus::Offline),
    ];
    let queues = prop_oneof![Just(vec![]), Just(vec!["sales"]), Just(vec!["other"])];
    let one = (status, 1..6_u32, 0..6_u32, queues);
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let numbered = all.into_iter().zip(0..);
        numbered
            .map(|((status, capacity, chats, queues), n)| {
                agent(n, status, capacity, chats.min(capacity), &queues)
            })
            .collect()
    })
}

async fn seen(agents: Vec<Arc<AgentView>>, waiting: usize, assigned: usize) -> Seen {
    let config = FakeDesk::default().site(&site()).await.unwrap().unwrap();
    let key = QueueKey { site: site(), queue: "sales".parse().unwrap() };
    let view = QueueView {
        queue: key,
        waiting: 3,
        offered: 1,
        oldest_since: Some(Timestamp::from_millis(5_000)),
        estimated_wait: Some(Millis::from_secs(90)),
        agents_online: 2,
        assigned: 4,
        estimated_wait_upper: Some(Millis::from_secs(120)),
    };
    let phase = Phase::Assigned {
        agent: Participant::agent(AgentId::from_uuid(Uuid::from_u128(1)), "Ana"),
        since: Timestamp::ZERO,
    };
    let of = |count: usize, from: u128, phase: &Phase| -> Vec<Summary> {
        (from..).take(count).map(|n| summary(n, phase)).collect()
    };
    Seen {
        at: now(),
        config,
        queues: vec![view],
        agents,
        waiting: of(waiting, 0, &Phase::Waiting),
        assigned: of(assigned, 10_000, &phase),
        today: Arc::default(),
    }
}

proptest! {
    /// What `ListQueues` and `ListAgents` would say of the same, and sums of it.
    #[test]
    fn a_board_says_what_the_lists_say(agents in agents()) {
        let seen = futures::executor::block_on(seen(agents.clone(), 2, 2));
        let queues: Vec<_> = seen.queues.iter().map(queue_view_to_proto).collect();
        let board = drawn::board(seen);
        let states: Vec<_> = board.queues.iter().map(|q| q.state.clone().unwrap()).collect();
        prop_assert_eq!(states, queues);

        let by_id = |states: Vec<v1::AgentState>| -> BTreeMap<String, v1::AgentState> {
            states.into_iter().map(|state| (state.agent.clone().unwrap().id, state)).collect()
        };
        let drawn: Vec<_> = board.agents.iter().map(|a| a.state.clone().unwrap()).collect();
        let offline = |state: &v1::AgentState| state.status() == v1::AgentStatus::Offline;
        prop_assert!(drawn.is_sorted_by_key(offline), "those who are there first");
        let listed = agents.iter().map(|agent| agent_view_to_proto(agent)).collect();
        prop_assert_eq!(by_id(drawn), by_id(listed));

        let queue = &board.queues[0];
        let serves = |agent: &&Arc<AgentView>| agent.serves(&"sales".parse().unwrap());
        let with = |status| {
            agents.iter().filter(serves).filter(|a| a.status == status).count() as u32
        };
        prop_assert_eq!(queue.agents_online, with(AgentStatus::Online));
        prop_assert_eq!(queue.agents_busy, with(AgentStatus::Busy));
        prop_assert_eq!(queue.agents_away, with(AgentStatus::Away));
        let free: u32 = agents.iter().filter(serves).map(|a| a.free()).sum();
        prop_assert_eq!(queue.free_slots, free);
        prop_assert_eq!((queue.assigned, queue.open), (4, true));
    }
}

#[tokio::test]
async fn each_kind_of_conversation_gets_its_half() {
    for (waiting, assigned, shown, more) in [
        (0, 0, (0, 0), false),
        (3, 4, (3, 4), false),
        (300, 200, (300, 200), false),
        (501, 501, (250, 250), true),
        (501, 10, (490, 10), true),
        (10, 501, (10, 490), true),
        (501, 0, (500, 0), true),
        (260, 250, (250, 250), true),
    ] {
        let board = drawn::board(seen(Vec::new(), waiting, assigned).await);
        let waits = |c: &&v1::ConversationState| c.phase() == v1::Phase::Waiting;
        let found = board.conversations.iter().filter(waits).count();
        assert_eq!((found, board.conversations.len() - found), shown, "{waiting} {assigned}");
        assert_eq!(board.more_conversations, more, "{waiting} {assigned}");
        assert!(board.conversations.len() <= MAX_CONVERSATIONS);
        assert!(board.conversations.iter().all(|c| c.attributes.is_empty()));
        let since = |c: &v1::ConversationState| c.waiting_since.is_some();
        assert!(board.conversations.iter().take(found).all(since));
    }
}

#[tokio::test]
async fn the_largest_board_fits() {
    let agents: Vec<_> = (0..5_000).map(|n| agent(n, AgentStatus::Online, 4, 4, &[])).collect();
    let mut most = seen(agents, 501, 501).await;
    for summary in most.waiting.iter_mut().chain(&mut most.assigned) {
        summary.tags = (0..20).map(|n| Arc::from(format!("{n:050}"))).collect();
    }
    let board = drawn::board(most);
    assert_eq!(board.agents.len(), 2_000);
    assert!(board.more_conversations && !board.conversations.is_empty());
    let reader = watcher();
    let frame = crate::codec::push_frame(Frame::Board(board));
    let json = crate::codec::piece(WireFormat::Json, &frame);
    reader.outbox.push(&json, Class::Hint);
    assert_eq!(reader.outbox.closing(), None, "{} bytes", json.len());
}
