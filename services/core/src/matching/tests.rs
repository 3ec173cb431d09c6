//! Who is asked for what, case by case.

use super::*;
use crate::conversation::Reachable;
use crate::ids::Seq;
use crate::presence::AgentProfile;
pub(super) use crate::presence::AgentStatus;
use crate::skill::Step;
use uuid::Uuid;

pub(super) fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

pub(super) fn agent_id(id: u128) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(id))
}

pub(super) fn queue(name: &str) -> QueueId {
    name.parse().unwrap()
}

pub(super) fn view(id: u128, capacity: u32, load: u32, status: AgentStatus) -> AgentView {
    AgentView {
        site: "shop".parse().unwrap(),
        id: agent_id(id),
        profile: AgentProfile {
            name: "".into(),
            capacity,
            queues: vec![queue("sales")],
            supervisor: false,
            ..AgentProfile::default()
        },
        status,
        reason: "".into(),
        since: at(0),
        load,
        reservations: vec![],
        idle_since: at(0),
        assigned_at: at(0),
        missed: 0,
        gateways: vec![("gw-1".parse().unwrap(), 1)],
        revision: 1,
    }
}

pub(super) fn seat(view: AgentView) -> Seat {
    Seat::new(Arc::new(view))
}

pub(super) fn free(id: u128) -> Seat {
    seat(view(id, 3, 0, AgentStatus::Online))
}

pub(super) fn request(id: u128, since: u64) -> Request {
    Request {
        queue: queue("sales"),
        entry: Entry {
            conversation: ConversationId::from_uuid(Uuid::from_u128(id)),
            version: Seq::new(1),
            waiting_since: at(since),
            arrival: None,
            reachable: Reachable::Unknown,
            priority_minutes: 0,
            extra_minutes: 0,
            weight: 1,
            excluded: vec![],
            target: None,
            previous: None,
            asked_skills: Skills::default(),
            language: None,
        },
        ask_again_at: None,
        rules: Arc::default(),
    }
}

pub(super) fn rules(policy: Policy) -> Arc<Rules> {
    Arc::new(Rules { policy, ..Rules::default() })
}

pub(super) fn run(requests: &[Request], seats: &[Seat]) -> Decision {
    decide(requests, seats, at(1_000))
}

pub(super) fn chosen(decision: &Decision) -> Vec<AgentId> {
    decision.assignments.iter().map(|a| a.agent).collect()
}

pub(super) fn verdict(decision: &Decision, request: usize, agent: u128) -> Verdict {
    let found = decision.traces[request].candidates.iter().find(|c| c.0 == agent_id(agent));
    found.unwrap().1
}

#[test]
fn the_highest_score_gets_the_only_slot_whatever_the_order_told() {
    let one_slot = [seat(view(1, 1, 0, AgentStatus::Online))];
    let decision = run(&[request(2, 20), request(1, 10)], &one_slot);
    assert_eq!(decision.assignments.len(), 1);
    assert_eq!(decision.assignments[0].conversation, request(1, 10).entry.conversation);
}

#[test]
fn the_least_loaded_share_then_the_longest_idle() {
    let half = seat(view(1, 4, 2, AgentStatus::Online));
    let third = seat(view(2, 3, 1, AgentStatus::Online));
    assert_eq!(chosen(&run(&[request(1, 1)], &[half, third])), [agent_id(2)]);
    let mut fresh = view(1, 3, 0, AgentStatus::Online);
    fresh.idle_since = at(500);
    let seats = [seat(fresh), free(2)];
    assert_eq!(chosen(&run(&[request(1, 1)], &seats)), [agent_id(2)]);
}

#[test]
fn the_policy_may_put_idleness_first() {
    let mut idle = view(1, 4, 2, AgentStatus::Online);
    idle.idle_since = at(1);
    let mut fresh = view(2, 4, 0, AgentStatus::Online);
    fresh.idle_since = at(500);
    let seats = [seat(idle), seat(fresh)];
    let mut it = request(1, 1);
    it.rules = rules(Policy::LongestIdle);
    let decision = run(&[it], &seats);
    assert_eq!(chosen(&decision), [agent_id(1)]);
}

/// However long it had waited before the agent was lost.
#[test]
fn an_agent_who_was_lost_and_is_back_gets_it_again() {
    let mut lost = request(1, 1);
    lost.entry.previous = Some(agent_id(2));
    let reason = crate::conversation::QueuedReason::AgentLost;
    lost.entry.arrival = Some(crate::conversation::Arrival { at: at(990), reason });
    lost.rules = Arc::new(Rules { hold_for_previous: Millis::from_secs(20), ..Rules::default() });
    let offline = || seat(view(2, 3, 0, AgentStatus::Offline));
    let back_but = |load| seat(view(2, 3, load, AgentStatus::Online));
    // While it is away anyone takes it; as soon as it is back it comes first,
    assert_eq!(chosen(&run(std::slice::from_ref(&lost), &[free(1), offline()])), [agent_id(1)]);
    assert_eq!(chosen(&run(std::slice::from_ref(&lost), &[free(1), back_but(2)])), [agent_id(2)]);
    // and within the hold even while it has no room.
    let decision = run(std::slice::from_ref(&lost), &[free(1), back_but(3)]);
    assert_eq!((chosen(&decision), decision.due), (vec![], Some(at(1_010))));
    let later = decide(&[lost], &[free(1), back_but(3)], at(1_010));
    assert_eq!(chosen(&later), [agent_id(1)]);
}

