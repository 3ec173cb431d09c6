//! Baselines: what several runs of one scenario on one machine came to, and how
//! far apart they were. One run is none: it does not know its own noise.
//!
//! The rule: the band around the median is three standard deviations wide to
//! either side, the deviation estimated from the range of the runs by the factor
//! d₂ of control charts (Shewhart; the estimator of choice for samples this
//! small, where a median of absolute deviations of three values is one of two
//! numbers). Where runs were closer together than experience allows, the floors
//! in `watched.rs` widen the band.

use crate::metric::Metric;
use crate::watched::{Better, Watched, watched};
use crate::{Environment, RunResult, SCHEMA, ScenarioInfo, Verdict};
use serde::{Deserialize, Serialize};

/// What the JSON calls itself.
pub const BASELINE_SCHEMA: &str = "frontdesk-loadtest/baseline/v1";

/// Fewer runs say nothing about their spread.
pub const LEAST_RUNS: usize = 3;

/// Why there is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Too few runs.
    #[error("a baseline is learned from at least {LEAST_RUNS} runs, these are {0}")]
    TooFew(usize),
    /// The same result more than once.
    #[error("run {0} is there twice: a baseline is learned from different runs")]
    Repeated(String),
    /// A run whose figures mean nothing.
    #[error("run {run} was {verdict}: its figures are no measure")]
    Unfit {
        /// Which.
        run: String,
        /// How it ended.
        verdict: Verdict,
    },
    /// Runs that are not runs of the same.
    #[error("runs {first} and {other} do not belong together: {differences}")]
    Different {
        /// The first run.
        first: String,
        /// The run that differs from it.
        other: String,
        /// In what.
        differences: String,
    },
    /// A plain result where a baseline is needed.
    #[error(
        "this is the result of one run, and one run does not know its own noise: learn a \
         baseline from at least {LEAST_RUNS} runs of the scenario, and compare with that"
    )]
    OneRun,
    /// JSON of another kind or version.
    #[error("its schema is \"{0}\", a baseline's is \"{BASELINE_SCHEMA}\"")]
    Schema(String),
    /// No JSON, or not with the fields of a baseline.
    #[error("not a baseline: {0}")]
    Json(#[from] serde_json::Error),
}

/// What runs of one scenario on one machine come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// [`BASELINE_SCHEMA`].
    pub schema: String,
    /// Version of the harness of the first run.
    pub version: String,
    /// What was run.
    pub scenario: ScenarioInfo,
    /// Where.
    pub environment: Environment,
    /// Ids of the runs.
    pub runs: Vec<String>,
    /// What is expected of another one.
    pub expected: Vec<Expected>,
}

/// What is expected of one metric. Values are in its base unit: microseconds,
/// per second, parts of one, bytes; `server.resident_mib` in mebibytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// Which.
    pub metric: Metric,
    /// Which way it improves.
    pub better: Better,
    /// Of each run, in the order of `runs`.
    pub values: Vec<f64>,
    /// Their median.
    pub median: f64,
    /// Their standard deviation, estimated from their range.
    pub deviation: f64,
    /// How far from the median another run may be, to either side.
    pub band: f64,
}

impl Baseline {
    /// Learns from results of the same scenario and machine. A metric that one
    /// of them did not measure, or a percentile of too few values, is left out.
    pub fn learn(runs: &[RunResult]) -> Result<Self, BaselineError> {
        let [first, others @ ..] = runs else { return Err(BaselineError::TooFew(0)) };
        if runs.len() < LEAST_RUNS {
            return Err(BaselineError::TooFew(runs.len()));
        }
        for (index, run) in runs.iter().enumerate() {
            if matches!(run.verdict, Verdict::Violated | Verdict::Invalid) {
                return Err(BaselineError::Unfit { run: run.run.clone(), verdict: run.verdict });
            }
            if runs[..index].iter().any(|earlier| earlier.run == run.run) {
                return Err(BaselineError::Repeated(run.run.clone()));
            }
        }
        for other in others {
            let mut differences = scenario_differences(&first.scenario, &other.scenario);
            differences.extend(machine_differences(&first.environment, &other.environment));
            if !differences.is_empty() {
                let (first, other) = (first.run.clone(), other.run.clone());
                let differences = differences.join(", ");
                return Err(BaselineError::Different { first, other, differences });
            }
        }
        Ok(Self {
            schema: BASELINE_SCHEMA.to_owned(),
            version: first.version.clone(),
            scenario: first.scenario.clone(),
            environment: first.environment.clone(),
            runs: runs.iter().map(|run| run.run.clone()).collect(),
            expected: expected(runs),
        })
    }

