//! What a queue does when something has been so for long: as people write it, and whether
//! each part of it can ever happen.

use super::check::Check;
use super::document::{Queue, Span};
use frontdesk_core::conversation::{AlarmAction, AlarmKind, Texts};
use frontdesk_core::ids::QueueId;
use frontdesk_core::queue::{AlarmRule, Answer};
use frontdesk_core::time::Millis;
use frontdesk_store::desk::StoredQueue;
use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

/// Rules of one queue.
const MAX_RULES: usize = 16;
/// The shortest time a rule may name.
const MIN_AFTER: Millis = Millis::from_secs(1);
/// Shorter, and visitors would be lost whenever a conversation changes its owner.
const MIN_LOST_AFTER: Millis = Millis::from_secs(5);
/// The longest: a week.
const MAX_AFTER: Millis = Millis::from_mins(7 * 24 * 60);
/// The most that one rule may add.
const MAX_PRIORITY: Millis = Millis::from_mins(24 * 60);
/// Languages of one message, and bytes of it in each.
const MAX_LANGUAGES: usize = 32;
const MAX_MESSAGE_BYTES: usize = 1_000;
/// The shortest time a transfer may wait: an offer has to have a chance.
const MIN_RETURN: Millis = Millis::from_secs(5);
/// The longest: a day.
const MAX_RETURN: Millis = Millis::from_mins(24 * 60);
/// How long a visitor may be gone where a queue says nothing of it.
const LOST_AFTER: Millis = Millis::from_mins(30);
/// What it is told then.
const LOST_MESSAGE: [(&str, &str); 3] = [
    ("de", "Da Sie länger nicht da waren, ist dieser Chat beendet. Sie können ihn fortsetzen."),
    ("en", "You have been away for a while, so this chat has ended. You can take it up again."),
    ("zh", "您已离开一段时间，本次对话已结束。您可以随时继续。"),
];

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alarm {
    on: On,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Span>,
    #[serde(rename = "do")]
    actions: Vec<Action>,
}

/// As `AlarmKind`, in the words of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum On {
    Late,
    LongWait,
    Unanswered,
    Abandoned,
    VisitorLost,
}

/// As `AlarmAction`, in the words of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Priority(Span),
    Queue(QueueId),
    Notify,
    Message(BTreeMap<String, String>),
    Close,
}

impl On {
    const fn word(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::LongWait => "long-wait",
            Self::Unanswered => "unanswered",
            Self::Abandoned => "abandoned",
            Self::VisitorLost => "visitor-lost",
        }
    }

    const fn kind(self) -> AlarmKind {
        match self {
            Self::Late => AlarmKind::Late,
            Self::LongWait => AlarmKind::LongWait,
            Self::Unanswered => AlarmKind::Unanswered,
            Self::Abandoned => AlarmKind::Abandoned,
            Self::VisitorLost => AlarmKind::VisitorLost,
        }
    }

    const fn of(kind: AlarmKind) -> Self {
        match kind {
            AlarmKind::Late => Self::Late,
            AlarmKind::LongWait => Self::LongWait,
            AlarmKind::Unanswered => Self::Unanswered,
            AlarmKind::Abandoned => Self::Abandoned,
            AlarmKind::VisitorLost => Self::VisitorLost,
        }
    }
}

