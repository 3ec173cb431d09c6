//! One connection and the lanes on it: a visitor with one, an agent with many.
//! A lane says the next message as soon as one was acknowledged and something was
//! heard, so that a system is held up by what it does slowest: one that
//! acknowledges before it delivers would be buried otherwise.

use super::lane::Lane;
use super::{Counters, Phase};
use crate::adapters::{Heard, Link, LinkError};
use frontdesk_loadtest::payload::Side;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::watch;

pub(super) struct Party<L> {
    link: L,
    side: Side,
    window: u32,
    bytes: usize,
    counters: Arc<Counters>,
    phase: Phase,
    lanes: HashMap<u32, Lane>,
}

impl<L: Link> Party<L> {
    pub(super) fn new(
        link: L,
        side: Side,
        (window, bytes): (u32, usize),
        counters: Arc<Counters>,
    ) -> Self {
        let (phase, lanes) = (Phase::Opening, HashMap::new());
        Self { link, side, window, bytes, counters, phase, lanes }
    }

    /// Until the phase is over; gives the lanes for the account.
    pub(super) async fn run(
        mut self,
        mut phase: watch::Receiver<Phase>,
    ) -> Result<Vec<Lane>, LinkError> {
        let mut heard = Vec::new();
        loop {
            tokio::select! {
                told = self.link.hear(&mut heard) => told?,
                changed = phase.changed() => {
                    let now = *phase.borrow_and_update();
                    self.phase = if changed.is_ok() { now } else { Phase::Over };
                    match self.phase {
                        Phase::Opening | Phase::Ending => {}
                        Phase::Talking => self.begin(),
                        Phase::Over => return Ok(self.lanes.into_values().collect()),
                    }
                }
            }
            self.take(&mut heard);
            self.link.flush().await?;
        }
    }

    fn begin(&mut self) {
        let mut sent = 0;
        for lane in self.lanes.values_mut() {
            sent += say(&mut self.link, lane, self.bytes);
        }
        self.counters.sent.fetch_add(sent, Relaxed);
    }

    fn take(&mut self, heard: &mut Vec<Heard>) {
        let (mut sent, mut acknowledged, mut received) = (0, 0, 0);
        for heard in heard.drain(..) {
            let (Heard::Ready { pair }
            | Heard::Acknowledged { pair, .. }
            | Heard::Received { pair, .. }) = heard;
            let lane = self.lanes.entry(pair).or_insert_with(|| {
                self.counters.ready.fetch_add(1, Relaxed);
                Lane::new(pair, self.side, self.window)
            });
            match heard {
                Heard::Ready { .. } => continue,
                Heard::Acknowledged { .. } => {
                    acknowledged += 1;
                    lane.told();
                }
                Heard::Received { label, .. } => {
                    received += 1;
                    lane.heard(label);
                }
            }
            if self.phase == Phase::Talking {
                sent += say(&mut self.link, lane, self.bytes);
            }
        }
        self.counters.sent.fetch_add(sent, Relaxed);
        self.counters.acknowledged.fetch_add(acknowledged, Relaxed);
        self.counters.received.fetch_add(received, Relaxed);
    }
}

/// Says all that may be said; how many that are.
fn say<L: Link>(link: &mut L, lane: &mut Lane, bytes: usize) -> u64 {
    let mut said = 0;
    while let Some(label) = lane.speak() {
        link.say(label.pair, label.number, label.text(bytes));
        said += 1;
    }
    said
}
