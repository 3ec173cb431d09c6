//! One side of one conversation: what it will say, has said, been told and
//! heard.

use super::common::Common;
use crate::audit::{Account, Dossier, Ear};
use crate::payload::{Payload, Side, Speaker};
use crate::plan::{Dice, Line, Plan, Schedule, Script};
use crate::scenario::Pace;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A message without a final answer.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    intended: Duration,
    sent: Duration,
}

/// What is said next.
#[derive(Debug)]
enum Talk {
    Scripted(VecDeque<Line>),
    AtRate(Box<Schedule>),
    /// As many as are unacknowledged.
    Window(u32),
    Nothing,
}

/// The next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    /// When, since the run's begin.
    pub(super) at: Duration,
    pub(super) bytes: u32,
    pub(super) attachment: bool,
    pub(super) typing: bool,
}

pub(super) struct Lane {
    pub(super) conversation: String,
    pub(super) number: u32,
    pub(super) side: Side,
    pub(super) ear: Ear,
    pub(super) script: Script,
    /// The agent who has the conversation, and how many have had it so far.
    pub(super) holder: Option<String>,
    pub(super) segment: u16,
    /// The queue it waited in last.
    pub(super) queue: String,
    /// Messages of agents in the events so far.
    pub(super) agent_lines: usize,
    /// Messages that were heard before the conversation was this person's, and
    /// that nobody else has heard live.
    pub(super) heard_before: u64,
    /// An agent's: how often the events so far say that it got the conversation.
    pub(super) turns: u32,
    /// Whether the conversation is this person's now: what comes is not history.
    pub(super) present: bool,
    /// Whether this person talks in it now.
    pub(super) active: bool,
    pub(super) closed: bool,
    pub(super) dice: Dice,
    spoken: BTreeMap<Speaker, Account>,
    speaker: Speaker,
    waiting: BTreeMap<u32, Waiting>,
    talk: Talk,
    /// When the talk began, since the run's begin.
    base: Duration,
    next: Option<Next>,
}

impl Lane {
    pub(super) fn new(common: &Common, conversation: String, number: u32, side: Side) -> Self {
        let seed = common.scenario.seed;
        Self {
            ear: Ear::new(common.run, number, conversation.clone(), side.name(), Some(side)),
            conversation,
            number,
            side,
            script: Plan::script(&common.scenario, number),
            holder: None,
            segment: 0,
            queue: String::new(),
            agent_lines: 0,
            heard_before: 0,
            turns: 0,
            present: side == Side::Visitor,
            active: false,
            closed: false,
            dice: Dice::of(seed, if side == Side::Agent { "agent's" } else { "visitor's" }, number),
            spoken: BTreeMap::new(),
            speaker: Speaker::VISITOR,
            waiting: BTreeMap::new(),
            talk: Talk::Nothing,
            base: Duration::ZERO,
            next: None,
        }
    }

    /// The talk begins: at `base`, or for an agent who takes over so late that
    /// the next line is due at `now`.
    pub(super) fn begin(&mut self, common: &Common, base: Duration, now: Duration) {
        self.active = true;
        self.base = base;
        if self.side == Side::Agent {
            self.speaker = Speaker::agent(self.segment);
        }
        self.talk = match common.scenario.load.talk.pace {
            Pace::Silent => Talk::Nothing,
            Pace::Window(window) => Talk::Window(window),
            Pace::Rate { .. } => {
                let schedule = Plan::schedule(&common.scenario, self.number, self.side);
                schedule.map_or(Talk::Nothing, |schedule| Talk::AtRate(Box::new(schedule)))
            }
            Pace::Script { .. } => Talk::Scripted(self.remaining_lines()),
        };
        if let (Talk::Scripted(lines), true) = (&self.talk, self.segment > 1)
            && let Some(first) = lines.front()
        {
            self.base = base.max(now.saturating_sub(first.at));
        }
    }

    /// Lines of this side that nobody has said, up to the hand-over.
    fn remaining_lines(&self) -> VecDeque<Line> {
        let said = if self.side == Side::Agent { self.agent_lines } else { 0 };
        let last = match self.script.transfer_after {
            Some(after) if self.side == Side::Agent && self.segment == 1 => after,
            _ => self.script.lines.len(),
        };
        let mine = self.script.lines[..last].iter().filter(|line| line.side == self.side);
        mine.skip(said).copied().collect()
    }

