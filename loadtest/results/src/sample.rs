//! Results for tests: a made-up day of a support centre, ten minutes long, with
//! one fault, and a run in which nothing happened. The same at every call.

use crate::{
    Audit, Counted, Environment, FaultResult, Generator, Latency, Model, PhaseKind, PhaseResult,
    RunResult, SCHEMA, ScenarioInfo, Series, ServerCost, SlopePoint, Threshold, ThresholdResult,
    Verdict,
};
use std::collections::BTreeMap;

/// When the fault of [`support_day`] happens.
pub(crate) const FAULT_AT_S: f64 = 420.0;

const SECONDS: u32 = 600;
const COUNTED: Counted = Counted { from_s: 60.0, to_s: 590.0 };
const VALUES_PER_SECOND: u32 = 12;

/// The distribution of these microseconds.
pub(crate) fn latency(micros: &[u64]) -> Latency {
    let mut histogram = Latency::recorder();
    micros.iter().for_each(|us| histogram.record(*us).unwrap());
    Latency::of(&histogram)
}

/// A threshold that is not evaluated yet.
pub(crate) fn threshold(text: &str) -> ThresholdResult {
    ThresholdResult::from(&text.parse::<Threshold>().unwrap())
}

/// A run in which nothing was measured.
pub(crate) fn empty() -> RunResult {
    RunResult {
        schema: SCHEMA.into(),
        version: "0.1.0".into(),
        run: "00f1a2b3c4d5e6f7".into(),
        scenario: ScenarioInfo {
            name: "support-day".into(),
            description: "A day of a support centre in ten minutes, with one node killed.".into(),
            digest: "6f1d0c7a9b3e5f2481c0a7d36e9b4f52".into(),
            seed: 42,
            model: Model::Open,
            purpose: crate::Purpose::Figures,
        },
        started_at: "2026-03-02T09:00:00Z".into(),
        targets: vec!["http://127.0.0.1:8080".into(), "http://127.0.0.1:8081".into()],
        workers: 2,
        environment: Environment {
            cpu: "An Example CPU @ 2.50GHz".into(),
            cores: 2,
            memory_mib: 7_936,
            kernel: "6.8.0".into(),
            with_server: true,
        },
        verdict: Verdict::Passed,
        exit_status: 0,
        reasons: Vec::new(),
        counted: COUNTED,
        counters: BTreeMap::new(),
        latencies: BTreeMap::new(),
        phases: Vec::new(),
        series: Series::default(),
        faults: Vec::new(),
        audit: Audit::default(),
        generator: Generator { lag: latency(&[]), cores: 0.0, idle: 1.0, stolen: 0.0 },
        server: None,
        thresholds: Vec::new(),
    }
}

/// A good run of ten minutes.
pub(crate) fn support_day() -> RunResult {
    let day = Day::new();
    let mut result = empty();
    result.counters = day.counters(COUNTED.from_s, COUNTED.to_s);
    result.latencies = day.latencies(COUNTED.from_s, COUNTED.to_s);
    result.phases = day.phases();
    result.series = day.series();
    result.faults = vec![FaultResult {
        name: "kill owner-1".into(),
        command: "kill -9 $(cat owner-1.pid) && ./start owner-1".into(),
        at_s: FAULT_AT_S,
        took_s: 0.82,
        exit_status: Some(0),
        recovery_s: Some(3.4),
        reconnect_peak_per_s: 412,
    }];
    let delivered = result.counters["delivered"];
    result.audit = Audit {
        conversations_read: 5_312,
        messages_read: delivered,
        messages_acknowledged: delivered,
        ..Audit::default()
    };
    let lag: Vec<_> = (0..5_000).map(|n| 60 + noise(n, 9) % 900).collect();
    result.generator = Generator { lag: latency(&lag), cores: 0.41, idle: 0.38, stolen: 0.004 };
    result.server = Some(server(delivered));
    result.thresholds =
        ["receipt.p99 < 250ms", "delivered.rate >= 500/s", "recovery < 5s"].map(threshold).into();
    crate::judge(&mut result, Vec::new());
    result
}

