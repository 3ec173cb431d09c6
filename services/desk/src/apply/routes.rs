//! The rules by which conversations find their queue: as people write them, whether
//! each can ever hold, and how they differ from those in force.

use super::check::Check;
use super::diff;
use super::document::Span;
use frontdesk_core::conversation::{MAX_EXTRA_MINUTES, is_channel};
use frontdesk_core::ids::{CalendarId, QueueId};
use frontdesk_core::language::{InvalidLanguage, Language};
use frontdesk_core::routes::{
    MAX_ALTERNATIVE_BYTES, MAX_ALTERNATIVES, MAX_ROUTES, Route as Stored, When as StoredWhen,
};
use frontdesk_core::time::Millis;
use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};
use std::collections::{BTreeMap, HashSet};

/// Bytes of a rule's name.
const MAX_NAME_BYTES: usize = 80;

/// As `frontdesk_core::routes::Route`; an unknown field is a mistake here.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    name: String,
    #[serde(default)]
    when: When,
    queue: QueueId,
    /// Head start besides the queue's, in whole minutes of waiting.
    #[serde(default)]
    priority: Span,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct When {
    page: Vec<String>,
    language: Vec<String>,
    attributes: BTreeMap<String, Vec<String>>,
    text: Vec<String>,
    channel: Vec<String>,
    during: Option<CalendarId>,
}

impl When {
    /// Every list of alternatives, with the condition it belongs to.
    fn lists(&self) -> impl Iterator<Item = (&str, &[String])> {
        let lists = [
            ("page", &self.page),
            ("language", &self.language),
            ("text", &self.text),
            ("channel", &self.channel),
        ]
        .into_iter();
        let lists = lists.filter(|(_, list)| !list.is_empty());
        let lists = lists.chain(self.attributes.iter().map(|(name, list)| (name.as_str(), list)));
        lists.map(|(name, list)| (name, list.as_slice()))
    }

    fn stored(&self) -> StoredWhen {
        let Self { page, language, attributes, text, channel, during } = self.clone();
        StoredWhen { page, language, attributes, text, channel, during }
    }
}

/// The rules as they are to be stored; what is wrong with them goes to `check`.
pub(super) fn check(
    check: &mut Check,
    written: &[Spanned<Route>],
    is_queue: impl Fn(&QueueId) -> bool,
    is_calendar: impl Fn(&CalendarId) -> bool,
) -> Vec<Stored> {
    let mut names = HashSet::new();
    let mut routes: Vec<Stored> = Vec::new();
    for (nth, Spanned { value, referenced, .. }) in written.iter().enumerate() {
        let mut refuse = |why: &str| refuse(check, *referenced, &value.name, why);
        if nth == MAX_ROUTES {
            refuse(&format!("there are more than {MAX_ROUTES} rules"));
        }
        if value.name.is_empty() || value.name.len() > MAX_NAME_BYTES {
            refuse(&format!("a name has 1 to {MAX_NAME_BYTES} bytes"));
        }
        if !names.insert(&value.name) {
            refuse("is written twice");
        }
        if !is_queue(&value.queue) {
            refuse(&format!("there is no queue {}", value.queue));
        }
        for (condition, list) in value.when.lists() {
            alternatives(condition, list).unwrap_or_else(|why| refuse(&why));
        }
        if let Some(missing) = value.when.during.as_ref().filter(|name| !is_calendar(name)) {
            refuse(&format!("there is no calendar {missing}"));
        }
        if let Some(odd) = value.when.channel.iter().find(|name| !is_channel(name)) {
            refuse(&format!("channel: {odd:?} is not 1 to 32 of a-z, 0-9 and -"));
        }
        if let Some(why) = value.when.language.iter().find_map(|tag| language(tag).err()) {
            refuse(&why.to_string());
        }
        let priority_minutes = minutes(value.priority).unwrap_or_else(|why| {
            refuse(&why);
            0
        });
        let when = value.when.stored();
        if let Some(before) = routes.iter().find(|before| before.when.covers(&when)) {
            let before = &before.name;
            refuse(&format!("can never be reached: all it takes, rule {before} takes before it"));
        }
        let (name, queue) = (value.name.clone(), value.queue.clone());
        routes.push(Stored { name, when, queue, priority_minutes });
    }
    routes
}

fn refuse(check: &mut Check, at: Location, rule: &str, why: &str) {
    check.refuse(at, format!("rule {rule}: {why}"));
}

fn minutes(priority: Span) -> Result<u32, String> {
    let minutes = priority.0.get() / 60_000;
    if Millis::from_mins(minutes) != priority.0 {
        return Err(format!("priority {priority} is not in whole minutes"));
    }
    match u32::try_from(minutes) {
        Ok(minutes) if minutes <= MAX_EXTRA_MINUTES.unsigned_abs() => Ok(minutes),
        _ => Err(format!("priority {priority} is more than a day")),
    }
}

/// A tag has to begin with a language that there is.
fn language(tag: &str) -> Result<Language, InvalidLanguage> {
    tag.split('-').next().unwrap_or(tag).to_lowercase().parse()
}

fn alternatives(condition: &str, list: &[String]) -> Result<(), String> {
    if list.is_empty() || list.len() > MAX_ALTERNATIVES {
        return Err(format!("{condition}: it names 1 to {MAX_ALTERNATIVES} alternatives"));
    }
    let odd = |one: &&String| one.trim().is_empty() || one.len() > MAX_ALTERNATIVE_BYTES;
    match list.iter().find(odd) {
        Some(_) => Err(format!("{condition}: each has 1 to {MAX_ALTERNATIVE_BYTES} bytes")),
        None => Ok(()),
    }
}

/// How the rules differ, in lines for people.
pub(super) fn changes(before: &[Stored], now: &[Stored]) -> Vec<String> {
    let by_name = |all: &[Stored], name: &str| all.iter().find(|r| r.name == name).cloned();
    let mut changes = Vec::new();
    for route in now {
        let old = by_name(before, &route.name);
        changes.extend(diff::changed(&format!("rule {}", route.name), old.as_ref(), Some(route)));
    }
    for gone in before.iter().filter(|old| by_name(now, &old.name).is_none()) {
        changes.extend(diff::changed(&format!("rule {}", gone.name), Some(gone), None));
    }
    let order = |all: &[Stored], others: &[Stored]| -> Vec<String> {
        let kept = all.iter().filter(|route| by_name(others, &route.name).is_some());
        kept.map(|route| route.name.clone()).collect()
    };
    let (was, is) = (order(before, now), order(now, before));
    if was != is {
        changes.push(format!("~ rules: order {} -> {}", was.join(", "), is.join(", ")));
    }
    changes
}
