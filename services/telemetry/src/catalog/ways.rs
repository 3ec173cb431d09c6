//! What carries and keeps: journal, files, bus, certificates, and the process itself.

use super::labels::{
    APPEND, BUS_MODE, EXPORTED, FILE_OPERATION, PUBLISHED, RELOAD, SIDE, UNTRACED,
};
use super::{Metric, counter, gauge, histogram};

#[rustfmt::skip] // A table: a line for what is measured, and a line for what it says.
pub(super) const METRICS: &[Metric] = &[
    counter("frontdesk_journal_groups_total", "Groups of appends that were committed."),
    counter("frontdesk_journal_records_total", "Records that were committed."),
    histogram("frontdesk_journal_batch_records", "Records of a group."),
    histogram("frontdesk_journal_commit_seconds", "How long the commit of a group took."),
    counter("frontdesk_journal_group_failures_total", "Groups that could not be committed."),
    counter("frontdesk_journal_appends_total", "Appends, and what became of them; of the embedded journal.").by(&[APPEND]),
    gauge("frontdesk_journal_queue_depth", "Writes that waited when the last group was taken; of the embedded journal."),
    gauge("frontdesk_journal_queue_limit", "Writes that may wait; of the embedded journal."),
    counter("frontdesk_journal_checkpoint_failures_total", "Times the log could not be copied into the file; of the embedded journal."),

    histogram("frontdesk_files_seconds", "How long a file took to be put, read or removed, wherever files are kept.").by(&[FILE_OPERATION]),
    counter("frontdesk_files_failures_total", "Files that could not be put, read or removed because where they are kept was away.").by(&[FILE_OPERATION]),

    counter("frontdesk_bus_publishes_total", "Batches for gateways, by the way they went and what became of them.").by(&[BUS_MODE, PUBLISHED]),
    counter("frontdesk_bus_batches_given_up_total", "Batches taken and given up later."),
    counter("frontdesk_bus_messages_unreadable_total", "Messages from the broker that could not be read."),
    gauge("frontdesk_bus_live", "1 while what is sent to this process comes through the broker."),
    histogram("frontdesk_bus_probe_seconds", "How long a probe took through the broker and back."),
    gauge("frontdesk_bus_probe_age_seconds", "How long ago the last probe that came back had been sent."),
    counter("frontdesk_bus_reconnects_total", "Attempts to connect to the broker again.").by(&[SIDE]),
    counter("frontdesk_gateway_bus_lags_total", "Times the bus said that it had lost deliveries."),
    counter("frontdesk_gateway_gaps_healed_total", "Readers that a head beacon has shown to have missed something."),
    counter("frontdesk_gateway_history_pages_total", "Pages of history read for readers who were behind."),
    counter("frontdesk_gateway_unreadable_deliveries_total", "Deliveries that could not be read."),

    counter("frontdesk_tasks_panics_total", "Panics, in tasks and in threads."),

    counter("frontdesk_tls_reloads_total", "New certificates that were taken up, or could not be.").by(&[RELOAD]),

    counter("frontdesk_traces_exported_spans_total", "Spans sent to the collector, or lost because it did not take them.").by(&[EXPORTED]),
    counter("frontdesk_traces_dropped_spans_total", "Spans not told: too many waited, or too much failed, or clients wanted too much recorded, at once.").by(&[UNTRACED]),

    counter("process_cpu_seconds_total", "CPU time of the process, user and system."),
    gauge("process_resident_memory_bytes", "Memory of the process that is in RAM."),
    gauge("process_open_fds", "Open files of the process."),
];