impl Action {
    const fn word(&self) -> &'static str {
        match self {
            Self::Priority(_) => "priority",
            Self::Queue(_) => "queue",
            Self::Notify => "notify",
            Self::Message(_) => "message",
            Self::Close => "close",
        }
    }

    /// Why it can never happen in such a rule.
    const fn is_futile(&self, on: On) -> Option<&'static str> {
        match (on, self) {
            (_, Self::Notify)
            | (On::Late | On::LongWait, Self::Priority(_) | Self::Queue(_) | Self::Message(_))
            | (On::Unanswered, Self::Message(_))
            | (On::VisitorLost, Self::Message(_) | Self::Close) => None,
            (On::Late | On::LongWait, Self::Close) => {
                Some("whoever waits is not closed; max_wait is for that")
            }
            (On::Unanswered, _) => Some("an agent has the conversation"),
            (On::Abandoned, _) => Some("the conversation has ended"),
            (On::VisitorLost, _) => Some("nobody is there to be served"),
        }
    }

    fn stored(&self) -> Option<AlarmAction> {
        Some(match self {
            Self::Priority(span) => {
                AlarmAction::Priority(u32::try_from(span.0.get() / 60_000).unwrap_or(u32::MAX))
            }
            Self::Queue(queue) => AlarmAction::Queue(queue.clone()),
            Self::Notify => AlarmAction::Notify,
            Self::Message(texts) => {
                let texts = texts.iter().map(|(tag, text)| (&**tag, &**text));
                AlarmAction::Message(said(texts)?)
            }
            Self::Close => AlarmAction::Close,
        })
    }

    fn of(stored: &AlarmAction) -> Self {
        match stored {
            AlarmAction::Priority(minutes) => {
                Self::Priority(Span(Millis::from_mins(u64::from(*minutes))))
            }
            AlarmAction::Queue(queue) => Self::Queue(queue.clone()),
            AlarmAction::Notify => Self::Notify,
            AlarmAction::Message(texts) => {
                let texts = texts.iter().map(|(tag, text)| (tag.to_owned(), text.to_owned()));
                Self::Message(texts.collect())
            }
            AlarmAction::Close => Self::Close,
        }
    }
}

fn said<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Option<Texts> {
    Texts::new(texts.into_iter().map(|(tag, text)| (tag.into(), text.into())).collect())
}

/// Where a queue says nothing of lost visitors: after half an hour it ends with words.
fn by_default() -> AlarmRule {
    let message = said(LOST_MESSAGE).map(AlarmAction::Message);
    let actions = message.into_iter().chain([AlarmAction::Close]).collect();
    AlarmRule { on: AlarmKind::VisitorLost, after: Some(LOST_AFTER), actions }
}

/// A queue with what one has that says nothing of alarms and transfers.
pub(crate) fn with_defaults(queue: StoredQueue) -> StoredQueue {
    let transfer_return = Some(transfer_return_by_default().0);
    StoredQueue { alarms: vec![by_default()], transfer_return, ..queue }
}

/// As a document has it that says nothing.
pub(super) const fn transfer_return_by_default() -> Span {
    Span(Millis::from_mins(2))
}

/// The rules of one queue as they are to be stored.
pub(super) fn rules(check: &mut Check, at: Location, queue: &Queue) -> Vec<AlarmRule> {
    if queue.alarms.len() > MAX_RULES {
        check.refuse(at, format!("queue {}: more than {MAX_RULES} alarms", queue.name));
    }
    let mut rules: Vec<AlarmRule> = Vec::new();
    for Spanned { value: alarm, referenced, .. } in &queue.alarms {
        let on = alarm.on.word();
        let mut refuse =
            |why: String| check.refuse(*referenced, format!("queue {}: {on}: {why}", queue.name));
        check_time(alarm, queue, &mut refuse);
        check_actions(alarm, &mut refuse);
        let (kind, after) = (alarm.on.kind(), alarm.after.map(|span| span.0));
        if rules.iter().any(|before| before.on == kind && before.after == after) {
            refuse("is written twice".into());
        }
        let actions = alarm.actions.iter().filter_map(Action::stored).collect();
        rules.push(AlarmRule { on: kind, after, actions });
    }
    if rules.iter().all(|rule| rule.on != AlarmKind::VisitorLost) {
        rules.push(by_default());
    }
    rules
}

fn check_time(alarm: &Alarm, queue: &Queue, refuse: &mut impl FnMut(String)) {
    let least = if alarm.on == On::VisitorLost { MIN_LOST_AFTER } else { MIN_AFTER };
    match (alarm.on, alarm.after) {
        (On::Late, Some(_)) => refuse("after is of no use: it goes by answer_within".into()),
        (On::Late, None) if queue.answer_within.is_none() => {
            refuse("can never be: the queue has no answer_within".into());
        }
        (On::Abandoned, Some(_)) => refuse("after is of no use: it is so at once".into()),
        (On::Late | On::Abandoned, None) => {}
        (_, None) => refuse("after is missing".into()),
        (_, Some(after)) if !(least..=MAX_AFTER).contains(&after.0) => {
            let (least, most) = (Span(least), Span(MAX_AFTER));
            refuse(format!("after {after} is not within {least} to {most}"));
        }
        (On::LongWait, Some(after)) => {
            let stays = matches!(queue.when_too_long, Some(Answer::Callback | Answer::Wait));
            if let Some(max) = queue.max_wait.filter(|max| *max <= after && !stays) {
                refuse(format!("can never be: nobody waits longer than max_wait {max}"));
            }
        }
        (On::Unanswered | On::VisitorLost, Some(_)) => {}
    }
}

