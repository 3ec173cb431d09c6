//! Whether what a document says can work, and where it says what cannot. Changes
//! nothing.

use super::document::{Agent, Document, Queue, RoleName, Span};
use super::{alarms, calendars, limits, privacy, routes, serving};
use crate::validate;
use frontdesk_core::ids::{CalendarId, QueueId, SkillId};
use frontdesk_core::presence::limits::{MAX_CAPACITY, MAX_RESERVATION, MAX_WRAP_UP};
use frontdesk_core::skill::{Needs, Skills, Step};
use frontdesk_core::time::Millis;
use frontdesk_proto::api::Problem;
use frontdesk_store::desk::{AccountKind, StoredAccount, StoredQueue, StoredSite};
use serde_saphyr::{Location, Spanned};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Queues of one site.
const MAX_QUEUES: usize = 256;
/// Shortest time to answer an offer: one has to be able to read it.
const MIN_OFFER: Millis = Millis::from_secs(5);
/// The longest head start: a day.
const MAX_PRIORITY: Millis = Millis::from_mins(24 * 60);
/// The shortest time to be served in that may be aimed at.
const MIN_TARGET: Millis = Millis::from_secs(1);
/// The longest: a week.
const MAX_TARGET: Millis = Millis::from_mins(7 * 24 * 60);
/// The most offers that an agent may be allowed to miss in a row.
const MAX_MISSED: u32 = 100;
/// The longest hold for the agent of before.
const MAX_HOLD: Millis = Millis::from_mins(60);

/// What a document asks for, checked.
pub(super) struct Wanted {
    pub(super) site: StoredSite,
    /// Those that the document names, as written.
    pub(super) agents: Vec<Agent>,
}

/// Collects what is wrong.
pub(super) struct Check {
    problems: Vec<Problem>,
}

/// Checks a document against a site and its accounts.
pub(super) fn check(
    document: Document,
    site: &StoredSite,
    accounts: &[StoredAccount],
) -> Result<Wanted, Vec<Problem>> {
    let mut check = Check { problems: Vec::new() };
    let queues = check.queues(&document);
    let default_queue = match &document.default_queue {
        Some(named) => {
            if !queues.iter().any(|queue| queue.id == named.value) {
                check.refuse(named.referenced, format!("there is no queue {}", named.value));
            }
            Some(named.value.clone())
        }
        None => queues.first().map(|queue| queue.id.clone()),
    };
    let is_queue = |named: &QueueId| queues.iter().any(|queue| queue.id == *named);
    for queue in &document.queues.value {
        alarms::check_names(&mut check, &queue.value, is_queue);
    }
    let calendars = calendars::check(&mut check, &document.calendars);
    let is_calendar = |named: &CalendarId| calendars.contains_key(named);
    let routes = routes::check(&mut check, &document.routes, is_queue, is_calendar);
    let away_after_missed = check.away_after_missed(document.away_after_missed.as_ref());
    let (retention, consent) = (document.retention.as_ref(), document.consent.as_ref());
    let privacy = privacy::check(&mut check, retention, consent);
    limits::check_names(&mut check, &document.queues.value, &queues, &calendars);
    let agents = check.agents(&document.agents, &queues);
    let team = team(accounts, &agents);
    for (written, queue) in document.queues.value.iter().zip(&queues) {
        check.can_be_served(written.referenced, queue, &team);
    }
    if !check.problems.is_empty() {
        check.problems.sort_by_key(|problem| (problem.line, problem.column));
        return Err(check.problems);
    }
    let site = StoredSite {
        title: document.title.unwrap_or_else(|| site.title.clone()),
        default_queue: default_queue.unwrap_or_else(|| site.default_queue.clone()),
        queues,
        routes,
        calendars,
        away_after_missed,
        privacy,
        bots: bots(&site.bots, &agents),
        ..site.clone()
    };
    Ok(Wanted { site, agents })
}

impl Check {
    pub(super) fn refuse(&mut self, at: Location, reason: String) {
        self.problems.push(Problem { line: at.line(), column: at.column(), reason });
    }

    fn away_after_missed(&mut self, written: Option<&Spanned<u32>>) -> Option<u32> {
        let Spanned { value, referenced, .. } = written?;
        if !(1..=MAX_MISSED).contains(value) {
            let reason = format!("away_after_missed {value} is not within 1 to {MAX_MISSED}");
            self.refuse(*referenced, reason);
        }
        Some(*value)
    }