    /// Reads a baseline.
    pub fn from_json(text: &str) -> Result<Self, BaselineError> {
        let json: serde_json::Value = serde_json::from_str(text)?;
        match json.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default() {
            BASELINE_SCHEMA => Ok(serde_json::from_value(json)?),
            SCHEMA => Err(BaselineError::OneRun),
            other => Err(BaselineError::Schema(other.to_owned())),
        }
    }

    /// As it is written to a file: indented, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("the model has only text keys and serialises without failing");
        text.push('\n');
        text
    }
}

fn expected(runs: &[RunResult]) -> Vec<Expected> {
    let enough = |watched: &Watched| runs.iter().all(|run| watched.enough_values(run));
    let learned = watched().into_iter().filter(enough).filter_map(|watched| {
        let values: Option<Vec<f64>> = runs
            .iter()
            .map(|run| watched.metric.measure(run).filter(|value| value.is_finite()))
            .collect();
        let values = values?;
        let (median, deviation) = (median(&values), deviation(&values));
        let band = (3.0 * deviation)
            .max(watched.relative_floor * median.abs())
            .max(watched.absolute_floor);
        let (metric, better) = (watched.metric, watched.better);
        Some(Expected { metric, better, values, median, deviation, band })
    });
    learned.collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Standard deviation from the range.
fn deviation(values: &[f64]) -> f64 {
    /// d₂ for 3 to 10 values: the mean range of as many normal values, in
    /// standard deviations. More values take the last, which overestimates.
    const D2: [f64; 8] = [1.693, 2.059, 2.326, 2.534, 2.704, 2.847, 2.970, 3.078];
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (most - least) / D2[values.len().saturating_sub(LEAST_RUNS).min(D2.len() - 1)]
}

/// What makes two scenarios two, in words.
pub(crate) fn scenario_differences(one: &ScenarioInfo, other: &ScenarioInfo) -> Vec<String> {
    let mut differences = Vec::new();
    if one.model != other.model {
        differences.push(format!("model {:?} and {:?}", one.model, other.model).to_lowercase());
    }
    if one.digest != other.digest {
        let (name, other_name) = (&one.name, &other.name);
        differences.push(format!(
            "scenario {name} ({}) and {other_name} ({})",
            short(&one.digest),
            short(&other.digest)
        ));
    }
    differences
}

/// What makes two machines two, in words.
pub(crate) fn machine_differences(one: &Environment, other: &Environment) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, one: String, other: String| {
        if one != other {
            differences.push(format!("{what} {one} and {other}"));
        }
    };
    differ("CPU", one.cpu.clone(), other.cpu.clone());
    differ("CPUs", one.cores.to_string(), other.cores.to_string());
    differ("kernel", one.kernel.clone(), other.kernel.clone());
    let server = |environment: &Environment| match environment.with_server {
        true => "on this machine".to_owned(),
        false => "elsewhere".to_owned(),
    };
    differ("server", server(one), server(other));
    // What a kernel keeps for itself differs a little from boot to boot.
    if one.memory_mib.abs_diff(other.memory_mib) > one.memory_mib / 50 {
        differ("memory", format!("{} MiB", one.memory_mib), format!("{} MiB", other.memory_mib));
    }
    differences
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Model, sample};

    /// Runs with these rates of delivery.
    fn runs(delivered: &[u64]) -> Vec<RunResult> {
        let run = |(index, delivered): (usize, &u64)| {
            let mut run = sample::empty();
            run.run = format!("{index:016x}");
            run.counters.insert("sent".into(), 530_000);
            run.counters.insert("delivered".into(), delivered * 530);
            run
        };
        delivered.iter().enumerate().map(run).collect()
    }

    fn rate(baseline: &Baseline) -> &Expected {
        baseline.expected.iter().find(|e| e.metric.to_string() == "delivered.rate").unwrap()
    }

    #[test]
    fn the_band_is_three_deviations_or_the_floor() {
        let wide = Baseline::learn(&runs(&[900, 1_000, 1_100])).unwrap();
        assert_eq!(rate(&wide).median, 1_000.0);
        assert!((rate(&wide).band - 3.0 * 200.0 / 1.693).abs() < 1e-6);
        let narrow = Baseline::learn(&runs(&[1_000, 1_000, 1_001, 1_001])).unwrap();
        assert_eq!(rate(&narrow).median, 1_000.5);
        assert!((rate(&narrow).band - 0.02 * 1_000.5).abs() < 1e-6);
        assert!(!narrow.expected.iter().any(|e| e.metric.to_string().starts_with("server")));
    }

    #[test]
    fn percentiles_need_values_beyond_them() {
        let mut runs = runs(&[1_000, 1_000, 1_000]);
        for run in &mut runs {
            run.latencies.insert("ack".into(), sample::latency(&[1_000; 1_000]));
        }
        runs[0].latencies.insert("receipt".into(), sample::latency(&[1_000; 1_000]));
        let baseline = Baseline::learn(&runs).unwrap();
        let names: Vec<_> = baseline.expected.iter().map(|e| e.metric.to_string()).collect();
        assert!(names.contains(&"ack.p50".into()) && names.contains(&"ack.p99".into()));
        assert!(!names.contains(&"ack.p99.9".into()) && !names.contains(&"receipt.p50".into()));
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        let refused = |change: fn(&mut Vec<RunResult>), part: &str| {
            let mut runs = runs(&[1_000, 1_000, 1_000]);
            change(&mut runs);
            let error = Baseline::learn(&runs).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(|runs| runs.truncate(2), "at least 3 runs, these are 2");
        refused(Vec::clear, "these are 0");
        refused(|runs| runs[2].run = runs[0].run.clone(), "0000000000000000 is there twice");
        refused(|runs| runs[1].verdict = Verdict::Invalid, "run 0000000000000001 was invalid");
        refused(|runs| runs[1].verdict = Verdict::Violated, "was violated");
        refused(|runs| runs[2].scenario.digest = "0".repeat(32), "(000000000000)");
        refused(|runs| runs[2].scenario.model = Model::Closed, "model open and closed");
        refused(|runs| runs[2].environment.cores = 64, "CPUs 2 and 64");
        refused(|runs| runs[2].environment.with_server = false, "server on this machine and");
        refused(|runs| runs[2].environment.memory_mib /= 2, "memory 7936 MiB and 3968 MiB");
    }

    #[test]
    fn survives_its_json_and_refuses_other_files() {
        let baseline = Baseline::learn(&runs(&[1_000, 1_000, 1_000])).unwrap();
        assert_eq!(Baseline::from_json(&baseline.to_json()).unwrap(), baseline);
        let one_run = Baseline::from_json(&sample::empty().to_json()).unwrap_err();
        assert!(one_run.to_string().contains("learn a baseline from at least 3 runs"));
        assert!(matches!(Baseline::from_json("{}"), Err(BaselineError::Schema(_))));
        assert!(matches!(Baseline::from_json("?"), Err(BaselineError::Json(_))));
    }
}