#[test]
fn the_agent_of_before_is_preferred_while_it_has_room() {
    let mut again = request(1, 1);
    again.entry.previous = Some(agent_id(2));
    let busy = |load| [free(1), seat(view(2, 3, load, AgentStatus::Online))];
    assert_eq!(chosen(&run(std::slice::from_ref(&again), &busy(2))), [agent_id(2)]);
    assert_eq!(chosen(&run(&[again], &busy(3))), [agent_id(1)]);
}

#[test]
fn who_comes_back_waits_a_while_for_the_agent_of_before() {
    let mut again = request(1, 990);
    again.entry.previous = Some(agent_id(2));
    again.rules = Arc::new(Rules { hold_for_previous: Millis::from_secs(20), ..Rules::default() });
    let with = |status| [free(1), seat(view(2, 3, 3, status))];
    let decision = run(std::slice::from_ref(&again), &with(AgentStatus::Online));
    assert_eq!((chosen(&decision), decision.due), (vec![], Some(at(1_010))));
    assert_eq!(verdict(&decision, 0, 1), Verdict::Rejected(Rejection::HeldForPrevious));
    let gone = run(std::slice::from_ref(&again), &with(AgentStatus::Offline));
    assert_eq!(chosen(&gone), [agent_id(1)], "nobody waits for one who is not there");
    let later = decide(&[again], &with(AgentStatus::Online), at(1_010));
    assert_eq!(chosen(&later), [agent_id(1)]);
}

pub(super) fn skills(all: &[(&str, u8)]) -> Skills {
    let one = |(name, level): &(&str, u8)| (name.parse().unwrap(), (*level).try_into().unwrap());
    all.iter().map(one).collect()
}

fn skilled(id: u128, load: u32, has: &[(&str, u8)]) -> Seat {
    let mut agent = view(id, 3, load, AgentStatus::Online);
    agent.profile.skills = skills(has);
    seat(agent)
}

/// Tax at 3 for ten seconds, then at 1.
pub(super) fn tax(since: u64, policy: Policy) -> Request {
    let step =
        |secs, level| Step { after: Millis::from_secs(secs), skills: skills(&[("tax", level)]) };
    let needs = Needs::new(vec![step(0, 3), step(10, 1)]).unwrap();
    let rules = Rules { needs, policy, ..Rules::default() };
    Request { rules: Arc::new(rules), ..request(1, since) }
}

#[test]
fn what_a_transfer_asks_for_stays_while_the_rest_relaxes() {
    let seats = [skilled(1, 0, &[("tax", 5)]), skilled(2, 0, &[("law", 2)])];
    let mut asks = tax(1, Policy::LeastLoaded);
    asks.entry.asked_skills = skills(&[("law", 2)]);
    let decision = run(&[asks.clone()], &seats);
    assert_eq!(chosen(&decision), [], "the queue asks for a little of tax to the end");
    assert_eq!(decision.traces[0].required, skills(&[("tax", 1), ("law", 2)]));
    asks.rules = Arc::default();
    assert_eq!(chosen(&run(&[asks], &seats)), [agent_id(2)]);
}

#[test]
fn less_skill_will_do_after_a_while() {
    let full_expert = skilled(1, 3, &[("tax", 5)]);
    let seats = [full_expert, skilled(2, 0, &[("tax", 1)]), free(3)];
    let decision = run(&[tax(995, Policy::LeastLoaded)], &seats);
    assert_eq!((chosen(&decision), decision.due), (vec![], Some(at(1_005))));
    assert_eq!(verdict(&decision, 0, 1), Verdict::Rejected(Rejection::NoRoom));
    assert_eq!(verdict(&decision, 0, 2), Verdict::Rejected(Rejection::Unskilled));
    assert_eq!(decision.traces[0].required, skills(&[("tax", 3)]));
    let later = run(&[tax(990, Policy::LeastLoaded)], &seats);
    assert_eq!(chosen(&later), [agent_id(2)]);
    assert_eq!(verdict(&later, 0, 3), Verdict::Rejected(Rejection::Unskilled));
}

#[test]
fn a_step_for_which_nobody_is_signed_in_is_skipped() {
    let mut away = view(1, 3, 0, AgentStatus::Offline);
    away.profile.skills = skills(&[("tax", 5)]);
    let seats = [seat(away), skilled(2, 0, &[("tax", 1)])];
    assert_eq!(chosen(&run(&[tax(1_000, Policy::LeastLoaded)], &seats)), [agent_id(2)]);
}

