//! Plots over the time of the run: all on one horizontal axis, with its phases
//! and faults.

use super::{absent, describe, figure, latency_axis, number_axis};
use crate::markup::Markup;
use crate::svg::scale::{Scale, clock, time_ticks};
use crate::svg::{self, Axis, Band, Chart, Line, Mark, Point, Shape, extent};
use crate::{FaultResult, PhaseResult, RunResult};

/// One plot.
struct Plot {
    /// Unique on the page.
    id: &'static str,
    title: &'static str,
    /// Columns of the series with their look and their name, back to front.
    columns: &'static [(&'static str, &'static str, &'static str, Shape)],
    height: f64,
    axis: AxisKind,
}

/// Of the vertical axis.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AxisKind {
    /// Whole things.
    Count,
    /// What may be a fraction.
    Number,
    /// Milliseconds, logarithmic.
    Latency,
}

const TRAFFIC: [Plot; 6] = [
    Plot {
        id: "rates",
        title: "Messages per second",
        columns: &[
            ("sent_per_s", "s4", "sent", Shape::Area),
            ("acknowledged_per_s", "s2", "acknowledged", Shape::Line),
            ("delivered_per_s", "s1", "delivered", Shape::Line),
        ],
        height: 230.0,
        axis: AxisKind::Count,
    },
    Plot {
        id: "receipt",
        title: "Latency to receipt by the other party, ms from the intended send time",
        columns: &[
            ("receipt_max_ms", "s4", "max", Shape::Line),
            ("receipt_p99_ms", "s2", "p99", Shape::Line),
            ("receipt_p50_ms", "s1", "p50", Shape::Line),
        ],
        height: 230.0,
        axis: AxisKind::Latency,
    },
    Plot {
        id: "ack",
        title: "Latency to the durable acknowledgement, ms from the intended send time",
        columns: &[
            ("ack_max_ms", "s4", "max", Shape::Line),
            ("ack_p99_ms", "s2", "p99", Shape::Line),
            ("ack_p50_ms", "s1", "p50", Shape::Line),
        ],
        height: 230.0,
        axis: AxisKind::Latency,
    },
    Plot {
        id: "connections",
        title: "Connections and conversations",
        columns: &[
            ("connections", "s1", "connections", Shape::Line),
            ("conversations", "s3", "conversations", Shape::Line),
        ],
        height: 190.0,
        axis: AxisKind::Count,
    },
    Plot {
        id: "waiting",
        title: "Conversations waiting for an agent",
        columns: &[("waiting", "s2", "waiting", Shape::Area)],
        height: 150.0,
        axis: AxisKind::Count,
    },
    Plot {
        id: "errors",
        title: "Errors and reconnects per second",
        columns: &[
            ("reconnects_per_s", "s1", "reconnects", Shape::Line),
            ("deferred_per_s", "s2", "deferred (retried)", Shape::Line),
            ("unsent_per_s", "s3", "unsent", Shape::Line),
            ("refused_per_s", "s5", "refused", Shape::Line),
        ],
        height: 170.0,
        axis: AxisKind::Count,
    },
];

/// Server, generator and what the host took in one plot, as they compete.
const PROCESSORS: Plot = Plot {
    id: "cpu",
    title: "CPUs in use",
    columns: &[
        ("server_cores", "s1", "server", Shape::Area),
        ("generator_cores", "s3", "generator", Shape::Line),
        ("stolen", "s5", "stolen by the host", Shape::Line),
    ],
    height: 190.0,
    axis: AxisKind::Number,
};

const MEMORY: Plot = Plot {
    id: "memory",
    title: "Resident memory of the server, MiB",
    columns: &[("server_mib", "s1", "server", Shape::Area)],
    height: 150.0,
    axis: AxisKind::Number,
};

/// What all plots over time share.
pub(super) struct Timeline<'a> {
    result: &'a RunResult,
    from_s: f64,
    to_s: f64,
    bands: Vec<Band>,
    marks: Vec<Mark>,
}

