//! The report as one HTML file that needs nothing else: it loads no scripts, no
//! fonts, nothing. It reads from a file, in light and dark and on paper.

mod plots;
mod tables;

use crate::markup::Markup;
use crate::text::model_in_words;
use crate::{Comparison, Metric, RunResult, Verdict, words};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The report of a run, with its comparison with a baseline when there is one.
pub fn html(result: &RunResult, comparison: Option<&Comparison>) -> String {
    let mut page = Markup::default();
    page.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    let title = format!("{}: {} · Frontdesk load test", result.scenario.name, result.verdict);
    page.element("title", &[], title);
    page.raw("<style>\n").raw(STYLE).raw("</style></head>\n<body>\n");
    header(&mut page, result);
    page.raw("<main>\n");
    figures(&mut page, result);
    section(&mut page, "Thresholds", |page| tables::thresholds(page, result));
    if let Some(comparison) = comparison {
        section(&mut page, "Comparison", |page| tables::comparison(page, comparison));
    }
    section(&mut page, "Over time", |page| plots::plots(page, result));
    section(&mut page, "Latencies", |page| tables::latencies(page, result));
    section(&mut page, "Counters", |page| tables::counters(page, result));
    if !result.phases.is_empty() {
        section(&mut page, "Phases", |page| tables::phases(page, result));
    }
    if !result.faults.is_empty() {
        section(&mut page, "Faults", |page| tables::faults(page, result));
    }
    section(&mut page, "Audit", |page| tables::audit(page, result));
    section(&mut page, "How it was measured", |page| conditions(page, result));
    page.raw("</main>\n<footer>").text(format_args!(
        "frontdesk-loadtest {} · {} · run {}",
        result.version, result.schema, result.run
    ));
    page.raw("</footer>\n<script>\n").raw(SCRIPT).raw("</script>\n</body></html>\n");
    page.into_string()
}

fn section(page: &mut Markup, title: &str, content: impl FnOnce(&mut Markup)) {
    page.raw("<section>").element("h2", &[], title).raw("\n");
    content(page);
    page.raw("</section>\n");
}

fn header(page: &mut Markup, result: &RunResult) {
    let (class, sign) = match result.verdict {
        Verdict::Passed => ("passed", "✓"),
        Verdict::Regressed => ("regressed", "▼"),
        Verdict::Failed => ("failed", "✗"),
        Verdict::Invalid => ("invalid", "?"),
        Verdict::Violated => ("violated", "✗"),
    };
    let scenario = &result.scenario;
    page.open("header", &[("class", &class)]);
    page.raw("<p class=\"verdict\">").text(format_args!("{sign} {}", result.verdict)).raw("</p>");
    page.element("h1", &[], &scenario.name);
    if !scenario.description.is_empty() {
        page.element("p", &[("class", &"description")], &scenario.description);
    }
    page.element("p", &[("class", &"meaning")], verdict_meaning(result.verdict));
    if !result.reasons.is_empty() {
        page.raw("<ul class=\"reasons\">");
        for reason in &result.reasons {
            page.open("li", &[("class", &reason.verdict)]);
            page.element("strong", &[], reason.verdict);
            page.text(format_args!(": {}", reason.text)).raw("</li>");
        }
        page.raw("</ul>");
    }
    page.raw("<p class=\"quiet\">").text(format_args!(
        "{} · counted {} · exit status {}",
        result.started_at,
        words::seconds(result.counted_s()),
        result.exit_status
    ));
    page.raw("<br>").text(model_in_words(scenario)).raw("</p></header>\n");
}

fn verdict_meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Every promise was kept, every threshold held, the generator was fit.",
        Verdict::Regressed => "Worse than the baseline, beyond its noise.",
        Verdict::Failed => "A threshold was missed.",
        Verdict::Invalid => "The generator or its machine was not fit: the figures mean nothing.",
        Verdict::Violated => "A promise was broken, whatever the figures say.",
    }
}

/// What is asked first, large.
fn figures(page: &mut Markup, result: &RunResult) {
    const ASKED: [(&str, &str); 8] = [
        ("delivered.rate", "messages delivered"),
        ("receipt.p50", "receipt, median"),
        ("receipt.p99", "receipt, p99"),
        ("ack.p99", "acknowledgement, p99"),
        ("started.count", "conversations"),
        ("recovery", "slowest recovery"),
        ("server.cpu_per_message", "server CPU per message"),
        ("server.bytes_per_connection", "memory per connection"),
    ];
    let mut measured = ASKED
        .into_iter()
        .filter_map(|(name, label)| {
            let metric: Metric = name.parse().ok()?;
            let value = metric.measure(result).filter(|value| value.is_finite())?;
            Some((label, metric.in_words(value)))
        })
        .peekable();
    if measured.peek().is_none() {
        return;
    }
    page.raw("<dl class=\"figures\">");
    for (label, value) in measured {
        page.raw("<div>").element("dt", &[], label).element("dd", &[], value).raw("</div>");
    }
    page.raw("</dl>\n");
}

