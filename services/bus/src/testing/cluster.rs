//! Three nodes of a Redis Cluster, all masters.

use super::{RedisServer, quick_settings, wait_for};
use crate::{RedisAddress, RedisSettings};
use redis::cmd;

/// Slots of a cluster.
const SLOTS: u16 = 16_384;
/// How a node is started. One that is silent for two seconds counts as failed.
const NODE: &[&str] = &["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];

/// A cluster of three masters, each with a third of the slots, and no replicas
/// until one is added.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts one, and waits until all nodes agree.
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..3).map(|_| RedisServer::start_with(NODE)).collect();
        for (slots, node) in [(0, 5_460), (5_461, 10_922), (10_923, SLOTS - 1)].iter().zip(&nodes) {
            let (first, last) = slots;
            node.ask::<()>(cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(first).arg(last).to_owned())
                .expect("slots of a new cluster are free");
        }
        let cluster = Self { nodes };
        cluster.nodes[1..].iter().for_each(|node| cluster.meet(node));
        cluster.wait_until_agreed();
        cluster
    }

    /// Has a node meet the first.
    fn meet(&self, node: &RedisServer) {
        let bus_port: u16 = self.nodes[0]
            .ask::<Vec<String>>(cmd("CONFIG").arg("GET").arg("cluster-port").to_owned())
            .expect("a node answers")[1]
            .parse()
            .expect("a port");
        let port = self.nodes[0].port();
        let meet = cmd("CLUSTER").arg("MEET").arg("127.0.0.1").arg(port).arg(bus_port).to_owned();
        node.ask::<()>(meet).expect("a node answers");
    }

    fn wait_until_agreed(&self) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        wait_for("the nodes agree", || {
            self.nodes.iter().all(|node| {
                let info = node.ask::<String>(cmd("CLUSTER").arg("INFO").to_owned());
                info.is_ok_and(|info| info.contains("cluster_state:ok") && info.contains(&known))
            })
        });
    }

    /// Settings to reach it, without a login.
    pub fn settings(&self) -> RedisSettings {
        let nodes = self.nodes.iter().map(RedisServer::host).collect();
        quick_settings(RedisAddress::Cluster { tls: false, nodes, login: None })
    }

    /// Has it serve the slots that it can while others are away.
    pub fn allow_partial(&self) {
        let set = cmd("CONFIG").arg(&["SET", "cluster-require-full-coverage", "no"]).to_owned();
        for node in &self.nodes {
            node.ask::<()>(set.clone()).expect("a node answers");
        }
    }

    /// The master that had a key or a channel at first.
    pub fn master_of(&mut self, key: &str) -> &mut RedisServer {
        let keyslot = cmd("CLUSTER").arg("KEYSLOT").arg(key).to_owned();
        let slot: u16 = self.nodes[0].ask(keyslot).expect("a node answers");
        let third = usize::from(slot > 5_460) + usize::from(slot > 10_922);
        &mut self.nodes[third]
    }

    /// Adds a replica of the master that has a key or a channel, and makes it the
    /// master in its place.
    pub fn fail_over(&mut self, key: &str) {
        let master: String = self
            .master_of(key)
            .ask(cmd("CLUSTER").arg("MYID").to_owned())
            .expect("the master answers");
        let replica = RedisServer::start_with(NODE);
        self.meet(&replica);
        self.nodes.push(replica);
        self.wait_until_agreed();
        let replica = &self.nodes[self.nodes.len() - 1];
        let replicate = cmd("CLUSTER").arg("REPLICATE").arg(&master).to_owned();
        wait_for("the replica takes its master", || replica.ask::<()>(replicate.clone()).is_ok());
        let info = cmd("INFO").arg("replication").to_owned();
        let has = |what: &str| replica.ask::<String>(info.clone()).is_ok_and(|i| i.contains(what));
        wait_for("the replica has all", || has("master_link_status:up"));
        // A master that does not know it as its replica would not let it take over.
        let listed = format!("slave {master}");
        wait_for("the nodes know the replica", || {
            self.nodes.iter().all(|node| {
                let nodes = node.ask::<String>(cmd("CLUSTER").arg("NODES").to_owned());
                nodes.is_ok_and(|nodes| nodes.contains(&listed))
            })
        });
        replica
            .ask::<()>(cmd("CLUSTER").arg("FAILOVER").to_owned())
            .expect("a replica in step may take over");
        wait_for("the replica is the master", || has("role:master"));
    }
}
