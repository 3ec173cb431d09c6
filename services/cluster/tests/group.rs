//! Groups of one and of three voters in one process, through the public API.

mod support;

use frontdesk_cluster::{GroupError, GroupSettings, MembershipChange, RaftTransport};
use frontdesk_core::presence::{Action, NodeRole, Refusal, Reply};
use std::time::Duration;
use support::{Cluster, agent, eventually, gateway, online, request, reserve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_voter_serves_and_is_there_again_after_a_restart() {
    let mut cluster = Cluster::of(1).await;
    let group = cluster.start(1).await;
    online(&group, 3).await;
    let first = request();
    let reserved = group.propose(first, reserve(0)).await.expect("is proposed");
    assert!(matches!(reserved, Reply::Agent(ref a) if a.load == 1), "{reserved:?}");
    cluster.stop(1).await;
    assert_eq!(group.propose(request(), reserve(1)).await, Err(GroupError::Stopped));
    assert!(!group.is_running());

    let group = cluster.start(1).await;
    let load = group.read(|s| s.agent(&agent()).map(|a| a.load)).await.expect("is read");
    assert_eq!(load, Some(1));
    // The request is remembered too: its retry changes nothing.
    let before = group.view(|s| s.agent(&agent()).map(|a| a.revision));
    group.propose(first, reserve(7)).await.expect("is proposed");
    assert_eq!(group.view(|s| s.agent(&agent()).map(|a| a.revision)), before);
    cluster.stop(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_dies() {
    let mut cluster = Cluster::of(1).await;
    let group = cluster.start(1).await;
    online(&group, 100).await;
    for n in 0..20 {
        group.propose(request(), reserve(n)).await.expect("is proposed");
    }
    // What a crash at this moment would leave on the disk.
    let left = cluster.copy_files(1);
    cluster.stop(1).await;
    cluster.put_files(1, &left);

    let group = cluster.start(1).await;
    let load = group.view(|s| s.agent(&agent()).map(|a| a.load));
    assert_eq!(load, Some(20), "all of it is there once the voter is ready");
    cluster.stop(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_compacted_and_the_snapshot_survives() {
    let settings =
        GroupSettings { snapshot_after: 50, keep_behind_snapshot: 5, ..GroupSettings::default() };
    let mut cluster = Cluster::with(1, settings).await;
    let group = cluster.start(1).await;
    online(&group, 100).await;
    for n in 0..99 {
        group.propose(request(), reserve(n)).await.expect("is proposed");
    }
    group.compact().await.expect("compacts");
    cluster.stop(1).await;
    assert!(cluster.logged_entries(1) < 60, "what a snapshot has is let go of");

    let group = cluster.start(1).await;
    assert_eq!(group.view(|s| s.agent(&agent()).map(|a| a.load)), Some(99));
    cluster.stop(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_answers_and_changes_are_told() {
    let mut cluster = Cluster::of(1).await;
    let group = cluster.start(1).await;
    let mut changes = group.agent_changes();
    online(&group, 1).await;
    group.propose(request(), reserve(0)).await.expect("is proposed");
    let refused = group.propose(request(), reserve(1)).await.expect("is proposed");
    assert_eq!(refused, Reply::Refused(Refusal::NoRoom));
    let mut loads = Vec::new();
    while let Ok(change) = changes.try_recv() {
        loads.push(change.agent.load);
    }
    assert_eq!(loads, [0, 0, 1], "connect, status, reservation");
    assert!(group.next_deadline().borrow().is_some());
    cluster.stop(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_voters_agree_and_outlive_their_leader() {
    let mut cluster = Cluster::of(3).await;
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let follower = cluster.others(leader)[0];
    // Through a follower: forwarded to the leader and read linearizably.
    online(&cluster.group(follower), 3).await;
    let there = cluster.group(follower).read(|s| s.agent(&agent()).is_some()).await;
    assert_eq!(there, Ok(true));

    cluster.stop(leader).await;
    let group = cluster.group(follower);
    let reply = eventually(|| async { group.propose(request(), reserve(0)).await.ok() }).await;
    assert!(matches!(reply, Reply::Agent(ref a) if a.load == 1), "{reply:?}");

    // The old one comes back and learns of it.
    let back = cluster.start(leader).await;
    let load = back.read(|s| s.agent(&agent()).map(|a| a.load)).await;
    assert_eq!(load, Ok(Some(1)));
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minority_does_nothing_and_a_straggler_gets_the_snapshot() {
    let settings = GroupSettings {
        snapshot_after: 40,
        keep_behind_snapshot: 0,
        deadline: Duration::from_secs(2),
        ..GroupSettings::default()
    };
    let mut cluster = Cluster::with(3, settings).await;
    cluster.start_all().await;
    let leader = cluster.leader().await;
    online(&cluster.group(leader), 100).await;

    let straggler = cluster.others(leader)[0];
    cluster.network.cut(straggler);
    let alone = cluster.group(straggler).propose(request(), reserve(0)).await;
    assert_eq!(alone, Err(GroupError::Deadline(Duration::from_secs(2))));
    for n in 0..99 {
        cluster.group(leader).propose(request(), reserve(n)).await.expect("is proposed");
    }
    // The next leader has all of it, and has let go of the log.
    let heir = cluster.others(leader).into_iter().find(|id| *id != straggler);
    let heir = cluster.group(heir.expect("there are three"));
    eventually(|| async { heir.view(|s| s.agent(&agent()).filter(|a| a.load == 99).cloned()) })
        .await;
    heir.compact().await.expect("compacts");
    cluster.stop(leader).await;
    cluster.network.mend(straggler);
    let group = cluster.group(straggler);
    eventually(|| async { group.view(|s| s.agent(&agent()).filter(|a| a.load == 99).cloned()) })
        .await;
    assert!(cluster.network.snapshots() > 0, "the log it misses is gone");
    assert_eq!(heir.view(Clone::clone), group.read(Clone::clone).await.expect("is read"));
    cluster.stop_all().await;
}

#[tokio::test]
async fn a_stranger_is_refused() {
    let cluster = Cluster::of(1).await;
    let unreachable = cluster
        .network
        .call(
            &support::peer(9),
            frontdesk_cluster::PeerRequest {
                kind: frontdesk_cluster::RequestKind::Vote,
                body: Vec::new(),
            },
            Duration::from_secs(1),
        )
        .await;
    assert!(unreachable.is_err());
    let opened = cluster.open_as(2).await;
    assert!(matches!(opened, Err(GroupError::Settings(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_s_restart_is_one_command() {
    let mut cluster = Cluster::of(1).await;
    let group = cluster.start(1).await;
    online(&group, 3).await;
    let join = Action::JoinNode { node: gateway(2), role: NodeRole::Gateway, address: "".into() };
    assert_eq!(group.propose(request(), join).await, Ok(Reply::Done));
    let gateways = group.view(|s| s.agent(&agent()).map(|a| a.gateways.len()));
    assert_eq!(gateways, Some(0));
    cluster.stop(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_added_twice_at_once_gets_one_id() {
    let mut cluster = Cluster::of(1).await;
    let group = cluster.start(1).await;
    let add = || {
        let address = "10.0.0.9:7100".to_owned();
        group.change_voters(MembershipChange::Add { address })
    };
    let (one, other) = tokio::join!(add(), add());
    assert_eq!(one.expect("is added"), other.expect("is there"));
    assert_eq!(group.status().voters.len(), 2);
    cluster.stop(1).await;
}