fn server(delivered: u64) -> ServerCost {
    let cpu_s = delivered as f64 * 31.4e-6;
    let connections = [200_u64, 600, 1_100, 1_800, 2_600, 3_400];
    ServerCost {
        source: "process".into(),
        cpu_s,
        cpu_us_per_message: Some(31.4),
        resident_mib: 143.0,
        bytes_per_connection: Some(7_340.0),
        points: connections
            .map(|connections| SlopePoint {
                connections,
                resident_bytes: 118 * 1_048_576 + connections * 7_340 + connections % 7 * 60_000,
            })
            .into(),
    }
}

/// A number that looks random, for this step of this column.
fn noise(step: u64, column: u64) -> u64 {
    let mut x =
        step.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ column.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 32)
}

/// Between 0 and 1, likewise.
fn unit(step: u64, column: u64) -> f64 {
    (noise(step, column) % 10_000) as f64 / 10_000.0
}

/// What happened, second by second.
struct Day {
    /// Messages due, acknowledged and delivered in each second.
    traffic: Vec<[u64; 3]>,
    /// Latencies to receipt of messages that arrived in each second.
    receipts: Vec<Vec<u64>>,
}

/// Name, kind, end and load at the end of each phase.
const PHASES: [(&str, PhaseKind, f64, f64); 6] = [
    ("opening", PhaseKind::Ramp, 60.0, 620.0),
    ("morning", PhaseKind::Steady, 210.0, 620.0),
    ("lunch", PhaseKind::Ramp, 270.0, 410.0),
    ("campaign", PhaseKind::Spike, 360.0, 700.0),
    ("afternoon", PhaseKind::Steady, 510.0, 700.0),
    ("evening", PhaseKind::Ramp, 590.0, 120.0),
];

/// Load at `t`, messages a second.
fn load(t: f64) -> f64 {
    let mut before = (0.0, 40.0);
    for (_, kind, to_s, level) in PHASES {
        if t <= to_s {
            let part = (t - before.0) / (to_s - before.0);
            let bump = if kind == PhaseKind::Spike {
                520.0 * (part * std::f64::consts::PI).sin()
            } else {
                0.0
            };
            let steady = kind == PhaseKind::Steady;
            let base = if steady { level } else { before.1 + (level - before.1) * part };
            return base + bump;
        }
        before = (to_s, level);
    }
    0.0
}

impl Day {
    fn new() -> Self {
        let mut traffic = Vec::new();
        let mut receipts = Vec::new();
        let mut waiting = 0;
        for second in 1..=SECONDS {
            let (t, step) = (f64::from(second), u64::from(second));
            let sent = (load(t) * (0.94 + 0.12 * unit(step, 1))).round() as u64;
            let down = (FAULT_AT_S..FAULT_AT_S + 3.0).contains(&t);
            let through = if down { sent * 2 / 5 } else { sent + waiting };
            waiting = if down { waiting + sent - through } else { 0 };
            traffic.push([sent, through, through]);
            let slow = 1.0 + (load(t) / 600.0).powi(3);
            receipts.push(
                (0..u64::from(VALUES_PER_SECOND))
                    .map(|n| {
                        let tail = -(1.0 - unit(step * 50 + n, 2)).ln();
                        let lost_time = if down || t == FAULT_AT_S + 3.0 {
                            2.4e6 * unit(step + n, 3)
                        } else {
                            0.0
                        };
                        (3_200.0 * slow + 2_600.0 * slow * tail.powf(1.6) + lost_time) as u64
                    })
                    .collect(),
            );
        }
        Self { traffic, receipts }
    }

    fn seconds(from_s: f64, to_s: f64) -> std::ops::Range<usize> {
        from_s as usize..to_s as usize
    }