fn conditions(page: &mut Markup, result: &RunResult) {
    let (scenario, environment) = (&result.scenario, &result.environment);
    let generator = &result.generator;
    let server = result.server.as_ref().map_or_else(
        || "not measured".to_owned(),
        |server| {
            let cpu = words::seconds(server.cpu_s);
            match server.source.as_str() {
                "process" => format!("CPU {cpu}; from the kernel, of all its processes"),
                "metrics" => format!("CPU {cpu}; from the server's metrics"),
                other => format!("CPU {cpu}; from {other}"),
            }
        },
    );
    let facts = [
        ("Model", model_in_words(scenario).to_owned()),
        ("Scenario digest", scenario.digest.clone()),
        ("Seed", scenario.seed.to_string()),
        ("Run", result.run.clone()),
        ("Targets", result.targets.join(", ")),
        ("Worker processes", result.workers.to_string()),
        (
            "Counted part",
            format!(
                "{} to {}",
                words::seconds(result.counted.from_s),
                words::seconds(result.counted.to_s)
            ),
        ),
        (
            "Machine",
            format!(
                "{}, {}, {} MiB, kernel {}",
                environment.cpu,
                words::plural(u64::from(environment.cores), "CPU"),
                words::grouped(environment.memory_mib),
                environment.kernel
            ),
        ),
        (
            "Server",
            match environment.with_server {
                true => format!("on the generator's machine; {server}"),
                false => format!("not on the generator's machine; {server}"),
            },
        ),
        (
            "Generator",
            format!(
                "{} CPUs; wakes late by {} (median), {} (p99), {} (max)",
                words::number(generator.cores),
                words::micros(generator.lag.p50_us as f64),
                words::micros(generator.lag.p99_us as f64),
                words::micros(generator.lag.max_us as f64)
            ),
        ),
        (
            "CPU time of the machine",
            format!(
                "{} idle, {} stolen by the host",
                words::percent(generator.idle),
                words::percent(generator.stolen)
            ),
        ),
    ];
    page.raw("<dl class=\"facts\">");
    for (name, fact) in facts {
        page.element("dt", &[], name).element("dd", &[], fact);
    }
    page.raw("</dl>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audit, Model, Offence, Reason, ThresholdResult, Violation, sample};

    /// Every element is closed, in order; what the report's markup is made of.
    fn well_formed(html: &str) {
        let (html, script) = html.split_once("<script>").unwrap();
        assert_eq!(script, format!("\n{SCRIPT}</script>\n</body></html>\n"));
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "closes in order");
            } else if !tag.ends_with('/') && !matches!(name, "!DOCTYPE" | "meta" | "br") {
                open.push(name);
            }
        }
        assert_eq!(open, ["html", "body"]);
    }

    #[test]
    fn a_full_report_has_all_its_parts() {
        let page = html(&sample::support_day(), None);
        well_formed(&page);
        for part in [
            "✓ passed",
            "id=\"rates\"",
            "id=\"slope-title\"",
            "kill owner-1",
            "receipt.p99 &lt; 250ms",
            "afternoon",
            "6f1d0c7a9b3e5f2481c0a7d36e9b4f52",
            "open model",
            "99.99 %",
        ] {
            let part = part.replace("id=\"rates\"", "id=\"rates-title\"");
            assert!(page.contains(&part), "{part}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf"));
        assert!(page.len() < 600_000, "{}", page.len());
    }

    #[test]
    fn every_key_figure_has_a_name_that_is_known() {
        let page = html(&sample::support_day(), None);
        assert_eq!(page.matches("<dd>").count(), 8 + 11);
    }

    #[test]
    fn a_report_of_nothing_says_so() {
        let page = html(&sample::empty(), None);
        well_formed(&page);
        assert!(page.contains("not measured") && page.contains("The scenario has none"));
        assert!(!page.contains("NaN") && !page.contains("<svg"));
    }

    #[test]
    fn nothing_from_elsewhere_is_loaded_and_all_text_is_escaped() {
        let mut result = sample::support_day();
        let hostile = "<script src=\"https://evil.example/\">alert('1')</script>".to_owned();
        result.scenario.name = hostile.clone();
        result.scenario.description = hostile.clone();
        result.reasons = vec![Reason { verdict: Verdict::Failed, text: hostile.clone() }];
        result.faults[0].name = hostile.clone();
        result.faults[0].command = hostile.clone();
        result.phases[1].name = hostile.clone();
        result.environment.cpu = hostile.clone();
        result.targets = vec![hostile.clone()];
        result.thresholds =
            vec![ThresholdResult { threshold: hostile.clone(), measured: None, held: false }];
        result.counters.insert(hostile.clone(), 1);
        result.audit = Audit {
            offences: vec![Offence {
                violation: Violation::Lost,
                conversation: hostile.clone(),
                sender: Some(hostile.clone()),
                number: None,
                seq: None,
                detail: hostile,
            }],
            ..Audit::default()
        };
        let page = html(&result, None);
        well_formed(&page);
        assert_eq!(page.matches("<script").count(), 1);
        for outside in ["src=\"", "href=\"", "url(", "@import", "fetch(", "import("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn a_closed_model_is_named_as_one() {
        let mut result = sample::empty();
        result.scenario.model = Model::Closed;
        assert!(html(&result, None).contains("not what users see"));
    }
}
