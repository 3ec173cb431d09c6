//! Whose room queues share, and that it is counted as a walk through all agents would.

use super::tests::{at, queue};
use super::{Crew, Pool, Slots};
use crate::ids::{AgentId, QueueId};
use crate::presence::{AgentProfile, AgentStatus, AgentView};
use proptest::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

fn view(id: u128, queues: &[&str], capacity: u32, load: u32) -> AgentView {
    AgentView {
        site: "shop".parse().unwrap(),
        id: AgentId::from_uuid(Uuid::from_u128(id)),
        profile: AgentProfile {
            capacity,
            queues: queues.iter().map(|name| queue(name)).collect(),
            ..AgentProfile::default()
        },
        status: AgentStatus::Online,
        reason: "".into(),
        since: at(0),
        load,
        reservations: vec![],
        idle_since: at(0),
        gateways: vec![("gateway".parse().unwrap(), 1)],
        revision: 1,
        assigned_at: at(0),
        missed: 0,
    }
}

#[test]
fn those_ahead_in_another_queue_count_as_far_as_its_agents_are_shared() {
    let agents =
        [view(1, &["sales"], 2, 2), view(2, &["sales", "tax"], 2, 2), view(3, &["tax"], 2, 2)];
    let (sales, tax) = (queue("sales"), queue("tax"));
    let pool = Pool::of(&[(sales.clone(), 1), (tax.clone(), 2)], &agents.iter().collect());
    assert_eq!(pool.slots(&sales), Slots { online: 4, free: 0 });
    assert_eq!(pool.slots(&tax), Slots { online: 2, free: 0 }, "of weight 2");
    assert_eq!((pool.agents(&sales), pool.agents(&queue("none"))), (2, 0));
    // Half of those in `tax` are served by somebody who serves `sales`, too.
    assert_eq!(pool.behind(&sales, &[3, 4]), 3.0 + 2.0 + 1.0);
    assert_eq!(pool.behind(&sales, &[0, 0]), 1.0);
}

fn views() -> impl Strategy<Value = AgentView> {
    let names = prop::sample::subsequence(vec!["tax", "sales", "tax", "other"], 0..4);
    (0..6u128, names, 1..6u32, 0..7u32, 0..4u8).prop_map(|(id, names, capacity, load, what)| {
        let mut view = view(id, &names, capacity, load);
        match what {
            0 => view.status = AgentStatus::Away,
            1 => view.gateways.clear(),
            _ => {}
        }
        view
    })
}

proptest! {
    /// However the agents changed, the kinds say what a walk through them does.
    #[test]
    fn a_crew_counts_as_a_walk_does(changes in prop::collection::vec(views(), 0..40)) {
        let queues = [(queue("sales"), 1), (queue("tax"), 2)];
        let (mut crew, mut agents) = (Crew::default(), HashMap::new());
        for view in changes {
            crew.replace(agents.get(&view.id), &view);
            agents.insert(view.id, view);
        }
        let pool = Pool::of(&queues, &crew);
        let there = |a: &&AgentView| a.status == AgentStatus::Online && !a.gateways.is_empty();
        let serving = |name: &QueueId| -> Vec<&AgentView> {
            agents.values().filter(there).filter(|a| a.serves(name)).collect()
        };
        for (name, weight) in &queues {
            let sum = |of: fn(&AgentView) -> u32| {
                serving(name).into_iter().map(|a| of(a) / weight).sum::<u32>()
            };
            let slots = Slots { online: sum(|a| a.profile.capacity), free: sum(AgentView::free) };
            prop_assert_eq!(pool.slots(name), slots);
            prop_assert_eq!(pool.agents(name), serving(name).len() as u32);
        }
        let capacity = |agents: Vec<&AgentView>| -> f64 {
            agents.iter().map(|a| f64::from(a.profile.capacity)).sum()
        };
        let (sales, tax) = (queue("sales"), queue("tax"));
        let both = serving(&tax).into_iter().filter(|a| a.serves(&sales)).collect();
        let all = capacity(serving(&tax));
        let share = if all > 0.0 { capacity(both) / all } else { 0.0 };
        let free = f64::from(pool.slots(&sales).free);
        prop_assert_eq!(pool.behind(&sales, &[5, 3]), (5.0 + 3.0 * share + 1.0 - free).max(0.0));
    }
}
