//! `frontdesk ctl replay`: what came, run through other rules, beside what became of it
//! in truth. Changes nothing anywhere.

use super::configure::{name_of, read, refused};
use super::figures::{moment, zone};
use super::{Admin, CtlError, newcomers, print_json, table};
use crate::cli::{Output, ReplayArgs};
use frontdesk_core::figures::{Acts, Crowd, Record, Stretch};
use frontdesk_core::ids::{AgentId, QueueId, SiteId};
use frontdesk_core::model::{Came, Centre, Line, Ours, Pace, Queue, Ran, Staff, lines, recorded};
use frontdesk_core::presence::AgentProfile;
use frontdesk_core::routes::{self, Visit};
use frontdesk_core::time::Timestamp;
use frontdesk_desk::{Trial, trial};
use frontdesk_proto::api::{AgentAccount, SiteConfig};
use frontdesk_proto::convert::{
    account_from_proto, record_from_proto, timestamp_from_proto, timestamp_to_proto,
};
use frontdesk_proto::v1::RecordedArrivalsRequest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What happened, as it was recorded.
struct Happened {
    /// With whether the rules in force chose the queue of its first episode.
    records: Vec<(Record, bool)>,
    accounts: Vec<AgentAccount>,
}

/// Asks for what came, runs it and prints both.
pub(super) async fn replay(
    admin: Admin,
    output: Output,
    site: &str,
    args: ReplayArgs,
) -> Result<(), CtlError> {
    let name = name_of(&args.rules);
    let document =
        read(&args.rules).map_err(|source| CtlError::File { file: name.clone(), source })?;
    let site: SiteId = site.parse()?;
    let (from, to) = stretch(&args)?;
    let happened = ask(admin, &site, from, to).await?;
    let rules = trial(&document, &site, &happened.accounts)
        .map_err(|problems| refused(&name, &problems))?;
    let report = run(&happened, &rules, (from, to));
    if let Output::Json = output {
        return Ok(print_json(&report)?);
    }
    print(&report);
    Ok(())
}

fn stretch(args: &ReplayArgs) -> Result<Stretch, CtlError> {
    let zone = zone(&args.time_zone)?;
    let at = |text: &str| {
        let at = timestamp_from_proto(&moment(text, &zone)?);
        at.ok_or_else(|| CtlError::Usage(format!("{text:?} is before 1970")))
    };
    Ok((at(&args.from)?, at(args.to.as_deref().unwrap_or("0s"))?))
}

async fn ask(
    mut admin: Admin,
    site: &SiteId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Happened, CtlError> {
    // No deadline: it is as long as what came; keep-alive finds a dead peer.
    let ask = RecordedArrivalsRequest {
        from: Some(timestamp_to_proto(from)),
        to: Some(timestamp_to_proto(to)),
    };
    let mut pages = admin.recorded_arrivals(ask).await?.into_inner();
    let mut happened = Happened { records: Vec::new(), accounts: Vec::new() };
    let strange = |e: frontdesk_proto::convert::ConvertError| {
        CtlError::Usage(format!("the answer cannot be understood: {e}"))
    };
    while let Some(page) = pages.message().await? {
        for conversation in &page.conversations {
            happened.records.push(record_from_proto(conversation).map_err(strange)?);
        }
        for agent in &page.agents {
            happened.accounts.push(account_from_proto(agent, site).map_err(strange)?);
        }
    }
    Ok(happened)
}

/// What came of it all.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    conversations: usize,
    agents: usize,
    /// Of whom so many would be made by the document.
    newcomers: usize,
    queues: Vec<Both>,
    total: Both,
    /// Share of the agents' slots that was taken while they were there.
    #[serde(skip_serializing_if = "Option::is_none")]
    occupancy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed_occupancy: Option<f64>,
    transfers: u64,
    replayed_transfers: u64,
}

