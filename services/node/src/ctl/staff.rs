//! `frontdesk ctl staff`: how many agents a load needs, measured or given.

use super::figures::{moment, seconds};
use super::{Admin, CtlError, print_json, table};
use crate::cli::{Output, StaffArgs};
use frontdesk_core::staffing::{Goal, Load, Plan, Traffic};
use frontdesk_proto::v1::{FigureRow, GetFiguresRequest};
use jiff::tz::TimeZoneDatabase;
use serde::Serialize;
use std::time::Duration;
use tonic::Request;

const DEADLINE: Duration = Duration::from_secs(300);
/// What hours are measured by.
const HOUR: f64 = 3_600.0;

/// A load and what it takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    /// The hour, or empty for a load that was given.
    interval: String,
    arrivals: f64,
    handling_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    patience_seconds: Option<f64>,
    at_once: u32,
    /// Nobody gives up (Erlang C).
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: Option<Staff>,
    /// Visitors give up as they were seen to (Erlang A).
    #[serde(skip_serializing_if = "Option::is_none")]
    impatient: Option<Staff>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Staff {
    agents: u32,
    positions: u32,
    in_time: f64,
    abandons: f64,
    wait_seconds: f64,
    occupancy: f64,
}

impl From<Plan> for Staff {
    fn from(plan: Plan) -> Self {
        Self {
            agents: plan.agents,
            positions: plan.positions,
            in_time: plan.outcome.in_time,
            abandons: plan.outcome.abandons,
            wait_seconds: plan.outcome.wait,
            occupancy: plan.outcome.occupancy,
        }
    }
}

/// Of a load that was given; `None` when it is to be measured.
pub(super) fn given(args: &StaffArgs, output: Output) -> Result<Option<()>, CtlError> {
    let per = args.per.as_secs_f64();
    let arrivals = match (args.arrivals, args.visits) {
        (Some(arrivals), _) => arrivals,
        (None, Some(visits)) => {
            let (interested, chatting) = (args.interested, args.chatting);
            Traffic { visits, interested, chatting }.arrivals()
        }
        (None, None) => return Ok(None),
    };
    let handling = args.handling.ok_or_else(|| {
        CtlError::Usage("--handling says how long a chat takes: it is not measured here".into())
    })?;
    let patience = args.patience.map(|patience| patience.as_secs_f64());
    let load = Load { arrivals: arrivals / per, handling: handling.as_secs_f64(), patience };
    let line = plan(String::new(), per, load, args.at_once.unwrap_or(1), args);
    if line.patient.is_none() && line.impatient.is_none() {
        return Err(CtlError::Usage("no number of agents comes to that".into()));
    }
    show(vec![line], output).map(Some)
}

/// Of what was measured, hour by hour.
pub(super) async fn measured(
    mut admin: Admin,
    output: Output,
    args: StaffArgs,
) -> Result<(), CtlError> {
    let zone = TimeZoneDatabase::bundled()
        .get(&args.time_zone)
        .map_err(|_| CtlError::Usage(format!("there is no time zone {:?}", args.time_zone)))?;
    let mut request = Request::new(GetFiguresRequest {
        from: Some(moment(&args.from, &zone)?),
        to: args.to.as_deref().map(|to| moment(to, &zone)).transpose()?,
        by: vec!["hour".into(), "queue".into()],
        business_hours: false,
        time_zone: args.time_zone.clone(),
    });
    request.set_timeout(DEADLINE);
    let answer = admin.get_figures(request).await?.into_inner();
    let of_queue = |row: &&FigureRow| match (&args.queue, row.key.get(1)) {
        (Some(wanted), Some(queue)) => wanted == queue,
        (None, _) => true,
        (Some(_), None) => false,
    };
    let mut lines: Vec<Line> = Vec::new();
    for row in answer.rows.iter().filter(of_queue) {
        let Some(load) = seen(row) else { continue };
        let at_once = args.at_once.unwrap_or_else(|| at_once(row));
        lines.push(plan(row.key.join(" "), HOUR, load, at_once, &args));
    }
    show(lines, output)
}

