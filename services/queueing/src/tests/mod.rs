//! The role among simple stand-ins for the others.

mod alarms;
mod flow;
mod roles;
mod unserved;
mod world;
