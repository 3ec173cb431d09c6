//! The figures: now, and the mean and the peak of the phase at hand. In two blocks
//! side by side where the terminal is wide enough.

use super::Palette;
use crate::board::{Board, Figures};
use crate::figure::Figure;
use crate::number::NOTHING;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table, Widget};
use std::ops::RangeInclusive;

/// Width of the names.
const NAME: u16 = 15;
/// Least and most that a value has use for.
const VALUE: RangeInclusive<u16> = 7..=10;
/// With so many columns there are two blocks.
const WIDTH_OF_TWO: u16 = 2 * block_width(*VALUE.start()) + 1;

/// Name, now, mean, peak.
const fn block_width(value: u16) -> u16 {
    NAME + 3 * (1 + value)
}

/// Share of the machine's time that its host may take before the figures are in doubt.
const STOLEN_DOUBTFUL: f64 = 0.02;

/// Rows that the table wants, its heading among them.
pub(super) fn height(board: &Board, width: u16) -> u16 {
    let figures = u16::try_from(board.figures().count()).unwrap_or(u16::MAX);
    1 + if width < WIDTH_OF_TWO { figures.max(1) } else { figures.div_ceil(2).max(1) }
}

pub(super) fn draw(board: &Board, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let figures: Vec<_> = board.figures().collect();
    if figures.is_empty() {
        let line = Line::styled("waiting for the first second", palette.quiet());
        return super::first_line(line, area, buffer);
    }
    if area.width < WIDTH_OF_TWO {
        return block(&figures, palette, area, buffer);
    }
    let (left, right) = figures.split_at(figures.len().div_ceil(2));
    let halves = Layout::horizontal([Constraint::Fill(1); 2]).spacing(1);
    let [left_area, right_area] = halves.areas(area);
    block(left, palette, left_area, buffer);
    block(right, palette, right_area, buffer);
}

fn block(figures: &[(Figure, Figures)], palette: Palette, area: Rect, buffer: &mut Buffer) {
    if figures.is_empty() {
        return;
    }
    let heading = ["", "now", "mean", "peak"].map(right);
    let rows = figures.iter().map(|(figure, figures)| one(figure, figures, palette));
    let area = Rect { width: area.width.min(block_width(*VALUE.end())), ..area };
    let value = Constraint::Fill(1);
    Table::new(rows, [Constraint::Length(NAME), value, value, value])
        .header(Row::new(heading).style(palette.quiet()))
        .column_spacing(1)
        .render(area, buffer);
}

fn one(figure: &Figure, figures: &Figures, palette: Palette) -> Row<'static> {
    let show = |value: Option<f64>| match value {
        Some(value) => figure.kind.show(value),
        None => NOTHING.to_owned(),
    };
    let mean = figures.mean();
    let values = [figures.now, mean.filter(|_| figure.kind.has_mean()), mean.map(|_| figures.peak)];
    let [now, mean, peak] = values.map(|value| right(&show(value)));
    let now_style = if doubtful(figure, figures) { palette.doubtful() } else { palette.strong() };
    Row::new([Cell::from(figure.label), now.style(now_style), mean, peak])
}

/// Whether somebody should look at it.
fn doubtful(figure: &Figure, figures: &Figures) -> bool {
    let now = figures.now.unwrap_or(0.0);
    match figure.column {
        "stolen" => now > STOLEN_DOUBTFUL,
        "unsent_per_s" | "refused_per_s" => now > 0.0,
        _ => false,
    }
}

fn right(text: &str) -> Cell<'static> {
    Cell::from(Text::from(text.to_owned()).alignment(Alignment::Right))
}
