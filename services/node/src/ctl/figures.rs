//! `frontdesk ctl figures`: what happened, counted, for people and for spreadsheets.

use super::{Admin, CtlError, print_json, table};
use crate::cli::{FiguresArgs, FiguresFormat, Output};
use frontdesk_proto::v1::{DurationFigure, FigureRow, GetFiguresRequest, GetFiguresResponse};
use frontdesk_proto::wkt::{Duration as Span, Timestamp};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::time::Duration;
use tonic::Request;

/// Counting 200,000 conversations takes a minute or two.
const DEADLINE: Duration = Duration::from_secs(300);

/// In the order of the columns.
const COUNTS: [&str; 17] = [
    "arrivals",
    "served",
    "abandoned",
    "unserved",
    "in_target",
    "of_target",
    "transfers",
    "lost",
    "offers",
    "declined",
    "missed",
    "visitor_messages",
    "staff_messages",
    "requeues",
    "resolved",
    "by_bots",
    "rated",
];
const DURATIONS: [&str; 7] =
    ["wait", "abandoned_after", "first_response", "response", "handling", "resolution", "rewait"];

/// Asks for figures and prints them.
pub(super) async fn figures(
    mut admin: Admin,
    output: Output,
    args: FiguresArgs,
) -> Result<(), CtlError> {
    let FiguresArgs { from, to, by, business_hours, time_zone, format } = args;
    let span = span(&from, to.as_deref(), &time_zone)?;
    let request = GetFiguresRequest { by: by.clone(), business_hours, time_zone, ..span };
    let answer = counted(&mut admin, request).await?;
    match (format, output) {
        (Some(FiguresFormat::Csv), _) => print!("{}", csv(&by, &answer)),
        (None, Output::Json) => print_json(&answer)?,
        (None, Output::Table) => print_table(&by, &answer),
    }
    Ok(())
}

/// A question about what was between two moments, the latter perhaps now.
pub(super) fn span(
    from: &str,
    to: Option<&str>,
    time_zone: &str,
) -> Result<GetFiguresRequest, CtlError> {
    let zone = zone(time_zone)?;
    let from = Some(moment(from, &zone)?);
    let to = to.map(|to| moment(to, &zone)).transpose()?;
    Ok(GetFiguresRequest { from, to, ..Default::default() })
}

/// Has it counted, which may take a while.
pub(super) async fn counted(
    admin: &mut Admin,
    question: GetFiguresRequest,
) -> Result<GetFiguresResponse, CtlError> {
    let mut request = Request::new(question);
    request.set_timeout(DEADLINE);
    Ok(admin.get_figures(request).await?.into_inner())
}

/// The time zone of that name, such as Europe/Berlin.
pub(super) fn zone(name: &str) -> Result<TimeZone, CtlError> {
    let found = TimeZoneDatabase::bundled().get(name);
    found.map_err(|_| CtlError::Usage(format!("there is no time zone {name:?}")))
}

/// A date, whose beginning is meant, a time with its offset, or how long ago.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, CtlError> {
    let at = if let Ok(ago) = humantime::parse_duration(text) {
        jiff::Timestamp::now().checked_sub(ago).ok()
    } else if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        date.to_zoned(zone.clone()).ok().map(|begin| begin.timestamp())
    } else {
        text.parse::<jiff::Timestamp>().ok()
    };
    let at = at.ok_or_else(|| {
        CtlError::Usage(format!(
            "{text:?} is no date (2026-11-24), time (2026-11-24T09:00:00Z) or age (7d)"
        ))
    })?;
    Ok(Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
}

fn shown_key(by: &[String], row: &FigureRow, answer: &GetFiguresResponse) -> Vec<String> {
    let cell = |(dimension, value): (&String, &String)| {
        let name = answer.agent_names.get(value).filter(|_| dimension == "agent");
        let shown = name.unwrap_or(value);
        if shown.is_empty() { "-".to_owned() } else { shown.clone() }
    };
    by.iter().zip(&row.key).map(cell).collect()
}

