//! The verdict: what is wrong with a run, and how bad the worst of it is.

use crate::{Latency, Model, Purpose, Reason, RunResult, Threshold, Verdict, Violation, words};

/// Above this share of stolen CPU time the host decided the figures: a
/// twentieth is what a median of several runs still averages out, and one run
/// alone never can.
pub const MOST_STOLEN: f64 = 0.05;

/// A message that left later than this (99th percentile, microseconds) came from
/// a generator that fell behind its schedule, not from users: a fifth of the
/// tenth of a second that people notice.
pub const MOST_LATE_P99_US: u64 = 20_000;

/// How late a sleeping task of the generator may wake (99th percentile,
/// microseconds). Latencies of the same size would be the generator's own.
pub const MOST_LAG_P99_US: u64 = 50_000;

/// Below this share of idle CPU time the machine is saturated…
pub const LEAST_IDLE: f64 = 0.02;

/// …and when messages leave later than this, too (99th percentile,
/// microseconds), the generator was among those who waited for a CPU. A saturated
/// machine alone says nothing: saturating the server is what some runs are for.
pub const LATE_P99_WHEN_SATURATED_US: u64 = 5_000;

/// Evaluates the thresholds of `result` again and sets its `reasons` (`extra`
/// among them, such as a regression or a run that delivered nothing), `verdict`
/// and `exit_status`. Reasons it had before are dropped.
pub fn judge(result: &mut RunResult, extra: Vec<Reason>) {
    let mut reasons = violations(result);
    reasons.extend(generator(result));
    reasons.extend(thresholds(result));
    reasons.extend(extra);
    // The worst first; equals stay in order.
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    result.verdict = reasons.first().map_or(Verdict::Passed, |reason| reason.verdict);
    result.exit_status = result.verdict.exit_status();
    result.reasons = reasons;
}

fn violations(result: &RunResult) -> Vec<Reason> {
    let broken = result.audit.violations.iter().filter(|(_, count)| **count > 0);
    broken
        .map(|(violation, count)| {
            reason(
                Verdict::Violated,
                format!("{violation}: {} ({})", words::grouped(*count), violation.meaning()),
            )
        })
        .collect()
}

/// Why the generator or its machine was not fit for this run.
fn generator(result: &RunResult) -> Vec<Reason> {
    if result.scenario.purpose == Purpose::Function {
        return Vec::new();
    }
    let mut texts = Vec::new();
    let generator = &result.generator;
    if generator.stolen > MOST_STOLEN {
        let stolen = words::percent(generator.stolen);
        let most = words::percent(MOST_STOLEN);
        texts.push(format!("the host took {stolen} of the CPU time away (limit {most})"));
    }
    // In a closed model nothing is due at a time, so nothing can be late for it.
    if result.scenario.model == Model::Open {
        let late = result.latencies.get("late").map_or(0, p99);
        if late > MOST_LATE_P99_US {
            texts.push(format!(
                "the generator sent late: 99th percentile {} (limit {})",
                words::micros(late as f64),
                words::micros(MOST_LATE_P99_US as f64)
            ));
        }
        let lag = p99(&generator.lag);
        if lag > MOST_LAG_P99_US {
            texts.push(format!(
                "the generator's tasks woke late: 99th percentile {} (limit {})",
                words::micros(lag as f64),
                words::micros(MOST_LAG_P99_US as f64)
            ));
        }
        if generator.idle < LEAST_IDLE && late > LATE_P99_WHEN_SATURATED_US {
            texts.push(format!(
                "the machine was saturated ({} idle) and the generator late with it: 99th \
                 percentile {}",
                words::percent(generator.idle),
                words::micros(late as f64)
            ));
        }
    }
    texts.into_iter().map(|text| reason(Verdict::Invalid, text)).collect()
}

fn p99(latency: &Latency) -> u64 {
    if latency.count == 0 { 0 } else { latency.p99_us }
}

/// Evaluates each threshold; the reasons are those that did not hold.
fn thresholds(result: &mut RunResult) -> Vec<Reason> {
    let mut evaluated = std::mem::take(&mut result.thresholds);
    let mut missed = Vec::new();
    for threshold in &mut evaluated {
        let text = match threshold.threshold.parse::<Threshold>() {
            Ok(read) => {
                *threshold = read.evaluate(result);
                format!("{} ({})", threshold.threshold, threshold.measured_in_words())
            }
            // A result of another version, or edited by hand.
            Err(error) => {
                (threshold.measured, threshold.held) = (None, false);
                error.to_string()
            }
        };
        if !threshold.held {
            missed.push(reason(Verdict::Failed, format!("threshold missed: {text}")));
        }
    }
    result.thresholds = evaluated;
    missed
}

fn reason(verdict: Verdict, text: String) -> Reason {
    Reason { verdict, text }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Phantom => "phantom",
            Self::Misrouted => "misrouted",
            Self::Gap => "gap",
            Self::Contradicted => "contradicted",
            Self::TwoAgents => "two-agents",
            Self::OverCapacity => "over-capacity",
            Self::Leaked => "leaked",
        })
    }
}