    fn queues(&mut self, document: &Document) -> Vec<StoredQueue> {
        let written = &document.queues;
        if written.value.is_empty() {
            self.refuse(written.referenced, "a site has at least one queue".into());
        }
        if written.value.len() > MAX_QUEUES {
            self.refuse(written.referenced, format!("there are more than {MAX_QUEUES} queues"));
        }
        let mut names = HashSet::new();
        let mut queues = Vec::new();
        for Spanned { value, referenced, .. } in &written.value {
            if !names.insert(&value.name) {
                self.refuse(*referenced, format!("queue {} is written twice", value.name));
            }
            queues.push(self.queue(*referenced, value));
        }
        queues
    }

    fn queue(&mut self, at: Location, queue: &Queue) -> StoredQueue {
        let name = &queue.name;
        if !(1..=MAX_CAPACITY).contains(&queue.weight) {
            let weight = queue.weight;
            let reason = format!("queue {name}: weight {weight} is not within 1 to {MAX_CAPACITY}");
            self.refuse(at, reason);
        }
        for (what, span, least, most) in [
            ("priority", queue.priority, Millis::ZERO, MAX_PRIORITY),
            ("offer_timeout", queue.offer_timeout, MIN_OFFER, MAX_RESERVATION),
            ("wrap_up", queue.wrap_up, Millis::ZERO, MAX_WRAP_UP),
            ("hold_for_previous", queue.hold_for_previous, Millis::ZERO, MAX_HOLD),
        ] {
            if !(least..=most).contains(&span.0) {
                let (least, most) = (Span(least), Span(most));
                let reason = format!("queue {name}: {what} {span} is not within {least} to {most}");
                self.refuse(at, reason);
            }
        }
        if let Some(span) = queue.answer_within
            && !(MIN_TARGET..=MAX_TARGET).contains(&span.0)
        {
            let (least, most) = (Span(MIN_TARGET), Span(MAX_TARGET));
            let reason =
                format!("queue {name}: answer_within {span} is not within {least} to {most}");
            self.refuse(at, reason);
        }
        let minutes = queue.priority.0.get() / 60_000;
        if Millis::from_mins(minutes) != queue.priority.0 {
            let reason =
                format!("queue {name}: priority {} is not in whole minutes", queue.priority);
            self.refuse(at, reason);
        }
        let steps = queue.skills.iter();
        let steps = steps.map(|s| Step { after: s.after.0, skills: s.require.clone() }).collect();
        let needs = Needs::new(steps).unwrap_or_else(|why| {
            self.refuse(at, format!("queue {name}: skills: {why}"));
            Needs::default()
        });
        let limits = limits::limits(self, at, queue);
        let alarms = alarms::rules(self, at, queue);
        let transfer_return = alarms::transfer_return(self, at, queue);
        StoredQueue {
            id: queue.name.clone(),
            priority_minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
            weight: queue.weight,
            offer_timeout: queue.offer_timeout.0,
            wrap_up: queue.wrap_up.0,
            rules: serving::rules(self, at, queue, needs),
            hours: queue.hours.clone(),
            limits,
            answer_within: queue.answer_within.map(|span| span.0),
            alarms,
            transfer_return,
        }
    }

    /// With addresses and names in the form in which they are stored.
    fn agents(&mut self, written: &[Spanned<Agent>], queues: &[StoredQueue]) -> Vec<Agent> {
        let mut addresses = HashSet::new();
        let mut agents = Vec::new();
        for Spanned { value, referenced, .. } in written {
            let mut agent = value.clone();
            let mut refuse = |why: String| {
                self.refuse(*referenced, format!("agent {}: {why}", value.email));
            };
            match validate::email(&value.email) {
                Ok(email) => agent.email = email,
                Err(why) => refuse(why.to_string()),
            }
            match validate::name(&value.name) {
                Ok(name) => agent.name = name,
                Err(why) => refuse(why.to_string()),
            }
            if value.bot && matches!(value.role, RoleName::Supervisor) {
                refuse("a bot cannot be a supervisor".into());
            }
            if let Err(why) = validate::capacity(value.capacity) {
                refuse(why.to_string());
            }
            let is_known = |name: &QueueId| queues.iter().any(|queue| queue.id == *name);
            serving::check_agent(&value.queues, &value.languages, is_known, &mut refuse);
            if !addresses.insert(agent.email.clone()) {
                refuse("is written twice".into());
            }
            agents.push(agent);
        }
        agents
    }

