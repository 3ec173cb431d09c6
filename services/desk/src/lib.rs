//! The role that keeps configuration and accounts: sites with their queues, who
//! may sign in, which files were uploaded, what supervisors did. It never sees a message.

mod admin;
mod apply;
mod audit;
mod cache;
mod convert;
mod dev_site;
mod error;
mod guesses;
mod metrics;
mod password;
mod refusals;
mod service;
mod settings;
mod sign_in;
#[cfg(test)]
mod tests;
mod validate;
mod vouched;

pub use admin::{CreatedAgent, NewAgent};
pub use apply::{Trial, trial};
pub use dev_site::{DevAccount, DevSite};
pub use error::DeskError;
pub use password::Password;
pub use service::DeskService;
pub use settings::{DeskSettings, PasswordCost};
