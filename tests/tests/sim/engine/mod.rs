//! Clusters in one thread: the real roles, clients and protocols on a simulated
//! network, journal, broker and clock, all driven by one seed.

mod broker;
mod check;
mod desk;
mod entropy;
mod explore;
mod hosts;
mod journal;
mod ledger;
mod net;
mod never;
mod people;
mod plan;
mod run;

pub(crate) use explore::{catches, explore, summary_of};
pub(crate) use plan::{
    Bug, Fault, GATEWAYS, HEALED_MS, KEEPERS, OWNERS, Plan, READY_MS, ROUTERS, VOTERS, anything,
};