impl Violation {
    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Lost => "acknowledged, but not received or not read back",
            Self::Duplicated => "received or stored more than once",
            Self::Reordered => "received behind a later message of the same sender",
            Self::Phantom => "never sent in this run, or damaged",
            Self::Misrouted => "received in another conversation",
            Self::Gap => "an event whose predecessor is not the event before it",
            Self::Contradicted => "read back under another seq than was acknowledged",
            Self::TwoAgents => "a conversation with two assigned agents at once",
            Self::OverCapacity => "an agent with more conversations than its capacity",
            Self::Leaked => "an internal event that reached a visitor",
        }
    }

    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Lost,
        Self::Duplicated,
        Self::Reordered,
        Self::Phantom,
        Self::Misrouted,
        Self::Gap,
        Self::Contradicted,
        Self::TwoAgents,
        Self::OverCapacity,
        Self::Leaked,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn judged(change: impl FnOnce(&mut RunResult)) -> RunResult {
        let mut result = sample::support_day();
        change(&mut result);
        judge(&mut result, Vec::new());
        result
    }

    fn verdict(change: impl FnOnce(&mut RunResult)) -> (Verdict, u8) {
        let result = judged(change);
        assert_eq!(result.reasons.is_empty(), result.verdict == Verdict::Passed);
        (result.verdict, result.exit_status)
    }

    fn late(result: &mut RunResult, micros: u64) {
        result.latencies.insert("late".into(), sample::latency(&[micros; 100]));
    }

    #[test]
    fn a_functional_run_is_not_judged_by_its_generator() {
        let mut result = crate::sample::empty();
        result.generator.stolen = 0.5;
        judge(&mut result, vec![]);
        assert_eq!(result.verdict, Verdict::Invalid);
        result.scenario.purpose = Purpose::Function;
        judge(&mut result, vec![]);
        assert_ne!(result.verdict, Verdict::Invalid);
    }

    #[test]
    fn a_good_run_passes_whatever_was_said_before() {
        let stale = Reason { verdict: Verdict::Violated, text: "stale".into() };
        assert_eq!(verdict(|result| result.reasons.push(stale)), (Verdict::Passed, 0));
    }

    #[test]
    fn a_missed_or_unreadable_threshold_fails() {
        assert_eq!(
            verdict(|r| r.thresholds = vec![sample::threshold("receipt.p99 < 1us")]),
            (Verdict::Failed, 2)
        );
        let unreadable = judged(|r| {
            r.thresholds = vec![sample::threshold("refused.count == 0")];
            r.thresholds[0].threshold = "nonsense < 1".into();
            r.thresholds[0].held = true;
        });
        assert_eq!(unreadable.verdict, Verdict::Failed);
        assert!(!unreadable.thresholds[0].held);
    }

    #[test]
    fn an_unfit_generator_makes_a_run_invalid() {
        assert_eq!(verdict(|r| r.generator.stolen = 0.051), (Verdict::Invalid, 5));
        assert_eq!(verdict(|r| late(r, 20_100)), (Verdict::Invalid, 5));
        let lagging = |r: &mut RunResult| r.generator.lag = sample::latency(&[51_000; 100]);
        assert_eq!(verdict(lagging), (Verdict::Invalid, 5));
        assert_eq!(verdict(|r| r.generator.idle = 0.0), (Verdict::Passed, 0));
        let saturated = |r: &mut RunResult| {
            r.generator.idle = 0.01;
            late(r, 6_000);
        };
        assert_eq!(verdict(saturated), (Verdict::Invalid, 5));
        assert_eq!(verdict(|r| r.generator.stolen = MOST_STOLEN), (Verdict::Passed, 0));
    }

    #[test]
    fn a_closed_model_has_no_schedule_to_be_late_for() {
        let closed = |r: &mut RunResult| {
            r.scenario.model = Model::Closed;
            r.generator.lag = sample::latency(&[51_000; 100]);
            r.generator.idle = 0.0;
            late(r, 500_000);
        };
        assert_eq!(verdict(closed), (Verdict::Passed, 0));
    }

    #[test]
    fn the_worst_decides_and_stands_first() {
        let mut result = sample::support_day();
        result.audit.violations.insert(Violation::Lost, 2);
        result.audit.violations.insert(Violation::Gap, 0);
        result.generator.stolen = 0.5;
        result.thresholds = vec![sample::threshold("receipt.p99 < 1us")];
        let regressed = Reason { verdict: Verdict::Regressed, text: "slower".into() };
        judge(&mut result, vec![regressed.clone()]);
        let verdicts: Vec<_> = result.reasons.iter().map(|reason| reason.verdict).collect();
        assert_eq!(
            verdicts,
            [Verdict::Violated, Verdict::Invalid, Verdict::Failed, Verdict::Regressed]
        );
        assert_eq!((result.verdict, result.exit_status), (Verdict::Violated, 4));
        assert_eq!(
            result.reasons[0].text,
            "lost: 2 (acknowledged, but not received or not read back)"
        );
        let mut good = sample::support_day();
        judge(&mut good, vec![regressed]);
        assert_eq!((good.verdict, good.exit_status), (Verdict::Regressed, 3));
    }

    #[test]
    fn violations_are_called_as_in_json() {
        for violation in Violation::ALL {
            let json = serde_json::to_string(&violation).unwrap();
            assert_eq!(json, format!("\"{violation}\""));
        }
    }
}