    /// Whether anybody could ever take its conversations. Without any account
    /// nothing is asked yet: the first document may come before them.
    fn can_be_served(&mut self, at: Location, queue: &StoredQueue, team: &Team) {
        let serving: Vec<&Member> = team.serving(&queue.id).collect();
        if team.0.is_empty() {
            return;
        }
        let name = &queue.id;
        if let Some(skill) = team.unknown_skill(&queue.rules.needs) {
            self.refuse(at, format!("queue {name}: nobody has the skill {skill}"));
            return;
        }
        if queue.rules.language.is_some() && serving.iter().all(|member| member.is_mute) {
            let reason =
                format!("queue {name}: nobody who serves it has languages, and it asks for them");
            self.refuse(at, reason);
        }
        let Some(most) = serving.iter().map(|member| member.capacity).max() else { return };
        if most < queue.weight {
            let weight = queue.weight;
            let reason = format!(
                "queue {name}: weight {weight} is more than anybody who serves it has slots ({most} at most)"
            );
            self.refuse(at, reason);
        }
        let finally = queue.rules.needs.steps().last().map(|step| &step.skills);
        let can = |required: &Skills| serving.iter().any(|m| m.skills.satisfy(required));
        if finally.is_some_and(|required| !can(required)) {
            let reason =
                format!("queue {name}: nobody who serves it has what its last step asks for");
            self.refuse(at, reason);
        }
    }
}

/// Those who may sign in once the document is in force.
struct Team(BTreeMap<String, Member>);

struct Member {
    queues: Vec<QueueId>,
    skills: Skills,
    capacity: u32,
    /// Has no languages.
    is_mute: bool,
}

impl Team {
    fn serving(&self, queue: &QueueId) -> impl Iterator<Item = &Member> {
        self.0.values().filter(|m| m.queues.is_empty() || m.queues.contains(queue))
    }

    fn unknown_skill<'n>(&self, needs: &'n Needs) -> Option<&'n SkillId> {
        let is_known = |skill: &SkillId| self.0.values().any(|m| m.skills.level(skill).is_some());
        let mut asked = needs.steps().iter().flat_map(|step| step.skills.iter());
        asked.find(|(skill, _)| !is_known(skill)).map(|(skill, _)| skill)
    }
}

fn team(accounts: &[StoredAccount], agents: &[Agent]) -> Team {
    let mut team = BTreeMap::new();
    for account in accounts.iter().filter(|account| !account.disabled) {
        let (queues, skills) = (account.queues.clone(), account.skills.clone());
        let (capacity, is_mute) = (account.capacity, account.details.languages.is_empty());
        team.insert(account.email.clone(), Member { queues, skills, capacity, is_mute });
    }
    for agent in agents {
        if agent.disabled {
            team.remove(&agent.email);
            continue;
        }
        let queues = agent.queues.iter().map(|queue| queue.name().clone()).collect();
        let (skills, capacity) = (agent.skills.clone(), agent.capacity);
        let is_mute = agent.languages.is_empty();
        team.insert(agent.email.clone(), Member { queues, skills, capacity, is_mute });
    }
    Team(team)
}

/// Those of before and those of a document, as it says.
fn bots(before: &BTreeSet<String>, agents: &[Agent]) -> BTreeSet<String> {
    let mut bots = before.clone();
    for agent in agents {
        if agent.bot {
            bots.insert(agent.email.clone());
        } else {
            bots.remove(&agent.email);
        }
    }
    bots
}

/// The account that an agent of a document is to be.
pub(super) fn changed(account: &StoredAccount, agent: &Agent) -> StoredAccount {
    StoredAccount {
        kind: match agent.role {
            RoleName::Agent => AccountKind::Agent,
            RoleName::Supervisor => AccountKind::Supervisor,
        },
        name: agent.name.clone(),
        capacity: agent.capacity,
        queues: agent.queues.iter().map(|queue| queue.name().clone()).collect(),
        skills: agent.skills.clone(),
        details: serving::details(&agent.queues, &agent.languages),
        disabled: agent.disabled,
        ..account.clone()
    }
}
