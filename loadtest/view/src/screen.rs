//! The terminal: taken over as a whole, and given back however the run ends, also
//! when something panics anywhere in the process. It is standard error, so that
//! standard output stays for the result.

use crate::board::Board;
use crate::draw::{Palette, draw};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use std::io::{self, BufWriter, IsTerminal, Stderr};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether the terminal is ours: a process has only one.
static OURS: AtomicBool = AtomicBool::new(false);
/// The panic hook is set once.
static HOOK: Once = Once::new();
/// A picture is written at once, and not in a hundred pieces.
const PICTURE_BYTES: usize = 64 << 10;

/// What somebody did at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Asked to end the run.
    Stop,
    /// Did something after which the picture may be wrong.
    Redraw,
    /// Nothing, until the time was over.
    Nothing,
}

/// The terminal while it is ours; given back when this is dropped.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stderr>>>,
    palette: Palette,
}

impl Screen {
    /// Whether there is a terminal that can show a picture.
    pub(crate) fn possible() -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|kind| kind.is_empty() || kind == "dumb");
        io::stderr().is_terminal() && !dumb
    }

    /// Takes the terminal over.
    pub(crate) fn open() -> io::Result<Self> {
        HOOK.call_once(leave_on_panic);
        if OURS.swap(true, Ordering::SeqCst) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Self::take_over().inspect_err(|_| leave())
    }

    fn take_over() -> io::Result<Self> {
        enable_raw_mode()?;
        execute!(io::stderr(), EnterAlternateScreen)?;
        let out = BufWriter::with_capacity(PICTURE_BYTES, io::stderr());
        let terminal = Terminal::new(CrosstermBackend::new(out))?;
        Ok(Self { terminal, palette: Palette::from_environment() })
    }

    /// Whether it is still ours: a panic gives it back at once.
    pub(crate) fn is_ours(&self) -> bool {
        OURS.load(Ordering::SeqCst)
    }

    /// Shows a board, in the size that the terminal has now.
    pub(crate) fn show(&mut self, board: &Board, silence: Duration) -> io::Result<()> {
        let palette = self.palette;
        self.terminal.draw(|frame| draw(frame, board, palette, silence)).map(drop)
    }

    /// Waits for somebody to do something. Fails when nobody can.
    pub(crate) fn wait(&self, longest: Duration) -> io::Result<Input> {
        if !event::poll(longest)? {
            return Ok(Input::Nothing);
        }
        Ok(match event::read()? {
            Event::Key(key) if asks_to_stop(key) => Input::Stop,
            _ => Input::Redraw,
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// `q`, Escape or Ctrl-C: the terminal is raw, so that the last is a key too.
fn asks_to_stop(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press
        && match key.code {
            KeyCode::Char('c') => control,
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => !control,
            _ => false,
        }
}

/// Gives the terminal back, once.
fn leave() {
    if OURS.swap(false, Ordering::SeqCst) {
        // Each is worth trying by itself, and nobody can be told of a failure.
        let _ = execute!(io::stderr(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// Gives the terminal back before anything is said about a panic.
fn leave_on_panic() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        leave();
        previous(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_control_c_end_the_run_and_nothing_else_does() {
        let stops = |code, modifiers| asks_to_stop(KeyEvent::new(code, modifiers));
        assert!(stops(KeyCode::Char('q'), KeyModifiers::NONE));
        assert!(stops(KeyCode::Esc, KeyModifiers::NONE));
        assert!(stops(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!stops(KeyCode::Char('c'), KeyModifiers::NONE));
        assert!(!stops(KeyCode::Char('q'), KeyModifiers::CONTROL));
        let released = KeyEventKind::Release;
        let mut key = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        key.kind = released;
        assert!(!asks_to_stop(key));
    }
}
