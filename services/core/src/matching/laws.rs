//! Languages, caps and turns: case by case, and against a reference that looks at every
//! agent for every conversation.

use super::tests::*;
use super::*;
use crate::presence::{Claim, Hold, Reservation};
use crate::skill::Step;
use proptest::prelude::*;
use std::collections::HashMap;

fn language(code: &str) -> Option<Language> {
    Language::of_tag(code)
}

fn speaking(id: u128, codes: &[&str]) -> Seat {
    let mut agent = view(id, 3, 0, AgentStatus::Online);
    agent.profile.languages = codes.iter().filter_map(|code| language(code)).collect();
    seat(agent)
}

fn foreign(relax_after: Option<u64>, since: u64) -> Request {
    let rule = LanguageRule { relax_after: relax_after.map(Millis::from_secs) };
    let mut it = request(1, since);
    it.entry.language = language("de");
    it.rules = Arc::new(Rules { language: Some(rule), ..Rules::default() });
    it
}

/// Holds a conversation of the queue that counts for it.
fn holding(mut agent: AgentView, queue_name: &str, conversation: u128, hold: Hold) -> AgentView {
    agent.load += 1;
    agent.reservations.push(Reservation {
        conversation: request(conversation, 0).entry.conversation,
        weight: 1,
        hold,
        claim: Some(Claim { queue: queue(queue_name), max: None }),
    });
    agent
}

#[test]
fn the_visitors_language_is_asked_for_and_later_not() {
    let busy = {
        let mut agent = AgentView::clone(&speaking(1, &["de", "en"]).agent);
        agent.load = 3;
        seat(agent)
    };
    let seats = [busy, speaking(2, &["en"])];
    let decision = run(&[foreign(Some(10), 995)], &seats);
    assert_eq!((chosen(&decision), decision.due), (vec![], Some(at(1_005))));
    assert_eq!(verdict(&decision, 0, 1), Verdict::Rejected(Rejection::NoRoom));
    assert_eq!(verdict(&decision, 0, 2), Verdict::Rejected(Rejection::Language));
    assert_eq!(decision.traces[0].language, language("de"));
    assert_eq!(chosen(&run(&[foreign(Some(10), 990)], &seats)), [agent_id(2)]);
    assert_eq!(chosen(&run(&[foreign(None, 1)], &seats)), [], "for as long as it takes");
    let mut unknown = foreign(None, 1);
    unknown.entry.language = None;
    assert_eq!(chosen(&run(&[unknown], &seats)), [agent_id(2)]);
}

#[test]
fn a_language_that_nobody_signed_in_speaks_is_not_waited_for() {
    let gone = {
        let mut agent = AgentView::clone(&speaking(1, &["de"]).agent);
        agent.status = AgentStatus::Offline;
        seat(agent)
    };
    assert_eq!(chosen(&run(&[foreign(None, 1_000)], &[gone, free(2)])), [agent_id(2)]);
}

#[test]
fn an_agent_has_no_more_of_a_queue_than_it_may() {
    let mut one = view(1, 9, 0, AgentStatus::Online);
    one.profile.caps = [(queue("sales"), 1)].into();
    let requests = [request(1, 1), request(2, 2)];
    let decision = run(&requests, &[seat(one.clone())]);
    assert_eq!(chosen(&decision), [agent_id(1)]);
    assert_eq!(verdict(&decision, 1, 1), Verdict::Rejected(Rejection::QueueCap));
    // Wrap-up counts, and what is not shown yet, and what is of another queue does not.
    let wraps_up = seat(holding(one.clone(), "sales", 9, Hold::WrapUp(at(2_000))));
    assert_eq!(chosen(&run(&requests, &[wraps_up])), []);
    let asked = Seat { pending: 1, asked: vec![queue("sales")], ..seat(one.clone()) };
    assert_eq!(chosen(&run(&requests, &[asked])), []);
    let elsewhere = seat(holding(one, "support", 9, Hold::Active));
    assert_eq!(chosen(&run(&requests, &[elsewhere])), [agent_id(1)]);
}

