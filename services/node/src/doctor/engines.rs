//! PostgreSQL and Redis, as this machine reaches them.

use super::finding::{Finding, Verdict};
use crate::ctl::now;
use frontdesk_bus::{Bus as _, RedisBus, RedisExamination, RedisSettings, examine_redis};
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{NodeRole, incarnation_id};
use frontdesk_store::postgres::{Examination, PostgresSettings, examine};
use std::time::{Duration, Instant};

/// The oldest that is supported.
const OLDEST_POSTGRES: i32 = 15;
/// Sharded channels came with it.
const OLDEST_REDIS: u32 = 7;
const MIB: u64 = 1024 * 1024;
/// Messages to a gateway are up to 1 MiB; so many bytes are a burst, not a slow reader.
const LEAST_SUBSCRIBER_BYTES: u64 = 8 * MIB;
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
        _ if schema < known => Finding::new(
            "postgres schema",
            Verdict::Warn,
            format!("{schema}, this program makes {known}: a process of this version brings it up"),
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

/// Whether the database takes the connections of every process that runs.
pub(super) fn pools(
    settings: &PostgresSettings,
    count: impl Fn(NodeRole) -> usize,
    max_connections: i32,
) -> Finding {
    let (other, append) = (settings.other_connections, settings.append_connections);
    let of = |role, each: u8| {
        i32::try_from(count(role)).unwrap_or(i32::MAX).saturating_mul(i32::from(each))
    };
    let needed = of(NodeRole::Sessions, other.saturating_add(append))
        + of(NodeRole::Gateway, other)
        + of(NodeRole::Desk, other);
    let said = format!("{needed} by all processes, {max_connections} taken at most");
    match needed + SPARE_CONNECTIONS <= max_connections {
        true => Finding::ok("postgres pools", said),
        false => Finding::new(
            "postgres pools",
            Verdict::Warn,
            format!("{said}: raise max_connections, or lower append_ and other_connections"),
        ),
    }
}

/// What Redis says of itself, and whether what is published comes back.
pub(super) async fn redis(settings: &RedisSettings) -> Vec<Finding> {
    let (heard, told) = tokio::join!(echo(settings), examine_redis(settings));
    // Why it cannot be asked is why nothing comes back.
    let mut findings = told.map(|found| judge_redis(&found)).unwrap_or_default();
    findings.insert(0, heard);
    findings
}

fn judge_redis(found: &RedisExamination) -> Vec<Finding> {
    let mut findings = vec![match found.version {
        Some(version) if version.0 < OLDEST_REDIS => Finding::fail(
            "redis version",
            format!("{}.{}: {OLDEST_REDIS} is needed, for sharded channels", version.0, version.1),
        ),
        Some((major, minor)) => Finding::ok("redis version", format!("{major}.{minor}")),
        None => Finding::ok("redis version", "not told"),
    }];
    if found.is_replica {
        let told = "it copies another server: what is published there does not come here; \
                    name the master, or the sentinels that know it";
        findings.push(Finding::fail("redis role", told));
    }
    if let Some(bytes) = found.subscriber_bytes.filter(|bytes| *bytes > 0) {
        let said = format!("{} MiB may wait for a gateway", bytes / MIB);
        findings.push(match bytes < LEAST_SUBSCRIBER_BYTES {
            true => Finding::new(
                "redis buffers",
                Verdict::Warn,
                format!("{said} before it is cut: client-output-buffer-limit pubsub 32mb 8mb 60"),
            ),
            false => Finding::ok("redis buffers", said),
        });
    }
    if let (Some(clients), Some(most)) = (found.clients, found.max_clients) {
        let said = format!("{clients} of {most} clients");
        findings.push(match clients.saturating_mul(10) >= most.saturating_mul(9) {
            true => {
                Finding::new("redis clients", Verdict::Warn, format!("{said}: raise maxclients"))
            }
            false => Finding::ok("redis clients", said),
        });
    }
    findings
}

/// Whether what is published comes back: what the gateways themselves go by.
async fn echo(settings: &RedisSettings) -> Finding {
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
        assert_eq!(verdicts(&Examination { schema: 1, ..healthy() })[2], Warn);
        assert_eq!(verdicts(&Examination { schema: 0, ..healthy() })[2], Ok);
        assert_eq!(verdicts(&Examination { connections: 95, ..healthy() })[3], Warn);
    }

    #[test]
    fn epochs_beyond_the_voters_log_are_of_another_group() {
        assert_eq!(epochs(&healthy(), 40).verdict, Verdict::Ok);
        let foreign = epochs(&healthy(), 39);
        assert_eq!(foreign.verdict, Verdict::Fail);
        assert!(foreign.detail.contains("DELETE FROM shards"), "{}", foreign.detail);
    }

    #[test]
    fn the_pools_of_all_processes_fit_into_the_database() {
        let count = |role| match role {
            NodeRole::Sessions | NodeRole::Gateway => 1,
            _ => 0,
        };
        let settings = PostgresSettings::default();
        // 4 that append and 4 others, and 4 of the gateway.
        assert_eq!(pools(&settings, count, 22).verdict, Verdict::Ok);
        assert_eq!(pools(&settings, count, 21).verdict, Verdict::Warn);
    }

    #[test]
    fn a_broker_is_judged_by_what_the_gateways_need_of_it() {
        use Verdict::{Fail, Ok, Warn};
        let well = RedisExamination {
            version: Some((7, 2)),
            is_replica: false,
            clients: Some(10),
            max_clients: Some(10_000),
            subscriber_bytes: Some(32 * MIB),
        };
        let verdicts = |found: RedisExamination| {
            judge_redis(&found).into_iter().map(|f| f.verdict).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(well.clone()), [Ok, Ok, Ok]);
        let old = RedisExamination { version: Some((6, 2)), ..well.clone() };
        assert_eq!(verdicts(old), [Fail, Ok, Ok]);
        let copy = RedisExamination { is_replica: true, ..well.clone() };
        assert_eq!(verdicts(copy), [Ok, Fail, Ok, Ok]);
        let narrow = RedisExamination { subscriber_bytes: Some(MIB), ..well.clone() };
        assert_eq!(verdicts(narrow), [Ok, Warn, Ok]);
        let unlimited = RedisExamination { subscriber_bytes: Some(0), ..well.clone() };
        assert_eq!(verdicts(unlimited), [Ok, Ok]);
        let full = RedisExamination { clients: Some(9_500), ..well };
        assert_eq!(verdicts(full), [Ok, Ok, Warn]);
        assert_eq!(verdicts(RedisExamination::default()), [Ok], "nothing is told");
    }
}
