//! The summary a run ends with, on a terminal or in a log: plain, aligned, the
//! verdict last, where the eye is.

use crate::{
    Latency, Model, Offence, Purpose, RunResult, ScenarioInfo, table::Align, table::Table, words,
};
use std::fmt::Write as _;

/// What the latencies of a run mean.
pub(crate) fn model_in_words(scenario: &ScenarioInfo) -> &'static str {
    match scenario.model {
        _ if scenario.purpose == Purpose::Function => {
            "functional run: it shows whether things work, its figures claim nothing"
        }
        Model::Open => {
            "open model: latencies count from the intended send time, as users would see them"
        }
        Model::Closed => {
            "closed model: new work waits for old work, so latencies are not what users see"
        }
    }
}

/// The summary, several lines, each ended.
pub fn summary(result: &RunResult) -> String {
    let mut out = String::new();
    head(&mut out, result);
    counters(&mut out, result);
    latencies(&mut out, result);
    faults(&mut out, result);
    audit(&mut out, result);
    costs(&mut out, result);
    thresholds(&mut out, result);
    verdict(&mut out, result);
    out
}

/// A line; writing to a string cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
    out.push('\n');
}

fn head(out: &mut String, result: &RunResult) {
    let scenario = &result.scenario;
    line(out, format_args!("{} · run {} · {}", scenario.name, result.run, result.started_at));
    line(out, format_args!("{}", model_in_words(scenario)));
    let counted = result.counted;
    line(
        out,
        format_args!(
            "counted {} (from {} to {}) · seed {} · scenario {} · {}",
            words::seconds(counted.to_s - counted.from_s),
            words::seconds(counted.from_s),
            words::seconds(counted.to_s),
            scenario.seed,
            &scenario.digest.chars().take(12).collect::<String>(),
            words::plural(u64::from(result.workers), "worker"),
        ),
    );
}

fn counters(out: &mut String, result: &RunResult) {
    if result.counters.is_empty() {
        return line(out, format_args!("\nnothing was counted"));
    }
    let counted_s = result.counted_s();
    let mut table =
        Table::new([("", Align::Left), ("total", Align::Right), ("per s", Align::Right)]);
    for name in ordered_counters(result) {
        let count = result.counters[name];
        let rate =
            if counted_s > 0.0 { words::number(count as f64 / counted_s) } else { "–".into() };
        table.row([name.to_owned(), words::grouped(count), rate]);
    }
    line(out, format_args!("\n{table}"));
}

/// The counters of the result: known ones in the order they are explained in,
/// without those that stayed zero and mean nothing by it, then any other.
pub(crate) fn ordered_counters(result: &RunResult) -> Vec<&str> {
    const ALWAYS: [&str; 6] =
        ["sent", "acknowledged", "delivered", "deferred", "refused", "unsent"];
    let known = || crate::COUNTERS.into_iter().chain([crate::metric::RECONNECTS]);
    let counters = &result.counters;
    let shown =
        |name: &&str| counters.get(*name).is_some_and(|count| *count > 0 || ALWAYS.contains(name));
    let others = counters.keys().map(String::as_str).filter(|name| !known().any(|k| k == *name));
    known().filter(shown).chain(others).collect()
}

/// The latencies of the result that have values, likewise ordered.
pub(crate) fn ordered_latencies(result: &RunResult) -> Vec<(&str, &Latency)> {
    let known = crate::LATENCIES;
    let others = result.latencies.keys().map(String::as_str).filter(|name| !known.contains(name));
    let names = known.into_iter().chain(others);
    let found = names.filter_map(|name| Some((name, result.latencies.get(name)?)));
    found.filter(|(_, latency)| latency.count > 0).collect()
}

fn latencies(out: &mut String, result: &RunResult) {
    let latencies = ordered_latencies(result);
    if latencies.is_empty() {
        return;
    }
    let mut table = Table::new([
        ("", Align::Left),
        ("count", Align::Right),
        ("mean", Align::Right),
        ("p50", Align::Right),
        ("p90", Align::Right),
        ("p99", Align::Right),
        ("p99.9", Align::Right),
        ("max", Align::Right),
    ]);
    for (name, latency) in latencies {
        let us = |value: u64| words::micros(value as f64);
        table.row([
            name.to_owned(),
            words::grouped(latency.count),
            words::micros(latency.mean_us),
            us(latency.p50_us),
            us(latency.p90_us),
            us(latency.p99_us),
            us(latency.p999_us),
            us(latency.max_us),
        ]);
    }
    line(out, format_args!("{table}"));
}

