//! The room of agents as their callers see it: never more taken than there is.
//!
//! Time is not in the model: who records a history must reserve for longer than
//! it lasts, so that no reservation expires, and must not confirm any.

use super::Model;
use std::collections::BTreeMap;

/// Slots taken by conversation, the load being their sum.
pub type Holds = BTreeMap<u32, u32>;

/// Agents that are online, each with this much room.
#[derive(Debug, Clone, Copy)]
pub struct Rooms {
    /// Slots of every agent.
    pub capacity: u32,
}

/// What is asked of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Room for a conversation, for longer than the history lasts; room that it
    /// has already is given back for it.
    Reserve {
        /// Whose room.
        agent: u32,
        /// For what.
        conversation: u32,
        /// Slots.
        weight: u32,
    },
    /// The conversation's room is free, whether it had any or not.
    Release {
        /// Whose room.
        agent: u32,
        /// Of what.
        conversation: u32,
    },
    /// What is taken.
    Read {
        /// Whose room.
        agent: u32,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It is reserved.
    Granted,
    /// There is not enough room.
    NoRoom,
    /// It is free.
    Released,
    /// This is taken.
    Holds(Holds),
    /// Something that is never right here.
    Otherwise(String),
}

impl Model for Rooms {
    type Key = u32;
    type State = Holds;
    type Input = Ask;
    type Output = Told;

    fn key(&self, input: &Ask) -> u32 {
        match *input {
            Ask::Reserve { agent, .. } | Ask::Release { agent, .. } | Ask::Read { agent } => agent,
        }
    }

    fn initial(&self, _: &u32) -> Holds {
        Holds::new()
    }

    fn step(&self, state: &Holds, input: &Ask, output: Option<&Told>) -> Option<Holds> {
        match *input {
            Ask::Reserve { conversation, weight, .. } => {
                let mut after = state.clone();
                after.insert(conversation, weight);
                let fits = after.values().sum::<u32>() <= self.capacity;
                match output {
                    None | Some(Told::Granted) => fits.then_some(after),
                    Some(Told::NoRoom) => (!fits).then(|| state.clone()),
                    Some(_) => None,
                }
            }
            Ask::Release { conversation, .. } => {
                let mut after = state.clone();
                after.remove(&conversation);
                matches!(output, None | Some(Told::Released)).then_some(after)
            }
            Ask::Read { .. } => match output {
                None => Some(state.clone()),
                Some(Told::Holds(seen)) => (seen == state).then(|| state.clone()),
                Some(_) => None,
            },
        }
    }
}
