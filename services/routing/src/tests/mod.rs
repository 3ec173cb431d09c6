//! Routing among the real machines of the other roles.

mod crash;
mod flow;
mod roles;
mod rules;
mod seize;
mod world;
