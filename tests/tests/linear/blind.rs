//! The checker sees what is wrong with answers of the real group.

use crate::callers::{self, Event, Notes, ROOMS, Scene};
use crate::group::{FOUNDERS, Group, Remote};
use crate::network::Way;
use frontdesk_tests::deadline::until;
use frontdesk_tests::linear::{Ask, Failure, Operation, Outcome, Rooms, Told, check};
use std::time::Duration;
use tokio::sync::{Mutex, watch};

const AGENT: u32 = 1;
const READ: Ask = Ask::Read { agent: AGENT };
const DEADLINE: Duration = Duration::from_secs(4);

/// Asks until there is an answer, and gives it.
async fn ask(scene: &Scene, host: usize, ask: Ask, notes: &Mutex<Notes>) -> Told {
    until(format_args!("an answer to {ask:?}"), async || {
        let mut notes = notes.lock().await;
        scene.ask(host, ask, DEADLINE, &mut notes).await;
        match &notes.last()?.outcome {
            Outcome::Returned { output, .. } => Some(output.clone()),
            Outcome::Unknown => None,
        }
    })
    .await
}

/// A follower is cut off, room is taken elsewhere, and the follower's own state,
/// which does not have it, is written down as an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_of_what_a_voter_last_knew_is_found() {
    let mut group = Group::found().await;
    let remotes = FOUNDERS.map(|host| (host, Remote::to(host, &group.network)));
    let (_asks, asked) = watch::channel(FOUNDERS.to_vec());
    let scene = Scene::new(remotes.into(), asked);
    callers::bring_online(&scene.remotes[&FOUNDERS[0]]).await;
    let notes = Mutex::new(Notes::new(scene.begun, 1));

    let leader = group.leader().await;
    let follower = FOUNDERS.into_iter().find(|host| *host != leader).expect("there are three");
    // Whoever answers has applied all that came before, so it knows the agents.
    ask(&scene, follower, READ, &notes).await;
    group.network.part(follower, &FOUNDERS, Way::Cut);
    let reserve = Ask::Reserve { agent: AGENT, conversation: 1, weight: ROOMS.capacity };
    assert_eq!(ask(&scene, leader, reserve, &notes).await, Told::Granted);
    let mut stale = notes.lock().await.clone();
    stale.record(READ, async { Some(callers::glance(group.service(follower), AGENT)) }).await;
    let over = Ask::Reserve { agent: AGENT, conversation: 2, weight: 1 };
    assert_eq!(ask(&scene, leader, over, &notes).await, Told::NoRoom);
    group.network.heal();
    ask(&scene, follower, READ, &notes).await;
    for remote in scene.remotes.into_values() {
        remote.stop().await;
    }
    group.stop_all().await;

    let right = notes.into_inner().finish();
    if let Err(failure) = check(&ROOMS, &right) {
        panic!("{failure}");
    }
    let stale = stale.finish();
    finds(&ROOMS, &stale, stale.len() - 1);
    let smaller = Rooms { capacity: ROOMS.capacity - 1 };
    let granted = right.iter().position(|event| event.input == reserve && answered(event));
    finds(&smaller, &right, granted.expect("it was granted"));
}

fn answered(event: &Event) -> bool {
    matches!(&event.outcome, Outcome::Returned { output: Told::Granted, .. })
}

/// Panics unless this operation is the one that cannot be.
#[track_caller]
fn finds(rooms: &Rooms, history: &[Operation<Ask, Told>], culprit: usize) {
    match check(rooms, history) {
        Err(Failure::Violated(violation)) => {
            println!("{violation}");
            assert_eq!(violation.stuck, [culprit], "{violation}");
        }
        other => panic!("it was not found: {other:?}"),
    }
}
