//! The replicated state as a whole: commands in, replies and changes out.

use super::agent::{Agent, check_profile};
use super::command::{Action, AgentKey, Applied, Command, Refusal, Reply};
use super::limits::MAX_AGENTS;
use super::nodes::{Member, NodeRole, Nodes};
use super::placement::{Move, Place, Placement, Places};
use super::requests::RecentRequests;
use super::view::AgentView;
use crate::ids::{Epoch, NodeId};
use crate::shard::ShardId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything presence knows. Equal logs make equal states, also across a
/// serialised copy anywhere in between.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct PresenceState {
    /// The latest time of any command.
    now: Timestamp,
    agents: BTreeMap<AgentKey, Agent>,
    /// Each agent's next deadline; follows from `agents`.
    deadlines: BTreeSet<(Timestamp, AgentKey)>,
    nodes: Nodes,
    places: Places,
    requests: RecentRequests,
}

/// The state as it stands in a snapshot. Fields are only ever added.
#[derive(Serialize, Deserialize)]
struct Stored {
    now: Timestamp,
    agents: Vec<Agent>,
    members: Vec<Member>,
    /// Those of `Sessions`, as they stood before other roles were placed.
    #[serde(default)]
    placement: Vec<(ShardId, Placement)>,
    #[serde(default)]
    places: Vec<(Place, Placement)>,
    requests: RecentRequests,
}

impl PresenceState {
    /// Applies the log's entry at `index`. Time never runs backwards: an earlier
    /// `now` counts as the latest seen. Whatever is due by then happens first.
    pub fn apply(&mut self, index: u64, command: Command) -> Applied {
        self.now = self.now.max(command.now);
        let mut changed = self.expire();
        let mut moved = Vec::new();
        let subject = subject_of(&command.action);

        let outcome = match self.requests.find(command.request) {
            Some(outcome) => outcome,
            None => {
                let outcome = self.act(index, command.action, &mut changed, &mut moved);
                self.requests.remember(command.request, outcome);
                outcome
            }
        };
        Applied {
            reply: self.reply(outcome, subject),
            agents: changed
                .iter()
                .filter_map(|key| self.agents.get(key))
                .map(|agent| agent.view().clone())
                .collect(),
            shards: self.placed(&moved),
        }
    }

    /// When time alone next changes something; `None` when it never does.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The latest time of any command.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// One agent; `None` when it never connected.
    pub fn agent(&self, key: &AgentKey) -> Option<&Arc<AgentView>> {
        self.agents.get(key).map(Agent::view)
    }

    /// All agents that ever connected, by site and id.
    pub fn agents(&self) -> impl Iterator<Item = &Arc<AgentView>> {
        self.agents.values().map(Agent::view)
    }

