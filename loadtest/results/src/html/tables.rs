//! The tables of the report.

use crate::markup::Markup;
use crate::svg::scale::clock;
use crate::text::{ordered_counters, ordered_latencies};
use crate::{Change, Comparison, Latency, Offence, PhaseResult, RunResult, Violation, words};
use std::collections::BTreeMap;

/// What a cell holds.
pub(super) enum Cell {
    /// Words.
    Text(String),
    /// A number: aligned to the right.
    Number(String),
    /// Something to be read letter by letter.
    Code(String),
    /// The heading of its row.
    Head(String),
    /// Words with a colour: a class of the style.
    Mark(&'static str, String),
}

/// A table of these rows.
pub(super) fn table(page: &mut Markup, header: &[&str], rows: Vec<Vec<Cell>>) {
    page.raw("<div class=\"scroll\"><table><thead><tr>");
    let numeric = |column: usize| {
        rows.first().and_then(|row| row.get(column)).is_some_and(|c| matches!(c, Cell::Number(_)))
    };
    for (column, title) in header.iter().enumerate() {
        let class = if numeric(column) { "number" } else { "words" };
        page.element("th", &[("scope", &"col"), ("class", &class)], title);
    }
    page.raw("</tr></thead><tbody>");
    for row in rows {
        page.raw("<tr>");
        for cell in row {
            match cell {
                Cell::Text(text) => page.element("td", &[], text),
                Cell::Number(text) => page.element("td", &[("class", &"number")], text),
                Cell::Code(text) => page.raw("<td>").element("code", &[], text).raw("</td>"),
                Cell::Head(text) => page.element("th", &[("scope", &"row")], text),
                Cell::Mark(class, text) => {
                    page.raw("<td>").element("span", &[("class", &class)], text).raw("</td>")
                }
            };
        }
        page.raw("</tr>");
    }
    page.raw("</tbody></table></div>\n");
}

fn number(text: impl Into<String>) -> Cell {
    Cell::Number(text.into())
}

fn us(micros: u64) -> Cell {
    Cell::Number(words::micros(micros as f64))
}

pub(super) fn thresholds(page: &mut Markup, result: &RunResult) {
    if result.thresholds.is_empty() {
        page.raw("<p class=\"quiet\">The scenario has none.</p>\n");
        return;
    }
    let rows = result.thresholds.iter().map(|threshold| {
        let held = match threshold.held {
            true => Cell::Mark("good", "✓ held".into()),
            false => Cell::Mark("bad", "✗ missed".into()),
        };
        vec![
            Cell::Code(threshold.threshold.clone()),
            Cell::Number(threshold.measured_in_words()),
            held,
        ]
    });
    table(page, &["Threshold", "Measured", ""], rows.collect());
}

pub(super) fn counters(page: &mut Markup, result: &RunResult) {
    let counted_s = result.counted_s();
    let rows: Vec<_> = ordered_counters(result)
        .into_iter()
        .map(|name| {
            let count = result.counters[name];
            let rate = (counted_s > 0.0).then(|| words::number(count as f64 / counted_s));
            let rate = rate.unwrap_or_else(|| "–".to_owned());
            vec![
                Cell::Head(name.to_owned()),
                Cell::Text(counter_meaning(name).to_owned()),
                number(words::grouped(count)),
                number(rate),
            ]
        })
        .collect();
    if rows.is_empty() {
        page.raw("<p class=\"quiet\">Nothing was counted.</p>\n");
        return;
    }
    table(page, &["Counter", "Meaning", "Total", "Per second"], rows);
}

/// As `RunResult` explains them.
fn counter_meaning(name: &str) -> &'static str {
    match name {
        "sent" => "messages sent for the first time",
        "acknowledged" => "messages the server called durable",
        "delivered" => "acknowledged and received by the other party",
        "started" => "conversations started",
        "assigned" => "conversations an agent got",
        "closed" => "conversations closed",
        "rated" => "conversations rated",
        "transferred" => "conversations transferred",
        "attachments" => "messages with an attachment",
        "typing" => "typing notices",
        "read" => "read receipts",
        "deferred" => "errors that were retried by themselves",
        "refused" => "requests refused for good",
        "unsent" => "due but never sent: too many were unanswered",
        "connected" => "connections opened",
        "reconnects" => "connections opened after the first",
        _ => "",
    }
}

pub(super) fn latencies(page: &mut Markup, result: &RunResult) {
    let rows: Vec<_> = ordered_latencies(result)
        .into_iter()
        .map(|(name, latency)| {
            vec![
                Cell::Head(name.to_owned()),
                Cell::Text(latency_meaning(name).to_owned()),
                number(words::grouped(latency.count)),
                number(words::micros(latency.mean_us)),
                us(latency.p50_us),
                us(latency.p90_us),
                us(latency.p99_us),
                us(latency.p999_us),
                us(latency.max_us),
            ]
        })
        .collect();
    if rows.is_empty() {
        page.raw("<p class=\"quiet\">None was measured.</p>\n");
        return;
    }
    let header = ["Latency", "From → to", "Count", "Mean", "p50", "p90", "p99", "p99.9", "Max"];
    table(page, &header, rows);
}

/// As `RunResult` explains them.
fn latency_meaning(name: &str) -> &'static str {
    match name {
        "ack" => "intended send time → durable acknowledgement",
        "receipt" => "intended send time → received by the last party",
        "service" => "actual sending → acknowledgement",
        "late" => "intended send time → actual sending",
        "start" => "intended arrival of a visitor → conversation is durable",
        "assign" => "intended arrival of a visitor → an agent has it",
        "connect" => "begin of connecting → Welcome",
        "watched" => "intended send time → received by a supervisor who watches",
        _ => "",
    }
}

