//! A run beside a baseline: what is better, what is worse, what is noise.

use crate::baseline::{Baseline, Expected, machine_differences, scenario_differences};
use crate::metric::Metric;
use crate::table::{Align, Table};
use crate::watched::Better;
use crate::{Reason, RunResult, Verdict};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a run is not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// Another load.
    #[error("not compared, the scenarios differ: {0}")]
    Scenario(String),
    /// Another machine, and that was not allowed.
    #[error("not compared, the machines differ: {0}; other machines must be allowed explicitly")]
    Machine(String),
    /// Its figures mean nothing.
    #[error("not compared, the run was {0}: its figures are no measure")]
    Unfit(Verdict),
}

/// Which machines' results are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Machines {
    /// Only those of the baseline's.
    #[default]
    Same,
    /// Any: the bands are then no measure of noise, and the comparison says so.
    Any,
}

/// What became of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Beyond the band, for the good.
    Better,
    /// Within the band.
    Same,
    /// Beyond the band, for the bad; or not measured any more.
    Worse,
}

/// One metric beside its baseline, in its base unit as in [`Expected`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Which.
    pub metric: Metric,
    /// The baseline's median.
    pub median: f64,
    /// How far from it is noise, to either side.
    pub band: f64,
    /// The run's; `None` when it was not measured.
    pub new: Option<f64>,
    /// What that makes of it.
    pub change: Change,
}

/// A run beside a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The scenario's name.
    pub scenario: String,
    /// Runs that the baseline was learned from.
    pub baseline_runs: usize,
    /// The run that is compared.
    pub run: String,
    /// In what the machines differ, in words; empty when they do not.
    pub other_machine: Vec<String>,
    /// Metric by metric.
    pub metrics: Vec<Compared>,
}

/// Compares `run` with `baseline`.
pub fn compare(
    baseline: &Baseline,
    run: &RunResult,
    machines: Machines,
) -> Result<Comparison, CompareError> {
    if matches!(run.verdict, Verdict::Violated | Verdict::Invalid) {
        return Err(CompareError::Unfit(run.verdict));
    }
    let different = scenario_differences(&baseline.scenario, &run.scenario);
    if !different.is_empty() {
        return Err(CompareError::Scenario(different.join(", ")));
    }
    let other_machine = machine_differences(&baseline.environment, &run.environment);
    if machines == Machines::Same && !other_machine.is_empty() {
        return Err(CompareError::Machine(other_machine.join(", ")));
    }
    Ok(Comparison {
        scenario: run.scenario.name.clone(),
        baseline_runs: baseline.runs.len(),
        run: run.run.clone(),
        other_machine,
        metrics: baseline.expected.iter().map(|expected| compared(expected, run)).collect(),
    })
}

fn compared(expected: &Expected, run: &RunResult) -> Compared {
    let new = expected.metric.measure(run).filter(|value| value.is_finite());
    let change = match (new.map(|new| new - expected.median), expected.better) {
        (None, _) => Change::Worse,
        (Some(moved), _) if moved.abs() <= expected.band => Change::Same,
        (Some(moved), Better::Lower) if moved < 0.0 => Change::Better,
        (Some(moved), Better::Higher) if moved > 0.0 => Change::Better,
        (Some(_), _) => Change::Worse,
    };
    let (metric, median, band) = (expected.metric.clone(), expected.median, expected.band);
    Compared { metric, median, band, new, change }
}

impl Comparison {
    /// Whether anything is worse beyond its band.
    pub fn regressed(&self) -> bool {
        self.metrics.iter().any(|compared| compared.change == Change::Worse)
    }

    /// A reason for each metric that is worse, for [`crate::judge`].
    pub fn reasons(&self) -> Vec<Reason> {
        let worse = self.metrics.iter().filter(|compared| compared.change == Change::Worse);
        worse
            .map(|compared| Reason {
                verdict: Verdict::Regressed,
                text: format!(
                    "{}: {}, the baseline is {} ± {}",
                    compared.metric,
                    compared.new_in_words(),
                    compared.in_words(compared.median),
                    compared.in_words(compared.band),
                ),
            })
            .collect()
    }
}

impl Compared {
    /// The change as a part of the median; `None` without one.
    pub fn relative(&self) -> Option<f64> {
        let new = self.new?;
        (self.median != 0.0).then(|| (new - self.median) / self.median)
    }

    pub(crate) fn new_in_words(&self) -> String {
        self.new.map_or_else(|| "not measured".to_owned(), |new| self.in_words(new))
    }

    /// A value of this metric.
    pub(crate) fn in_words(&self, value: f64) -> String {
        self.metric.in_words(value)
    }

