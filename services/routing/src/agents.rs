//! The agents as they were last heard of. May be behind: presence has the last
//! word on room.

use frontdesk_core::ids::{AgentId, NodeId, SiteId};
use frontdesk_core::presence::{AgentStatus, AgentView};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Default)]
pub(crate) struct Agents {
    sites: HashMap<SiteId, HashMap<AgentId, Arc<AgentView>>>,
}

/// What news of an agent means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Nothing new.
    Old,
    /// May take more than before, or serves other queues.
    Changed,
    /// Is gone: what it has must be given to others.
    Gone,
}

impl Agents {
    /// Takes note of an agent; older news than what is known is ignored.
    pub(crate) fn update(&mut self, view: Arc<AgentView>) -> News {
        let agents = self.sites.entry(view.site.clone()).or_default();
        let before = agents.get(&view.id);
        if before.is_some_and(|known| known.revision >= view.revision) {
            return News::Old;
        }
        let was_there = before.is_none_or(|known| known.status != AgentStatus::Offline);
        let gone = was_there && view.status == AgentStatus::Offline;
        agents.insert(view.id, view);
        if gone { News::Gone } else { News::Changed }
    }

    pub(crate) fn get(&self, site: &SiteId, agent: AgentId) -> Option<&Arc<AgentView>> {
        self.sites.get(site)?.get(&agent)
    }

    pub(crate) fn of(&self, site: &SiteId) -> impl Iterator<Item = &Arc<AgentView>> {
        self.sites.get(site).into_iter().flat_map(HashMap::values)
    }

    /// Where the agent is connected.
    pub(crate) fn gateways(&self, site: &SiteId, agent: AgentId) -> Vec<NodeId> {
        let view = self.get(site, agent);
        view.map(|v| v.gateways.iter().map(|(node, _)| node.clone()).collect()).unwrap_or_default()
    }
}