fn check_actions(alarm: &Alarm, refuse: &mut impl FnMut(String)) {
    if alarm.actions.is_empty() {
        refuse("does nothing".into());
    }
    for (nth, action) in alarm.actions.iter().enumerate() {
        let word = action.word();
        if let Some(why) = action.is_futile(alarm.on) {
            refuse(format!("{word} can never happen: {why}"));
        }
        if alarm.actions[..nth].iter().any(|before| before.word() == word) {
            refuse(format!("{word} is written twice"));
        }
        if alarm.actions[..nth].contains(&Action::Close) {
            refuse(format!("{word} can never happen after close"));
        }
        match action {
            Action::Priority(span) => {
                let whole = Millis::from_mins(span.0.get() / 60_000) == span.0;
                if !whole || span.0 == Millis::ZERO || span.0 > MAX_PRIORITY {
                    let most = Span(MAX_PRIORITY);
                    refuse(format!("priority {span} is not in whole minutes, 1m to {most}"));
                }
            }
            Action::Message(texts) => check_message(texts, refuse),
            Action::Queue(_) | Action::Notify | Action::Close => {}
        }
    }
}

fn check_message(texts: &BTreeMap<String, String>, refuse: &mut impl FnMut(String)) {
    if texts.is_empty() || texts.len() > MAX_LANGUAGES {
        refuse(format!("message: it is in 1 to {MAX_LANGUAGES} languages"));
    }
    let is_tag = |tag: &str| {
        let mut parts = tag.split('-');
        let is_word = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let is_language = |part: &str| {
            (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
        };
        parts.next().is_some_and(is_language) && parts.all(is_word)
    };
    for (tag, text) in texts {
        if !is_tag(tag) {
            refuse(format!("message: {tag:?} is no language tag such as en or de-AT"));
        }
        if text.trim().is_empty() || text.len() > MAX_MESSAGE_BYTES {
            refuse(format!("message: {tag}: it has 1 to {MAX_MESSAGE_BYTES} bytes"));
        }
    }
}

/// How long a transfer may wait, as it is to be stored.
pub(super) fn transfer_return(check: &mut Check, at: Location, queue: &Queue) -> Option<Millis> {
    let span = queue.transfer_return;
    if span.0 == Millis::ZERO {
        return None;
    }
    if !(MIN_RETURN..=MAX_RETURN).contains(&span.0) {
        let (name, least, most) = (&queue.name, Span(MIN_RETURN), Span(MAX_RETURN));
        let reason = format!(
            "queue {name}: transfer_return {span} is not within {least} to {most}, nor 0s for never"
        );
        check.refuse(at, reason);
    }
    Some(span.0)
}

/// Whether the queues that alarms send to are there.
pub(super) fn check_names(check: &mut Check, queue: &Queue, is_queue: impl Fn(&QueueId) -> bool) {
    for Spanned { value: alarm, referenced, .. } in &queue.alarms {
        for action in &alarm.actions {
            if let Action::Queue(to) = action
                && !is_queue(to)
            {
                let (name, on) = (&queue.name, alarm.on.word());
                check.refuse(*referenced, format!("queue {name}: {on}: there is no queue {to}"));
            }
        }
    }
}

/// Rules as they are stored, in the words of a document.
pub(super) fn written(stored: &[AlarmRule]) -> Vec<Spanned<Alarm>> {
    let one = |rule: &AlarmRule| Alarm {
        on: On::of(rule.on),
        after: rule.after.map(Span),
        actions: rule.actions.iter().map(Action::of).collect(),
    };
    let nowhere = Location::UNKNOWN;
    stored.iter().map(|rule| Spanned::new(one(rule), nowhere, nowhere)).collect()
}
