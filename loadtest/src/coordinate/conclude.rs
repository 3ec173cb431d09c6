//! From what was reported and read back to a result with its verdict.

use super::Order;
use super::ledger::Finished;
use super::readback::ReadBack;
use super::sample::Sampler;
use crate::cost::{self, Source};
use crate::drive::{Bucket, Counter, Timer};
use crate::faults::{Fault, Made, peak_per_s, recovery};
use crate::plan::Plan;
use crate::scenario::Scenario;
use frontdesk_proto::wkt::Timestamp;
use frontdesk_results::{
    Audit, Counted, FaultResult, Generator, Latency, PhaseResult, Reason, RunResult, SCHEMA,
    ScenarioInfo, ThresholdResult, Verdict, judge,
};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// A run that is over.
pub(super) struct Course {
    /// The second in which somebody wanted it to end.
    pub(super) stopped: Option<u32>,
    /// The second from which on nothing new was said.
    pub(super) drained_at: u32,
    pub(super) figures: Finished,
    pub(super) sampler: Sampler,
    pub(super) faults: Vec<(Fault, Made)>,
}

pub(super) fn conclude(
    order: &Order,
    run: u32,
    begin: SystemTime,
    course: Course,
    read: ReadBack,
) -> RunResult {
    let Course { stopped, drained_at, figures, sampler, faults } = course;
    let scenario = &order.scenario;
    let (audit, unanswered) = (audit(&figures, read), unanswered(&figures));
    let absent = absent(scenario, &figures.phases);
    let sampled = sampler.finish(figures.counted.counter(Counter::Delivered));
    let mut result = RunResult {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        run: format!("{run:08x}"),
        scenario: ScenarioInfo {
            name: scenario.name.clone(),
            description: scenario.description.clone(),
            digest: scenario.digest(),
            seed: scenario.seed,
            model: scenario.model(),
            purpose: scenario.purpose,
        },
        started_at: rfc3339(begin),
        targets: order.targets(),
        workers: order.recruit.count(),
        environment: cost::environment(matches!(order.source, Source::Processes(_))),
        verdict: Verdict::Passed,
        exit_status: 0,
        reasons: Vec::new(),
        counted: counted(scenario, drained_at),
        counters: counters(&figures.counted),
        latencies: latencies(&figures.counted),
        phases: phases(scenario, &figures.phases),
        faults: fault_results(&faults, &figures),
        series: figures.series,
        audit,
        generator: Generator {
            lag: Latency::of(&figures.lag),
            cores: sampled.cores,
            idle: sampled.idle,
            stolen: sampled.stolen,
        },
        server: sampled.server,
        thresholds: scenario.thresholds.iter().map(ThresholdResult::from).collect(),
    };
    let mut extra = objections(scenario, &figures.counted, unanswered, stopped, &faults);
    extra.extend(absent.filter(|_| stopped.is_none()));
    judge(&mut result, extra);
    result
}

fn audit(figures: &Finished, read: ReadBack) -> Audit {
    let mut findings = figures.findings.clone();
    for case in figures.cases.values() {
        case.reconcile(&mut findings);
    }
    findings.merge(read.findings);
    Audit {
        violations: findings.counts,
        offences: findings.offences,
        conversations_read: read.conversations,
        messages_read: read.messages,
        messages_acknowledged: figures.cases.values().map(|case| case.acknowledged()).sum(),
    }
}

/// Messages that the server has neither acknowledged nor refused, after all.
fn unanswered(figures: &Finished) -> u64 {
    figures.totals.sent.saturating_sub(figures.totals.answered)
}

/// People of the plan who were never connected.
fn absent(scenario: &Scenario, phases: &[Bucket]) -> Option<Reason> {
    let plan = Plan::of(scenario);
    let meant = (plan.arrivals.len() + plan.places.len() + plan.idle.len()) as u64;
    let first =
        |bucket: &Bucket| bucket.counter(Counter::Connected) - bucket.counter(Counter::Reconnects);
    let came: u64 = phases.iter().map(first).sum();
    // Who was to come in the last moment may not have got through the door.
    (came < meant - meant / 100).then(|| Reason {
        verdict: Verdict::Failed,
        text: format!("only {came} of {meant} people were ever connected"),
    })
}

