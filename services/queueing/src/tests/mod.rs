//! The role among simple stand-ins for the others.

mod alarms;
mod flow;
mod unserved;
mod world;