impl<'a> Timeline<'a> {
    pub(super) fn of(result: &'a RunResult) -> Self {
        let ends = result.phases.iter().map(|phase| phase.to_s);
        let to_s = ends.chain(result.series.at_s.iter().copied()).fold(0.0, f64::max);
        let band = |phase: &PhaseResult| Band {
            label: phase.name.clone(),
            from: phase.from_s,
            to: phase.to_s,
            warm_up: phase.warm_up,
        };
        let mark = |fault: &FaultResult| Mark {
            label: fault.name.clone(),
            at: fault.at_s,
            until: fault.recovery_s.map_or(to_s, |seconds| fault.at_s + seconds),
        };
        Self {
            result,
            from_s: 0.0,
            to_s,
            bands: result.phases.iter().map(band).collect(),
            marks: result.faults.iter().map(mark).collect(),
        }
    }

    /// What the script needs to find the value under the pointer.
    pub(super) fn open(&self, page: &mut Markup) {
        let (left, right) = svg::SPAN;
        page.open(
            "div",
            &[
                (
                    "data-at",
                    &readings(
                        &self.result.series.at_s.iter().copied().map(Some).collect::<Vec<_>>(),
                    ),
                ),
                ("data-from", &self.from_s),
                ("data-to", &self.to_s),
                ("data-left", &left),
                ("data-right", &right),
            ],
        );
    }

    pub(super) fn traffic(&self, page: &mut Markup) {
        TRAFFIC.iter().for_each(|plot| self.plot(page, plot));
    }

    pub(super) fn resources(&self, page: &mut Markup) {
        self.plot(page, &PROCESSORS);
        self.plot(page, &MEMORY);
    }

    fn plot(&self, page: &mut Markup, plot: &Plot) {
        let lines: Vec<_> = plot
            .columns
            .iter()
            .map(|(column, class, label, shape)| Line {
                label: (*label).to_owned(),
                class,
                points: self.points(column),
                shape: *shape,
            })
            .filter(|line| extent(&line.points).is_some())
            .collect();
        let Some((least, most)) = extent(lines.iter().flat_map(|line| &line.points)) else {
            return absent(page, plot.title);
        };
        let values: Vec<_> = lines
            .iter()
            .map(|line| readings(&line.points.iter().map(|point| point.1).collect::<Vec<_>>()))
            .collect();
        let ticks = time_ticks(self.from_s, self.to_s, 12);
        let chart = Chart {
            id: plot.id,
            title: plot.title,
            description: describe(&lines),
            height: plot.height,
            x: Axis {
                scale: Scale::linear(self.from_s, self.to_s),
                ticks: ticks.into_iter().map(|at| (at, clock(at))).collect(),
            },
            y: match plot.axis {
                AxisKind::Latency => latency_axis(least, most),
                // A quarter of a message is no tick.
                AxisKind::Count => number_axis(most.max(4.0)),
                AxisKind::Number => number_axis(most),
            },
            lines: &lines,
            bands: &self.bands,
            marks: &self.marks,
        };
        figure(page, &chart, Some(&values));
    }

    fn points(&self, column: &str) -> Vec<Point> {
        // Stolen time is a share of all CPUs; beside CPUs in use it is CPUs, too.
        let factor = match column {
            "stolen" => f64::from(self.result.environment.cores),
            _ => 1.0,
        };
        let series = &self.result.series;
        let values = series.columns.get(column).into_iter().flatten();
        let values = values.map(|value| value.map(|value| value * factor));
        series.at_s.iter().copied().zip(values).collect()
    }
}

/// Values separated by commas, empty where there is none. A series that is too
/// long for a page is read out by the highest value of each span.
fn readings(values: &[Option<f64>]) -> String {
    const MOST: usize = 1_200;
    let span = values.len().div_ceil(MOST).max(1);
    let highest = |span: &[Option<f64>]| span.iter().copied().flatten().reduce(f64::max);
    let text = |value: Option<f64>| match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{}", (value * 1e3).round() / 1e3),
        None => String::new(),
    };
    values.chunks(span).map(|span| text(highest(span))).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_short_and_keep_the_peaks() {
        assert_eq!(readings(&[Some(1.0), None, Some(0.123_456), Some(f64::NAN)]), "1,,0.123,");
        let mut day = vec![Some(1.0); 86_400];
        day[43_210] = Some(99.0);
        let text = readings(&day);
        assert!(text.split(',').count() <= 1_200);
        assert!(text.contains(",99,"));
    }
}