pub(super) fn phases(page: &mut Markup, result: &RunResult) {
    let rows = result.phases.iter().map(phase).collect();
    let header = [
        "Phase",
        "Kind",
        "Time",
        "Sent",
        "Delivered/s",
        "Ack p99",
        "Receipt p50",
        "Receipt p99",
        "Receipt max",
        "Deferred",
        "Refused",
    ];
    table(page, &header, rows);
}

fn phase(phase: &PhaseResult) -> Vec<Cell> {
    let count = |name| phase.counters.get(name).copied().unwrap_or(0);
    let counted = |name| number(words::grouped(count(name)));
    let length = phase.to_s - phase.from_s;
    let rate = if length > 0.0 { count("delivered") as f64 / length } else { 0.0 };
    let figure = |name, figure: fn(&Latency) -> u64| measured(&phase.latencies, name, figure);
    let kind = format!("{:?}", phase.kind).to_lowercase();
    vec![
        Cell::Head(phase.name.clone()),
        Cell::Text(if phase.warm_up { format!("{kind}, warm-up") } else { kind }),
        number(format!("{}–{}", clock(phase.from_s), clock(phase.to_s))),
        counted("sent"),
        number(words::number(rate)),
        figure("ack", |latency| latency.p99_us),
        figure("receipt", |latency| latency.p50_us),
        figure("receipt", |latency| latency.p99_us),
        figure("receipt", |latency| latency.max_us),
        counted("deferred"),
        counted("refused"),
    ]
}

fn measured(
    latencies: &BTreeMap<String, Latency>,
    name: &str,
    figure: fn(&Latency) -> u64,
) -> Cell {
    match latencies.get(name).filter(|latency| latency.count > 0) {
        Some(latency) => us(figure(latency)),
        None => number("–"),
    }
}

pub(super) fn faults(page: &mut Markup, result: &RunResult) {
    let rows = result.faults.iter().map(|fault| {
        let exit = fault.exit_status.map_or_else(|| "ended by force".to_owned(), |s| s.to_string());
        let recovery =
            fault.recovery_s.map_or_else(|| "not before the end".to_owned(), words::seconds);
        vec![
            Cell::Head(fault.name.clone()),
            Cell::Code(fault.command.clone()),
            number(clock(fault.at_s)),
            number(words::seconds(fault.took_s)),
            number(exit),
            number(recovery),
            number(format!("{} /s", words::grouped(fault.reconnect_peak_per_s))),
        ]
    });
    let header =
        ["Fault", "Command", "At", "Took", "Exit status", "Recovered in", "Reconnect peak"];
    table(page, &header, rows.collect());
}

pub(super) fn audit(page: &mut Markup, result: &RunResult) {
    let audit = &result.audit;
    page.raw("<p>");
    if audit.conversations_read == 0 {
        page.text("Nothing was read back after the run: only what parties received was audited.");
    } else {
        page.text(format_args!(
            "After the run {} with {} were read back and reconciled with {} acknowledged.",
            words::plural(audit.conversations_read, "conversation"),
            words::plural(audit.messages_read, "message"),
            words::grouped(audit.messages_acknowledged),
        ));
    }
    page.raw("</p>\n");
    let rows = Violation::ALL.into_iter().map(|violation| {
        let count = audit.violations.get(&violation).copied().unwrap_or(0);
        let mark = match count {
            0 => Cell::Mark("good", "✓ none".into()),
            count => Cell::Mark("bad", format!("✗ {}", words::grouped(count))),
        };
        vec![Cell::Head(violation.to_string()), Cell::Text(violation.meaning().to_owned()), mark]
    });
    table(page, &["Violation", "Meaning", "Found"], rows.collect());
    if audit.offences.is_empty() {
        return;
    }
    page.raw("<h3>First offences</h3>\n");
    let header = ["Violation", "Conversation or agent", "Sender", "Message", "Seq", "Detail"];
    table(page, &header, audit.offences.iter().map(offence).collect());
}

fn offence(offence: &Offence) -> Vec<Cell> {
    let known = |number: Option<u32>| number.map_or_else(|| "–".to_owned(), |n| n.to_string());
    vec![
        Cell::Mark("bad", offence.violation.to_string()),
        Cell::Code(offence.conversation.clone()),
        Cell::Text(offence.sender.clone().unwrap_or_else(|| "–".to_owned())),
        number(known(offence.number)),
        number(known(offence.seq)),
        Cell::Text(offence.detail.clone()),
    ]
}

pub(super) fn comparison(page: &mut Markup, comparison: &Comparison) {
    page.raw("<p>").text(format_args!(
        "Beside a baseline of {} runs. A change of no more than ± is noise.",
        comparison.baseline_runs
    ));
    if !comparison.other_machine.is_empty() {
        page.text(format_args!(
            " Another machine, so the noise is not this one's: {}.",
            comparison.other_machine.join(", ")
        ));
    }
    page.raw("</p>\n");
    let rows = comparison.metrics.iter().map(|compared| {
        let change = match compared.change {
            Change::Better => Cell::Mark("good", "better".into()),
            Change::Same => Cell::Mark("quiet", "same".into()),
            Change::Worse => Cell::Mark("bad", "✗ worse".into()),
        };
        vec![
            Cell::Head(compared.metric.to_string()),
            number(compared.in_words(compared.median)),
            number(compared.in_words(compared.band)),
            number(compared.new_in_words()),
            number(compared.relative_in_words()),
            change,
        ]
    });
    table(page, &["Metric", "Baseline", "Noise ±", "New", "Change", ""], rows.collect());
}
