//! PostgreSQL and Redis, as this machine reaches them.

use super::finding::{Finding, Verdict};
use crate::ctl::now;
use frontdesk_bus::{Bus as _, RedisBus, RedisSettings};
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::incarnation_id;
use frontdesk_store::postgres::{Examination, PostgresSettings, examine};
use std::time::{Duration, Instant};

/// The oldest that is supported.
const OLDEST_POSTGRES: i32 = 15;
/// Connections that others may need besides Frontdesk's.
const SPARE_CONNECTIONS: i32 = 10;
/// Until a message must have come back through Redis: several probes.
const REDIS_PATIENCE: Duration = Duration::from_secs(8);

/// The findings, and what they were drawn from.
pub(super) async fn postgres(settings: &PostgresSettings) -> (Vec<Finding>, Option<Examination>) {
    let asked = Instant::now();
    match examine(settings).await {
        Ok(found) => {
            let unsure = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
            let mut findings = judge(&found);
            findings.push(Finding::clock("postgres clock", now(), found.now, unsure));
            (findings, Some(found))
        }
        Err(error) => {
            (vec![Finding::fail("postgres", format!("{error}: check postgres.url"))], None)
        }
    }
}

/// Whether the tables are this presence group's. Epochs are places in the group's log, whose
/// end, `last_log`, was asked for after the tables: none can lie beyond it.
pub(super) fn epochs(found: &Examination, last_log: u64) -> Finding {
    const CHECK: &str = "postgres epochs";
    let highest = found.highest_epoch;
    if highest <= last_log {
        return Finding::ok(CHECK, format!("up to {highest}; the voters' log has {last_log}"));
    }
    Finding::fail(
        CHECK,
        format!(
            "shards are owned under epochs up to {highest}, but the voters' log ends at {last_log}: \
             the tables are of another presence group, and this one owns nothing. If the database \
             was restored, or the voters were founded anew, and no other cluster uses it, run \
             DELETE FROM shards in it; it is safe then, and no restart is needed"
        ),
    )
}

fn judge(found: &Examination) -> Vec<Finding> {
    let version = found.version;
    let mut findings = vec![if version < OLDEST_POSTGRES {
        Finding::fail("postgres", format!("version {version}: {OLDEST_POSTGRES} is needed"))
    } else {
        Finding::ok("postgres", format!("version {version}"))
    }];
    findings.push(match (found.fsync, found.full_page_writes) {
        (true, true) => Finding::ok("postgres durability", "fsync and full_page_writes are on"),
        _ => Finding::fail(
            "postgres durability",
            "fsync or full_page_writes is off: acknowledged messages can be lost; turn both on",
        ),
    });
    let (schema, known) = (found.schema, found.known_schema);
    findings.push(match schema {
        0 => Finding::ok("postgres schema", "none yet: the first process makes it"),
        _ if schema > known => Finding::fail(
            "postgres schema",
            format!("{schema}, this program knows {known}: it is too old"),
        ),
        _ => Finding::ok("postgres schema", format!("{schema} of {known}")),
    });
    let free = found.max_connections - found.connections;
    let room = format!("{} of {} used here", found.connections, found.max_connections);
    findings.push(match free < SPARE_CONNECTIONS {
        true => Finding::new(
            "postgres connections",
            Verdict::Warn,
            format!("{room}: raise max_connections, or fewer append_connections"),
        ),
        false => Finding::ok("postgres connections", room),
    });
    findings
}

/// Whether what is published comes back: what the gateways themselves go by.
pub(super) async fn redis(settings: &RedisSettings) -> Finding {
    let bus = match RedisBus::connect(settings) {
        Ok(bus) => bus,
        Err(error) => return Finding::fail("redis", format!("redis: {error}")),
    };
    let begun = Instant::now();
    // Nobody else listens as this.
    let own: NodeId = match incarnation_id("doctor", now().as_millis()) {
        Ok(own) => own,
        Err(error) => return Finding::fail("redis", error.to_string()),
    };
    let subscription = bus.subscribe(own);
    let mut live = subscription.live();
    let heard = tokio::time::timeout(REDIS_PATIENCE, live.wait_for(|live| *live)).await;
    match heard {
        Ok(Ok(_)) => Finding::ok(
            "redis",
            format!(
                "a message came back, {} ms after the first connect",
                begun.elapsed().as_millis()
            ),
        ),
        _ => Finding::fail(
            "redis",
            "no message came back: check redis.address, the login, and that it is Redis 7 or later; \
             gateways are fed directly meanwhile",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::time::Timestamp;

    fn healthy() -> Examination {
        Examination {
            version: 15,
            now: Timestamp::ZERO,
            fsync: true,
            full_page_writes: true,
            max_connections: 100,
            connections: 40,
            schema: 2,
            known_schema: 2,
            highest_epoch: 40,
        }
    }

    fn verdicts(found: &Examination) -> Vec<Verdict> {
        judge(found).into_iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn a_database_is_judged_by_what_it_promises() {
        use Verdict::{Fail, Ok, Warn};
        assert_eq!(verdicts(&healthy()), [Ok, Ok, Ok, Ok]);
        assert_eq!(verdicts(&Examination { version: 14, ..healthy() })[0], Fail);
        assert_eq!(verdicts(&Examination { fsync: false, ..healthy() })[1], Fail);
        assert_eq!(verdicts(&Examination { schema: 3, ..healthy() })[2], Fail);
        assert_eq!(verdicts(&Examination { connections: 95, ..healthy() })[3], Warn);
    }

    #[test]
    fn epochs_beyond_the_voters_log_are_of_another_group() {
        assert_eq!(epochs(&healthy(), 40).verdict, Verdict::Ok);
        let foreign = epochs(&healthy(), 39);
        assert_eq!(foreign.verdict, Verdict::Fail);
        assert!(foreign.detail.contains("DELETE FROM shards"), "{}", foreign.detail);
    }
}