    /// The live nodes.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.nodes.members()
    }

    /// Whether a node has joined in a role and is not dead.
    pub fn is_member(&self, node: &NodeId, role: NodeRole) -> bool {
        self.nodes.has(node, role)
    }

    /// Owner and epoch of every shard that was ever assigned.
    pub fn placement(&self) -> impl Iterator<Item = (Place, &Placement)> {
        self.places.all()
    }

    /// Owner and epoch of one shard; `None` when it was never assigned.
    pub fn placement_of(&self, place: Place) -> Option<&Placement> {
        self.places.get(place)
    }

    fn placed(&self, places: &[Place]) -> Vec<(Place, Placement)> {
        places.iter().filter_map(|p| Some((*p, self.places.get(*p)?.clone()))).collect()
    }

    fn act(
        &mut self,
        index: u64,
        action: Action,
        changed: &mut BTreeSet<AgentKey>,
        moved: &mut Vec<Place>,
    ) -> Result<(), Refusal> {
        let now = self.now;
        match action {
            Action::Expire => Ok(()),
            Action::JoinNode { node, role, address } => {
                for dead in self.nodes.join(&node, role, &address)? {
                    self.lose_gateway(&dead, changed);
                }
                Ok(())
            }
            Action::DrainNode { node } => self.nodes.drain(&node),
            Action::RemoveNode { node } => {
                self.nodes.remove(&node);
                self.lose_gateway(&node, changed);
                Ok(())
            }
            Action::AssignShards { role, shards, node } => {
                self.places.assign(role, &shards, &node, Epoch::new(index), &self.nodes)?;
                moved.extend(shards.into_iter().map(|shard| Place { role, shard }));
                Ok(())
            }
            Action::MoveShards { role, shards, to, by } => {
                let towards = Move { to, since: now, by };
                moved.extend(self.places.start_move(role, &shards, towards, &self.nodes)?);
                Ok(())
            }
            Action::ReleaseShards { role, node, shards } => {
                let epoch = Epoch::new(index);
                moved.extend(self.places.release(role, &node, &shards, epoch, &self.nodes));
                Ok(())
            }
            Action::Connect { key, profile, gateway, connection } => {
                check_profile(&profile)?;
                if !self.nodes.has(&gateway, NodeRole::Gateway) {
                    return Err(Refusal::UnknownNode);
                }
                if !self.agents.contains_key(&key) {
                    if self.agents.len() >= MAX_AGENTS {
                        return Err(Refusal::Full);
                    }
                    self.agents.insert(key.clone(), Agent::new(key.clone(), profile.clone(), now));
                }
                self.change(key, changed, |agent| {
                    agent.connect(profile, gateway, connection, now).map(|()| true)
                })
            }
            Action::Disconnect { key, gateway, connection } => {
                self.change(key, changed, |agent| Ok(agent.disconnect(&gateway, connection, now)))
            }
            Action::SetStatus { key, status, reason } => self
                .change(key, changed, |agent| agent.set_status(status, reason, now).map(|()| true)),
            Action::Reserve { key, conversation, weight, expires_at, claim } => {
                self.change(key, changed, |agent| {
                    agent.reserve(conversation, weight, claim, expires_at, now).map(|()| true)
                })
            }
            Action::Confirm { key, conversation } => {
                self.change(key, changed, |agent| agent.confirm(conversation, now).map(|()| true))
            }
            Action::Release { key, conversation, wrap_up, missed } => {
                self.change(key, changed, |agent| {
                    let was_missed =
                        missed.is_some_and(|away_after| agent.miss(conversation, away_after, now));
                    Ok(agent.release(conversation, wrap_up, now) || was_missed)
                })
            }
        }
    }

    /// Changes one agent and keeps its deadline in the index.
    fn change(
        &mut self,
        key: AgentKey,
        changed: &mut BTreeSet<AgentKey>,
        step: impl FnOnce(&mut Agent) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        let agent = self.agents.get_mut(&key).ok_or(Refusal::UnknownAgent)?;
        let (before, revision) = (agent.deadline(), agent.view().revision);
        if !step(agent)? {
            return Ok(());
        }
        let after = agent.deadline();
        // What was so already, such as a second confirmation, is not told.
        let told = agent.view().revision != revision;
        if before != after {
            if let Some(at) = before {
                self.deadlines.remove(&(at, key.clone()));
            }
            if let Some(at) = after {
                self.deadlines.insert((at, key.clone()));
            }
        }
        if told {
            changed.insert(key);
        }
        Ok(())
    }

    fn expire(&mut self) -> BTreeSet<AgentKey> {
        let now = self.now;
        let mut changed = BTreeSet::new();
        while let Some((_, key)) = self.deadlines.first().filter(|(at, _)| *at <= now).cloned() {
            // `expire` moves the deadline past `now`, so this loop ends.
            let step = self.change(key, &mut changed, |agent| Ok(agent.expire(now)));
            debug_assert_eq!(step, Ok(()), "a deadline belongs to an agent");
        }
        changed
    }

    fn lose_gateway(&mut self, gateway: &NodeId, changed: &mut BTreeSet<AgentKey>) {
        let now = self.now;
        let uses = |agent: &Agent| agent.view().gateways.iter().any(|(g, _)| g == gateway);
        let keys: Vec<AgentKey> =
            self.agents.iter().filter(|(_, a)| uses(a)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let step = self.change(key, changed, |agent| Ok(agent.lose_gateway(gateway, now)));
            debug_assert_eq!(step, Ok(()), "the key was read from the agents");
        }
    }

    fn reply(&self, outcome: Result<(), Refusal>, subject: Subject) -> Reply {
        match (outcome, subject) {
            (Err(refusal), _) => Reply::Refused(refusal),
            (Ok(()), Subject::Nothing) => Reply::Done,
            (Ok(()), Subject::Shards(shards)) => Reply::Shards(self.placed(&shards)),
            (Ok(()), Subject::Agent(key)) => match self.agents.get(&key) {
                Some(agent) => Reply::Agent(agent.view().clone()),
                None => Reply::Done,
            },
        }
    }
}

/// What a reply shows.
enum Subject {
    Nothing,
    Agent(AgentKey),
    Shards(Vec<Place>),
}

fn subject_of(action: &Action) -> Subject {
    match action {
        Action::Expire
        | Action::JoinNode { .. }
        | Action::DrainNode { .. }
        | Action::RemoveNode { .. } => Subject::Nothing,
        Action::AssignShards { role, shards, .. } | Action::MoveShards { role, shards, .. } => {
            Subject::Shards(shards.iter().map(|s| Place { role: *role, shard: *s }).collect())
        }
        Action::ReleaseShards { role, shards, .. } => {
            Subject::Shards(shards.iter().map(|(s, _)| Place { role: *role, shard: *s }).collect())
        }
        Action::Connect { key, .. }
        | Action::Disconnect { key, .. }
        | Action::SetStatus { key, .. }
        | Action::Reserve { key, .. }
        | Action::Confirm { key, .. }
        | Action::Release { key, .. } => Subject::Agent(key.clone()),
    }
}

impl From<Stored> for PresenceState {
    fn from(stored: Stored) -> Self {
        let agents: BTreeMap<AgentKey, Agent> =
            stored.agents.into_iter().map(|agent| (agent.key(), agent)).collect();
        let deadlines = agents
            .iter()
            .filter_map(|(key, agent)| Some((agent.deadline()?, key.clone())))
            .collect();
        Self {
            now: stored.now,
            agents,
            deadlines,
            nodes: Nodes::restore(stored.members),
            places: Places::restore(
                stored
                    .placement
                    .into_iter()
                    .map(|(shard, p)| (Place { role: NodeRole::Sessions, shard }, p))
                    .chain(stored.places),
            ),
            requests: stored.requests,
        }
    }
}

impl From<PresenceState> for Stored {
    fn from(state: PresenceState) -> Self {
        Self {
            now: state.now,
            agents: state.agents.into_values().collect(),
            members: state.nodes.members().cloned().collect(),
            placement: Vec::new(),
            places: state.places.all().map(|(place, p)| (place, p.clone())).collect(),
            requests: state.requests,
        }
    }
}
