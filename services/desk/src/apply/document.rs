//! A site's configuration as people write it down, in YAML. Says what can be
//! written; judges nothing but its form.

use super::alarms::{self, Alarm};
use super::calendars::Calendar;
use super::privacy::{Consent, Kept};
use super::routes::Route;
use super::serving::{self, LanguageNeed, Serving};
use frontdesk_core::ids::{CalendarId, QueueId};
use frontdesk_core::language::Language;
use frontdesk_core::matching::{Acceptance, Policy};
use frontdesk_core::queue::Answer;
use frontdesk_core::skill::Skills;
use frontdesk_core::time::Millis;
use frontdesk_store::desk::{AccountKind, StoredAccount, StoredQueue, StoredSite};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_saphyr::Spanned;
use std::time::Duration;

/// A whole document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// Name to show; unchanged when absent.
    pub(super) title: Option<String>,
    /// Queue of conversations that name none and that no rule holds for; the first when
    /// absent.
    pub(super) default_queue: Option<Spanned<QueueId>>,
    /// Opening hours that queues name.
    #[serde(default)]
    pub(super) calendars: Vec<Spanned<Calendar>>,
    /// Which queue a conversation goes to that names none: that of the first rule
    /// that holds.
    #[serde(default)]
    pub(super) routes: Vec<Spanned<Route>>,
    /// Offers an agent may miss in a row before it is away; any number when absent.
    pub(super) away_after_missed: Option<Spanned<u32>>,
    /// For how long what is said is kept; for ever when absent.
    pub(super) retention: Option<Spanned<Kept>>,
    /// What visitors agree to before they start; nothing when absent.
    pub(super) consent: Option<Spanned<Consent>>,
    /// All queues of the site.
    pub(super) queues: Spanned<Vec<Spanned<Queue>>>,
    /// Accounts to be as written here; others stay as they are.
    #[serde(default)]
    pub(super) agents: Vec<Spanned<Agent>>,
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Queue {
    pub(super) name: QueueId,
    /// Head start, in whole minutes of waiting.
    #[serde(default)]
    pub(super) priority: Span,
    /// Slots of an agent that one chat takes.
    #[serde(default = "one")]
    pub(super) weight: u32,
    /// How long an agent has to answer an offer.
    #[serde(default = "half_a_minute")]
    pub(super) offer_timeout: Span,
    /// How long the slots stay taken after a chat.
    #[serde(default = "ten_seconds")]
    pub(super) wrap_up: Span,
    /// Which of several suitable agents is asked.
    #[serde(default)]
    pub(super) choice: Choice,
    /// How long one who comes back waits for the agent of before.
    #[serde(default)]
    pub(super) hold_for_previous: Span,
    /// What is required of agents, from the start and later.
    #[serde(default)]
    pub(super) skills: Vec<Step>,
    /// Whether agents have to speak the visitor's language.
    #[serde(default)]
    pub(super) language: Option<LanguageNeed>,
    /// Most of its conversations that one agent has at once.
    #[serde(default)]
    pub(super) max_per_agent: Option<u32>,
    /// Most of its conversations that all agents have at once.
    #[serde(default)]
    pub(super) max_active: Option<u32>,
    /// Whether agents accept, or are given, what is for them.
    #[serde(default)]
    pub(super) acceptance: Acceptance,
    /// Within what one is to be served.
    #[serde(default)]
    pub(super) answer_within: Option<Span>,
    /// When somebody is there: the name of a calendar; always without.
    #[serde(default)]
    pub(super) hours: Option<CalendarId>,
    /// What becomes of those who come out of hours.
    #[serde(default)]
    pub(super) when_closed: Option<Answer>,
    /// How many may wait.
    #[serde(default)]
    pub(super) max_waiting: Option<u32>,
    /// What becomes of those who come when so many are there.
    #[serde(default)]
    pub(super) when_full: Option<Answer>,
    /// How long one may wait, by the hours.
    #[serde(default)]
    pub(super) max_wait: Option<Span>,
    /// What becomes of those who have waited so long.
    #[serde(default)]
    pub(super) when_too_long: Option<Answer>,
    /// What is done when something has been so for long.
    #[serde(default)]
    pub(super) alarms: Vec<Spanned<Alarm>>,
    /// How long a transfer may wait before it comes back; none at all: for ever.
    #[serde(default = "alarms::transfer_return_by_default")]
    pub(super) transfer_return: Span,
}

/// What is required from some time of waiting on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    #[serde(default)]
    pub(super) after: Span,
    /// Skills with their least levels; none: anyone.
    #[serde(default)]
    pub(super) require: Skills,
}

