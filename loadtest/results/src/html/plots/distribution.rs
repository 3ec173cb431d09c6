//! Quantiles against 1/(1−q), as HdrHistogram draws them: each decade of the
//! axis is another nine, so that the tail is as wide as the rest.

use super::{absent, describe, figure, latency_axis};
use crate::markup::Markup;
use crate::svg::scale::Scale;
use crate::svg::{Axis, Chart, Line, Shape, extent};
use crate::{Latency, RunResult};

/// Name, look and label, back to front.
const SHOWN: [(&str, &str, &str); 4] = [
    ("service", "s4", "service (from the actual sending)"),
    ("start", "s3", "start of a conversation"),
    ("ack", "s2", "acknowledgement"),
    ("receipt", "s1", "receipt"),
];

const TITLE: &str = "Distribution of latencies by percentile";

pub(super) fn plot(page: &mut Markup, result: &RunResult) {
    let found = SHOWN.into_iter().filter_map(|(name, class, label)| {
        let latency = result.latencies.get(name).filter(|latency| latency.count > 0)?;
        Some((latency.count, line(latency, class, label)?))
    });
    let (counts, lines): (Vec<_>, Vec<_>) = found.unzip();
    let most_values = counts.into_iter().max().unwrap_or(0);
    let Some((least, most)) = extent(lines.iter().flat_map(|line| &line.points)) else {
        return absent(page, TITLE);
    };
    // Seven nines of messages are more than a day's.
    let nines = (most_values as f64).log10().ceil().clamp(1.0, 7.0) as usize;
    let decades = (0..=nines).map(|decade| (10_f64.powi(decade as i32), decade_label(decade)));
    let chart = Chart {
        id: "distribution",
        title: TITLE,
        description: describe(&lines),
        height: 280.0,
        x: Axis {
            scale: Scale::log(1.0, 10_f64.powi(nines as i32)),
            ticks: decades.chain([(2.0, "50 %".to_owned())]).collect(),
        },
        y: latency_axis(least, most),
        lines: &lines,
        bands: &[],
        marks: &[],
    };
    figure(page, &chart, None);
}

fn decade_label(decade: usize) -> String {
    match decade {
        0 => "min".to_owned(),
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        _ => format!("99.{} %", "9".repeat(decade - 2)),
    }
}

/// Up to the last value: 1/(1−q) beyond the count would be invented.
fn line(latency: &Latency, class: &'static str, label: &str) -> Option<Line> {
    const PER_DECADE: f64 = 40.0;
    let histogram = latency.histogram().ok()?;
    let last = ((latency.count as f64).log10() * PER_DECADE).floor() as u32;
    let points = (0..=last)
        .map(|step| {
            let place = 10_f64.powf(f64::from(step) / PER_DECADE);
            let us = histogram.value_at_quantile(1.0 - 1.0 / place);
            (place, Some(us as f64 / 1e3))
        })
        .collect();
    Some(Line { label: label.to_owned(), class, points, shape: Shape::Line })
}