#[test]
fn the_most_proficient_may_come_first() {
    let seats = [skilled(1, 0, &[("tax", 3)]), skilled(2, 2, &[("tax", 5)])];
    let first = |policy| chosen(&run(&[tax(1_000, policy)], &seats));
    assert_eq!(first(Policy::BestProficiency), [agent_id(2)]);
    assert_eq!(first(Policy::LeastLoaded), [agent_id(1)]);
}

#[test]
fn those_who_serve_the_queue_first_are_asked_first() {
    let serving = |id, load, queues: &[&str]| {
        let mut agent = view(id, 3, load, AgentStatus::Online);
        agent.profile.queues = queues.iter().map(|name| queue(name)).collect();
        seat(agent)
    };
    let seats = [serving(1, 0, &["support", "sales"]), serving(2, 2, &["sales", "support"])];
    assert_eq!(chosen(&run(&[request(1, 1)], &seats)), [agent_id(2)]);
}

#[test]
fn a_transfer_waits_for_its_agent_until_the_hold_ends() {
    let mut meant = request(1, 1);
    meant.entry.target = Some((agent_id(2), at(1_060)));
    let mut elsewhere = view(2, 3, 3, AgentStatus::Online);
    elsewhere.profile.queues = vec![queue("support")];
    let full = [free(1), seat(elsewhere.clone())];
    let decision = run(std::slice::from_ref(&meant), &full);
    assert_eq!(chosen(&decision), []);
    assert_eq!(decision.due, Some(at(1_060)));
    assert_eq!(verdict(&decision, 0, 1), Verdict::Rejected(Rejection::HeldForTarget));
    assert_eq!(verdict(&decision, 0, 2), Verdict::Rejected(Rejection::NoRoom));

    elsewhere.load = 0;
    let room = [free(1), seat(elsewhere)];
    assert_eq!(chosen(&run(std::slice::from_ref(&meant), &room)), [agent_id(2)]);
    let later = decide(&[meant], &full, at(1_060));
    assert_eq!(chosen(&later), [agent_id(1)]);
}

#[test]
fn a_transfer_does_not_wait_for_an_agent_who_is_not_there() {
    let mut meant = request(1, 1);
    meant.entry.target = Some((agent_id(2), at(1_060)));
    let gone = [free(1), seat(view(2, 3, 0, AgentStatus::Offline))];
    assert_eq!(chosen(&run(&[meant], &gone)), [agent_id(1)]);
}

#[test]
fn who_refused_is_asked_again_only_when_nobody_else_is_left_and_not_at_once() {
    let mut refused = request(1, 1);
    refused.entry.excluded = vec![agent_id(1)];
    let decision = run(std::slice::from_ref(&refused), &[free(1), free(2)]);
    assert_eq!(chosen(&decision), [agent_id(2)]);
    assert_eq!(verdict(&decision, 0, 1), Verdict::Rejected(Rejection::Excluded));

    let full = seat(view(2, 3, 3, AgentStatus::Online));
    let decision = run(std::slice::from_ref(&refused), &[free(1), full]);
    assert_eq!(chosen(&decision), [agent_id(1)], "nobody waits for one who is full");

    let away = seat(view(2, 3, 0, AgentStatus::Away));
    let alone = [free(1), away];
    assert_eq!(chosen(&run(std::slice::from_ref(&refused), &alone)), [agent_id(1)]);

    refused.ask_again_at = Some(at(1_005));
    let decision = run(&[refused], &alone);
    assert_eq!(chosen(&decision), []);
    assert_eq!(decision.due, Some(at(1_005)));
    assert_eq!(verdict(&decision, 0, 1), Verdict::Rejected(Rejection::AskedJustNow));
}

#[test]
fn of_those_who_refused_the_longest_ago_is_asked() {
    let mut refused = request(1, 1);
    refused.entry.excluded = vec![agent_id(2), agent_id(1)];
    refused.entry.previous = Some(agent_id(1));
    assert_eq!(chosen(&run(&[refused], &[free(1), free(2)])), [agent_id(2)]);
}

#[test]
fn lighter_ones_do_not_starve_a_heavy_one() {
    let mut heavy = request(1, 1);
    heavy.entry.weight = 3;
    let light = request(2, 2);
    let seats = [seat(view(1, 3, 1, AgentStatus::Online))];
    let decision = run(&[heavy.clone(), light.clone()], &seats);
    assert_eq!(chosen(&decision), []);
    // One that fits nowhere holds nothing up.
    heavy.entry.weight = 4;
    assert_eq!(chosen(&run(&[heavy, light], &seats)), [agent_id(1)]);
}

#[test]
fn slots_spoken_for_count() {
    let mut taken = free(1);
    taken.pending = 3;
    assert_eq!(chosen(&run(&[request(1, 1)], &[taken])), []);
}
