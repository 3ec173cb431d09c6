//! Real dialogues in many languages, all at once, byte for byte.

use frontdesk_tests::corpus;
use frontdesk_tests::replay::{self, Replay};
use std::collections::BTreeSet;

const PER_LANGUAGE: usize = 9;
const FEWEST_DIALOGUES: usize = 200;
const FEWEST_LANGUAGES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn dialogues_are_kept_byte_for_byte() {
    let dialogues = corpus::dialogues(PER_LANGUAGE);
    let languages: BTreeSet<_> = dialogues.iter().map(|d| d.language.clone()).collect();
    println!("{} dialogues in {} languages", dialogues.len(), languages.len());
    assert!(dialogues.len() >= FEWEST_DIALOGUES && languages.len() >= FEWEST_LANGUAGES);

    let server = replay::server().await;
    let replay = Replay::begin(&server, dialogues).await;
    let script = replay.script();
    let told = replay.finish().await;
    assert_eq!(script.reconnects(), 0, "nobody lost its connection");
    replay::verify(&server, &script, &told).await;
}
