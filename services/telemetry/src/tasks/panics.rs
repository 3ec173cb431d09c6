//! Panics, as events of the log like all others: once each, with the task or thread, the
//! place, and what was said when that was written in the code. What was put together when
//! it happened is left out: it may hold what people said.

use super::running;
use metrics::counter;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::thread;

/// Has panics logged and counted from now on, instead of printed. For the process, after
/// logs and metrics have been set up.
pub fn log_panics() {
    // A series that is there before anything happens: rates of it can be asked for.
    counter!("frontdesk_tasks_panics_total").increment(0);
    panic::set_hook(Box::new(log));
}

fn log(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let task = running().or(thread.name()).unwrap_or("unnamed");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let said = panic.payload().downcast_ref::<&'static str>().copied();
    let said = said.unwrap_or("(put together at run time, not shown)");
    counter!("frontdesk_tasks_panics_total").increment(1);
    // Only where RUST_BACKTRACE asks for it.
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(task, place, said, trace, "a task has panicked");
}