fn print_table(by: &[String], answer: &GetFiguresResponse) {
    let mut heading: Vec<String> = by.iter().map(|name| name.to_uppercase()).collect();
    let columns = [
        "ARRIVALS",
        "SERVED",
        "ABANDONED",
        "UNSERVED",
        "WAIT P50",
        "P95",
        "FIRST RESP P50",
        "HANDLING",
        "SLA",
        "AT ONCE",
        "TAKEN",
        "RATING",
    ];
    heading.extend(columns.map(str::to_owned));
    let rows = answer.rows.iter().map(|row| {
        let count = |name: &str| row.counts.get(name).copied().unwrap_or(0).to_string();
        let of = |name: &str, pick: fn(&DurationFigure) -> Option<Span>| {
            let span = row.durations.get(name).and_then(pick);
            span.map_or_else(|| "-".to_owned(), |span| format!("{:.0}s", seconds(&span)))
        };
        let ratio = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let mut cells = shown_key(by, row, answer);
        cells.extend(["arrivals", "served", "abandoned", "unserved"].map(count));
        cells.extend([
            of("wait", |d| d.p50),
            of("wait", |d| d.p95),
            of("first_response", |d| d.p50),
            of("handling", |d| d.mean),
            row.service_level.map_or_else(|| "-".to_owned(), |s| format!("{:.0}%", s * 100.0)),
            ratio(row.concurrency, 2),
            row.occupancy.map_or_else(|| "-".to_owned(), |s| format!("{:.0}%", s * 100.0)),
            ratio(row.rating, 1),
        ]);
        cells
    });
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    table::print(&heading, rows.collect());
}

/// As RFC 4180 has it, in seconds.
fn csv(by: &[String], answer: &GetFiguresResponse) -> String {
    let mut heading: Vec<String> = by.to_vec();
    let names_agents = by.iter().any(|dimension| dimension == "agent");
    heading.extend(names_agents.then(|| "agent_name".to_owned()));
    heading.extend(COUNTS.map(str::to_owned));
    for name in DURATIONS {
        let parts = ["count", "mean_s", "p50_s", "p90_s", "p95_s", "max_s"];
        heading.extend(parts.map(|part| format!("{name}_{part}")));
    }
    heading.extend(["service_level", "rating", "concurrency", "occupancy"].map(str::to_owned));
    let mut lines = vec![line(&heading)];
    for row in &answer.rows {
        let mut cells = row.key.clone();
        if names_agents {
            let agent = by.iter().zip(&row.key).find(|(dimension, _)| *dimension == "agent");
            let name = agent.and_then(|(_, id)| answer.agent_names.get(id));
            cells.push(name.cloned().unwrap_or_default());
        }
        let count = |name: &str| row.counts.get(name).copied().unwrap_or(0).to_string();
        cells.extend(COUNTS.map(count));
        for name in DURATIONS {
            let figure = row.durations.get(name).copied().unwrap_or_default();
            let spans = [figure.mean, figure.p50, figure.p90, figure.p95, figure.max];
            cells.push(figure.count.to_string());
            cells.extend(spans.map(|s| s.map_or_else(String::new, |s| seconds(&s).to_string())));
        }
        let ratios = [row.service_level, row.rating, row.concurrency, row.occupancy];
        cells.extend(ratios.map(|ratio| ratio.map_or_else(String::new, |r| format!("{r:.4}"))));
        lines.push(line(&cells));
    }
    lines.concat()
}

fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        // What a spreadsheet would take for a formula is kept as text.
        let cell =
            if cell.starts_with(['=', '+', '@']) { format!("'{cell}") } else { cell.clone() };
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let cells: Vec<String> = cells.iter().map(quoted).collect();
    cells.join(",") + "\r\n"
}

pub(super) fn seconds(span: &Span) -> f64 {
    span.seconds as f64 + f64::from(span.nanos) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_one_cell_and_text_stays_text() {
        let cells = ["a,b", "say \"hi\"", "=1+1", "plain", ""].map(str::to_owned);
        assert_eq!(line(&cells), "\"a,b\",\"say \"\"hi\"\"\",'=1+1,plain,\r\n");
    }

    #[test]
    fn a_moment_is_a_date_a_time_or_an_age() {
        let berlin = TimeZoneDatabase::bundled().get("Europe/Berlin").expect("there is Berlin");
        let at = |text: &str| moment(text, &berlin).map(|at| at.seconds).ok();
        assert_eq!(at("1970-01-02"), Some(86_400 - 3_600));
        assert_eq!(at("1970-01-02T00:00:00Z"), Some(86_400));
        assert!(at("7d").is_some_and(|at| at > 1_600_000_000));
        for bad in ["", "yesterday", "2026-02-30", "2026-11-24T09:00:00"] {
            assert_eq!(at(bad), None, "{bad:?}");
        }
    }
}
