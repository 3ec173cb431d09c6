//! What stands on terminals of several sizes.

use super::*;
use crate::board::tests::{plan, row};
use crate::plan::Row;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

/// A run in which everything happens: twenty seconds, a fault, a violation.
fn eventful() -> Board {
    let mut board = Board::new(plan());
    for at in 1..=20_u64 {
        let rate = if (15..18).contains(&at) { 0.0 } else { 4_998.0 };
        let mut row = row(
            at,
            &[
                ("sent_per_s", 5_000.0),
                ("acknowledged_per_s", rate),
                ("delivered_per_s", rate),
                ("receipt_p50_ms", 3.125),
                ("receipt_p99_ms", 12.5 * at as f64),
                ("ack_p50_ms", 2.0),
                ("ack_p99_ms", 9.0),
                ("connections", 1_200.0),
                ("conversations", 600.0),
                ("waiting", 3.0),
                ("reconnects_per_s", 0.0),
                ("deferred_per_s", 0.0),
                ("server_cores", 0.42),
                ("server_mib", 210.0),
                ("generator_cores", 0.61),
                ("stolen", 0.031),
            ],
        );
        if at == 15 {
            row.notes.push("fault kill-owner: done".into());
        }
        if at >= 16 {
            row.violations = 2;
            row.first_offence = Some("lost: conversation 0192, visitor's 7".into());
        }
        board.take(&row);
    }
    board
}

fn drawn(board: &Board, coloured: bool, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let palette = Palette::new(coloured);
    terminal.draw(|frame| draw(frame, board, palette, Duration::ZERO)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width.max(1));
    let rows = buffer.content.chunks(width);
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>()).collect()
}

fn line_with(lines: &[String], word: &str) -> String {
    let found = lines.iter().find(|line| line.contains(word));
    found.unwrap_or_else(|| panic!("no {word:?} in\n{}", lines.join("\n"))).clone()
}

#[test]
fn a_usual_terminal_shows_everything() {
    let lines = lines(&drawn(&eventful(), true, 80, 30));
    let title = line_with(&lines, "failover");
    for word in ["open model", "2 workers", "2 targets: http://127.0.0.1:8080"] {
        assert!(title.contains(word), "{title}");
    }
    let phase = line_with(&lines, "steady 2/2");
    assert!(phase.contains("0:10 left of 0:20"), "{phase}");
    assert!(phase.contains('━') && phase.contains('─'), "{phase}");
    assert!(line_with(&lines, "receipt p99 ms").contains("250"), "now and peak");
    assert!(line_with(&lines, "delivered/s").contains("4,998"));
    assert!(line_with(&lines, "audit").contains("2 violations  first: lost: conversation 0192"));
    assert!(line_with(&lines, "0:15  fault").contains("kill-owner: done"));
    line_with(&lines, "q or Ctrl-C");
    line_with(&lines, "One owner dies");
    // Braille dots of a curve.
    let dots = |line: &String| line.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    assert!(lines.iter().filter(|line| dots(line)).count() >= 4);
}

#[test]
fn percentiles_have_no_mean() {
    let lines = lines(&drawn(&eventful(), true, 50, 40));
    let values = |word: &str| {
        let line = line_with(&lines, word);
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(values("receipt p99 ms"), ["receipt", "p99", "ms", "250", "–", "250"]);
    assert_eq!(values("server cores"), ["server", "cores", "0.42", "0.42", "0.42"]);
}

#[test]
fn the_audit_is_what_a_single_row_shows() {
    let lines = lines(&drawn(&eventful(), true, 40, 1));
    assert!(lines[0].starts_with("audit  2 violations"), "{lines:?}");
}

#[test]
fn nothing_is_coloured_when_nobody_wants_colours() {
    let board = eventful();
    let colours = |coloured| {
        let buffer = drawn(&board, coloured, 80, 30);
        buffer.content.iter().filter(|c| c.fg != Color::Reset || c.bg != Color::Reset).count()
    };
    assert_eq!(colours(false), 0);
    assert!(colours(true) > 20);
}

#[test]
fn a_broken_promise_is_red_and_a_kept_one_green() {
    let colour_of = |board: &Board, word: &str| {
        let buffer = drawn(board, true, 80, 30);
        let lines = lines(&buffer);
        let y = lines.iter().position(|line| line.contains(word)).unwrap();
        buffer[(7, y as u16)].fg
    };
    assert_eq!(colour_of(&eventful(), "2 violations"), Color::Red);
    assert_eq!(colour_of(&Board::new(plan()), "no violations"), Color::Green);
}

#[test]
fn before_the_first_second_and_behind_the_last_there_is_a_picture() {
    let mut board = Board::new(plan());
    let early = lines(&drawn(&board, true, 80, 24));
    line_with(&early, "waiting for the first second");
    line_with(&early, "kill-owner in 0:15");
    board.take(&row(31, &[("delivered_per_s", 1.0)]));
    line_with(&lines(&drawn(&board, true, 80, 24)), "the load has ended");
}

#[test]
fn a_run_without_messages_shows_its_connections() {
    let mut board = Board::new(plan());
    for at in 1..10 {
        let connections = at as f64 * 1_000.0;
        board.take(&row(at, &[("connections", connections), ("server_mib", connections / 500.0)]));
    }
    let lines = lines(&drawn(&board, true, 80, 24));
    let titles = line_with(&lines, "connections─");
    assert!(titles.contains("server MiB"), "{titles}");
}

#[test]
fn silence_and_a_request_to_stop_are_said() {
    let mut board = Board::new(plan());
    let silence = Duration::from_secs(5);
    let said = |board: &Board, silence| foot::help(board, Palette::new(true), silence).to_string();
    assert_eq!(said(&board, silence), "nothing heard for 5 s");
    assert!(said(&board, Duration::ZERO).contains("Ctrl-C"));
    board.stopping = true;
    assert_eq!(said(&board, silence), "ending the run …");
}

/// 9e307 had the canvas count dots for ever: it times the width is infinite.
#[test]
fn values_that_cannot_be_are_drawn_at_once() {
    for value in [-f64::MAX, -9e307, -1.0, 5e-324, 1e-300, 1e300, 9e307, f64::MAX] {
        let mut board = eventful();
        board.take(&row(31, &[("delivered_per_s", value), ("receipt_p99_ms", value)]));
        drawn(&board, true, 119, 49);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_size_is_too_small(width in 0_u16..120, height in 0_u16..50, any in any_row()) {
        let mut board = eventful();
        drawn(&board, true, width, height);
        board.take(&any);
        drawn(&board, true, width, height);
        drawn(&Board::new(plan()), false, width, height);
    }
}

/// Values that nobody expects.
fn any_row() -> impl Strategy<Value = Row> {
    (any::<f64>(), any::<f64>(), 0_u64..1_000_000, any::<String>()).prop_map(
        |(rate, latency, at, note)| Row {
            notes: vec![note],
            ..row(at, &[("delivered_per_s", rate), ("receipt_p99_ms", latency)])
        },
    )
}