/// As `matching::Policy`, in the words of the document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Choice {
    #[default]
    LeastLoaded,
    LongestIdle,
    BestProficiency,
    RoundRobin,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    pub(super) email: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) role: RoleName,
    /// Slots.
    #[serde(default = "four")]
    pub(super) capacity: u32,
    /// Those it serves first coming first; none: all.
    #[serde(default)]
    pub(super) queues: Vec<Serving>,
    #[serde(default)]
    pub(super) skills: Skills,
    #[serde(default, deserialize_with = "serving::languages")]
    pub(super) languages: Vec<Language>,
    /// May not sign in.
    #[serde(default)]
    pub(super) disabled: bool,
    /// It is no person: figures do not count what it does as the staff's.
    #[serde(default)]
    pub(super) bot: bool,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RoleName {
    #[default]
    Agent,
    Supervisor,
}

/// A length of time as people write it: `90s`, `2m 30s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub(super) Millis);

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        humantime::format_duration(self.0.to_duration()).fmt(f)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed: Duration = humantime::parse_duration(&text).map_err(|e| {
            serde::de::Error::custom(format!("{text:?} is no length of time such as 30s ({e})"))
        })?;
        Ok(Self(parsed.into()))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

const fn one() -> u32 {
    1
}

const fn four() -> u32 {
    4
}

const fn ten_seconds() -> Span {
    Span(Millis::from_secs(10))
}

const fn half_a_minute() -> Span {
    Span(Millis::from_secs(30))
}

impl Choice {
    pub(super) fn policy(self) -> Policy {
        match self {
            Self::LeastLoaded => Policy::LeastLoaded,
            Self::LongestIdle => Policy::LongestIdle,
            Self::BestProficiency => Policy::BestProficiency,
            Self::RoundRobin => Policy::RoundRobin,
        }
    }
}

/// A site as it is stored, in the words of a document, for comparison.
pub(super) fn queues(site: &StoredSite) -> Vec<Queue> {
    site.queues.iter().map(queue).collect()
}

fn queue(stored: &StoredQueue) -> Queue {
    let step = |step: &frontdesk_core::skill::Step| Step {
        after: Span(step.after),
        require: step.skills.clone(),
    };
    let limits = &stored.limits;
    let answer = |is_limited: bool, answer: &Answer| is_limited.then(|| answer.clone());
    Queue {
        name: stored.id.clone(),
        priority: Span(Millis::from_mins(u64::from(stored.priority_minutes))),
        weight: stored.weight,
        offer_timeout: Span(stored.offer_timeout),
        wrap_up: Span(stored.wrap_up),
        choice: match stored.rules.policy {
            Policy::LeastLoaded => Choice::LeastLoaded,
            Policy::LongestIdle => Choice::LongestIdle,
            Policy::BestProficiency => Choice::BestProficiency,
            Policy::RoundRobin => Choice::RoundRobin,
        },
        hold_for_previous: Span(stored.rules.hold_for_previous),
        skills: stored.rules.needs.steps().iter().map(step).collect(),
        language: serving::language(&stored.rules),
        max_per_agent: stored.rules.max_per_agent,
        max_active: stored.rules.max_active,
        acceptance: stored.rules.acceptance,
        answer_within: stored.answer_within.map(Span),
        hours: stored.hours.clone(),
        when_closed: answer(stored.hours.is_some(), &limits.when_closed),
        max_waiting: limits.max_waiting,
        when_full: answer(limits.max_waiting.is_some(), &limits.when_full),
        max_wait: limits.max_wait.map(Span),
        when_too_long: answer(limits.max_wait.is_some(), &limits.when_too_long),
        alarms: alarms::written(&stored.alarms),
        transfer_return: Span(stored.transfer_return.unwrap_or(Millis::ZERO)),
    }
}

/// An account as it is stored, in the words of a document.
pub(super) fn agent(stored: &StoredAccount, site: &StoredSite) -> Agent {
    Agent {
        email: stored.email.clone(),
        name: stored.name.clone(),
        role: match stored.kind {
            AccountKind::Agent => RoleName::Agent,
            AccountKind::Supervisor => RoleName::Supervisor,
        },
        capacity: stored.capacity,
        queues: serving::served(&stored.queues, &stored.details),
        languages: stored.details.languages.clone(),
        skills: stored.skills.clone(),
        disabled: stored.disabled,
        bot: site.bots.contains(&stored.email),
    }
}
