//! Whom an agent serves and in which languages, and whom a queue lets have its
//! conversations: as people write it, and whether it can work.

use super::check::Check;
use super::document::{Queue, Span};
use frontdesk_core::ids::QueueId;
use frontdesk_core::language::Language;
use frontdesk_core::matching::{LanguageRule, Rules};
use frontdesk_core::presence::limits::{MAX_CAPACITY, MAX_LANGUAGES};
use frontdesk_core::skill::Needs;
use frontdesk_core::time::Millis;
use frontdesk_store::desk::AccountDetails;
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::Location;
use std::collections::HashSet;

/// The most conversations that a queue may be allowed to have with agents at once.
const MAX_ACTIVE: u32 = 100_000;
/// The shortest time for which a language may be asked for, and the longest: a day.
const RELAX_AFTER: (Millis, Millis) = (Millis::from_secs(1), Millis::from_mins(24 * 60));

/// A queue that an agent serves: its name, or its name and the most conversations of it
/// that the agent has at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a queue is its name, or { name: …, max: … }")]
pub(super) enum Serving {
    Name(QueueId),
    Capped(Capped),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Capped {
    name: QueueId,
    max: u32,
}

/// Languages, each a code that there is.
pub(super) fn languages<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Language>, D::Error> {
    let codes = Vec::<String>::deserialize(deserializer)?;
    codes.iter().map(|code| code.parse().map_err(serde::de::Error::custom)).collect()
}

/// Whether agents have to speak the visitor's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LanguageNeed {
    require: bool,
    #[serde(default)]
    relax_after: Option<Span>,
}

impl Serving {
    pub(super) fn name(&self) -> &QueueId {
        match self {
            Self::Name(name) | Self::Capped(Capped { name, .. }) => name,
        }
    }

    fn max(&self) -> Option<u32> {
        match self {
            Self::Name(_) => None,
            Self::Capped(Capped { max, .. }) => Some(*max),
        }
    }
}

/// As an account is stored, in the words of a document.
pub(super) fn served(queues: &[QueueId], details: &AccountDetails) -> Vec<Serving> {
    let serving = |name: &QueueId| match details.caps.get(name) {
        Some(max) => Serving::Capped(Capped { name: name.clone(), max: *max }),
        None => Serving::Name(name.clone()),
    };
    queues.iter().map(serving).collect()
}

/// In a document's words: what an account has besides the queues' names.
pub(super) fn details(serving: &[Serving], languages: &[Language]) -> AccountDetails {
    let cap = |serving: &Serving| Some((serving.name().clone(), serving.max()?));
    AccountDetails { languages: languages.to_vec(), caps: serving.iter().filter_map(cap).collect() }
}

/// What is wrong with what an agent serves and speaks.
pub(super) fn check_agent(
    serving: &[Serving],
    languages: &[Language],
    is_queue: impl Fn(&QueueId) -> bool,
    mut refuse: impl FnMut(String),
) {
    let mut names = HashSet::new();
    for queue in serving {
        let name = queue.name();
        if !is_queue(name) {
            refuse(format!("there is no queue {name}"));
        }
        if !names.insert(name) {
            refuse(format!("queue {name} is named twice"));
        }
        if let Some(max) = queue.max().filter(|max| !(1..=MAX_CAPACITY).contains(max)) {
            refuse(format!("queue {name}: max {max} is not within 1 to {MAX_CAPACITY}"));
        }
    }
    let mut known = HashSet::new();
    if let Some(twice) = languages.iter().find(|language| !known.insert(*language)) {
        refuse(format!("language {twice} is named twice"));
    }
    if languages.len() > MAX_LANGUAGES {
        refuse(format!("there are more than {MAX_LANGUAGES} languages"));
    }
}

/// How a queue's conversations find an agent, as it is to be stored.
pub(super) fn rules(check: &mut Check, at: Location, queue: &Queue, needs: Needs) -> Rules {
    let mut refuse = |why: String| check.refuse(at, format!("queue {}: {why}", queue.name));
    for (what, max, most) in [
        ("max_per_agent", queue.max_per_agent, MAX_CAPACITY),
        ("max_active", queue.max_active, MAX_ACTIVE),
    ] {
        if let Some(max) = max.filter(|max| !(1..=most).contains(max)) {
            refuse(format!("{what} {max} is not within 1 to {most}"));
        }
    }
    let relax_after = queue.language.and_then(|need| need.relax_after);
    if relax_after.is_some() && queue.language.is_some_and(|need| !need.require) {
        refuse("language: relax_after is of no use without require".into());
    }
    let (least, most) = RELAX_AFTER;
    if let Some(span) = relax_after.filter(|span| !(least..=most).contains(&span.0)) {
        let (least, most) = (Span(least), Span(most));
        refuse(format!("language: relax_after {span} is not within {least} to {most}"));
    }
    let required = queue.language.filter(|need| need.require);
    Rules {
        needs,
        policy: queue.choice.policy(),
        hold_for_previous: queue.hold_for_previous.0,
        language: required
            .map(|need| LanguageRule { relax_after: need.relax_after.map(|span| span.0) }),
        max_per_agent: queue.max_per_agent,
        max_active: queue.max_active,
        acceptance: queue.acceptance,
    }
}

/// A queue's language rule as it is stored, in the words of a document.
pub(super) fn language(rules: &Rules) -> Option<LanguageNeed> {
    let need = |rule: LanguageRule| LanguageNeed {
        require: true,
        relax_after: rule.relax_after.map(Span),
    };
    rules.language.map(need)
}
