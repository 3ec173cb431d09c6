//! Laws that hold for any round, whoever waits and whoever is there.

use super::tests::*;
use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn statuses() -> impl Strategy<Value = AgentStatus> {
    prop_oneof![
        6 => Just(AgentStatus::Online),
        1 => Just(AgentStatus::Busy),
        1 => Just(AgentStatus::Away),
        1 => Just(AgentStatus::Offline),
    ]
}

fn seats() -> impl Strategy<Value = Vec<Seat>> {
    let one = (1..5u32, 0..6u32, 0..3u32, statuses(), any::<bool>(), 0..900u64, 0..6u8);
    prop::collection::vec(one, 0..6).prop_map(|all| {
        let build = |(i, (capacity, load, pending, status, serves, idle, level)): (usize, _)| {
            let mut agent = view(i as u128 + 1, capacity, load, status);
            agent.profile.queues = vec![queue(if serves { "sales" } else { "support" })];
            agent.idle_since = at(idle);
            agent.profile.skills = if level > 0 { skills(&[("tax", level)]) } else { skills(&[]) };
            Seat { pending, ..seat(agent) }
        };
        all.into_iter().enumerate().map(build).collect()
    })
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let target = prop::option::weighted(0.2, (1..7u128, 900..1_100u64));
    let excluded = prop::collection::hash_set(1..7u128, 0..4);
    let again = prop::option::weighted(0.3, 900..1_100u64);
    let policies = prop_oneof![
        Just(Policy::LeastLoaded),
        Just(Policy::LongestIdle),
        Just(Policy::BestProficiency)
    ];
    let needs = prop::option::weighted(0.5, (985..1_000u64, policies));
    let asked = prop::option::weighted(0.3, 1..6u8);
    let one = (0..900u64, 0..9u32, 1..4u32, excluded, target, again, any::<bool>(), needs, asked);
    prop::collection::vec(one, 0..10).prop_map(|all| {
        let build = |(
            i,
            (since, priority, weight, excluded, target, again, sales, needs, asked),
        ): (usize, _)| {
            let mut it: Request = request(i as u128 + 1, since);
            let excluded: HashSet<u128> = excluded;
            let target: Option<(u128, u64)> = target;
            let again: Option<u64> = again;
            it.queue = queue(if sales { "sales" } else { "support" });
            it.entry.priority_minutes = priority;
            it.entry.weight = weight;
            it.entry.excluded = excluded.into_iter().map(agent_id).collect();
            it.entry.target = target.map(|(id, until)| (agent_id(id), at(until)));
            it.ask_again_at = again.map(at);
            let asked: Option<u8> = asked;
            let asked = asked.map(|level| skills(&[("tax", level)]));
            it.entry.asked_skills = asked.unwrap_or_default();
            let needs: Option<(u64, Policy)> = needs;
            if let Some((since, policy)) = needs {
                it.rules = tax(0, policy).rules;
                it.entry.waiting_since = at(since);
            }
            it
        };
        all.into_iter().enumerate().map(build).collect()
    })
}

proptest! {
    #[test]
    fn nobody_gets_more_than_there_is_room_for(requests in requests(), seats in seats()) {
        let decision = run(&requests, &seats);
        let mut given: HashMap<AgentId, u32> = HashMap::new();
        for assignment in &decision.assignments {
            *given.entry(assignment.agent).or_default() += assignment.weight;
        }
        for seat in &seats {
            let given = given.get(&seat.agent.id).copied().unwrap_or_default();
            if given > 0 {
                prop_assert_eq!(seat.agent.status, AgentStatus::Online);
                prop_assert!(
                    seat.agent.load + seat.pending + given <= seat.agent.profile.capacity
                );
            }
        }
        let once: HashSet<_> = decision.assignments.iter().map(|a| a.conversation).collect();
        prop_assert_eq!(once.len(), decision.assignments.len());
    }

    #[test]
    fn the_order_told_does_not_matter(
        (requests, shuffled) in requests().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        seats in seats(),
    ) {
        prop_assert_eq!(run(&requests, &seats), run(&shuffled, &seats));
    }

    #[test]
    fn assignments_come_highest_score_first(requests in requests(), seats in seats()) {
        let decision = run(&requests, &seats);
        let key = |id| {
            requests.iter().find(|r| r.entry.conversation == id).unwrap().entry.order_key()
        };
        prop_assert!(decision.assignments.is_sorted_by_key(|a| key(a.conversation)));
    }

    /// With chats of one slot each: nobody is left waiting for whom an agent who
    /// has not refused is free at the end of the round.
    #[test]
    fn no_slot_stays_idle(mut requests in requests(), seats in seats()) {
        for request in &mut requests {
            request.entry.weight = 1;
            request.entry.target = None;
        }
        let decision = run(&requests, &seats);
        let given = |id| decision.assignments.iter().filter(|a| a.agent == id).count() as u32;
        for request in &requests {
            let id = request.entry.conversation;
            if decision.assignments.iter().any(|a| a.conversation == id) {
                continue;
            }
            for seat in &seats {
                let free = seat.agent.free().saturating_sub(seat.pending + given(seat.agent.id));
                let trace =
                    decision.traces.iter().find(|trace| trace.conversation == id);
                let required = trace.map(|trace| &trace.required);
                let has = |required| seat.agent.profile.skills.satisfy(required);
                prop_assert!(
                    free == 0
                        || !seat.agent.serves(&request.queue)
                        || !required.is_none_or(has)
                        || request.entry.excluded.contains(&seat.agent.id)
                );
            }
        }
    }

    /// What a transfer asks for does not relax: nobody without it is asked, but whom
    /// the transfer names.
    #[test]
    fn what_a_transfer_asks_for_is_required(requests in requests(), seats in seats()) {
        for assignment in run(&requests, &seats).assignments {
            let id = assignment.conversation;
            let entry = &requests.iter().find(|r| r.entry.conversation == id).unwrap().entry;
            let seat = seats.iter().find(|seat| seat.agent.id == assignment.agent).unwrap();
            let named = entry.target.is_some_and(|(agent, _)| agent == assignment.agent);
            prop_assert!(named || seat.agent.profile.skills.satisfy(&entry.asked_skills));
        }
    }

    #[test]
    fn every_choice_is_explained(requests in requests(), seats in seats()) {
        let decision = run(&requests, &seats);
        for trace in &decision.traces {
            prop_assert_eq!(trace.candidates.len(), seats.len());
            let chosen: Vec<AgentId> = trace
                .candidates
                .iter()
                .filter(|c| c.1 == Verdict::Chosen)
                .map(|c| c.0)
                .collect();
            let assigned: Vec<AgentId> = decision
                .assignments
                .iter()
                .filter(|a| a.conversation == trace.conversation)
                .map(|a| a.agent)
                .collect();
            prop_assert_eq!(chosen, assigned);
        }
        prop_assert!(decision.due.is_none_or(|due| due > at(1_000)));
    }
}
