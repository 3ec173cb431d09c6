//! The run in lines, for logs and pipes: one every five seconds of the run, and
//! one at once for whatever happens. Values stand under each other.

use crate::board::{Board, Figures, Note};
use crate::figure::{
    CONNECTIONS, DELIVERED, FIGURES, Kind, RECEIPT_P50, RECEIPT_P99, SENT, SERVER_CORES,
    SERVER_MIB, WAITING,
};
use crate::number::{NOTHING, clock, one_line, whole};
use crate::plan::{Plan, Row};
use frontdesk_results::Model;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// A line stands for so much of the run.
const EVERY: Duration = Duration::from_secs(5);

/// Writes lines. Whoever reads them may go away: that ends no run.
pub(crate) struct Plain<W> {
    out: W,
    board: Board,
    /// Since the last line.
    since: BTreeMap<&'static str, Figures>,
    /// End of what the last line stood for.
    line_at: Duration,
}

impl<W: Write> Plain<W> {
    /// Goes on from a board; says nothing yet.
    pub(crate) fn new(out: W, board: Board) -> Self {
        let line_at = board.at;
        Self { out, board, since: BTreeMap::new(), line_at }
    }

    /// Says what is going to happen.
    pub(crate) fn introduce(&mut self) {
        for line in introduction(&self.board.plan) {
            self.line(&line);
        }
    }

    /// Takes one second of the run.
    pub(crate) fn row(&mut self, row: &Row) {
        let violated_before = self.board.violations > 0;
        self.board.take(row);
        for figure in FIGURES {
            if let Some(value) = row.columns.get(figure.column).filter(|value| value.is_finite()) {
                self.since.entry(figure.column).or_default().take(*value);
            }
        }
        for note in &row.notes {
            self.say(note);
        }
        if row.violations > 0 && !violated_before {
            let offence = row.first_offence.as_deref().unwrap_or("see the result");
            self.say(&format!("VIOLATION: {offence}"));
        }
        if row.at >= self.line_at + EVERY {
            self.progress();
        }
    }

    /// Writes one thing that happened, at once.
    pub(crate) fn say(&mut self, text: &str) {
        self.note(&Note { at: self.board.at, text: one_line(text) });
    }

    /// Writes one thing that happened before.
    pub(crate) fn note(&mut self, note: &Note) {
        self.line(&format!("{:>7}  ! {}", clock(note.at), note.text));
    }

    /// Writes what no line has stood for yet.
    pub(crate) fn finish(&mut self) {
        if self.board.at > self.line_at {
            self.progress();
        }
    }

    fn progress(&mut self) {
        let line = self.summary();
        self.line(&line);
        self.since.clear();
        self.line_at = self.board.at;
    }

    fn summary(&self) -> String {
        let began = self.board.at.saturating_sub(Duration::from_secs(1));
        let phase = self.board.plan.phase_at(began);
        let phase = phase.map_or_else(|| NOTHING.to_owned(), |(_, phase)| one_line(&phase.name));
        let mut line = format!(
            "{:>7}  {phase:<12}  sent {:>7}/s  delivered {:>7}/s  receipt p50 {:>6} p99 {:>6} ms  \
             connections {:>7}  waiting {:>6}",
            clock(self.board.at),
            self.value(SENT),
            self.value(DELIVERED),
            self.value(RECEIPT_P50),
            self.value(RECEIPT_P99),
            self.value(CONNECTIONS),
            self.value(WAITING),
        );
        // A server that cannot be seen has no place in every line.
        if self.since.contains_key(SERVER_CORES) || self.since.contains_key(SERVER_MIB) {
            let (cores, mib) = (self.value(SERVER_CORES), self.value(SERVER_MIB));
            line.push_str(&format!("  server {cores:>5} cores {mib:>6} MiB"));
        }
        let audit = match self.board.violations {
            0 => "no violations".to_owned(),
            1 => "1 VIOLATION".to_owned(),
            more => format!("{} VIOLATIONS", whole(more as f64)),
        };
        line + "  " + &audit
    }

    /// A column since the last line: of levels the last, of latencies the worst
    /// second (percentiles cannot be averaged), of everything else the mean.
    fn value(&self, column: &str) -> String {
        let value = self.since.get(column).and_then(|figures| {
            let kind = FIGURES.iter().find(|figure| figure.column == column)?.kind;
            let value = match kind {
                Kind::Level => figures.now?,
                Kind::Latency => figures.peak,
                Kind::Rate | Kind::Amount | Kind::Share => figures.mean()?,
            };
            Some(kind.show(value))
        });
        value.unwrap_or_else(|| NOTHING.to_owned())
    }

