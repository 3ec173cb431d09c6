//! Doubles for the tests of this crate: a journal that fails on demand, a bus
//! and an observer that remember, a clock that follows the paused one.

mod bus;
mod journal;
mod world;

pub(crate) use bus::{RecordingBus, RecordingObserver};
pub(crate) use journal::{FakeJournal, Fault, STALL};
pub(crate) use world::{World, agent, conversation, gateway, message, settle, start, visitor};