/// The load of an hour; `None` when nobody was served in it.
fn seen(row: &FigureRow) -> Option<Load> {
    let total = |name: &str| {
        let figure = row.durations.get(name)?;
        Some(seconds(figure.mean.as_ref()?) * f64::from(figure.count))
    };
    let handled = row.durations.get("handling")?;
    let handling = seconds(handled.mean.as_ref()?);
    let arrivals = f64::from(row.counts.get("arrivals").copied().unwrap_or(0));
    let abandoned = f64::from(row.counts.get("abandoned").copied().unwrap_or(0));
    // The likeliest mean of an exponential patience: all waiting by all who gave up.
    let waited = total("wait").unwrap_or(0.0) + total("abandoned_after").unwrap_or(0.0);
    let patience = (abandoned > 0.0 && waited > 0.0).then(|| waited / abandoned);
    Some(Load { arrivals: arrivals / HOUR, handling, patience })
}

/// Chats of an agent at once, as they were.
fn at_once(row: &FigureRow) -> u32 {
    row.concurrency.map_or(1, |seen| seen.round().clamp(1.0, 100.0) as u32)
}

fn plan(interval: String, per: f64, load: Load, at_once: u32, args: &StaffArgs) -> Line {
    let goal = Goal {
        service_level: args.service_level,
        within: args.within.as_secs_f64(),
        max_occupancy: args.max_occupancy,
        at_once,
        shrinkage: args.shrinkage,
    };
    let patient = Load { patience: None, ..load };
    Line {
        interval,
        arrivals: load.arrivals * per,
        handling_seconds: load.handling,
        patience_seconds: load.patience,
        at_once,
        patient: goal.plan(&patient).map(Staff::from),
        impatient: load.patience.and_then(|_| goal.plan(&load)).map(Staff::from),
    }
}

fn show(lines: Vec<Line>, output: Output) -> Result<(), CtlError> {
    if let Output::Json = output {
        return Ok(print_json(&lines)?);
    }
    let heading = [
        "INTERVAL",
        "ARRIVALS",
        "HANDLING",
        "AT ONCE",
        "AGENTS",
        "PAID",
        "IN TIME",
        "TAKEN",
        "IF SOME GIVE UP",
        "GIVE UP",
    ];
    let percent = |share: f64| format!("{:.0}%", share * 100.0);
    let rows = lines.into_iter().map(|line| {
        let none = || "-".to_owned();
        let of = |staff: &Option<Staff>, shown: &dyn Fn(&Staff) -> String| {
            staff.as_ref().map_or_else(none, shown)
        };
        vec![
            if line.interval.is_empty() { none() } else { line.interval },
            format!("{:.1}", line.arrivals),
            format!("{:.0}s", line.handling_seconds),
            line.at_once.to_string(),
            of(&line.patient, &|s| s.agents.to_string()),
            of(&line.patient, &|s| s.positions.to_string()),
            of(&line.patient, &|s| percent(s.in_time)),
            of(&line.patient, &|s| percent(s.occupancy)),
            of(&line.impatient, &|s| s.agents.to_string()),
            of(&line.impatient, &|s| percent(s.abandons)),
        ]
    });
    table::print(&heading, rows.collect());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_proto::v1::DurationFigure;
    use frontdesk_proto::wkt::Duration as Wire;

    #[test]
    fn an_hour_is_read_as_a_load() {
        let figure = |count, secs| DurationFigure {
            count,
            mean: Some(Wire { seconds: secs, nanos: 0 }),
            ..DurationFigure::default()
        };
        let row = FigureRow {
            counts: [("arrivals".into(), 36), ("abandoned".into(), 6)].into(),
            durations: [
                ("handling".into(), figure(30, 240)),
                ("wait".into(), figure(30, 20)),
                ("abandoned_after".into(), figure(6, 50)),
            ]
            .into(),
            concurrency: Some(2.6),
            ..FigureRow::default()
        };
        let load = seen(&row).expect("somebody was served");
        assert_eq!((load.arrivals, load.handling, load.patience), (0.01, 240.0, Some(150.0)));
        assert_eq!(at_once(&row), 3);
        assert_eq!(seen(&FigureRow::default()), None);
    }
}
