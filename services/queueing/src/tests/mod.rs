//! The role among simple stand-ins for the others.

mod flow;
mod world;
