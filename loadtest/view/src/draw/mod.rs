//! Draws a board on a terminal of any size. Pure: it reads no clock and writes
//! nothing but the frame that it is given.

mod charts;
mod foot;
mod header;
mod palette;
mod room;
mod table;

pub(crate) use palette::Palette;

use crate::board::Board;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use room::{Part, Wish, share};
use std::time::Duration;

/// Draws everything there is room for. `silence` is how long ago the last row came.
pub(crate) fn draw(frame: &mut Frame<'_>, board: &Board, palette: Palette, silence: Duration) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    for (part, rows) in share(&wishes(board, area.width), area.height) {
        let area = Rect { y: rows.start, height: rows.end - rows.start, ..area };
        match part {
            Part::Title => header::title(board, palette).render(area, buffer),
            Part::Description => header::description(board, palette).render(area, buffer),
            Part::Phase => header::phase(board, palette, area, buffer),
            Part::Run => header::run(board, palette, area, buffer),
            Part::Charts => charts::draw(board, palette, area, buffer),
            Part::Table => table::draw(board, palette, area, buffer),
            Part::Audit => foot::audit(board, palette).render(area, buffer),
            Part::Notes => foot::notes(board, palette, area, buffer),
            Part::Help => foot::help(board, palette, silence).render(area, buffer),
        }
    }
}

/// What is to be shown, the most important first.
fn wishes(board: &Board, width: u16) -> [Wish; 9] {
    let table = table::height(board, width);
    let notes = u16::try_from(board.notes.len()).unwrap_or(u16::MAX).min(6);
    [
        Wish::line(Part::Audit),
        Wish::line(Part::Phase),
        Wish::line(Part::Title),
        Wish { part: Part::Table, least: table.min(4), most: table },
        Wish::line(Part::Run),
        Wish::line(Part::Help),
        Wish { part: Part::Charts, least: 7, most: 24 },
        // The line above the notes counts too.
        Wish { part: Part::Notes, least: notes.min(1) * 2, most: notes.min(1) + notes },
        if board.plan.description.is_empty() {
            Wish { part: Part::Description, least: 0, most: 0 }
        } else {
            Wish::line(Part::Description)
        },
    ]
}

/// Draws a line at the top of an area.
fn first_line(line: Line<'_>, area: Rect, buffer: &mut ratatui::buffer::Buffer) {
    line.render(Rect { height: area.height.min(1), ..area }, buffer);
}

#[cfg(test)]
mod tests;
