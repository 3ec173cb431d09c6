//! How far one reader has been served in one conversation: a pure machine.
//!
//! Live events come from the bus, missed ones from history. A reader is *live*
//! while each event's `prev` equals its cursor; otherwise it is *behind*, gets
//! nothing from the bus, and is filled from history until it has seen all that
//! was announced meanwhile. Whatever the interleaving, what it is given is a
//! prefix of what it may see: no gap, no repeat, no other order.

use frontdesk_core::ids::Seq;

/// What to do with a live event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deliver {
    /// Push it; the cursor has moved.
    Push,
    /// Seen before, or the fill will bring it.
    Drop,
    /// The reader has just fallen behind: have it filled.
    FellBehind,
}

/// What a fill does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Read a page after this seq.
    Read {
        /// Exclusive lower bound.
        after: Seq,
        /// Names this fill; a page of another one is ignored.
        generation: u32,
    },
    /// Nothing: the bus serves it again.
    Live,
    /// History does not have yet what was announced: read again shortly.
    Retry,
    /// The reader has seen all it may: it follows no longer.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    /// Events up to `target` were announced; with `probe` there may be more that
    /// nobody announced, so at least one page must be read to its end.
    Behind {
        target: Seq,
        probe: bool,
    },
}

/// The place of one reader in one conversation.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    cursor: Seq,
    state: State,
    generation: u32,
    /// The reader may not see this event nor any after it.
    ends_before: Option<Seq>,
}

impl Follow {
    /// Behind, with a probe: nothing is known yet of what there is.
    pub(crate) fn from(cursor: Seq) -> Self {
        let state = State::Behind { target: Seq::ZERO, probe: true };
        Self { cursor, state, generation: 0, ends_before: None }
    }

    /// Starts anew after `cursor`; `head` is the last event known to exist.
    pub(crate) fn restart(&mut self, cursor: Seq, head: Seq) {
        let announced = match self.state {
            State::Behind { target, .. } => target,
            State::Live => self.cursor,
        };
        self.cursor = cursor;
        self.generation = self.generation.wrapping_add(1);
        self.state = State::Behind { target: head.max(announced), probe: false };
        self.ends_before = None;
    }

    /// Deliveries may have been lost: everything after the cursor is in doubt.
    pub(crate) fn doubt(&mut self) {
        let target = match self.state {
            State::Behind { target, .. } => target,
            State::Live => self.cursor,
        };
        self.generation = self.generation.wrapping_add(1);
        self.state = State::Behind { target, probe: true };
    }

    /// A live event that this reader may see; `prev` is the one before it that
    /// it may see. Without `room` a live reader falls behind.
    pub(crate) fn deliver(&mut self, seq: Seq, prev: Seq, room: bool) -> Deliver {
        if seq <= self.cursor {
            return Deliver::Drop;
        }
        match &mut self.state {
            State::Live if prev == self.cursor && room => {
                self.cursor = seq;
                Deliver::Push
            }
            State::Live => {
                self.state = State::Behind { target: seq, probe: false };
                Deliver::FellBehind
            }
            State::Behind { target, .. } => {
                *target = seq.max(*target);
                Deliver::Drop
            }
        }
    }

    /// The reader may see only what is before `seq`. True when it has seen that
    /// already and can be let go at once.
    pub(crate) fn end_before(&mut self, seq: Seq) -> bool {
        self.ends_before = Some(self.ends_before.map_or(seq, |e| e.min(seq)));
        self.state == State::Live || self.has_ended()
    }

    /// Whether a page may still be used, and then what a fill has to do.
    pub(crate) fn next(&mut self) -> Next {
        let State::Behind { target, probe } = self.state else {
            return Next::Live;
        };
        if self.has_ended() {
            return Next::Ended;
        }
        if !probe && self.cursor >= target {
            self.state = State::Live;
            return Next::Live;
        }
        Next::Read { after: self.cursor, generation: self.generation }
    }

    /// Whether a page that was read for `generation` is of use.
    pub(crate) fn wants_page(&self, generation: u32) -> bool {
        generation == self.generation && self.state != State::Live
    }

    /// An event of a page, in order. True when it is to be pushed.
    pub(crate) fn take(&mut self, seq: Seq) -> bool {
        let wanted = seq > self.cursor && self.ends_before.is_none_or(|e| seq < e);
        if wanted {
            self.cursor = seq;
        }
        wanted
    }

    /// A page has been taken. `more`: history goes on after it; `advanced`: it
    /// brought anything.
    pub(crate) fn page_done(&mut self, more: bool, advanced: bool) -> Next {
        if let State::Behind { probe, .. } = &mut self.state {
            *probe &= more;
        }
        match self.next() {
            Next::Read { .. } if !more && self.ends_before.is_some() => Next::Ended,
            Next::Read { .. } if !more && !advanced => Next::Retry,
            next => next,
        }
    }

    fn has_ended(&self) -> bool {
        self.ends_before.is_some_and(|e| self.cursor.next() >= e)
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
