//! What runs against what, and how far it is.

use super::{Palette, first_line};
use crate::board::Board;
use crate::number::{clock, one_line};
use frontdesk_results::{Model, PhaseKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::symbols::line::{HORIZONTAL, THICK_HORIZONTAL};
use ratatui::text::{Line, Span};
use ratatui::widgets::{LineGauge, Widget};
use std::time::Duration;

/// Width of the words beside a gauge.
const WORDS: u16 = 26;

pub(super) fn title(board: &Board, palette: Palette) -> Line<'static> {
    let plan = &board.plan;
    let model = match plan.model {
        Model::Open => Span::styled("open model", palette.quiet()),
        // Its latencies are not what a user would see: that must not be missed.
        Model::Closed => Span::styled("closed model", palette.doubtful()),
    };
    let workers = if plan.workers == 1 { "worker" } else { "workers" };
    let mut spans = vec![
        Span::styled(one_line(&plan.scenario), palette.strong()),
        Span::raw("  "),
        model,
        Span::styled(format!("  {} {workers}  ", plan.workers), palette.quiet()),
    ];
    if plan.targets.len() > 1 {
        spans.push(Span::styled(format!("{} targets: ", plan.targets.len()), palette.quiet()));
    }
    spans.push(Span::raw(plan.targets.join(", ")));
    Line::from(spans)
}

pub(super) fn description(board: &Board, palette: Palette) -> Line<'static> {
    Line::styled(one_line(&board.plan.description), palette.quiet())
}

/// The phase at hand and how much of it is over.
pub(super) fn phase(board: &Board, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let plan = &board.plan;
    let Some((number, phase)) = plan.phase_at(board.at) else {
        let words = if board.at < plan.total { "between phases" } else { "the load has ended" };
        first_line(Line::styled(words, palette.strong()), area, buffer);
        return;
    };
    let kind = kind(phase.kind);
    let mut words = vec![Span::styled(one_line(&phase.name), palette.strong())];
    if phase.name != kind {
        words.push(Span::styled(format!(" {kind}"), palette.quiet()));
    }
    words.push(Span::styled(format!(" {}/{}", number + 1, plan.phases.len()), palette.quiet()));
    let progress = Progress { from: phase.from, at: board.at, to: phase.to };
    progress.draw(Line::from(words), palette, area, buffer);
}

/// The whole run, or the next fault when there is one to come.
pub(super) fn run(board: &Board, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let plan = &board.plan;
    let words = match plan.next_fault(board.at) {
        Some(fault) => Line::from(vec![
            Span::styled(one_line(&fault.name), palette.fault()),
            Span::raw(format!(" in {}", clock(fault.at.saturating_sub(board.at)))),
        ]),
        None => Line::raw("run"),
    };
    let progress = Progress { from: Duration::ZERO, at: board.at.min(plan.total), to: plan.total };
    progress.draw(words, palette, area, buffer);
}

fn kind(kind: PhaseKind) -> &'static str {
    match kind {
        PhaseKind::Ramp => "ramp",
        PhaseKind::Steady => "steady",
        PhaseKind::Spike => "spike",
        PhaseKind::Soak => "soak",
        PhaseKind::Storm => "storm",
        PhaseKind::Churn => "churn",
    }
}

/// How far something is.
struct Progress {
    from: Duration,
    at: Duration,
    to: Duration,
}

impl Progress {
    /// How much of it is over, 0–1.
    fn ratio(&self) -> f64 {
        let (done, all) = (self.at.saturating_sub(self.from), self.to.saturating_sub(self.from));
        if all.is_zero() { 1.0 } else { (done.as_secs_f64() / all.as_secs_f64()).min(1.0) }
    }

    fn draw(&self, words: Line<'_>, palette: Palette, area: Rect, buffer: &mut Buffer) {
        let left = self.to.saturating_sub(self.at);
        let whole = self.to.saturating_sub(self.from);
        let times = format!("{:>7} left of {:<7}", clock(left), clock(whole));
        let width = WORDS.max(u16::try_from(words.width()).unwrap_or(u16::MAX));
        let [beside, gauge] =
            Layout::horizontal([Constraint::Max(width), Constraint::Min(0)]).spacing(1).areas(area);
        first_line(words, beside, buffer);
        LineGauge::default()
            .ratio(self.ratio())
            .label(times)
            .filled_symbol(THICK_HORIZONTAL)
            .unfilled_symbol(HORIZONTAL)
            .filled_style(palette.first_curve())
            .unfilled_style(palette.quiet())
            .render(gauge, buffer);
    }
}
