//! What a run looks like while it runs: a picture on a terminal, or plain lines
//! where there is none. It shows what it is given and measures nothing; a terminal
//! that is slow or stuck never delays who gives it.

mod board;
mod draw;
mod figure;
mod number;
mod plain;
mod plan;
mod screen;
mod stop;
mod view;

pub use plan::{Plan, PlannedFault, PlannedPhase, Row};
pub use stop::Stop;
pub use view::{Mode, View};
