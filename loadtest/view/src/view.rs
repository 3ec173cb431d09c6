//! The thread that shows a run. All writing is done there: a terminal may block
//! for as long as it likes, and the load goes on.

use crate::board::Board;
use crate::plain::Plain;
use crate::plan::{Plan, Row};
use crate::screen::{Input, Screen};
use crate::stop::Stop;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What waits to be shown; when it is full, more is not shown.
const BACKLOG: usize = 64;
/// How soon a row or a key is noticed.
const TICK: Duration = Duration::from_millis(100);
/// Oldest that a picture becomes when nothing happens.
const REDRAW: Duration = Duration::from_secs(1);

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A picture when standard error is a terminal that can show one, else lines.
    Auto,
    /// Lines.
    Plain,
}

enum Message {
    Row(Row),
    Say(String),
}

/// Shows a run until it is finished or dropped. Shows on standard error.
#[derive(Debug)]
pub struct View {
    /// `None` once it is to end.
    messages: Option<SyncSender<Message>>,
    /// Ends when there can be no more messages.
    thread: Option<JoinHandle<()>>,
}

impl View {
    /// Begins to show a run; what this gives beside is for who ends the run. Must be
    /// called in a runtime. Fails when there can be no thread or no signals.
    pub fn start(plan: Plan, mode: Mode) -> io::Result<(Self, Stop)> {
        let (keys, presses) = watch::channel(0);
        let stop = Stop::new(presses)?;
        let picture = mode == Mode::Auto && Screen::possible();
        let view = Self::spawn(move |messages| {
            let board = Board::new(plan);
            match picture.then(Screen::open) {
                Some(Ok(screen)) => pictures(screen, board, &messages, &keys),
                // A terminal that cannot be taken over still has lines.
                Some(Err(_)) | None => {
                    let mut plain = Plain::new(io::stderr(), board);
                    plain.introduce();
                    lines(plain, &messages);
                }
            }
        })?;
        Ok((view, stop))
    }

    fn spawn(show: impl FnOnce(Receiver<Message>) + Send + 'static) -> io::Result<Self> {
        let (messages, received) = sync_channel(BACKLOG);
        let thread = std::thread::Builder::new().name("view".into());
        let thread = thread.spawn(move || show(received))?;
        Ok(Self { messages: Some(messages), thread: Some(thread) })
    }

    /// Shows one second of the run. Never waits: when the terminal has been stuck
    /// for a minute, the row is not shown.
    pub fn row(&self, row: Row) {
        self.send(Message::Row(row));
    }

    /// Shows a line, with the time of the run; as [`View::row`] does.
    pub fn say(&self, text: impl Into<String>) {
        self.send(Message::Say(text.into()));
    }

    /// Shows what is left, and gives the terminal back; blocks for a tenth of a
    /// second, or for as long as the terminal does. Print as usual after it.
    pub fn finish(self) {
        drop(self);
    }

    fn send(&self, message: Message) {
        if let Some(messages) = &self.messages {
            // Full, or the thread has panicked and said so: the run goes on.
            let _ = messages.try_send(message);
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has been said where it happened.
            let _ = thread.join();
        }
    }
}

/// Writes lines until there are no more messages.
fn lines<W: Write>(mut plain: Plain<W>, messages: &Receiver<Message>) {
    for message in messages {
        match message {
            Message::Row(row) => plain.row(&row),
            Message::Say(text) => plain.say(&text),
        }
    }
    plain.finish();
}

/// Draws pictures until there are no more messages; and goes on with lines when
/// the terminal is lost before.
fn pictures(
    mut screen: Screen,
    mut board: Board,
    messages: &Receiver<Message>,
    keys: &watch::Sender<u32>,
) {
    let ended = draw_all(&mut screen, &mut board, messages, keys);
    // The terminal is given back before anything is written below the picture.
    drop(screen);
    // They went away with the picture.
    let notes = std::mem::take(&mut board.notes);
    let mut plain = Plain::new(io::stderr(), board);
    for note in notes {
        plain.note(&note);
    }
    if !ended {
        lines(plain, messages);
    }
}