#[derive(Debug, Serialize)]
struct Both {
    queue: String,
    real: Fared,
    replayed: Fared,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fared {
    arrivals: u64,
    served: u64,
    gave_up: u64,
    turned_away: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_p50_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_p95_seconds: Option<f64>,
    /// By the target of the rules that are tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_level: Option<f64>,
    /// Slots that were taken, on average over the time.
    load: f64,
}

fn run(happened: &Happened, rules: &Trial, (from, to): Stretch) -> Report {
    let site = &rules.site;
    let (mut staff, mut people) = people(happened, rules);
    let had_been_there = staff.len();
    for account in rules.newcomers.iter().filter(|account| !account.disabled) {
        staff.push(account.id);
        people.push(newcomers::staff(site, &account.profile, (from, to)));
    }
    let goes_to: Vec<Vec<QueueId>> =
        happened.records.iter().map(|(record, routed)| queues_of(site, record, *routed)).collect();
    let mut came = Vec::new();
    for ((record, _), queues) in happened.records.iter().zip(&goes_to) {
        let episodes = record.episodes.iter().zip(queues);
        let conversation = record.conversation;
        came.extend(episodes.map(|(episode, queue)| Came { conversation, episode, queue }));
    }
    let weight = |queue: &QueueId| site.queue(queue).map_or(1, |queue| queue.weight);
    let recorded = recorded(&came, to, &staff, |queue| home(site, queue), weight);
    let (real_room, tried_room) = (room(&people[..had_been_there]), room(&people));
    let centre = centre(site, people);
    let ran = centre.run(&recorded.arrivals, &mut Ours);
    let target = |queue: &QueueId| site.queue(queue)?.answer_within;
    let real = lines(&recorded.came_to, &recorded.real, target);
    let replayed = lines(recorded.arrivals.iter().map(|a| &a.queue), &ran, target);
    let span = to.since(from).get().max(1) as f64;
    let both = |name: String, real: &Line, replayed: &Line| Both {
        queue: name,
        real: fared(real, span),
        replayed: fared(replayed, span),
    };
    let names: BTreeSet<&QueueId> = real.keys().chain(replayed.keys()).collect();
    let nobody = Line::default();
    let of = |lines: &BTreeMap<QueueId, Line>, queue| lines.get(queue).unwrap_or(&nobody).clone();
    let queues = names.into_iter().map(|q| both(q.to_string(), &of(&real, q), &of(&replayed, q)));
    let occupancy = |ran: &Ran, room: u64| {
        (room > 0).then(|| ran.taken.iter().sum::<u64>() as f64 / room as f64)
    };
    Report {
        conversations: happened.records.len(),
        agents: staff.len(),
        newcomers: staff.len() - had_been_there,
        queues: queues.collect(),
        total: both("all".into(), &sum(&real), &sum(&replayed)),
        occupancy: occupancy(&recorded.real, real_room),
        replayed_occupancy: occupancy(&ran, tried_room),
        transfers: recorded.real.handed_on,
        replayed_transfers: ran.handed_on,
    }
}

fn sum(lines: &BTreeMap<QueueId, Line>) -> Line {
    lines.values().fold(Line::default(), |mut all, line| {
        all.add(line);
        all
    })
}

fn fared(line: &Line, span: f64) -> Fared {
    let seconds = |percent| line.wait(percent).map(|wait| wait.get() as f64 / 1_000.0);
    Fared {
        arrivals: line.arrivals,
        served: line.served,
        gave_up: line.gave_up,
        turned_away: line.turned_away,
        wait_p50_seconds: seconds(50),
        wait_p95_seconds: seconds(95),
        service_level: line.service_level(),
        load: line.taken as f64 / span,
    }
}

/// Where those go who were in a queue that there may not be any more.
fn home(site: &SiteConfig, queue: &QueueId) -> QueueId {
    if site.queue(queue).is_some() { queue.clone() } else { site.default_queue.clone() }
}

/// Where each episode of a conversation goes: rules choose again where they did before;
/// what a page has named stays.
fn queues_of(site: &SiteConfig, record: &Record, routed: bool) -> Vec<QueueId> {
    let opening = &record.opening;
    let visit = Visit {
        page: &opening.page,
        language: &record.language,
        attributes: &opening.attributes,
        text: &opening.text,
        channel: &record.channel,
        now: record.episodes.first().map_or(Timestamp::ZERO, |episode| episode.began_at),
        calendars: &site.calendars,
    };
    let first = record.episodes.first().map(|episode| &episode.queue);
    let chosen = routes::decide(&site.routes, &visit).route.map(|route| &route.queue);
    let chosen = chosen.unwrap_or(&site.default_queue);
    let goes_to = |queue: &QueueId| {
        if routed && first == Some(queue) { chosen.clone() } else { home(site, queue) }
    };
    record.episodes.iter().map(|episode| goes_to(&episode.queue)).collect()
}

/// Those who were there and may sign in by the rules that are tried.
fn people(happened: &Happened, rules: &Trial) -> (Vec<AgentId>, Vec<Staff>) {
    let mut acts = Acts::default();
    let mut served: BTreeMap<AgentId, BTreeSet<QueueId>> = BTreeMap::new();
    let mut had = Vec::new();
    for episode in happened.records.iter().flat_map(|(record, _)| &record.episodes) {
        acts.add(episode);
        for stint in &episode.stints {
            served.entry(stint.agent).or_default().insert(stint.queue.clone());
            had.push((stint.agent, (stint.from, stint.to.unwrap_or(stint.from))));
        }
    }
    let crowd = Crowd::of(had);
    // Whose account is gone is taken to be able to do what it did.
    let as_seen = |agent: AgentId| AgentProfile {
        capacity: u32::try_from(crowd.most(agent)).unwrap_or(u32::MAX).max(1),
        queues: served.get(&agent).into_iter().flatten().cloned().collect(),
        ..AgentProfile::default()
    };
    let person = |(agent, shifts): (AgentId, Vec<Stretch>)| {
        let account = rules.agents.iter().find(|account| account.id == agent);
        let profile = match account {
            Some(account) if account.disabled => return None,
            Some(account) => account.profile.clone(),
            None => as_seen(agent),
        };
        Some((agent, Staff { profile, shifts }))
    };
    acts.shifts().into_iter().filter_map(person).unzip()
}

/// Slots × milliseconds for which they were there.
fn room(people: &[Staff]) -> u64 {
    let there = |staff: &Staff| -> u64 {
        let length = |(from, to): &Stretch| to.since(*from).get();
        staff.shifts.iter().map(length).sum::<u64>() * u64::from(staff.profile.capacity)
    };
    people.iter().map(there).sum()
}

fn centre(site: &SiteConfig, staff: Vec<Staff>) -> Centre {
    let queue = |queue: &frontdesk_proto::api::QueueConfig| {
        let hours = site.hours(queue).cloned();
        let (priority_minutes, weight) = (queue.priority_minutes, queue.weight);
        let (wrap_up, rules, limits) = (queue.wrap_up, queue.rules.clone(), queue.limits.clone());
        (queue.id.clone(), Queue { priority_minutes, weight, wrap_up, rules, hours, limits })
    };
    Centre {
        queues: site.queues.iter().map(queue).collect(),
        staff,
        unskilled_percent: 100,
        hands_on_after: None,
        pace: Pace::default(),
    }
}

fn print(report: &Report) {
    let heading = [
        "QUEUE",
        "RULES",
        "ARRIVALS",
        "SERVED",
        "GAVE UP",
        "SENT AWAY",
        "WAIT P50",
        "P95",
        "SLA",
        "LOAD",
    ];
    let row = |queue: &str, rules: &str, fared: &Fared| {
        let seconds = |s: Option<f64>| s.map_or_else(|| "-".to_owned(), |s| format!("{s:.0}s"));
        let percent = |s: Option<f64>| {
            s.map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0))
        };
        vec![
            queue.to_owned(),
            rules.to_owned(),
            fared.arrivals.to_string(),
            fared.served.to_string(),
            fared.gave_up.to_string(),
            fared.turned_away.to_string(),
            seconds(fared.wait_p50_seconds),
            seconds(fared.wait_p95_seconds),
            percent(fared.service_level),
            format!("{:.2}", fared.load),
        ]
    };
    let both = |both: &Both| {
        [row(&both.queue, "real", &both.real), row(&both.queue, "tried", &both.replayed)]
    };
    let rows = report.queues.iter().chain([&report.total]).flat_map(both);
    table::print(&heading, rows.collect());
    let percent =
        |s: Option<f64>| s.map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0));
    println!(
        "{} conversations, {} agents, {} of them new; slots taken {} -> {}, handed on {} -> {}",
        report.conversations,
        report.agents,
        report.newcomers,
        percent(report.occupancy),
        percent(report.replayed_occupancy),
        report.transfers,
        report.replayed_transfers,
    );
}