fn counters(bucket: &Bucket) -> BTreeMap<String, u64> {
    Counter::ALL.iter().map(|c| (c.name().to_owned(), bucket.counter(*c))).collect()
}

fn latencies(bucket: &Bucket) -> BTreeMap<String, Latency> {
    let known = Timer::ALL.iter().filter_map(|timer| Some((timer, bucket.timer(*timer)?)));
    known.map(|(timer, times)| (timer.name().to_owned(), Latency::of(times))).collect()
}

fn phases(scenario: &Scenario, buckets: &[Bucket]) -> Vec<PhaseResult> {
    let both = scenario.timeline().zip(buckets);
    let phase = both.map(|((from, phase), bucket)| PhaseResult {
        name: phase.name.clone(),
        kind: phase.kind,
        warm_up: phase.warm_up,
        from_s: from.into(),
        to_s: (from + phase.seconds).into(),
        counters: counters(bucket),
        latencies: latencies(bucket),
    });
    phase.collect()
}

/// From the first phase that counts to the last; what ended early counts less.
fn counted(scenario: &Scenario, drained_at: u32) -> Counted {
    let counts = || scenario.timeline().filter(|(_, phase)| !phase.warm_up);
    let from = counts().map(|(from, _)| from).min().unwrap_or(0);
    let to = counts().map(|(from, phase)| from + phase.seconds).max().unwrap_or(0);
    Counted { from_s: from.into(), to_s: to.min(drained_at.max(from)).into() }
}

/// Reconnects after a fault are its own until the next one.
fn fault_results(faults: &[(Fault, Made)], figures: &Finished) -> Vec<FaultResult> {
    let all = faults.iter().enumerate().map(|(n, (fault, made))| {
        let at = fault.at.as_secs_f64();
        let next = faults.get(n + 1).map_or(f64::INFINITY, |(next, _)| next.at.as_secs_f64());
        let peak = peak_per_s(&figures.reconnects, at, next);
        fault.result(made, recovery(&figures.delivered, at), peak)
    });
    all.collect()
}

/// What is wrong although no threshold speaks of it.
fn objections(
    scenario: &Scenario,
    counted: &Bucket,
    unanswered: u64,
    stopped: Option<u32>,
    faults: &[(Fault, Made)],
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut object = |verdict, text: String| reasons.push(Reason { verdict, text });
    if let Some(second) = stopped {
        object(Verdict::Invalid, format!("stopped by hand after {second} s"));
    }
    if scenario.talks() && counted.counter(Counter::Delivered) == 0 {
        object(Verdict::Failed, "nothing was delivered".to_owned());
    }
    let judged = |name: &str| {
        scenario.thresholds.iter().any(|threshold| threshold.to_string().starts_with(name))
    };
    for (counter, what) in [
        (Counter::Refused, "requests were refused for good"),
        (Counter::Unsent, "messages were never sent because the server fell behind"),
    ] {
        let count = counted.counter(counter);
        if count > 0 && !judged(counter.name()) {
            object(Verdict::Failed, format!("{count} {what}"));
        }
    }
    if unanswered > 0 {
        let text = format!("messages without an answer long after the end: {unanswered}");
        object(Verdict::Failed, text);
    }
    for (fault, made) in faults.iter().filter(|(_, made)| !made.succeeded()) {
        let (name, end, words) = (&fault.name, made.end, made.output.trim());
        object(Verdict::Invalid, format!("fault {name} was not made as meant: {end} {words}"));
    }
    reasons
}

/// A time in UTC, whole seconds (RFC 3339).
fn rfc3339(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = Timestamp { seconds: seconds.cast_signed(), nanos: 0 };
    let json = serde_json::to_value(time).ok();
    json.as_ref().and_then(|text| text.as_str()).unwrap_or_default().to_owned()
}
