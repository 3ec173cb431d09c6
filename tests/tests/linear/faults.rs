//! Reservations stay linearizable whatever fails and whoever votes.

use crate::callers::{self, Event, ROOMS, Scene};
use crate::group::{FOUNDERS, Group, JOINER, Remote};
use crate::nemesis;
use frontdesk_tests::deadline::within;
use frontdesk_tests::linear::{Ask, Outcome, Told, check};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

const CALLERS: u32 = 6;
/// The process that reads at the end.
const READER: u32 = CALLERS + 1;
/// Against hangs only; a run takes about 40 s.
const PATIENCE: Duration = Duration::from_secs(240);

/// Of `LINEAR_SEED`, or a new one.
fn seed() -> u64 {
    match std::env::var("LINEAR_SEED") {
        Ok(seed) => seed.parse().expect("LINEAR_SEED is a number"),
        Err(_) => rand::rng().random(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reservations_are_linearizable_under_faults_and_changes_of_who_votes() {
    let seed = seed();
    println!("LINEAR_SEED={seed}");
    let history = within(PATIENCE, format_args!("seed {seed}"), history(seed)).await;
    println!("{}", summary(&history));
    for (what, told) in [("granted", Told::Granted), ("refused", Told::NoRoom)] {
        let found = history.iter().any(|event| is(event, |output| *output == told));
        assert!(found, "nothing was ever {what}, so nothing is shown (LINEAR_SEED={seed})");
    }
    let begun = Instant::now();
    match check(&ROOMS, &history) {
        Ok(checked) => println!("{checked:?} in {:?}", begun.elapsed()),
        Err(failure) => panic!("LINEAR_SEED={seed}: {failure}"),
    }
}

/// What callers saw of a group under faults, to the last read when all is whole.
async fn history(seed: u64) -> Vec<Event> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut group = Group::found().await;
    let remotes = FOUNDERS.into_iter().chain([JOINER]);
    let remotes = remotes.map(|host| (host, Remote::to(host, &group.network))).collect();
    let (asks, asked) = watch::channel(FOUNDERS.to_vec());
    let (stops, stop) = watch::channel(false);
    let scene = Arc::new(Scene::new(remotes, asked));
    callers::bring_online(&scene.remotes[&FOUNDERS[0]]).await;

    let mut running = JoinSet::new();
    for process in 1..=CALLERS {
        running.spawn(callers::caller(scene.clone(), process, rng.random(), stop.clone()));
    }
    nemesis::run(&mut group, &mut rng, scene.begun, &asks).await;
    stops.send_replace(true);
    let mut history = running.join_all().await.concat();
    history.extend(callers::read_everywhere(&scene, READER).await);

    let scene = Arc::into_inner(scene).expect("the callers have ended");
    for remote in scene.remotes.into_values() {
        remote.stop().await;
    }
    group.stop_all().await;
    history
}

fn is(event: &Event, wanted: impl Fn(&Told) -> bool) -> bool {
    matches!(&event.outcome, Outcome::Returned { output, .. } if wanted(output))
}

/// How much there is to check.
fn summary(history: &[Event]) -> String {
    let count = |wanted: &dyn Fn(&Event) -> bool| history.iter().filter(|e| wanted(e)).count();
    let open = |event: &Event| event.outcome == Outcome::Unknown;
    format!(
        "{} operations: {} granted, {} refused, {} released, {} read; {} unknown, {} of them reads",
        history.len(),
        count(&|event| is(event, |told| *told == Told::Granted)),
        count(&|event| is(event, |told| *told == Told::NoRoom)),
        count(&|event| is(event, |told| *told == Told::Released)),
        count(&|event| is(event, |told| matches!(told, Told::Holds(_)))),
        count(&open),
        count(&|event| open(event) && matches!(event.input, Ask::Read { .. })),
    )
}
