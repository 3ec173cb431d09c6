//! The verdict as JUnit XML, for CI: a test case for each threshold, each kind
//! of violation, the generator, each compared metric and the run as a whole.

use crate::markup::Markup;
use crate::{Change, Comparison, RunResult, Verdict, Violation, words};

/// One test case.
struct Case {
    name: String,
    /// Why it failed.
    failure: Option<String>,
    /// More about it.
    detail: String,
}

/// A group of them.
struct Suite {
    name: &'static str,
    cases: Vec<Case>,
}

/// The report of a run, with its comparison with a baseline when there is one.
pub fn junit(result: &RunResult, comparison: Option<&Comparison>) -> String {
    let mut suites = vec![thresholds(result), audit(result), generator(result)];
    suites.extend(comparison.map(compared));
    suites.push(verdict(result));
    suites.retain(|suite| !suite.cases.is_empty());
    let mut xml = Markup::default();
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures) = (
        suites.iter().map(|suite| suite.cases.len()).sum::<usize>(),
        suites.iter().map(Suite::failures).sum::<usize>(),
    );
    xml.open(
        "testsuites",
        &[
            ("name", &"frontdesk-loadtest"),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &0),
            ("time", &seconds(result)),
        ],
    );
    for suite in &suites {
        suite.write(&mut xml, result);
    }
    xml.raw("\n").close("testsuites").raw("\n");
    xml.into_string()
}

/// Of the counted part, as the format has it.
fn seconds(result: &RunResult) -> String {
    format!("{:.3}", result.counted_s().max(0.0))
}

impl Suite {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }

    fn write(&self, xml: &mut Markup, result: &RunResult) {
        let name = format!("{}.{}", result.scenario.name, self.name);
        // The format's schema has no fractions and no zone; it is UTC.
        let started = result.started_at.get(..19).unwrap_or(&result.started_at);
        xml.raw("\n  ").open(
            "testsuite",
            &[
                ("name", &name),
                ("tests", &self.cases.len()),
                ("failures", &self.failures()),
                ("errors", &0),
                ("skipped", &0),
                ("time", &seconds(result)),
                ("timestamp", &started),
            ],
        );
        for case in &self.cases {
            xml.raw("\n    ");
            xml.open("testcase", &[("classname", &name), ("name", &case.name), ("time", &"0")]);
            if let Some(failure) = &case.failure {
                xml.raw("\n      ");
                let attributes = [("message", failure as _), ("type", &self.name as _)];
                xml.element("failure", &attributes, &case.detail);
                xml.raw("\n    ");
            } else if !case.detail.is_empty() {
                xml.raw("\n      ").element("system-out", &[], &case.detail).raw("\n    ");
            }
            xml.close("testcase");
        }
        xml.raw("\n  ").close("testsuite");
    }
}

fn thresholds(result: &RunResult) -> Suite {
    let case = |threshold: &crate::ThresholdResult| {
        let words = threshold.measured_in_words();
        let measured = match threshold.measured {
            Some(_) => format!("measured {words}"),
            None => words,
        };
        Case {
            name: threshold.threshold.clone(),
            failure: (!threshold.held).then(|| format!("missed: {measured}")),
            detail: measured,
        }
    };
    Suite { name: "thresholds", cases: result.thresholds.iter().map(case).collect() }
}

fn audit(result: &RunResult) -> Suite {
    let audit = &result.audit;
    let case = |violation: Violation| {
        let count = audit.violations.get(&violation).copied().unwrap_or(0);
        let offences = audit.offences.iter().filter(|offence| offence.violation == violation);
        let lines = offences.map(crate::text::offence).collect::<Vec<_>>().join("\n");
        Case {
            name: format!("{violation}: {}", violation.meaning()),
            failure: (count > 0).then(|| words::plural(count, "violation")),
            detail: lines,
        }
    };
    Suite { name: "audit", cases: Violation::ALL.into_iter().map(case).collect() }
}