fn faults(out: &mut String, result: &RunResult) {
    for fault in &result.faults {
        let recovery = match fault.recovery_s {
            Some(seconds) => format!("recovered in {}", words::seconds(seconds)),
            None => "not recovered before the end".to_owned(),
        };
        line(
            out,
            format_args!(
                "fault {} at {}: {recovery}, at most {} in a second{}",
                fault.name,
                words::seconds(fault.at_s),
                words::plural(fault.reconnect_peak_per_s, "reconnect"),
                if fault.exit_status == Some(0) { "" } else { " (its command failed)" },
            ),
        );
    }
}

fn audit(out: &mut String, result: &RunResult) {
    let audit = &result.audit;
    if audit.conversations_read == 0 {
        line(out, format_args!("audit: nothing was read back after the run"));
    } else {
        line(
            out,
            format_args!(
                "audit: {} read back with {}; {} acknowledged",
                words::plural(audit.conversations_read, "conversation"),
                words::plural(audit.messages_read, "message"),
                words::grouped(audit.messages_acknowledged),
            ),
        );
    }
    /// More would bury the verdict; the JSON and the HTML have them all.
    const SHOWN: usize = 10;
    for offence in audit.offences.iter().take(SHOWN) {
        line(out, format_args!("  {}", self::offence(offence)));
    }
    if audit.offences.len() > SHOWN {
        line(out, format_args!("  … {} more in the report", audit.offences.len() - SHOWN));
    }
}

/// An offence with its ids, on one line.
pub(crate) fn offence(offence: &Offence) -> String {
    let sender = offence.sender.iter().map(|sender| format!(", {sender}"));
    let number = offence.number.iter().map(|number| format!(", message {number}"));
    let seq = offence.seq.iter().map(|seq| format!(", seq {seq}"));
    let ids: String = sender.chain(number).chain(seq).collect();
    format!("{} in {}{ids}: {}", offence.violation, offence.conversation, offence.detail)
}

fn costs(out: &mut String, result: &RunResult) {
    if let Some(server) = &result.server {
        let mut text = format!("server ({}): CPU {}", server.source, words::seconds(server.cpu_s));
        if let Some(us) = server.cpu_us_per_message {
            let _ = write!(text, ", {} per delivered message", words::micros(us));
        }
        let _ = write!(text, "; resident {} MiB", words::number(server.resident_mib));
        if let Some(bytes) = server.bytes_per_connection {
            let _ = write!(text, ", {} per connection", words::bytes(bytes));
        }
        line(out, format_args!("{text}"));
    }
    let generator = &result.generator;
    line(
        out,
        format_args!(
            "generator: {} CPUs, machine {} idle, {} stolen, wakes late by {} (p99)",
            words::number(generator.cores),
            words::percent(generator.idle),
            words::percent(generator.stolen),
            words::micros(generator.lag.p99_us as f64),
        ),
    );
}

fn thresholds(out: &mut String, result: &RunResult) {
    if result.thresholds.is_empty() {
        return;
    }
    let mut table =
        Table::new([("threshold", Align::Left), ("measured", Align::Right), ("", Align::Left)]);
    for threshold in &result.thresholds {
        let held = if threshold.held { "held" } else { "MISSED" };
        table.row([threshold.threshold.clone(), threshold.measured_in_words(), held.to_owned()]);
    }
    line(out, format_args!("\n{table}"));
}

fn verdict(out: &mut String, result: &RunResult) {
    for reason in &result.reasons {
        line(out, format_args!("- {}: {}", reason.verdict, reason.text));
    }
    let verdict = result.verdict.to_string().to_uppercase();
    line(out, format_args!("{verdict} (exit status {})", result.exit_status));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Violation, judge, sample};

    #[test]
    fn the_verdict_is_last_and_the_model_is_named() {
        let text = summary(&sample::support_day());
        assert!(text.ends_with("PASSED (exit status 0)\n"), "{text}");
        assert!(text.contains("open model"));
        assert!(text.contains("receipt.p99 < 250ms"));
        let mut closed = sample::support_day();
        closed.scenario.model = Model::Closed;
        assert!(summary(&closed).contains("not what users see"));
    }

    #[test]
    fn offences_are_named_with_their_ids_and_bounded() {
        let mut result = sample::support_day();
        let offence = Offence {
            violation: Violation::Lost,
            conversation: "0193".into(),
            sender: Some("visitor".into()),
            number: Some(7),
            seq: Some(12),
            detail: "not read back".into(),
        };
        result.audit.offences = vec![offence; 12];
        result.audit.violations.insert(Violation::Lost, 12);
        judge(&mut result, Vec::new());
        let text = summary(&result);
        assert!(text.contains("lost in 0193, visitor, message 7, seq 12: not read back"), "{text}");
        assert!(text.contains("… 2 more"));
        assert!(text.ends_with("VIOLATED (exit status 4)\n"));
    }

    #[test]
    fn a_run_without_anything_is_said_to_be_one() {
        let text = summary(&sample::empty());
        assert!(text.contains("nothing was counted"), "{text}");
        assert!(!text.contains("NaN"));
    }
}
