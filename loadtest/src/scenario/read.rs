//! From TOML to a checked scenario. Every field knows its place in the text, so
//! that a mistake is shown where it was made.

use super::{
    Agents, Arrivals, Carriers, Distribution, Level, Load, MAX_MESSAGE_BYTES, Pace, Phase,
    Scenario, Supervisors, Talk,
};
use crate::faults::Fault;
use frontdesk_client::Carrier;
use frontdesk_results::{PhaseKind, Purpose, Threshold};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::Spanned;

/// The longest run: a week.
const MAX_SECONDS: u32 = 7 * 24 * 3_600;
/// People and connections of one run.
const MAX_PEOPLE: f64 = 1e6;
/// Length of a run until which a fault's command may go on.
const FAULT_SECONDS: f64 = 30.0;

/// A mistake: its line and the reason.
pub(super) type Mistake = (usize, String);

/// Something wrong at a place in the text.
struct Wrong(Range<usize>, String);

type Checked<T> = Result<T, Wrong>;
type Shares = Option<Spanned<BTreeMap<Carrier, f64>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    purpose: Purpose,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    arrivals: Arrivals,
    #[serde(default)]
    joins_per_second: Option<Spanned<f64>>,
    #[serde(default)]
    agents: RawAgents,
    #[serde(default)]
    supervisors: RawSupervisors,
    #[serde(default)]
    conversation: RawTalk,
    #[serde(default)]
    carriers: RawCarriers,
    phases: Spanned<Vec<RawPhase>>,
    #[serde(default)]
    faults: Vec<RawFault>,
    #[serde(default)]
    thresholds: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawAgents {
    #[serde(default)]
    count: Option<Spanned<f64>>,
    accept_seconds: Option<Spanned<RawSpread>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawSupervisors {
    count: Option<Spanned<f64>>,
    watch: Option<Spanned<f64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawTalk {
    messages: Option<Spanned<RawSpread>>,
    think_seconds: Option<Spanned<RawSpread>>,
    messages_per_second: Option<Spanned<f64>>,
    window: Option<Spanned<f64>>,
    length_bytes: Option<Spanned<RawSpread>>,
    lead_seconds: Option<Spanned<f64>>,
    typing: Option<Spanned<f64>>,
    read: Option<Spanned<f64>>,
    attachments: Option<Spanned<f64>>,
    transfers: Option<Spanned<f64>>,
    visitor_closes: Option<Spanned<f64>>,
    ratings: Option<Spanned<f64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawCarriers {
    visitors: Shares,
    agents: Shares,
    supervisors: Shares,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPhase {
    name: Option<String>,
    kind: PhaseKind,
    seconds: Spanned<u32>,
    #[serde(default)]
    warm_up: bool,
    conversations_per_second: Option<Spanned<RawLevel>>,
    conversations: Option<Spanned<RawLevel>>,
    idle_connections: Option<Spanned<RawLevel>>,
    cut: Option<Spanned<f64>>,
    connection_seconds: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFault {
    name: String,
    at_seconds: Spanned<f64>,
    command: String,
    deadline_seconds: Option<Spanned<f64>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(untagged, expecting = "a number, or [from, to]")]
enum RawLevel {
    Constant(f64),
    Between([f64; 2]),
}

#[derive(Deserialize, Clone)]
#[serde(
    untagged,
    expecting = "a number, { from, to }, { median, sigma, max } or \"real-messages\""
)]
enum RawSpread {
    Fixed(f64),
    Named(Named),
    Uniform(RawUniform),
    LogNormal(RawLogNormal),
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "kebab-case")]
enum Named {
    RealMessages,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct RawUniform {
    from: f64,
    to: f64,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct RawLogNormal {
    median: f64,
    sigma: f64,
    max: f64,
}

pub(super) fn parse(text: &str) -> Result<Scenario, Mistake> {
    let raw: Raw = toml::from_str(text).map_err(|e| {
        let at = e.span().unwrap_or_default();
        (line_of(text, at.start), e.message().to_owned())
    })?;
    check(raw, text).map_err(|Wrong(at, reason)| (line_of(text, at.start), reason))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

fn check(raw: Raw, text: &str) -> Checked<Scenario> {
    if raw.name.get_ref().trim().is_empty() {
        return Err(Wrong(raw.name.span(), "name must not be empty".into()));
    }
    let phases_at = raw.phases.span();
    let phases = raw.phases.into_inner().into_iter().enumerate().map(|(n, raw)| phase(n, raw));
    let phases: Vec<Phase> = phases.collect::<Checked<_>>()?;
    let total: u32 = phases.iter().map(|phase| phase.seconds).fold(0, u32::saturating_add);
    if phases.iter().all(|phase| phase.warm_up) || total > MAX_SECONDS {
        let reason = "there must be a phase that is no warm-up, and at most a week of them";
        return Err(Wrong(phases_at, reason.into()));
    }
    let load = Load {
        arrivals: raw.arrivals,
        joins_per_second: number(raw.joins_per_second, "joins_per_second", 0.01..=1e5, 200.0)?,
        agents: agents(raw.agents)?,
        supervisors: supervisors(raw.supervisors)?,
        talk: talk(raw.conversation, raw.arrivals)?,
        visitor_carriers: carriers(raw.carriers.visitors)?,
        agent_carriers: carriers(raw.carriers.agents)?,
        supervisor_carriers: carriers(raw.carriers.supervisors)?,
    };
    let mut faults: Vec<_> =
        raw.faults.into_iter().map(|raw| fault(raw, total)).collect::<Checked<_>>()?;
    faults.sort_by_key(|fault| fault.at);
    let scenario = Scenario {
        name: raw.name.into_inner(),
        description: raw.description,
        purpose: raw.purpose,
        seed: raw.seed,
        phases,
        load,
        faults,
        thresholds: raw.thresholds.into_iter().map(threshold).collect::<Checked<_>>()?,
        text: text.to_owned(),
    };
    whole(&scenario).map_err(|reason| Wrong(phases_at, reason))?;
    Ok(scenario)
}

/// What can only be seen with all fields at hand.
fn whole(scenario: &Scenario) -> Result<(), String> {
    let most = |level: fn(&Phase) -> Level| {
        scenario.phases.iter().map(|phase| level(phase).most()).fold(0.0, f64::max)
    };
    let (arrivals, population) = (most(|p| p.arrivals), most(|p| p.population));
    if arrivals + population + most(|p| p.idle) <= 0.0 {
        return Err("no phase has any conversations or idle_connections".into());
    }
    if arrivals > 0.0 && population > 0.0 {
        return Err("conversations either arrive or are a population, not both".into());
    }
    if arrivals > 0.0 && !matches!(scenario.load.talk.pace, Pace::Script { .. }) {
        let reason = "conversations that arrive must come to an end: conversation.messages";
        return Err(reason.into());
    }
    for threshold in &scenario.thresholds {
        let known = |name: &str| scenario.faults.iter().any(|fault| fault.name == name);
        if let Some(name) = threshold.fault().filter(|name| !known(name)) {
            return Err(format!("{threshold}: there is no fault {name}"));
        }
    }
    if scenario.talks() && scenario.load.agents.count == 0 {
        return Err("conversations need agents".into());
    }
    Ok(())
}

fn phase(n: usize, raw: RawPhase) -> Checked<Phase> {
    let seconds = *raw.seconds.get_ref();
    if !(1..=MAX_SECONDS).contains(&seconds) {
        return Err(Wrong(raw.seconds.span(), "seconds must be 1 to a week".into()));
    }
    let kind = raw.kind;
    let only = |field: &Option<Spanned<f64>>, name: &str, of: PhaseKind| match field {
        Some(field) if kind != of => {
            Err(Wrong(field.span(), format!("{name} means nothing in this kind of phase")))
        }
        None if kind == of => Err(Wrong(raw.seconds.span(), format!("this phase needs {name}"))),
        _ => Ok(()),
    };
    only(&raw.cut, "cut", PhaseKind::Storm)?;
    only(&raw.connection_seconds, "connection_seconds", PhaseKind::Churn)?;
    let life =
        raw.connection_seconds.map(|life| number(Some(life), "connection_seconds", 0.1..=1e6, 0.0));
    Ok(Phase {
        name: raw.name.unwrap_or_else(|| format!("phase {}", n + 1)),
        kind,
        seconds,
        warm_up: raw.warm_up,
        arrivals: level(raw.conversations_per_second, "conversations_per_second", kind)?,
        population: level(raw.conversations, "conversations", kind)?,
        idle: level(raw.idle_connections, "idle_connections", kind)?,
        cut: share(raw.cut, "cut", 0.0)?,
        connection_seconds: life.transpose()?,
    })
}

fn level(raw: Option<Spanned<RawLevel>>, name: &str, kind: PhaseKind) -> Checked<Level> {
    let Some(raw) = raw else { return Ok(Level::default()) };
    let level = match *raw.get_ref() {
        RawLevel::Constant(value) => Level::constant(value),
        RawLevel::Between([from, to]) => Level { from, to },
    };
    let sound = |value: f64| (0.0..=MAX_PEOPLE).contains(&value);
    if !sound(level.from) || !sound(level.to) {
        return Err(Wrong(raw.span(), format!("{name} must be 0 to {MAX_PEOPLE}")));
    }
    let varies = matches!(kind, PhaseKind::Ramp | PhaseKind::Spike);
    if varies != matches!(raw.get_ref(), RawLevel::Between(_)) {
        let reason = match varies {
            true => format!("{name} must be [from, to] in a ramp or spike"),
            false => format!("{name} must be one number: only a ramp or spike varies"),
        };
        return Err(Wrong(raw.span(), reason));
    }
    Ok(level)
}

fn agents(raw: RawAgents) -> Checked<Agents> {
    Ok(Agents {
        count: number(raw.count, "count", 0.0..=10_000.0, 0.0)? as u32,
        accept_seconds: spread(raw.accept_seconds, "accept_seconds", 0.0..=600.0, 0.0)?,
    })
}

fn supervisors(raw: RawSupervisors) -> Checked<Supervisors> {
    Ok(Supervisors {
        count: number(raw.count, "count", 0.0..=1_000.0, 0.0)? as u32,
        watch: share(raw.watch, "watch", 0.0)?,
    })
}

fn talk(raw: RawTalk, arrivals: Arrivals) -> Checked<Talk> {
    let chosen = [
        raw.messages.as_ref().map(Spanned::span),
        raw.messages_per_second.as_ref().map(Spanned::span),
        raw.window.as_ref().map(Spanned::span),
    ];
    if let [Some(_), Some(second), ..] | [.., Some(_), Some(second)] | [Some(_), _, Some(second)] =
        chosen
    {
        let reason = "only one of messages, messages_per_second and window sets the pace";
        return Err(Wrong(second, reason.into()));
    }
    let pace = if let Some(rate) = raw.messages_per_second {
        let per_second = number(Some(rate), "messages_per_second", 1e-6..=1e6, 0.0)?;
        Pace::Rate { per_second, arrivals }
    } else if let Some(window) = raw.window {
        Pace::Window(number(Some(window), "window", 1.0..=1_000.0, 0.0)? as u32)
    } else if raw.messages.is_some() {
        Pace::Script {
            messages: spread(raw.messages, "messages", 1.0..=10_000.0, 0.0)?,
            think_seconds: spread(raw.think_seconds, "think_seconds", 0.0..=3_600.0, 5.0)?,
        }
    } else {
        Pace::Silent
    };
    let lead = number(raw.lead_seconds, "lead_seconds", 0.0..=600.0, 1.0)?;
    Ok(Talk {
        pace,
        length_bytes: spread(raw.length_bytes, "length_bytes", 0.0..=MAX_MESSAGE_BYTES, 128.0)?,
        lead: Duration::from_secs_f64(lead),
        typing: share(raw.typing, "typing", 0.0)?,
        read: share(raw.read, "read", 0.0)?,
        attachments: share(raw.attachments, "attachments", 0.0)?,
        transfers: share(raw.transfers, "transfers", 0.0)?,
        visitor_closes: share(raw.visitor_closes, "visitor_closes", 0.5)?,
        ratings: share(raw.ratings, "ratings", 0.0)?,
    })
}

fn carriers(raw: Shares) -> Checked<Carriers> {
    let Some(shares) = raw else { return Ok(Carriers::default()) };
    let at = shares.span();
    Carriers::new(shares.into_inner())
        .ok_or_else(|| Wrong(at, "carriers must have shares of 0 or more, and one above 0".into()))
}

fn fault(raw: RawFault, total: u32) -> Checked<Fault> {
    let at = number(Some(raw.at_seconds), "at_seconds", 0.0..=f64::from(total), 0.0)?;
    let deadline = number(raw.deadline_seconds, "deadline_seconds", 0.1..=600.0, FAULT_SECONDS)?;
    Ok(Fault {
        name: raw.name,
        at: Duration::from_secs_f64(at),
        command: raw.command,
        deadline: Duration::from_secs_f64(deadline),
    })
}

fn threshold(raw: Spanned<String>) -> Checked<Threshold> {
    raw.get_ref().parse().map_err(|e| Wrong(raw.span(), format!("{e}")))
}

fn share(raw: Option<Spanned<f64>>, name: &str, otherwise: f64) -> Checked<f64> {
    number(raw, name, 0.0..=1.0, otherwise)
}

fn number(
    raw: Option<Spanned<f64>>,
    name: &str,
    range: RangeInclusive<f64>,
    otherwise: f64,
) -> Checked<f64> {
    let Some(raw) = raw else { return Ok(otherwise) };
    let value = *raw.get_ref();
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (range.start(), range.end());
    Err(Wrong(raw.span(), format!("{name} must be {least} to {most}, not {value}")))
}

fn spread(
    raw: Option<Spanned<RawSpread>>,
    name: &str,
    range: RangeInclusive<f64>,
    otherwise: f64,
) -> Checked<Distribution> {
    let Some(raw) = raw else { return Ok(Distribution::Fixed(otherwise)) };
    let at = raw.span();
    let (distribution, values) = match raw.into_inner() {
        RawSpread::Fixed(value) => (Distribution::Fixed(value), vec![value]),
        RawSpread::Named(Named::RealMessages) => (Distribution::RealMessages, vec![]),
        RawSpread::Uniform(RawUniform { from, to }) => {
            (Distribution::Uniform(from, to), vec![from, to])
        }
        RawSpread::LogNormal(RawLogNormal { median, sigma, max }) => {
            if !(sigma >= 0.0 && median > 0.0) {
                let reason = format!("{name}: median must be above 0, sigma 0 or more");
                return Err(Wrong(at, reason));
            }
            (Distribution::LogNormal { median, sigma, max }, vec![median, max])
        }
    };
    if values.is_sorted() && values.iter().all(|value| range.contains(value)) {
        return Ok(distribution);
    }
    let (least, most) = (range.start(), range.end());
    Err(Wrong(at, format!("{name} must rise within {least} to {most}")))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