fn generator(result: &RunResult) -> Suite {
    let name = "the generator and its machine were fit".to_owned();
    Suite { name: "generator", cases: vec![because(name, result, |v| v == Verdict::Invalid)] }
}

fn verdict(result: &RunResult) -> Suite {
    let name = "the run passed".to_owned();
    Suite { name: "run", cases: vec![because(name, result, |_| true)] }
}

/// A case that fails for the reasons of these verdicts.
fn because(name: String, result: &RunResult, which: fn(Verdict) -> bool) -> Case {
    let reasons: Vec<_> = result.reasons.iter().filter(|reason| which(reason.verdict)).collect();
    let lines: Vec<_> =
        reasons.iter().map(|reason| format!("{}: {}", reason.verdict, reason.text)).collect();
    Case { name, failure: lines.first().cloned(), detail: lines.join("\n") }
}

fn compared(comparison: &Comparison) -> Suite {
    let case = |compared: &crate::Compared| {
        let detail = format!(
            "{}, the baseline is {} ± {} ({})",
            compared.new_in_words(),
            compared.in_words(compared.median),
            compared.in_words(compared.band),
            compared.relative_in_words(),
        );
        Case {
            name: format!("{} is not worse than the baseline", compared.metric),
            failure: (compared.change == Change::Worse).then(|| detail.clone()),
            detail,
        }
    };
    Suite { name: "comparison", cases: comparison.metrics.iter().map(case).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Baseline, Machines, Offence, compare, judge, sample};

    #[test]
    fn a_case_for_each_promise() {
        let result = sample::support_day();
        let xml = junit(&result, None);
        let cases = result.thresholds.len() + Violation::ALL.len() + 2;
        assert_eq!(xml.matches("<testcase ").count(), cases);
        assert!(xml.contains(&format!("tests=\"{cases}\" failures=\"0\" errors=\"0\"")), "{xml}");
        assert!(xml.contains("name=\"receipt.p99 &lt; 250ms\""));
        assert!(xml.contains("timestamp=\"2026-03-02T09:00:00\""));
        assert!(!xml.contains("<failure"));
    }

    #[test]
    fn failures_name_ids_and_are_escaped() {
        let mut result = sample::support_day();
        result.audit.violations.insert(Violation::Misrouted, 3);
        result.audit.offences.push(Offence {
            violation: Violation::Misrouted,
            conversation: "0193".into(),
            sender: None,
            number: Some(4),
            seq: None,
            detail: "heard by <another> & \"more\"\u{7}".into(),
        });
        result.generator.stolen = 0.4;
        judge(&mut result, Vec::new());
        let xml = junit(&result, None);
        assert_eq!(xml.matches("<failure ").count(), 3, "{xml}");
        assert!(xml.contains("message=\"3 violations\" type=\"audit\""));
        assert!(xml.contains("misrouted in 0193, message 4: heard by &lt;another&gt; &amp;"));
        assert!(xml.contains("message=\"violated: misrouted: 3"));
        assert!(!xml.contains('\u{7}'));
    }

    #[test]
    fn each_compared_metric_is_a_case() {
        let runs: Vec<_> = (0..3)
            .map(|index| {
                let mut run = sample::support_day();
                run.run = format!("{index:016x}");
                run
            })
            .collect();
        let mut slower = sample::support_day();
        slower.server.as_mut().unwrap().cpu_us_per_message = Some(60.0);
        let baseline = Baseline::learn(&runs).unwrap();
        let comparison = compare(&baseline, &slower, Machines::Same).unwrap();
        judge(&mut slower, comparison.reasons());
        let xml = junit(&slower, Some(&comparison));
        assert!(xml.contains("server.cpu_per_message is not worse than the baseline"));
        assert!(xml.contains("message=\"60 µs, the baseline is 31.4 µs"), "{xml}");
        // The metric and the run.
        assert_eq!(xml.matches("<failure ").count(), 2);
    }
}
