//! Visitors' data, as a whole: finding it, handing it out, forgetting it, by order or
//! because its time is over. Says nothing of it to logs, and to the audit log only ids.

mod erase;
mod export;
mod find;
mod sweep;
#[cfg(test)]
mod tests;

pub(crate) use erase::erase;
pub(crate) use export::export;
pub(crate) use sweep::keep;
