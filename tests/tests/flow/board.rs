//! The supervisors' board, live.

use crate::terminal::ctl_json;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{AgentStatus, BoardPush, BoardQueue, Phase, WatchBoard};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::Wire;
use std::time::Duration;

/// The figures of the day are counted every 15 s; the rest is slack.
const COUNTED: Duration = Duration::from_secs(60);

async fn board(wire: &mut Wire, what: &str, wanted: impl Fn(&BoardPush) -> bool) -> BoardPush {
    wire.push(what, |frame| match frame {
        Frame::Board(board) if wanted(board) => Some(board.clone()),
        _ => None,
    })
    .await
}

fn general(board: &BoardPush) -> &BoardQueue {
    let named = |queue: &&BoardQueue| queue.state.as_ref().is_some_and(|s| s.queue == "general");
    board.queues.iter().find(named).expect("every queue is there")
}

fn waiting(board: &BoardPush) -> u32 {
    general(board).state.as_ref().map_or(0, |state| state.waiting)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_sees_what_goes_on() {
    let server = Server::start().await;
    let mut sue = Wire::staff(&server, Carrier::WebSocketJson, &server.supervisor()).await;
    sue.call(WatchBoard { on: true }).await;
    let first = board(&mut sue, "a board at once", |_| true).await;
    assert_eq!((waiting(&first), first.conversations.len()), (0, 0));
    assert!(general(&first).open && general(&first).free_slots == 0);

    let mut visitor = Wire::visitor(&server, Carrier::Grpc).await;
    let id = visitor.start("Hello").await.conversation_id;
    let there = |board: &BoardPush| waiting(board) == 1 && !board.conversations.is_empty();
    let one = board(&mut sue, "one who waits", there).await;
    let shown = &one.conversations[0];
    assert_eq!((&shown.conversation_id, shown.phase()), (&id, Phase::Waiting));
    assert!(shown.waiting_since.is_some());

    let mut alex = Wire::staff(&server, Carrier::WebSocketProtobuf, &server.agent(0)).await;
    let capacity = alex.status(AgentStatus::Online).await.capacity;
    alex.take(&id).await;
    let taken = |board: &BoardPush| {
        let shown = board.conversations.first().is_some_and(|c| c.phase() == Phase::Assigned);
        let has = board.agents.iter().any(|agent| agent.conversations == 1);
        shown && has && general(board).assigned == 1 && waiting(board) == 0
    };
    let taken = board(&mut sue, "it is with Alex", taken).await;
    let queue = general(&taken);
    assert_eq!((queue.agents_online, queue.free_slots), (1, capacity - 1));

    // What is still is what the lists say.
    let queues = ctl_json(&server, &["queues"]);
    let agents = ctl_json(&server, &["agents"]);
    let listed =
        |list: &serde_json::Value, key: &str| list[key].as_array().expect("a list").clone();
    let json = |state: Option<serde_json::Value>| state.expect("a state");
    let on_board = taken.queues.iter().map(|q| q.state.as_ref().map(|s| serde_json::json!(s)));
    assert_eq!(on_board.map(json).collect::<Vec<_>>(), listed(&queues, "queues"));
    let mut of_agents: Vec<_> = taken.agents.iter().map(|a| serde_json::json!(a.state)).collect();
    let mut listed = listed(&agents, "agents");
    let by_id = |agent: &serde_json::Value| agent["agent"]["id"].to_string();
    of_agents.sort_by_key(by_id);
    listed.sort_by_key(by_id);
    assert_eq!(of_agents, listed);

    alex.close(&id).await;
    sue.patience(COUNTED);
    let counted = |board: &BoardPush| {
        let queue = general(board);
        board.conversations.is_empty() && (queue.arrivals, queue.served) == (1, 1)
    };
    let counted = board(&mut sue, "the figures of the day", counted).await;
    assert_eq!((general(&counted).abandoned, general(&counted).assigned), (0, 0));

    sue.call(WatchBoard { on: false }).await;
}
