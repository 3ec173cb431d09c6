//! The commit of a group in the traces of what is in it.
//!
//! It is told once in each trace that has an append in the group, not once in all: a
//! trace must say by itself whether a message waited for its group or its group for the
//! disk, few tools lead from a link back to who is linked, and of a hundred messages one
//! is recorded, so that a group seldom has two of them.

use crate::journal::Append;
use frontdesk_telemetry::traces::{Kind, Span};

/// The commit of one group, as far as it is recorded; begun when it is made.
pub(crate) struct GroupSpans(Vec<Span>);

impl GroupSpans {
    /// Allocates nothing when nothing of the group is recorded.
    pub(crate) fn begin<'a>(appends: impl Iterator<Item = &'a Append>) -> Self {
        let recorded = appends.filter_map(|append| append.trace.as_deref());
        Self(recorded.map(|trace| Span::under("journal.group", Kind::Client, *trace)).collect())
    }

    /// The group of so many appends is committed, or it has failed as a whole.
    pub(crate) fn end(self, appends: usize, outcome: Result<(), &'static str>) {
        for mut span in self.0 {
            span.set("appends", appends as i64);
            span.finish(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::ids::{ConversationId, Epoch, Seq};
    use frontdesk_core::shard::ShardId;
    use frontdesk_core::trace::TraceContext;
    use frontdesk_telemetry::traces::capture;
    use uuid::Uuid;

    fn append(trace: Option<TraceContext>) -> Append {
        let conversation = ConversationId::from_uuid(Uuid::from_u128(1));
        Append {
            shard: ShardId::of(conversation),
            epoch: Epoch::new(1),
            conversation,
            expected_head: Seq::ZERO,
            records: Vec::new(),
            summary: None,
            trace: trace.map(Box::new),
        }
    }

    #[test]
    fn a_group_is_told_in_each_trace_that_is_in_it() {
        let captured = capture();
        let traces = [5, 6].map(|n| TraceContext::new(n << 70, 9, true).unwrap());
        let group = [append(Some(traces[0])), append(None), append(Some(traces[1]))];
        GroupSpans::begin(group.iter()).end(group.len(), Ok(()));
        GroupSpans::begin(group[..2].iter()).end(2, Err("uncertain"));
        let told = |n: usize| {
            let told = captured.of(traces[n]).into_iter();
            told.map(|told| (told.name, told.parent, told.failure)).collect::<Vec<_>>()
        };
        let span = |failure: Option<&str>| ("journal.group".into(), 9, failure.map(str::to_owned));
        assert_eq!(told(0), [span(None), span(Some("uncertain"))]);
        assert_eq!(told(1), [span(None)]);
    }

    #[test]
    fn what_is_not_recorded_costs_no_allocation() {
        assert_eq!(GroupSpans::begin(std::iter::empty()).0.capacity(), 0);
    }
}
