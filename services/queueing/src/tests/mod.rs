//! The role among simple stand-ins for the others.

mod flow;
mod unserved;
mod world;