/// Whether it ended because there are no more messages.
fn draw_all(
    screen: &mut Screen,
    board: &mut Board,
    messages: &Receiver<Message>,
    keys: &watch::Sender<u32>,
) -> bool {
    let (mut last_row, mut last_picture) = (Instant::now(), None::<Instant>);
    // A terminal that gives no keys any more is still looked at.
    let mut has_keys = true;
    loop {
        let mut changed = false;
        if has_keys {
            match screen.wait(TICK) {
                Ok(Input::Stop) => {
                    board.stopping = true;
                    keys.send_modify(|count| *count = count.wrapping_add(1));
                    changed = true;
                }
                Ok(Input::Redraw) => changed = true,
                Ok(Input::Nothing) => {}
                Err(_) => has_keys = false,
            }
        }
        let wait = if has_keys { Duration::ZERO } else { TICK };
        match take_all(board, messages, wait) {
            Taken::Nothing => {}
            Taken::Row => (changed, last_row) = (true, Instant::now()),
            Taken::End => return true,
        }
        let due = last_picture.is_none_or(|at| changed || at.elapsed() >= REDRAW);
        if !screen.is_ours() || (due && screen.show(board, last_row.elapsed()).is_err()) {
            return false;
        }
        if due {
            last_picture = Some(Instant::now());
        }
    }
}

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Nothing,
    Row,
    End,
}

/// Takes what has come, waiting for the first of it.
fn take_all(board: &mut Board, messages: &Receiver<Message>, wait: Duration) -> Taken {
    let mut taken = Taken::Nothing;
    let mut next = messages.recv_timeout(wait).map_err(|error| match error {
        RecvTimeoutError::Timeout => TryRecvError::Empty,
        RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
    });
    loop {
        match next {
            Ok(Message::Row(row)) => board.take(&row),
            Ok(Message::Say(text)) => board.say(&text),
            Err(TryRecvError::Empty) => return taken,
            Err(TryRecvError::Disconnected) => return Taken::End,
        }
        taken = Taken::Row;
        next = messages.try_recv();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{plan, row};
    use std::sync::mpsc;

    /// Whatever is written is sent on.
    struct Sent(mpsc::Sender<Vec<u8>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn all_that_was_given_is_shown_before_a_view_has_finished() {
        let (out, written) = mpsc::channel();
        let view = View::spawn(move |messages| {
            lines(Plain::new(Sent(out), Board::new(plan())), &messages);
        });
        let view = view.unwrap();
        view.row(row(1, &[("sent_per_s", 10.0)]));
        view.say("reading back");
        view.finish();
        let text: Vec<u8> = written.iter().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("0:01  ! reading back\n"), "{text}");
        assert!(text.contains("sent    10.0/s"), "{text}");
    }

    #[test]
    fn a_view_that_is_stuck_delays_nobody() {
        let (release, released) = mpsc::channel::<()>();
        let (shown, rows) = mpsc::channel();
        let view = View::spawn(move |messages| {
            // A terminal that takes nothing until somebody lets it.
            let _ = released.recv();
            shown.send(messages.iter().count()).unwrap();
        });
        let view = view.unwrap();
        for at in 0..1_000 {
            view.row(row(at, &[]));
        }
        release.send(()).unwrap();
        view.finish();
        assert_eq!(rows.recv().unwrap(), BACKLOG);
    }

    #[test]
    fn a_view_whose_thread_is_gone_does_no_harm() {
        let view = View::spawn(drop).unwrap();
        view.say("a");
        view.row(row(1, &[]));
        view.finish();
    }

    #[test]
    fn messages_are_taken_in_order_until_there_are_no_more() {
        let (sender, messages) = sync_channel(BACKLOG);
        let mut board = Board::new(plan());
        assert_eq!(take_all(&mut board, &messages, Duration::ZERO), Taken::Nothing);
        sender.send(Message::Row(row(7, &[]))).unwrap();
        sender.send(Message::Say("late".into())).unwrap();
        assert_eq!(take_all(&mut board, &messages, Duration::ZERO), Taken::Row);
        assert_eq!(board.notes.back().unwrap().at, Duration::from_secs(7));
        drop(sender);
        assert_eq!(take_all(&mut board, &messages, Duration::ZERO), Taken::End);
    }
}
