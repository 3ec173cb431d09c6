//! What is known of tasks while they live, wait, spin and panic.

use super::*;
use std::time::Duration;
use tokio::sync::oneshot;

fn group(name: &str) -> Option<TaskGroup> {
    all().into_iter().find(|group| group.name == name)
}

#[tokio::test]
async fn a_task_is_there_from_its_start_to_its_end_and_counts_after_it() {
    const NAME: &str = "test.lives";
    assert_eq!(group(NAME), None);
    let (go, gone) = oneshot::channel::<()>();
    let task = spawn(NAME, async move { drop(gone.await) });
    let other = spawn(NAME, std::future::pending::<()>());
    tokio::task::yield_now().await;
    let seen = group(NAME).unwrap();
    assert_eq!((seen.alive, seen.started, seen.panicked, seen.polls), (2, 2, 0, 2));
    assert_eq!(seen.running_for_ms, 0.0, "both rest");
    go.send(()).unwrap();
    task.await.unwrap();
    let seen = group(NAME).unwrap();
    assert_eq!((seen.alive, seen.started, seen.polls), (1, 2, 3));
    other.abort();
    assert!(other.await.unwrap_err().is_cancelled());
    assert_eq!(group(NAME).unwrap().alive, 0, "it was put out");
}

#[tokio::test]
async fn sets_and_trackers_own_their_tasks_under_names() {
    let mut set = JoinSet::new();
    let task = spawn_in(&mut set, "test.set", async { 7 });
    assert_eq!(set.join_next_with_id().await.unwrap().unwrap(), (task.id(), 7));
    let tracker = TaskTracker::new();
    let task = spawn_tracked(&tracker, "test.tracked", async { running() });
    assert_eq!(task.await.unwrap(), Some("test.tracked"));
    tracker.close();
    tracker.wait().await;
    assert_eq!(group("test.set").unwrap().started, 1);
    assert_eq!(group("test.tracked").unwrap().alive, 0);
    assert_eq!(running(), None);
}

#[tokio::test]
async fn a_task_that_panics_is_counted_and_gone() {
    let task = spawn("test.panics", async { panic!("on purpose") });
    assert!(task.await.unwrap_err().is_panic());
    let seen = group("test.panics").unwrap();
    assert_eq!((seen.alive, seen.panicked, seen.polls), (0, 1, 1));
}

#[test]
fn one_that_is_stuck_or_never_rests_stands_out() {
    let kind = Kind::new("test.stuck");
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let (resting, stuck) = (kind.begin(start), kind.begin(at(1_000)));
    resting.begins(at(10));
    resting.rests(Duration::from_millis(5));
    stuck.begins(at(3_000));
    let seen = kind.group(at(11_000));
    assert_eq!((seen.alive, seen.oldest_seconds), (2, 11.0));
    assert_eq!((seen.running_for_ms, seen.longest_poll_ms), (8_000.0, 5.0));
    assert_eq!((seen.busiest_ratio, seen.busy_seconds), (0.8, 0.005));
    stuck.rests(Duration::from_millis(8_000));
    kind.end(&stuck);
    let seen = kind.group(at(11_000));
    assert_eq!((seen.alive, seen.running_for_ms, seen.longest_poll_ms), (1, 0.0, 8_000.0));
    assert_eq!((seen.polls, seen.busy_seconds), (2, 8.005));
}
