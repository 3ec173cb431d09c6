//! Who is there and owns what, as this process knows it. It may be behind; that
//! costs a detour, never correctness.

use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{Member, NodeRole, Place, Placement};
use frontdesk_core::shard::ShardId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Nodes and placement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Listed", into = "Listed")]
pub struct ClusterView {
    members: BTreeMap<NodeId, Member>,
    placement: BTreeMap<Place, Placement>,
}

/// As it travels: JSON keys are strings.
#[derive(Serialize, Deserialize)]
struct Listed {
    members: Vec<Member>,
    placement: Vec<(Place, Placement)>,
}

impl ClusterView {
    /// The live nodes.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Owners of all shards that were ever assigned.
    pub fn placement(&self) -> impl Iterator<Item = (Place, &Placement)> {
        self.placement.iter().map(|(place, placement)| (*place, placement))
    }

    /// A live node.
    pub fn member(&self, node: &NodeId) -> Option<&Member> {
        self.members.get(node)
    }

    /// Live nodes of a role, by name.
    pub fn of_role(&self, role: NodeRole) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |m| m.roles.contains(&role))
    }

    /// Where a shard is.
    pub fn place(&self, role: NodeRole, shard: ShardId) -> Option<&Placement> {
        self.placement.get(&Place { role, shard })
    }

    /// The live owner of a shard.
    pub fn owner(&self, role: NodeRole, shard: ShardId) -> Option<&Member> {
        self.member(&self.place(role, shard)?.node)
    }

    /// Takes news in: members replace those known, placements only older ones.
    pub(crate) fn learn(
        &mut self,
        members: Option<Vec<Member>>,
        placement: Vec<(Place, Placement)>,
    ) {
        if let Some(members) = members {
            self.members = members.into_iter().map(|m| (m.node.clone(), m)).collect();
        }
        for (place, news) in placement {
            match self.placement.get_mut(&place) {
                Some(known) if known.epoch > news.epoch => {}
                Some(known) => *known = news,
                None => drop(self.placement.insert(place, news)),
            }
        }
    }
}

impl From<Listed> for ClusterView {
    fn from(listed: Listed) -> Self {
        let mut view = Self::default();
        view.learn(Some(listed.members), listed.placement);
        view
    }
}

impl From<ClusterView> for Listed {
    fn from(view: ClusterView) -> Self {
        Self {
            members: view.members.into_values().collect(),
            placement: view.placement.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::ids::Epoch;

    fn placed(node: &str, epoch: u64) -> (Place, Placement) {
        let place = Place { role: NodeRole::Sessions, shard: ShardId::new(7).unwrap() };
        let node = node.parse().unwrap();
        (place, Placement::planned(node, Epoch::new(epoch)))
    }

    #[test]
    fn an_older_epoch_never_comes_back() {
        let mut view = ClusterView::default();
        view.learn(None, vec![placed("a", 5)]);
        view.learn(None, vec![placed("b", 9)]);
        view.learn(None, vec![placed("a", 5)]);
        let shard = ShardId::new(7).unwrap();
        assert_eq!(view.place(NodeRole::Sessions, shard).unwrap().node.as_str(), "b");
        assert!(view.owner(NodeRole::Sessions, shard).is_none(), "b is not a member");
    }

    #[test]
    fn it_survives_the_wire() {
        let mut view = ClusterView::default();
        view.learn(None, vec![placed("a", 5)]);
        let json = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<ClusterView>(&json).unwrap(), view);
    }
}
