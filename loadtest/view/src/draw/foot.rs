//! Whether a promise was broken, what happened, and what can be pressed.

use super::Palette;
use crate::board::Board;
use crate::number::{clock, one_line, whole};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Widget};
use std::time::Duration;

/// Rows come every second; after so long without one something is amiss.
const SILENT: Duration = Duration::from_secs(4);

pub(super) fn audit(board: &Board, palette: Palette) -> Line<'static> {
    let label = Span::styled("audit  ", palette.quiet());
    if board.violations == 0 {
        return Line::from(vec![label, Span::styled("no violations", palette.good())]);
    }
    let noun = if board.violations == 1 { "violation" } else { "violations" };
    let count = format!("{} {noun}", whole(board.violations as f64));
    let mut spans = vec![label, Span::styled(count, palette.bad())];
    if let Some(offence) = &board.first_offence {
        spans.push(Span::raw(format!("  first: {}", one_line(offence))));
    }
    Line::from(spans)
}

/// The newest notes, newest last, under a line.
pub(super) fn notes(board: &Board, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let block = Block::new().borders(Borders::TOP).border_style(palette.quiet());
    let room = usize::from(block.inner(area).height);
    let skipped = board.notes.len().saturating_sub(room);
    let lines = board.notes.iter().skip(skipped).map(|note| {
        Line::from(vec![
            Span::styled(format!("{:>7}  ", clock(note.at)), palette.quiet()),
            Span::raw(note.text.clone()),
        ])
    });
    Paragraph::new(lines.collect::<Vec<_>>()).block(block).render(area, buffer);
}

pub(super) fn help(board: &Board, palette: Palette, silence: Duration) -> Line<'static> {
    if board.stopping {
        return Line::styled("ending the run …", palette.doubtful());
    }
    if silence >= SILENT && board.at < board.plan.total {
        let words = format!("nothing heard for {} s", silence.as_secs());
        return Line::styled(words, palette.doubtful());
    }
    Line::styled("q or Ctrl-C ends the run", palette.quiet())
}
