//! Two curves side by side: how much goes through, and how long it takes. Runs
//! without messages show what they have instead: connections, and memory.

use super::Palette;
use crate::board::Board;
use crate::figure::{CONNECTIONS, DELIVERED, RECEIPT_P50, RECEIPT_P99, SENT, SERVER_MIB};
use crate::number::{clock, number};
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Borders, Chart, Dataset, GraphType, Widget};
use std::time::Duration;

/// Narrower than this there is one chart only.
const WIDTH_OF_TWO: u16 = 60;
/// Less is nothing; more is cut. Neither is ever measured.
const LEAST_SHOWN: f64 = 1e-6;
const MOST_SHOWN: f64 = 1e12;

/// A chart's curves: column, name.
type Curves = &'static [(&'static str, &'static str)];

const RATES: (&str, Curves) = ("messages/s", &[(DELIVERED, "delivered"), (SENT, "sent")]);
const LATENCIES: (&str, Curves) = ("receipt ms", &[(RECEIPT_P99, "p99"), (RECEIPT_P50, "p50")]);
const CONNECTED: (&str, Curves) = ("", &[(CONNECTIONS, "connections")]);
const MEMORY: (&str, Curves) = ("", &[(SERVER_MIB, "server MiB")]);

pub(super) fn draw(board: &Board, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let moves = |column| board.curve(column).iter().any(|(_, value)| *value > 0.0);
    let through = if moves(SENT) || !moves(CONNECTIONS) { RATES } else { CONNECTED };
    let takes = if moves(RECEIPT_P99) || !moves(SERVER_MIB) { LATENCIES } else { MEMORY };
    if area.width < WIDTH_OF_TWO {
        return chart(board, through, palette, area, buffer);
    }
    let halves = Layout::horizontal([Constraint::Fill(1); 2]).spacing(1);
    let [left, right] = halves.areas(area);
    chart(board, through, palette, left, buffer);
    chart(board, takes, palette, right, buffer);
}

fn chart(
    board: &Board,
    (unit, curves): (&str, Curves),
    palette: Palette,
    area: Rect,
    buffer: &mut Buffer,
) {
    let styles = [palette.first_curve(), palette.second_curve()];
    let points: Vec<Vec<_>> = curves
        .iter()
        .map(|(column, _)| board.curve(column).into_iter().map(|(at, v)| (at, shown(v))).collect())
        .collect();
    let highest = points.iter().flatten().map(|(_, value)| *value).fold(0.0, f64::max);
    let top = round_up(highest);
    let (from, to) = board.window();
    let marks = fault_marks(board, from, top);

    let mut title = vec![Span::styled(unit.to_owned(), palette.strong())];
    for ((_, name), style) in curves.iter().zip(styles) {
        title.push(Span::styled(format!(" {name}"), style));
    }
    let faults = marks.iter().map(|mark| (mark.as_slice(), palette.fault()));
    // The curve that the chart is about is drawn last, over the other.
    let lines = points.iter().map(Vec::as_slice).zip(styles).rev();
    let datasets = faults.chain(lines).map(|(points, style)| {
        Dataset::default()
            .data(points)
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(style)
    });
    let seconds = |at: f64| clock(Duration::from_secs_f64(at));
    Chart::new(datasets.collect())
        .block(Block::new().borders(Borders::TOP).title(Line::from(title)))
        .legend_position(None)
        .x_axis(
            Axis::default()
                .bounds([from, to])
                .labels([seconds(from), seconds(to)])
                .style(palette.quiet()),
        )
        .y_axis(
            Axis::default()
                .bounds([0.0, top])
                .labels(["0".to_owned(), number(top / 2.0), number(top)])
                .labels_alignment(Alignment::Right)
                .style(palette.quiet()),
        )
        .render(area, buffer);
}

/// A value as it is drawn: what is far outside of the scale, or far below its finest
/// step, would have the canvas count dots for hours.
fn shown(value: f64) -> f64 {
    if value < LEAST_SHOWN { 0.0 } else { value.min(MOST_SHOWN) }
}

/// An upright line where each fault was made.
fn fault_marks(board: &Board, from: f64, top: f64) -> Vec<[(f64, f64); 2]> {
    let made = board.plan.faults.iter().map(|fault| fault.at.as_secs_f64());
    let shown = made.filter(|at| (from..=board.at.as_secs_f64()).contains(at));
    shown.map(|at| [(at, 0.0), (at, top)]).collect()
}

/// The next of 1, 2, 5, 10, 20 …, so that the scale does not change all the time.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power);
    steps.into_iter().find(|step| *step >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scales_are_round() {
        for (value, top) in [(0.0, 1.0), (0.03, 0.05), (1.0, 1.0), (4_998.0, 5_000.0), (7.0, 10.0)]
        {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
    }

    proptest! {
        #[test]
        fn every_value_is_within_its_scale(value in 0.0..1e12_f64) {
            let top = round_up(value);
            prop_assert!(top >= value && (value < 1e-9 || top <= value * 2.6), "{top}");
        }
    }
}