    fn line(&mut self, line: &str) {
        // There is nobody left to tell when this fails.
        let _ = writeln!(self.out, "{}", line.trim_end()).and_then(|()| self.out.flush());
    }
}

/// The plan in a few lines.
fn introduction(plan: &Plan) -> Vec<String> {
    let model = match plan.model {
        Model::Open => "open model",
        Model::Closed => "closed model",
    };
    let workers = if plan.workers == 1 { "worker" } else { "workers" };
    let about = one_line(&plan.description);
    let mut lines = vec![
        format!("{}  {about}", one_line(&plan.scenario)),
        format!(
            "{model}, {}, {} {workers}, against {}",
            clock(plan.total),
            plan.workers,
            plan.targets.join(", ")
        ),
    ];
    let phases = plan.phases.iter().map(|phase| {
        format!("{} {}–{}", one_line(&phase.name), clock(phase.from), clock(phase.to))
    });
    lines.push(format!("phases: {}", phases.collect::<Vec<_>>().join(", ")));
    if !plan.faults.is_empty() {
        let faults = plan.faults.iter();
        let faults = faults.map(|fault| format!("{} {}", one_line(&fault.name), clock(fault.at)));
        lines.push(format!("faults: {}", faults.collect::<Vec<_>>().join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{plan, row};

    /// The lines that are written, up to the end of the run.
    fn written(rows: &[Row]) -> Vec<String> {
        let mut plain = Plain::new(Vec::new(), Board::new(plan()));
        rows.iter().for_each(|row| plain.row(row));
        plain.finish();
        let text = String::from_utf8(plain.out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn busy(at: u64) -> Row {
        row(
            at,
            &[
                ("sent_per_s", 5_000.0),
                ("delivered_per_s", 4_000.0 + at as f64),
                ("receipt_p50_ms", 3.0),
                ("receipt_p99_ms", if at == 3 { 250.0 } else { 12.0 }),
                ("connections", at as f64 * 100.0),
                ("waiting", 7.0),
                ("server_cores", 0.5),
                ("server_mib", 210.0),
            ],
        )
    }

    #[test]
    fn a_line_stands_for_five_seconds() {
        let lines = written(&(1..=10).map(busy).collect::<Vec<_>>());
        assert_eq!(
            lines,
            [
                "   0:05  warm-up       sent   5,000/s  delivered   4,003/s  receipt p50   3.00 \
                 p99    250 ms  connections     500  waiting      7  server  0.50 cores    210 MiB  \
                 no violations",
                "   0:10  warm-up       sent   5,000/s  delivered   4,008/s  receipt p50   3.00 \
                 p99   12.0 ms  connections   1,000  waiting      7  server  0.50 cores    210 MiB  \
                 no violations",
            ]
        );
    }

    #[test]
    fn what_happens_is_said_at_once_and_a_violation_only_once() {
        let mut rows = vec![busy(1), busy(2), busy(3)];
        rows[1].notes.push("fault kill-owner".into());
        for row in &mut rows[1..] {
            row.violations = 2;
            row.first_offence = Some("lost: conversation 1".into());
        }
        let lines = written(&rows);
        assert_eq!(lines[0], "   0:02  ! fault kill-owner");
        assert_eq!(lines[1], "   0:02  ! VIOLATION: lost: conversation 1");
        assert!(lines[2].starts_with("   0:03  warm-up") && lines[2].ends_with("  2 VIOLATIONS"));
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn what_was_not_measured_is_not_shown_as_zero() {
        let lines = written(&[row(5, &[("connections", 10.0)])]);
        assert!(lines[0].contains("delivered       –/s") && !lines[0].contains("server"));
    }

    #[test]
    fn the_introduction_says_what_will_happen() {
        let mut plain = Plain::new(Vec::new(), Board::new(plan()));
        plain.introduce();
        assert_eq!(
            String::from_utf8(plain.out).unwrap(),
            "failover  One owner dies under load.\n\
             open model, 0:30, 2 workers, against http://127.0.0.1:8080, http://127.0.0.1:8081\n\
             phases: warm-up 0:00–0:10, steady 0:10–0:30\n\
             faults: kill-owner 0:15\n"
        );
    }
}