#[test]
fn a_queue_has_no_more_with_agents_than_it_may() {
    let rules = Arc::new(Rules { max_active: Some(2), ..Rules::default() });
    let requests = [1, 2, 3].map(|id| Request { rules: rules.clone(), ..request(id, 1) });
    let free = || view(2, 9, 0, AgentStatus::Online);
    let busy = seat(holding(view(1, 1, 0, AgentStatus::Online), "sales", 9, Hold::Active));
    let decision = run(&requests, &[busy, seat(free())]);
    assert_eq!(chosen(&decision), [agent_id(2)]);
    assert_eq!(verdict(&decision, 1, 2), Verdict::Rejected(Rejection::QueueFull));
    let over = holding(view(1, 1, 0, AgentStatus::Online), "sales", 9, Hold::WrapUp(at(2_000)));
    assert_eq!(chosen(&run(&requests, &[seat(over), seat(free())])).len(), 2);
}

#[test]
fn everybody_has_a_turn() {
    let requests =
        [1, 2, 3, 4].map(|id| Request { rules: rules(Policy::RoundRobin), ..request(id, 1) });
    let had = |id, assigned_at| {
        let mut agent = view(id, 9, 0, AgentStatus::Online);
        agent.assigned_at = at(assigned_at);
        seat(agent)
    };
    let seats = [had(1, 30), had(2, 10), had(3, 20)];
    let order = [2, 3, 1, 2].map(agent_id);
    assert_eq!(chosen(&run(&requests, &seats)), order);
    // Who has an open offer has had its turn.
    let open =
        seat(holding(AgentView::clone(&seats[1].agent), "sales", 9, Hold::Reserved(at(2_000))));
    assert_eq!(chosen(&run(&requests[..1], &[seats[0].clone(), open])), [agent_id(1)]);
}

#[test]
fn a_round_ends_where_it_is_told_to() {
    let requests = [1, 2, 3].map(|id| request(id, 1));
    let seats = [free(1), free(2)];
    let decision = decide_some(&requests, &seats, at(1_000), 2);
    assert_eq!((decision.assignments.len(), decision.more), (2, true));
    assert!(!decide_some(&requests, &seats, at(1_000), 3).more);
}

fn team() -> impl Strategy<Value = Vec<Seat>> {
    let codes = prop::collection::btree_set(prop::sample::select(vec!["de", "en", "fr"]), 0..3);
    let one =
        (1..5_u32, 0..3_u32, 0..6_u8, codes, prop::option::of(1..3_u32), 0..4_u8, any::<bool>());
    prop::collection::vec(one, 0..7).prop_map(|all| {
        let build = |(i, (capacity, held, level, codes, cap, online, both)): (usize, _)| {
            let codes: std::collections::BTreeSet<&str> = codes;
            let status = if online == 0 { AgentStatus::Away } else { AgentStatus::Online };
            let mut agent = view(i as u128 + 1, capacity, 0, status);
            agent.profile.queues = vec![queue("sales")];
            if both {
                agent.profile.queues.insert(0, queue("support"));
            }
            agent.profile.languages = codes.into_iter().filter_map(language).collect();
            agent.profile.skills = if level > 0 { skills(&[("tax", level)]) } else { skills(&[]) };
            let (cap, held): (Option<u32>, u32) = (cap, held);
            agent.profile.caps = cap.map(|max| (queue("sales"), max)).into_iter().collect();
            agent.assigned_at = at(u64::from(level) * 7);
            for n in 0..held.min(capacity) {
                agent = holding(agent, "sales", 900 + i as u128 * 9 + u128::from(n), Hold::Active);
            }
            seat(agent)
        };
        all.into_iter().enumerate().map(build).collect()
    })
}

fn queue_rules() -> impl Strategy<Value = Arc<Rules>> {
    let policies =
        vec![Policy::LeastLoaded, Policy::LongestIdle, Policy::BestProficiency, Policy::RoundRobin];
    let relax = prop::option::of(prop::option::of(1..20_u64));
    let max = || prop::option::weighted(0.3, 1..4_u32);
    let steps = prop::collection::vec(1..12_u64, 0..3);
    (prop::sample::select(policies), relax, max(), max(), steps, 0..15_u64).prop_map(
        |(policy, relax, max_per_agent, max_active, gaps, hold)| {
            let mut steps: Vec<Step> = Vec::new();
            for (gap, level) in gaps.into_iter().zip([4, 2]) {
                let after = steps
                    .last()
                    .map_or(Millis::ZERO, |last| Millis::new(last.after.get() + gap * 1_000));
                steps.push(Step { after, skills: skills(&[("tax", level)]) });
            }
            let language =
                relax.map(|after| LanguageRule { relax_after: after.map(Millis::from_secs) });
            Arc::new(Rules {
                needs: Needs::new(steps).unwrap(),
                policy,
                language,
                max_per_agent,
                max_active,
                hold_for_previous: Millis::from_secs(hold),
                ..Rules::default()
            })
        },
    )
}

