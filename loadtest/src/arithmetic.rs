//! What a scenario needs, in numbers: known before anything is started.

use crate::plan::Plan;
use crate::scenario::{Pace, Scenario};
use std::fmt;

/// Connections that one worker process carries: a process here may open 20,000
/// files, and signing in, uploads and the rest need some.
const CONNECTIONS_OF_WORKER: usize = 16_000;
/// Connections from one source address to one gateway. It has ports for 28,232
/// (Linux: `net.ipv4.ip_local_port_range`, 32768–60999), but a gateway allows one
/// address no more than 10,000 unless it is told to.
const CONNECTIONS_OF_SOURCE: usize = 8_000;
/// Memory of the generator for one connection: measured, mostly the session's
/// buffers and its task.
const KIB_OF_CONNECTION: usize = 24;
/// Memory of the audit for one conversation, until it is read back.
const BYTES_OF_CONVERSATION: usize = 600;

const MIB: usize = 1 << 20;

/// What a scenario needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Seconds, warm-up included.
    pub seconds: u32,
    /// Conversations in all; for a population of scripted ones an estimate.
    pub conversations: usize,
    /// The most at once.
    pub conversations_at_once: usize,
    /// Messages in all; `None` when the server's speed decides.
    pub messages: Option<u64>,
    /// The most connections at once.
    pub connections: usize,
    /// Worker processes.
    pub workers: usize,
    /// Source addresses for one gateway.
    pub sources: usize,
    /// Files of each worker.
    pub files: usize,
    /// Memory of all workers and the coordinator, MiB.
    pub memory_mib: usize,
    /// Chats that each agent needs room for, when all have as many.
    pub chats_of_agent: usize,
}

impl Needs {
    /// Of a scenario that is driven against so many gateways.
    pub fn of(scenario: &Scenario, plan: &Plan, gateways: usize) -> Self {
        let load = &scenario.load;
        let at_once = plan.conversations_at_once(scenario);
        let staff = (load.agents.count + load.supervisors.count) as usize;
        let connections = at_once + plan.idle.len() + staff;
        let conversations = conversations(scenario, plan);
        let workers = connections.div_ceil(CONNECTIONS_OF_WORKER).max(1);
        let audit = conversations * BYTES_OF_CONVERSATION / MIB;
        Self {
            seconds: scenario.seconds(),
            conversations,
            conversations_at_once: at_once,
            messages: messages(scenario, plan, conversations),
            connections,
            workers,
            sources: connections.div_ceil(gateways.max(1)).div_ceil(CONNECTIONS_OF_SOURCE).max(1),
            files: connections.div_ceil(workers) + 64,
            memory_mib: connections * KIB_OF_CONNECTION * 1_024 / MIB + audit + 40 * (workers + 1),
            chats_of_agent: at_once.div_ceil(load.agents.count.max(1) as usize),
        }
    }
}

fn conversations(scenario: &Scenario, plan: &Plan) -> usize {
    let stays = plan.places.iter().map(|stay| (stay.to - stay.from).as_secs_f64());
    let places = match scenario.load.talk.pace {
        Pace::Script { .. } => {
            let each = scenario.load.talk.expected_seconds().max(0.1);
            stays.map(|seconds| (seconds / each).ceil().max(1.0) as usize).sum()
        }
        _ => plan.places.len(),
    };
    plan.arrivals.len() + places
}

fn messages(scenario: &Scenario, plan: &Plan, conversations: usize) -> Option<u64> {
    let conversations = conversations as f64;
    let count = match scenario.load.talk.pace {
        Pace::Window(_) => return None,
        Pace::Silent => conversations,
        Pace::Script { messages, .. } => conversations * messages.mean(),
        Pace::Rate { per_second, .. } => {
            let stays = plan.places.iter().map(|stay| (stay.to - stay.from).as_secs_f64());
            conversations + stays.sum::<f64>() * per_second
        }
    };
    Some(count.round() as u64)
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "time           {} s, warm-up included", self.seconds)?;
        let (all, at_once) = (self.conversations, self.conversations_at_once);
        writeln!(f, "conversations  about {all}, at most {at_once} at once")?;
        match self.messages {
            Some(messages) => writeln!(f, "messages       about {messages}")?,
            None => writeln!(f, "messages       as many as the server takes (closed model)")?,
        }
        writeln!(f, "connections    {} at most", self.connections)?;
        writeln!(f, "agents         each needs room for {} chats", self.chats_of_agent)?;
        writeln!(f, "workers        {} processes", self.workers)?;
        writeln!(f, "files          {} for each worker (ulimit -n)", self.files)?;
        writeln!(f, "addresses      {} to connect from to each gateway", self.sources)?;
        write!(f, "memory         about {} MiB for the generator", self.memory_mib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn needs(name: &str, gateways: usize) -> Needs {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        let scenario = Scenario::read(&path).unwrap();
        Needs::of(&scenario, &Plan::of(&scenario), gateways)
    }

    #[test]
    fn many_connections_are_spread_over_processes_and_addresses() {
        let four = needs("idle-50k.toml", 4);
        assert_eq!((four.connections, four.workers, four.sources), (50_000, 4, 2));
        assert!(four.files < 20_000, "{}", four.files);
        assert_eq!(needs("idle-50k.toml", 1).sources, 7);
        let few = needs("smoke.toml", 1);
        assert_eq!((few.workers, few.sources), (1, 1));
    }

    #[test]
    fn messages_are_counted_where_the_plan_decides() {
        let steady = needs("steady-1k.toml", 1);
        let messages = steady.messages.unwrap();
        assert!((38_000..=41_000).contains(&messages), "{messages}");
        assert_eq!((steady.conversations, steady.chats_of_agent), (200, 20));
        assert_eq!(needs("saturate.toml", 1).messages, None);
        let day = needs("support-day.toml", 1);
        assert!((2_200..2_600).contains(&day.conversations), "{}", day.conversations);
        assert!((100..400).contains(&day.conversations_at_once), "{}", day.conversations_at_once);
    }
}