    /// When this agent hands the conversation over.
    pub(super) fn transfer_at(&self) -> Option<Duration> {
        let after = self.script.transfer_after.filter(|_| self.segment == 1)?;
        let (before, behind) = (self.script.lines.get(after - 1)?, self.script.lines.get(after)?);
        Some(self.base + (before.at + behind.at) / 2)
    }

    /// When this side closes the conversation.
    pub(super) fn close_at(&self) -> Option<Duration> {
        let handed_over = self.side == Side::Agent && self.transfer_at().is_some();
        let ending = self.script.ending.filter(|e| e.by == self.side && !handed_over)?;
        Some(self.base + ending.at)
    }

    /// How many messages may go out at once when it begins.
    pub(super) fn window(&self) -> u32 {
        if let Talk::Window(window) = self.talk { window } else { 0 }
    }

    /// The next message of a schedule; the same until it is taken.
    pub(super) fn peek(&mut self, common: &Common) -> Option<Next> {
        if self.next.is_none() {
            self.next = match &mut self.talk {
                Talk::Scripted(lines) => lines.pop_front().map(|line| Next {
                    at: self.base + line.at,
                    bytes: line.bytes,
                    attachment: line.attachment,
                    typing: line.typing,
                }),
                Talk::AtRate(schedule) => {
                    let at = schedule.next();
                    at.map(|at| self.base + at).map(|at| self.improvised(common, at))
                }
                Talk::Window(_) | Talk::Nothing => None,
            };
        }
        self.next
    }

    /// The message that [`Lane::peek`] shows.
    pub(super) fn take(&mut self) -> Option<Next> {
        self.next.take()
    }

    /// A message outside any script.
    pub(super) fn improvised(&mut self, common: &Common, at: Duration) -> Next {
        let talk = &common.scenario.load.talk;
        Next {
            at,
            bytes: talk.length_bytes.draw(&mut self.dice).round() as u32,
            attachment: self.dice.happens(talk.attachments),
            typing: self.dice.happens(talk.typing),
        }
    }

    /// Puts a message down as sent; gives its number and text.
    pub(super) fn speak(
        &mut self,
        common: &Common,
        intended: Duration,
        bytes: u32,
    ) -> (u32, String) {
        let account = self.spoken.entry(self.speaker).or_default();
        account.sent += 1;
        let number = account.sent;
        self.waiting.insert(number, Waiting { intended, sent: common.since() });
        let (run, conversation, speaker) = (common.run, self.number, self.speaker);
        let payload = Payload { run, conversation, speaker, number, intended };
        (number, payload.encode(bytes as usize))
    }

    /// The id under which a message is repeated.
    pub(super) fn client_msg_id(&self, common: &Common, number: u32) -> String {
        format!("{:x}-{:x}-{number:x}", common.run, self.speaker.segment)
    }

    /// The server says a message is durable; gives intended and actual sending
    /// time once.
    pub(super) fn acknowledged(
        &mut self,
        number: u32,
        seq: Option<u32>,
    ) -> Option<(Duration, Duration)> {
        let waiting = self.waiting.remove(&number)?;
        self.spoken.entry(self.speaker).or_default().acknowledge(number, seq);
        Some((waiting.intended, waiting.sent))
    }

    /// Refused for good: nobody must hear it, but somebody may.
    pub(super) fn refused(&mut self, number: u32) {
        self.waiting.remove(&number);
    }

    /// The first message whose answer is missing.
    pub(super) fn waits_for(&self) -> Option<u32> {
        self.waiting.keys().next().copied()
    }

    /// A message is sent again: it may be appended after later ones.
    pub(super) fn repeated(&mut self, number: u32) {
        self.spoken.entry(self.speaker).or_default().repeated.insert(number);
    }

    /// Everything unacknowledged is sent again.
    pub(super) fn all_repeated(&mut self) {
        let again = self.waiting.keys().copied();
        self.spoken.entry(self.speaker).or_default().repeated.extend(again);
    }

    /// The audit's part of this side.
    pub(super) fn into_dossier(self, complete: bool) -> Dossier {
        Dossier {
            number: self.number,
            conversation: self.conversation,
            listener: self.side.name().to_owned(),
            complete,
            spoken: self.spoken,
            heard: self.ear.into_heard(),
        }
    }
}
