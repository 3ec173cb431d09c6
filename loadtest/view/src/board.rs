//! What a picture is drawn from: the plan and what came of it so far, in bounded
//! memory however long the run. It tells no time by itself.

use crate::figure::{FIGURES, Figure};
use crate::number::one_line;
use crate::plan::{Plan, Row};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Seconds that charts reach back.
pub(crate) const HISTORY: usize = 600;
/// Notes that are kept.
const NOTES: usize = 100;

/// One figure over the phase at hand.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Figures {
    /// In the last second; `None` when it was not measured then.
    pub(crate) now: Option<f64>,
    pub(crate) peak: f64,
    sum: f64,
    seconds: u32,
}

impl Figures {
    pub(crate) fn take(&mut self, value: f64) {
        self.now = Some(value);
        self.peak = if self.seconds == 0 { value } else { self.peak.max(value) };
        self.sum += value;
        self.seconds += 1;
    }

    /// Mean of the seconds in which it was measured.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.seconds > 0).then(|| self.sum / f64::from(self.seconds))
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) at: Duration,
    pub(crate) text: String,
}

/// Everything that is shown.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) plan: Plan,
    /// End of the last second that was heard of.
    pub(crate) at: Duration,
    pub(crate) violations: u64,
    pub(crate) first_offence: Option<String>,
    /// Newest last.
    pub(crate) notes: VecDeque<Note>,
    /// Somebody has asked to end the run.
    pub(crate) stopping: bool,
    phase: Option<usize>,
    figures: BTreeMap<&'static str, Figures>,
    history: VecDeque<(f64, BTreeMap<&'static str, f64>)>,
}

impl Board {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            at: Duration::ZERO,
            violations: 0,
            first_offence: None,
            notes: VecDeque::new(),
            stopping: false,
            phase: None,
            figures: BTreeMap::new(),
            history: VecDeque::new(),
        }
    }

    /// Takes what came of one second.
    pub(crate) fn take(&mut self, row: &Row) {
        // A row belongs to the phase in which its second began.
        let began = row.at.saturating_sub(Duration::from_secs(1));
        let phase = self.plan.phase_at(began).map(|(number, _)| number);
        if phase != self.phase {
            self.phase = phase;
            // Kept by name, so that no line of the table goes away.
            self.figures.values_mut().for_each(|figures| *figures = Figures::default());
        }
        self.at = row.at;
        self.violations = row.violations;
        if self.first_offence.is_none() {
            self.first_offence = row.first_offence.as_deref().map(one_line);
        }
        let measured: BTreeMap<&'static str, f64> = FIGURES
            .iter()
            .filter_map(|figure| Some((figure.column, *row.columns.get(figure.column)?)))
            .filter(|(_, value)| value.is_finite())
            .collect();
        self.figures.values_mut().for_each(|figures| figures.now = None);
        for (column, value) in &measured {
            self.figures.entry(column).or_default().take(*value);
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back((row.at.as_secs_f64(), measured));
        for note in &row.notes {
            self.note(row.at, note);
        }
    }

    /// Takes something that is said outside of a row.
    pub(crate) fn say(&mut self, text: &str) {
        self.note(self.at, text);
    }

    fn note(&mut self, at: Duration, text: &str) {
        if self.notes.len() == NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back(Note { at, text: one_line(text) });
    }

    /// The figures that were ever measured, over the phase at hand.
    pub(crate) fn figures(&self) -> impl Iterator<Item = (Figure, Figures)> {
        FIGURES.iter().filter_map(|figure| Some((*figure, *self.figures.get(figure.column)?)))
    }

    /// A column over the last ten minutes: time in seconds, value.
    pub(crate) fn curve(&self, column: &str) -> Vec<(f64, f64)> {
        let points = self.history.iter();
        points.filter_map(|(at, values)| Some((*at, *values.get(column)?))).collect()
    }

    /// The time that curves are shown over, in seconds: at least a minute.
    pub(crate) fn window(&self) -> (f64, f64) {
        let to = self.at.as_secs_f64();
        let from = self.history.front().map_or(0.0, |(at, _)| (at - 1.0).max(0.0));
        (from, to.max(from + 60.0))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::plan::{PlannedFault, PlannedPhase};
    use frontdesk_results::{Model, PhaseKind};

    /// Ten seconds of ramp, then twenty that are steady with a fault in them.
    pub(crate) fn plan() -> Plan {
        let seconds = Duration::from_secs;
        let phase = |name: &str, kind, from, to| PlannedPhase {
            name: name.into(),
            kind,
            from: seconds(from),
            to: seconds(to),
        };
        Plan {
            scenario: "failover".into(),
            description: "One owner dies under load.".into(),
            model: Model::Open,
            total: seconds(30),
            phases: vec![
                phase("warm-up", PhaseKind::Ramp, 0, 10),
                phase("steady", PhaseKind::Steady, 10, 30),
            ],
            faults: vec![PlannedFault { name: "kill-owner".into(), at: seconds(15) }],
            targets: vec!["http://127.0.0.1:8080".into(), "http://127.0.0.1:8081".into()],
            workers: 2,
        }
    }

    pub(crate) fn row(at: u64, columns: &[(&str, f64)]) -> Row {
        Row {
            at: Duration::from_secs(at),
            columns: columns.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            ..Row::default()
        }
    }

    fn of(board: &Board, column: &str) -> Figures {
        board.figures().find(|(figure, _)| figure.column == column).unwrap().1
    }

    #[test]
    fn figures_are_of_the_phase_at_hand() {
        let mut board = Board::new(plan());
        board.take(&row(9, &[("delivered_per_s", 900.0)]));
        board.take(&row(10, &[("delivered_per_s", 100.0)]));
        let ramp = of(&board, "delivered_per_s");
        assert_eq!((ramp.now, ramp.mean(), ramp.peak), (Some(100.0), Some(500.0), 900.0));
        board.take(&row(11, &[("delivered_per_s", 10.0)]));
        board.take(&row(12, &[]));
        let steady = of(&board, "delivered_per_s");
        assert_eq!((steady.now, steady.mean(), steady.peak), (None, Some(10.0), 10.0));
        assert_eq!(board.curve("delivered_per_s"), [(9.0, 900.0), (10.0, 100.0), (11.0, 10.0)]);
    }

    #[test]
    fn what_is_no_number_or_no_figure_is_not_shown() {
        let mut board = Board::new(plan());
        board.take(&row(1, &[("sent_per_s", f64::NAN), ("mystery", 1.0)]));
        assert_eq!(board.figures().count(), 0);
    }

    #[test]
    fn a_long_run_takes_no_more_room_than_a_short_one() {
        let mut board = Board::new(plan());
        for at in 1..5_000 {
            let note = Row { notes: vec![format!("note {at}")], ..row(at, &[("sent_per_s", 1.0)]) };
            board.take(&note);
        }
        assert_eq!(board.curve("sent_per_s").len(), HISTORY);
        assert_eq!(board.notes.len(), NOTES);
        assert_eq!(board.notes.back().unwrap().text, "note 4999");
        assert_eq!(board.window(), (4_399.0, 4_999.0));
    }

    #[test]
    fn the_first_offence_stays_the_first() {
        let mut board = Board::new(plan());
        for (violations, offence) in [(0, None), (1, Some("first\n")), (2, Some("second"))] {
            let first_offence = offence.map(str::to_owned);
            board.take(&Row { violations, first_offence, ..row(1, &[]) });
        }
        assert_eq!((board.violations, board.first_offence.as_deref()), (2, Some("first")));
    }
}
