//! What traces cost, in instructions of the whole server for a message: `frontdesk dev`
//! under callgrind, without traces, at the default ratio and at ratio 1, in turn.
//! Instructions, because times depend on what else the machine does. They are those of the
//! program: what the system does for it is not among them, and the system does little for
//! traces and much for messages, so that the part of traces is rather less than is told.
//!
//! What the server does by itself, timers above all, is counted while nobody says
//! anything, and taken off by the time the messages took. It is told as well: traces could
//! have a part in it. Either is counted in several parts of which the one in the middle
//! counts: now and then the server tidies up, which may cost more than all messages of a
//! part.
//!
//! `trace_cost [RUNS [ROUNDS]]` (5, 100): in each round of each of five parts 20 visitors
//! say 128 bytes, and each hears it on two connections. Needs valgrind, and a program built
//! with optimisations:
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
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const CONVERSATIONS: usize = 20;
/// Before anything is counted: pools and buffers are as large then as they get.
const WARM_UP: usize = 20;
/// Parts that messages are counted in.
const PARTS: usize = 5;
/// Parts that what the server does by itself is counted in, and how long each takes: what
/// it does every few seconds is to be in each as often.
const IDLE_PARTS: usize = 3;
const IDLE: Duration = Duration::from_secs(15);
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

/// The one in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Instructions of a server, from one moment to the next.
struct Counts {
    process: u32,
    file: PathBuf,
    dumps: u32,
    since: Instant,
}

impl Counts {
    /// Begins now.
    fn begin(process: u32, file: PathBuf) -> Self {
        control("-z", process);
        Self { process, file, dumps: 0, since: Instant::now() }
    }

    /// Instructions and seconds since the last time.
    fn next(&mut self) -> (f64, f64) {
        let seconds = self.since.elapsed().as_secs_f64();
        control("-d", self.process);
        self.since = Instant::now();
        self.dumps += 1;
        let dump = std::fs::read_to_string(self.file.with_extension(self.dumps.to_string()));
        let dump = dump.expect("callgrind has dumped");
        let total = dump.lines().rev().find_map(|line| line.strip_prefix("totals: "));
        let total = total.and_then(|total| total.trim().parse().ok());
        (total.expect("a total"), seconds)
    }
}

/// What was counted of one server, in instructions.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Of a message.
    message: f64,
    /// Of a second in which nobody says anything.
    idle: f64,
}

async fn measure(ratio: Option<f64>, count: usize) -> Cost {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let collector = Collector::start();
    let mut settings: Vec<(String, String)> =
        ratio.map(|ratio| collector.settings(ratio).to_vec()).unwrap_or_default();
    // Nobody is slowed down, and nobody is cut off while nobody says anything.
    let large = ["requests_per_second", "request_burst", "ping_interval_seconds"];
    settings.extend(large.map(|name| (format!("gateway.{name}"), "1000000".to_owned())));
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
    tokio::time::sleep(EXPORT).await;
    let mut counts = Counts::begin(process.id(), counts);
    let mut idle = Vec::new();
    for _ in 0..IDLE_PARTS {
        tokio::time::sleep(IDLE).await;
        let (instructions, seconds) = counts.next();
        idle.push(instructions / seconds);
    }
    let idle = median(idle);
    let mut message = Vec::new();
    for part in 0..PARTS {
        let first = WARM_UP + part * count;
        // Spans that still wait are the next part's, as those of the one before are here.
        rounds(&mut pairs, first..first + count).await;
        let (instructions, seconds) = counts.next();
        message.push((instructions - idle * seconds) / (count * CONVERSATIONS) as f64);
    }
    process.kill();
    Cost { message: median(message), idle }
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
    (mean, T.get(values.len() - 2).unwrap_or(&T[8]) * (variance / n).sqrt())
}

/// How much more it is than without traces, run by run: what drifts is the same for those
/// of one run.
fn compare(what: &str, costs: &[Cost], base: &[Cost], of: impl Fn(&Cost) -> f64) {
    let (all, _) = mean(&costs.iter().map(&of).collect::<Vec<_>>());
    let more = |(with, without): (&Cost, &Cost)| of(with) / of(without) - 1.0;
    let (more, within) = mean(&costs.iter().zip(base).map(more).collect::<Vec<_>>());
    println!("  {what}: {all:.0} instructions, {:+.2} ± {:.2} %", more * 100.0, within * 100.0);
}

#[tokio::main]
async fn main() {
    let given: Vec<usize> = std::env::args().skip(1).map_while(|a| a.parse().ok()).collect();
    let (runs, count) = (given.first().copied().unwrap_or(5), given.get(1).copied().unwrap_or(100));
    let mut counted = [const { Vec::new() }; KINDS.len()];
    for run in 1..=runs {
        for (counted, (name, ratio)) in counted.iter_mut().zip(KINDS) {
            let cost = measure(ratio, count).await;
            let Cost { message, idle } = cost;
            println!("run {run}, {name}: {message:.0} a message, {idle:.0} an idle second");
            counted.push(cost);
        }
    }
    let base = &counted[0];
    for (costs, (name, _)) in counted.iter().zip(KINDS) {
        println!("{name}");
        compare("a message", costs, base, |cost| cost.message);
        compare("an idle second", costs, base, |cost| cost.idle);
    }
}