    fn counters(&self, from_s: f64, to_s: f64) -> BTreeMap<String, u64> {
        let part = &self.traffic[Self::seconds(from_s, to_s)];
        let sum = |column: usize| part.iter().map(|counts| counts[column]).sum::<u64>();
        let (sent, delivered) = (sum(0), sum(2));
        let fault = (from_s..to_s).contains(&FAULT_AT_S);
        [
            ("sent", sent),
            ("acknowledged", sum(1)),
            ("delivered", delivered),
            ("started", sent / 60),
            ("assigned", sent / 60),
            ("closed", sent / 62),
            ("rated", sent / 150),
            ("typing", sent / 4),
            ("read", sent / 5),
            ("deferred", if fault { 1_204 } else { 0 }),
            ("refused", 0),
            ("unsent", 0),
            ("connected", sent / 55),
            ("reconnects", if fault { 611 } else { 0 }),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
    }

    fn latencies(&self, from_s: f64, to_s: f64) -> BTreeMap<String, Latency> {
        let receipts = self.receipts[Self::seconds(from_s, to_s)].concat();
        let scaled = |factor: f64| {
            let micros: Vec<_> = receipts.iter().map(|us| (*us as f64 * factor) as u64).collect();
            latency(&micros)
        };
        let late: Vec<_> = (0..receipts.len() as u64).map(|n| 40 + noise(n, 4) % 700).collect();
        [
            ("ack", scaled(0.7)),
            ("receipt", scaled(1.0)),
            ("service", scaled(0.6)),
            ("late", latency(&late)),
            ("start", scaled(1.9)),
            ("assign", scaled(3.1)),
            ("connect", scaled(1.2)),
        ]
        .map(|(name, latency)| (name.to_owned(), latency))
        .into()
    }

    fn phases(&self) -> Vec<PhaseResult> {
        let mut from_s = 0.0;
        PHASES
            .map(|(name, kind, to_s, _)| {
                let begin = std::mem::replace(&mut from_s, to_s);
                PhaseResult {
                    name: name.into(),
                    kind,
                    warm_up: begin == 0.0,
                    from_s: begin,
                    to_s,
                    counters: self.counters(begin, to_s),
                    latencies: self.latencies(begin, to_s),
                }
            })
            .into()
    }

    fn series(&self) -> Series {
        let mut columns = BTreeMap::<String, Vec<Option<f64>>>::new();
        for second in 1..=SECONDS {
            for (name, value) in self.second(second) {
                columns.entry(name.to_owned()).or_default().push(value);
            }
        }
        Series { at_s: (1..=SECONDS).map(f64::from).collect(), columns }
    }

    fn second(&self, second: u32) -> Vec<(&'static str, Option<f64>)> {
        let (t, step, index) = (f64::from(second), u64::from(second), second as usize - 1);
        let [sent, acknowledged, delivered] = self.traffic[index].map(|count| count as f64);
        let mut receipts = self.receipts[index].clone();
        receipts.sort_unstable();
        let [p50, p99, max] =
            [0.5, 0.95, 1.0].map(|part| receipts[((receipts.len() - 1) as f64 * part) as usize]);
        let ms = |us: u64, factor: f64| Some(us as f64 / 1e3 * factor).filter(|_| sent > 0.0);
        let after = t - FAULT_AT_S;
        let hit = |peak: f64| if (0.0..6.0).contains(&after) { peak / (1.0 + after) } else { 0.0 };
        let down = (0.0..3.0).contains(&after);
        let load = load(t);
        vec![
            ("sent_per_s", Some(sent)),
            ("acknowledged_per_s", Some(acknowledged)),
            ("delivered_per_s", Some(delivered)),
            ("started_per_s", Some((sent / 60.0).round())),
            ("deferred_per_s", Some(hit(500.0).round())),
            ("refused_per_s", Some(0.0)),
            ("unsent_per_s", Some(0.0)),
            ("reconnects_per_s", Some(hit(412.0).round())),
            ("receipt_p50_ms", ms(p50, 1.0)),
            ("receipt_p99_ms", ms(p99, 1.0)),
            ("receipt_max_ms", ms(max, 1.3)),
            ("ack_p50_ms", ms(p50, 0.7)),
            ("ack_p99_ms", ms(p99, 0.7)),
            ("ack_max_ms", ms(max, 0.9)),
            ("connections", Some((load * 4.6 - hit(412.0)).max(0.0).round())),
            ("conversations", Some((load * 3.8).round())),
            ("waiting", Some((load / 90.0 + hit(300.0) + 4.0 * unit(step, 5)).floor())),
            (
                "server_cores",
                Some(load * 31.4e-6 * 30.0 * if down { 0.4 } else { 1.0 } + 0.02 * unit(step, 6)),
            ),
            ("server_mib", Some(118.0 + t / 30.0 + load / 40.0)),
            ("generator_cores", Some(load / 1_700.0 + 0.03 * unit(step, 7))),
            (
                "stolen",
                Some(if noise(step, 8).is_multiple_of(40) { 0.04 } else { 0.002 * unit(step, 9) }),
            ),
        ]
    }
}
