//! `frontdesk ctl staff`: how many agents a load needs, measured or given.

use super::figures::{counted, seconds, span};
use super::{Admin, CtlError, print_json, table};
use crate::cli::{Output, StaffArgs};
use frontdesk_core::model::Pace;
use frontdesk_core::staffing::{Goal, Load, Plan, Traffic};
use frontdesk_proto::v1::{FigureRow, GetFiguresRequest, HandlingLevel};
use serde::Serialize;

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
    /// By the simulator, with or without patience as it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<Staff>,
    /// How long a chat took by how many an agent had at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    at_once: u32,
    count: u32,
    handling_seconds: f64,
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
    let at_once = args.at_once.unwrap_or(1);
    let line = plan(String::new(), per, Seen { load, levels: Vec::new() }, at_once, args);
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
    let by = vec!["hour".into(), "queue".into()];
    let time_zone = args.time_zone.clone();
    let span = span(&args.from, args.to.as_deref(), &time_zone)?;
    let answer = counted(&mut admin, GetFiguresRequest { by, time_zone, ..span }).await?;
    let of_queue = |row: &&FigureRow| match (&args.queue, row.key.get(1)) {
        (Some(wanted), Some(queue)) => wanted == queue,
        (None, _) => true,
        (Some(_), None) => false,
    };
    let mut lines: Vec<Line> = Vec::new();
    for row in answer.rows.iter().filter(of_queue) {
        let Some(load) = seen(row) else { continue };
        let at_once = args.at_once.unwrap_or_else(|| at_once(row));
        let seen = Seen { load, levels: levels(row) };
        lines.push(plan(row.key.join(" "), HOUR, seen, at_once, &args));
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

/// Chats at a level below which its mean says little.
const LEAST_COUNT: u32 = 10;

fn levels(row: &FigureRow) -> Vec<Level> {
    let level = |level: &HandlingLevel| {
        let handling_seconds = seconds(level.handling.as_ref()?);
        Some(Level { at_once: level.at_once, count: level.count, handling_seconds })
    };
    row.levels.iter().filter_map(level).collect()
}

/// What was seen of an hour, or given.
struct Seen {
    load: Load,
    levels: Vec<Level>,
}

impl Seen {
    fn known(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter().filter(|level| level.count >= LEAST_COUNT)
    }

    /// How long a chat takes an agent who has so many: as at the nearest level below of
    /// which enough is known, or else at the lowest.
    fn handling(&self, at_once: u32) -> f64 {
        let below = self.known().take_while(|level| level.at_once <= at_once).last();
        let level = below.or_else(|| self.known().next());
        level.map_or(self.load.handling, |level| level.handling_seconds)
    }

    /// How much longer it takes with more at once.
    fn pace(&self, at_once: u32) -> Pace {
        let alone = self.handling(1);
        let percent = |n| (self.handling(n) / alone * 100.0).round().clamp(1.0, 10_000.0) as u32;
        Pace::new(&(1..=at_once).map(percent).collect::<Vec<_>>())
    }
}

fn plan(interval: String, per: f64, seen: Seen, at_once: u32, args: &StaffArgs) -> Line {
    let load = Load { handling: seen.handling(at_once), ..seen.load };
    let goal = Goal {
        service_level: args.service_level,
        within: args.within.as_secs_f64(),
        max_occupancy: args.max_occupancy,
        at_once,
        shrinkage: args.shrinkage,
    };
    let patient = Load { patience: None, ..load };
    let (patient, impatient) = (goal.plan(&patient), load.patience.and_then(|_| goal.plan(&load)));
    let near = impatient.or(patient).filter(|_| args.simulate);
    let simulated = near.and_then(|near| {
        let alone = Load { handling: seen.handling(1), ..load };
        goal.simulate(&alone, &seen.pace(at_once), near.agents)
    });
    Line {
        interval,
        arrivals: load.arrivals * per,
        handling_seconds: load.handling,
        patience_seconds: load.patience,
        at_once,
        patient: patient.map(Staff::from),
        impatient: impatient.map(Staff::from),
        simulated: simulated.map(Staff::from),
        levels: seen.levels,
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
        "SIMULATED",
        "IN TIME",
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
            of(&line.simulated, &|s| s.agents.to_string()),
            of(&line.simulated, &|s| percent(s.in_time)),
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

    #[test]
    fn a_chat_takes_as_long_as_at_so_many_at_once() {
        let load = Load { arrivals: 0.01, handling: 250.0, patience: None };
        let level = |at_once, count, handling_seconds| Level { at_once, count, handling_seconds };
        let levels = vec![level(1, 40, 200.0), level(2, 30, 240.0), level(3, 2, 900.0)];
        let seen = Seen { load, levels };
        assert_eq!([1, 2, 3].map(|n| seen.handling(n)), [200.0, 240.0, 240.0], "2 say little");
        assert_eq!(seen.pace(3), Pace::new(&[100, 120, 120]));
        let unknown = Seen { load, levels: Vec::new() };
        assert_eq!((unknown.handling(2), unknown.pace(2)), (250.0, Pace::new(&[100, 100])));
    }
}
