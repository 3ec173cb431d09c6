//! Real dialogues while the server is killed again and again.

use frontdesk_tests::corpus;
use frontdesk_tests::replay::{self, Replay};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::time::Duration;

const PER_LANGUAGE: usize = 9;
const KILLS: usize = 5;
/// At most this long after the chosen line, so that kills hit every step of one.
const MOST_DELAY_MICROS: u64 = 50_000;

/// Chooses the run; printed, so that it can be repeated.
fn seed() -> u64 {
    let given = std::env::var("FRONTDESK_TEST_SEED").ok();
    given.map_or_else(rand::random, |seed| seed.parse().expect("FRONTDESK_TEST_SEED is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn five_kills_lose_repeat_and_swap_nothing() {
    let seed = seed();
    println!("FRONTDESK_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = replay::server().await;
    let replay = Replay::begin(&server, corpus::dialogues(PER_LANGUAGE)).await;
    let script = replay.script();

    // The last kill comes while there is still enough to say.
    let lines = script.lines() * 3 / 4;
    let mut moments: Vec<usize> = (0..KILLS).map(|_| random.random_range(1..lines)).collect();
    moments.sort_unstable();
    let mut talking = tokio::spawn(replay.finish());
    for moment in moments {
        tokio::select! {
            () = script.acknowledged(moment) => {}
            told = &mut talking => panic!("the end came before the kill: {told:?}"),
        }
        let delay = random.random_range(0..MOST_DELAY_MICROS);
        tokio::time::sleep(Duration::from_micros(delay)).await;
        assert!(!talking.is_finished(), "everything was said before the kill");
        server.kill();
        server.start_again().await;
    }
    let told = talking.await.expect("the dialogues are told to their end");
    println!("{} reconnects", script.reconnects());
    assert!(script.reconnects() >= KILLS, "somebody was cut off each time");
    replay::verify(&server, &script, &told).await;
}
