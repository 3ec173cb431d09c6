//! Whether a history of concurrent operations could have happened one after the
//! other: the search of Wing and Gong, with Lowe's memory of what was tried.
//!
//! An operation takes effect once, between its call and its return; one whose
//! outcome is not known may take effect at any time after its call, or never. The
//! checker must know nothing of what it checks but the model it is given.

mod bits;
mod history;
mod model;
mod report;
mod room;
mod search;

pub use history::{Operation, Outcome, Recorder};
pub use model::Model;
pub use report::{Failure, Violation};
pub use room::{Ask, Holds, Rooms, Told};
pub use search::{Checked, check, check_within};
