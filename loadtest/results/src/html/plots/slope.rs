//! What the bytes per connection were fitted through.

use super::{figure, labelled, number_axis};
use crate::markup::Markup;
use crate::svg::{Axis, Chart, Line, Point, Shape, extent};
use crate::{RunResult, words};

const MIB: f64 = 1_048_576.0;

/// Nothing when there is no such figure.
pub(super) fn plot(page: &mut Markup, result: &RunResult) {
    let Some(server) = &result.server else { return };
    let Some(bytes) = server.bytes_per_connection else { return };
    let points: Vec<Point> = server
        .points
        .iter()
        .map(|point| (point.connections as f64, Some(point.resident_bytes as f64 / MIB)))
        .collect();
    let Some((_, most)) = extent(&points) else { return };
    let widest = points.iter().map(|point| point.0).fold(0.0, f64::max);
    let lines = [
        Line {
            label: format!("fit: {} per connection", words::bytes(bytes)),
            class: "s2",
            points: fitted(&points, bytes / MIB, widest),
            shape: Shape::Line,
        },
        Line { label: "measured".into(), class: "s1", points, shape: Shape::Dots },
    ];
    let scale = number_axis(widest).scale;
    let chart = Chart {
        id: "slope",
        title: "Resident memory of the server, MiB, by open connections",
        description: format!("{} more for each connection", words::bytes(bytes)),
        height: 190.0,
        x: Axis { ticks: labelled(&scale, 10), scale },
        y: number_axis(most),
        lines: &lines,
        bands: &[],
        marks: &[],
    };
    figure(page, &chart, None);
}

/// A line of least squares goes through the means.
fn fitted(points: &[Point], slope: f64, widest: f64) -> Vec<Point> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
    let mean_y = points.iter().filter_map(|point| point.1).sum::<f64>() / count;
    [0.0, widest].map(|x| (x, Some(mean_y + slope * (x - mean_x)))).into()
}