fn line() -> impl Strategy<Value = Vec<Request>> {
    let code = prop::sample::select(vec!["de", "en", ""]);
    let excluded = prop::collection::hash_set(1..8_u128, 0..3);
    let previous = prop::option::weighted(0.3, 1..8_u128);
    let target = prop::option::weighted(0.1, 1..8_u128);
    let one = (980..1_000_u64, 1..3_u32, excluded, previous, code, any::<bool>(), target);
    let rules = (queue_rules(), queue_rules());
    (rules, prop::collection::vec(one, 0..12)).prop_map(|(rules, all)| {
        let build = |(i, (since, weight, excluded, previous, code, sales, target)): (usize, _)| {
            let mut it = request(i as u128 + 1, since);
            let excluded: std::collections::HashSet<u128> = excluded;
            let (previous, target): (Option<u128>, Option<u128>) = (previous, target);
            it.queue = queue(if sales { "sales" } else { "support" });
            it.rules = if sales { rules.0.clone() } else { rules.1.clone() };
            it.entry.weight = weight;
            it.entry.excluded = excluded.into_iter().map(agent_id).collect();
            it.entry.previous = previous.map(agent_id);
            it.entry.target = target.map(|id| (agent_id(id), at(1_010)));
            it.entry.language = language(code);
            it
        };
        all.into_iter().enumerate().map(build).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    /// The trace of each round agrees with it, and of those whom nothing speaks against
    /// the first in rank is chosen.
    #[test]
    fn the_first_of_those_who_may_is_chosen(requests in line(), seats in team()) {
        let decision = run(&requests, &seats);
        let mut given: HashMap<(AgentId, QueueId), u32> = HashMap::new();
        let mut taken: HashMap<AgentId, u32> = HashMap::new();
        for trace in &decision.traces {
            let request =
                requests.iter().find(|r| r.entry.conversation == trace.conversation).unwrap();
            let may = |id: AgentId| {
                let verdict = trace.candidates.iter().find(|c| c.0 == id).unwrap().1;
                matches!(verdict, Verdict::Chosen | Verdict::Rejected(Rejection::Outranked))
            };
            let allowed: Vec<&Seat> = seats.iter().filter(|s| may(s.agent.id)).collect();
            let assigned = decision.assignments.iter().find(|a| a.conversation == trace.conversation);
            prop_assert_eq!(allowed.is_empty(), assigned.is_none());
            let Some(assigned) = assigned else { continue };
            let rank = |seat: &&&Seat| {
                let agent = &seat.agent;
                let refused = request.entry.excluded.iter().position(|a| *a == agent.id);
                let queue_rank = agent.queue_rank(&request.queue).unwrap_or(usize::MAX);
                let had = taken.get(&agent.id).copied().unwrap_or_default();
                let load = u64::from(agent.load + had) * 1_000_000 / u64::from(agent.profile.capacity);
                let idle = agent.idle_since.as_millis();
                let policy = match request.rules.policy {
                    Policy::LeastLoaded => (0, load, idle),
                    Policy::LongestIdle => (0, idle, load),
                    Policy::BestProficiency => {
                        let asked = request.rules.needs.ideal();
                        let best = asked.map_or(0, |s| agent.profile.skills.proficiency(s));
                        (u64::from(u32::MAX - best), load, idle)
                    }
                    Policy::RoundRobin => {
                        let times = decision.assignments.iter()
                            .take_while(|a| a.conversation != trace.conversation)
                            .filter(|a| a.agent == agent.id).count() as u64;
                        (times, agent.assigned_at.as_millis(), load)
                    }
                };
                let is_stranger = request.entry.previous != Some(agent.id);
                (refused.map_or(0, |i| i + 1), is_stranger, queue_rank, policy, agent.id)
            };
            let first = allowed.iter().min_by_key(rank).unwrap();
            prop_assert_eq!(first.agent.id, assigned.agent);
            *taken.entry(assigned.agent).or_default() += assigned.weight;
            *given.entry((assigned.agent, assigned.queue.clone())).or_default() += 1;
        }
        prop_assert_eq!(
            decision.traces.iter().filter(|t| t.candidates.iter().any(|c| c.1 == Verdict::Chosen)).count(),
            decision.assignments.len()
        );
    }

    /// Neither capacity nor any cap is ever passed.
    #[test]
    fn no_cap_is_passed(requests in line(), seats in team()) {
        let decision = run(&requests, &seats);
        for seat in &seats {
            let agent = &seat.agent;
            let theirs = || decision.assignments.iter().filter(|a| a.agent == agent.id);
            let weight: u32 = theirs().map(|a| a.weight).sum();
            prop_assert!(weight == 0 || agent.load + weight <= agent.profile.capacity);
            for given in theirs() {
                let rules = &requests.iter().find(|r| r.queue == given.queue).unwrap().rules;
                if let Some(cap) = agent.cap(&given.queue, rules.max_per_agent) {
                    let count = theirs().filter(|a| a.queue == given.queue).count();
                    prop_assert!(agent.claimed(&given.queue).count() + count <= cap as usize);
                }
            }
        }
        for request in &requests {
            let Some(max) = request.rules.max_active else { continue };
            let held: usize = seats.iter().map(|s| s.agent.claimed(&request.queue).count()).sum();
            let new = decision.assignments.iter().filter(|a| a.queue == request.queue).count();
            prop_assert!(new == 0 || held + new <= max as usize);
        }
    }

    /// What a queue's agents are said to have room for is what a round gives them, when
    /// more than that wait who ask for nothing.
    #[test]
    fn as_many_are_given_as_there_are_free_slots(
        seats in team(), weight in 1..3_u32, per_agent in prop::option::of(1..4_u32),
        in_all in prop::option::of(1..6_u32),
    ) {
        let rules = Rules { max_per_agent: per_agent, max_active: in_all, ..Rules::default() };
        let rules = Arc::new(rules);
        let waits = |id: u128| {
            let mut it = Request { rules: rules.clone(), ..request(id, 1) };
            it.entry.weight = weight;
            it
        };
        let requests: Vec<Request> = (1..40).map(waits).collect();
        let free = rules.free_slots(&queue("sales"), weight, seats.iter().map(|s| &*s.agent));
        prop_assert_eq!(run(&requests, &seats).assignments.len() as u32, free);
    }

    /// Relaxation is monotone, language included: who would do now will do later.
    #[test]
    fn who_would_do_now_will_do_later(
        rules in queue_rules(), seats in team(), times in (0..40_u64, 0..40_u64),
    ) {
        let rules = Arc::new(Rules {
            max_active: None,
            hold_for_previous: Millis::ZERO,
            ..Rules::clone(&rules)
        });
        let mut it = Request { rules, ..request(1, 1_000) };
        it.entry.language = language("de");
        let would_do = |after: u64| -> Vec<AgentId> {
            let decision = decide(std::slice::from_ref(&it), &seats, at(1_000 + after));
            let unfit = [Rejection::Unskilled, Rejection::Language].map(Verdict::Rejected);
            let trace = decision.traces.first();
            let fits = trace.into_iter().flat_map(|t| &t.candidates);
            fits.filter(|c| !unfit.contains(&c.1)).map(|c| c.0).collect()
        };
        let (early, late) = (would_do(times.0.min(times.1)), would_do(times.0.max(times.1)));
        prop_assert!(early.iter().all(|id| late.contains(id)), "{early:?} {late:?}");
    }

    /// Nobody starves: with room for one at a time, who waits is served after those who
    /// were before it, and after no more of those who come later than its priority allows.
    #[test]
    fn whoever_waits_is_served_in_the_end(
        mine in 0..4_usize, others in prop::collection::vec(0..5_i32, 4..12),
    ) {
        let waits = |n: usize, since: u64, extra: i32| {
            let mut it = request(n as u128 + 1, since);
            it.entry.extra_minutes = extra;
            it
        };
        let mut line: Vec<Request> =
            others[..4].iter().enumerate().map(|(n, extra)| waits(n, 0, *extra)).collect();
        let me = line[mine].entry.conversation;
        let mut rounds = 0_u64;
        // One more comes each minute, with a head start of up to five.
        loop {
            let now = at(1_000_000 + rounds * 60);
            let decision = decide(&line, &[seat(view(1, 1, 0, AgentStatus::Online))], now);
            let served = decision.assignments[0].conversation;
            if served == me {
                break;
            }
            line.retain(|r| r.entry.conversation != served);
            let extra = others[rounds as usize % others.len()];
            line.push(waits(100 + rounds as usize, 1_000_000 + rounds * 60, extra));
            rounds += 1;
            prop_assert!(rounds <= 10, "it is passed over for ever");
        }
    }
}
