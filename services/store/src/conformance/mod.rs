//! What every journal must do, as tests against the trait alone; the other stores
//! have suites of their own beside it.
//!
//! `journal_conformance!` makes one test of each function here. A subject starts
//! empty and is nobody else's.

mod appends;
pub mod attachments;
mod claims;
pub mod desk;
mod erasures;
mod fixture;
mod kept;
mod lists;
mod model;
mod reads;

pub use appends::*;
pub use claims::*;
pub use erasures::*;
pub use kept::*;
pub use lists::*;
pub use model::agrees_with_the_model;
pub use reads::*;

#[cfg(test)]
pub(crate) use fixture::waiting;

use crate::journal::Journal;
use async_trait::async_trait;
use std::sync::Arc;

/// How a journal ends before it is opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In order.
    Closed,
    /// Without any warning, as far as the implementation can.
    Dropped,
}

/// A journal under test.
#[async_trait]
pub trait Subject: Send {
    /// The journal. Tests give their clones back before they reopen.
    fn journal(&self) -> Arc<dyn Journal>;

    /// Ends it and opens it again on the same storage.
    async fn reopen(&mut self, ending: Ending);
}

/// Makes a module's tests of the suite: the argument is an expression that gives
/// a new, empty `Subject`.
#[macro_export]
macro_rules! journal_conformance {
    ($new:expr) => {
        $crate::journal_conformance!(@tests $new;
            an_append_is_read_back_as_it_was,
            a_key_is_appended_once,
            a_key_is_appended_once_within_a_pipeline,
            a_key_belongs_to_its_sender_and_conversation,
            a_duplicate_in_the_middle_leaves_nothing,
            a_wrong_head_is_refused,
            a_refusal_refuses_those_behind_it,
            a_malformed_append_is_refused,
            a_dropped_future_does_not_cancel,
            many_conversations_at_once,
            payloads_up_to_the_limit_are_kept,
            claims_rise_and_never_fall,
            claims_are_all_or_none,
            a_stale_owner_is_fenced,
            fencing_is_per_shard,
            pages_forward,
            pages_backward,
            pages_for_the_public,
            pages_end_at_their_bytes,
            load_of_nothing_is_none,
            load_gives_snapshot_cursors_and_tail,
            load_passes_over_a_snapshot_ahead,
            snapshots_never_go_back,
            cursors_never_go_back,
            lists_of_a_visitor,
            lists_of_what_was_changed,
            lists_of_an_agent,
            lists_of_what_waits,
            lists_of_all_that_waits_or_is_assigned,
            lists_of_what_is_open,
            pages_of_what_is_open,
            lists_show_what_has_been_read,
            a_refused_append_changes_no_summary,
            what_is_erased_is_nowhere_and_places_stay,
            an_erasure_fits_or_changes_nothing,
            all_is_kept_over_a_close,
            all_is_kept_over_a_crash,
            a_crash_keeps_what_was_answered,
        );

        #[test]
        fn agrees_with_the_model() {
            $crate::conformance::agrees_with_the_model(async || $new);
        }
    };
    (@tests $new:expr; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let mut subject = $new;
                $crate::conformance::$name(&mut subject).await;
            }
        )*
    };
}