    pub(crate) fn relative_in_words(&self) -> String {
        self.relative().map_or_else(|| "–".to_owned(), |part| format!("{:+.1} %", part * 100.0))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "WORSE",
        })
    }
}

/// A table and a line of verdict, each line ended.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.baseline_runs;
        writeln!(f, "{}: run {} beside a baseline of {runs} runs", self.scenario, self.run)?;
        for difference in &self.other_machine {
            writeln!(f, "another machine, so the bands are no measure of noise: {difference}")?;
        }
        let mut table = Table::new([
            ("metric", Align::Left),
            ("baseline", Align::Right),
            ("noise ±", Align::Right),
            ("new", Align::Right),
            ("change", Align::Right),
            ("", Align::Left),
        ]);
        for compared in &self.metrics {
            table.row([
                compared.metric.to_string(),
                compared.in_words(compared.median),
                compared.in_words(compared.band),
                compared.new_in_words(),
                compared.relative_in_words(),
                compared.change.to_string(),
            ]);
        }
        write!(f, "\n{table}\n")?;
        f.write_str(match self.regressed() {
            true => "REGRESSED: worse than the baseline, beyond its noise\n",
            false => "not worse than the baseline\n",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{judge, sample};

    fn baseline() -> Baseline {
        let runs: Vec<_> = (0..3_u64)
            .map(|index| {
                let mut run = sample::support_day();
                run.run = format!("{index:016x}");
                run.latencies.insert("ack".into(), sample::latency(&[10_000 + index * 50; 1_000]));
                run
            })
            .collect();
        Baseline::learn(&runs).unwrap()
    }

    fn with_ack(micros: u64) -> RunResult {
        let mut run = sample::support_day();
        run.latencies.insert("ack".into(), sample::latency(&[micros; 1_000]));
        run
    }

    fn ack_p99(comparison: &Comparison) -> Change {
        let found = comparison.metrics.iter().find(|c| c.metric.to_string() == "ack.p99");
        found.unwrap().change
    }

    #[test]
    fn beyond_the_band_is_better_or_worse() {
        let baseline = baseline();
        let compared = |micros| compare(&baseline, &with_ack(micros), Machines::Same).unwrap();
        for (micros, change) in [
            (10_050, Change::Same),
            (10_900, Change::Same),
            (11_200, Change::Worse),
            (8_900, Change::Better),
        ] {
            let comparison = compared(micros);
            assert_eq!(ack_p99(&comparison), change, "{micros}\n{comparison}");
            assert_eq!(comparison.regressed(), change == Change::Worse);
        }
        let mut worse = with_ack(11_200);
        judge(&mut worse, compared(11_200).reasons());
        assert_eq!((worse.verdict, worse.exit_status), (Verdict::Regressed, 3));
        assert!(compared(11_200).to_string().ends_with("beyond its noise\n"));
    }

    #[test]
    fn less_throughput_is_worse_and_so_is_what_is_not_measured() {
        let baseline = baseline();
        let mut slower = with_ack(10_050);
        let delivered = slower.counters["delivered"];
        slower.counters.insert("delivered".into(), delivered * 9 / 10);
        let comparison = compare(&baseline, &slower, Machines::Same).unwrap();
        assert_eq!(comparison.metrics[0].change, Change::Worse);
        assert!((comparison.metrics[0].relative().unwrap() + 0.1).abs() < 1e-3);
        let mut blind = with_ack(10_050);
        blind.server = None;
        let reasons = compare(&baseline, &blind, Machines::Same).unwrap().reasons();
        assert_eq!(reasons.len(), 3);
        assert!(reasons[0].text.starts_with("server.cpu_per_message: not measured"));
    }

    #[test]
    fn other_scenarios_never_and_other_machines_only_when_allowed() {
        let baseline = baseline();
        let mut other = with_ack(10_050);
        other.environment.cores = 8;
        assert!(matches!(
            compare(&baseline, &other, Machines::Same),
            Err(CompareError::Machine(text)) if text == "CPUs 2 and 8"
        ));
        let allowed = compare(&baseline, &other, Machines::Any).unwrap();
        assert!(allowed.to_string().contains("another machine"));
        other.scenario.digest = "0".repeat(32);
        let refused = compare(&baseline, &other, Machines::Any);
        assert!(matches!(refused, Err(CompareError::Scenario(_))));
        other.verdict = Verdict::Invalid;
        let refused = compare(&baseline, &other, Machines::Any);
        assert_eq!(refused, Err(CompareError::Unfit(Verdict::Invalid)));
    }
}
