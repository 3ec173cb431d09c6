//! What traces cost, in instructions of the whole server for a message: `frontdesk dev`
//! under callgrind, without traces, at the default ratio and at ratio 1, in turn.
//! Instructions, because times depend on what else the machine does. They hold what the
//! server does by itself meanwhile, too: with few rounds that is most of it, so look at
//! the interval before the mean.
//!
//! `trace_cost [RUNS [ROUNDS]]` (5, 100): in each round 20 visitors say 128 bytes, and
//! each hears it on two connections. Needs valgrind, and a program built with
//! optimisations:
//!
//! ```sh
//! cargo build --release --locked -p frontdesk-node
//! FRONTDESK_TEST_BINARY=target/release/frontdesk \
//!   cargo run --locked -p frontdesk-tests --example trace_cost
//! ```

use frontdesk_client::{Address, Carrier};
use frontdesk_proto::v1::Token;
use frontdesk_tests::accounts::Ready;
use frontdesk_tests::collector::Collector;
use frontdesk_tests::http::Http;
use frontdesk_tests::process::Process;
use frontdesk_tests::server::dev_command;
use frontdesk_tests::wire::Wire;
use futures::future::join_all;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const CONVERSATIONS: usize = 20;
/// Before anything is counted: pools and buffers are as large then as they get.
const WARM_UP: usize = 20;
/// Spans wait for a second before they are sent, under callgrind for some.
const EXPORT: Duration = Duration::from_secs(5);
const CARRIER: Carrier = Carrier::WebSocketProtobuf;

/// What is compared, and the part that is recorded; none without a collector.
const KINDS: [(&str, Option<f64>); 3] =
    [("no traces", None), ("ratio 0.01", Some(0.01)), ("ratio 1", Some(1.0))];

/// A visitor, and the second connection of the same one.
struct Pair {
    says: Wire,
    hears: Wire,
    conversation: String,
}

impl Pair {
    async fn open(http: &Http, gateway: &Address, site_key: &str) -> Self {
        let asked = http.post("/v1/visitor/token", &json!({ "siteKey": site_key })).await;
        let token = asked.expect_ok().json::<Token>().token;
        let mut says = Wire::open_at(gateway, CARRIER, &token).await;
        let mut hears = Wire::open_at(gateway, CARRIER, &token).await;
        let conversation = says.start("Hello").await.conversation_id;
        hears.subscribe(&conversation).await;
        Self { says, hears, conversation }
    }

    async fn round(&mut self, n: usize) {
        let words = format!("{n:0>128}");
        self.says.say(&self.conversation, &words).await;
        self.hears.hear(&words).await;
        self.says.hear(&words).await;
    }
}

async fn rounds(pairs: &mut [Pair], numbers: std::ops::Range<usize>) {
    for n in numbers {
        join_all(pairs.iter_mut().map(|pair| pair.round(n))).await;
    }
}

fn under_callgrind(inner: &Command, counts: &Path) -> Command {
    let mut command = Command::new("valgrind");
    let file = format!("--callgrind-out-file={}", counts.display());
    command.args(["-q", "--tool=callgrind", &file]).arg(inner.get_program());
    command.args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Has callgrind do something now.
fn control(what: &str, process: u32) {
    let told = Command::new("callgrind_control").args([what, &process.to_string()]).output();
    let told = told.expect("callgrind_control comes with valgrind");
    assert!(told.status.success(), "callgrind_control {what}: {told:?}");
}

/// Instructions of one message.
async fn measure(ratio: Option<f64>, count: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let collector = Collector::start();
    let mut settings: Vec<(String, String)> =
        ratio.map(|ratio| collector.settings(ratio).to_vec()).unwrap_or_default();
    settings.push(("log.level".into(), "error".into()));
    let dev = dev_command(&folder.path().join("data"), "127.0.0.1:0", &settings);
    let counts = folder.path().join("counts");
    let mut process = Process::start(&mut under_callgrind(&dev, &counts));
    let line = process.line().await.expect("it becomes ready");
    let ready: Ready = serde_json::from_str(&line).expect("a line of readiness");
    let gateway: Address = ready.listen.parse().expect("it prints its address");
    let http = Http::new(ready.address());
    let mut pairs = Vec::new();
    for _ in 0..CONVERSATIONS {
        pairs.push(Pair::open(&http, &gateway, &ready.site_key).await);
    }
    rounds(&mut pairs, 0..WARM_UP).await;
    control("-z", process.id());
    rounds(&mut pairs, WARM_UP..WARM_UP + count).await;
    tokio::time::sleep(EXPORT).await;
    control("-d", process.id());
    process.kill();
    let dump = std::fs::read_to_string(counts.with_extension("1")).expect("callgrind has dumped");
    let total = dump.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    let total: f64 = total.and_then(|total| total.trim().parse().ok()).expect("a total");
    total / (count * CONVERSATIONS) as f64
}

/// The mean, and half of its 95 % interval (Student's t).
fn mean(values: &[f64]) -> (f64, f64) {
    const T: [f64; 9] = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return (mean, f64::INFINITY);
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, T.get(values.len() - 2).unwrap_or(&1.96) * (variance / n).sqrt())
}

#[tokio::main]
async fn main() {
    let given: Vec<usize> = std::env::args().skip(1).map_while(|a| a.parse().ok()).collect();
    let (runs, count) = (given.first().copied().unwrap_or(5), given.get(1).copied().unwrap_or(100));
    let mut counted = [const { Vec::new() }; KINDS.len()];
    for run in 1..=runs {
        for (counted, (name, ratio)) in counted.iter_mut().zip(KINDS) {
            let instructions = measure(ratio, count).await;
            println!("run {run}, {name}: {instructions:.0} instructions a message");
            counted.push(instructions);
        }
    }
    let base = counted[0].clone();
    for (counted, (name, _)) in counted.iter().zip(KINDS) {
        let (all, _) = mean(counted);
        // Run by run: what drifts is the same for those of one run.
        let more: Vec<f64> =
            counted.iter().zip(&base).map(|(with, without)| with / without - 1.0).collect();
        let (more, within) = mean(&more);
        println!("{name}: {all:.0} instructions, {:+.2} ± {:.2} %", more * 100.0, within * 100.0);
    }
}
