//! The tables, made and changed by whichever process comes first; the others wait
//! for it. Safe from any number of them at once.

use super::database::Live;
use super::error::{Failure, PostgresError};
use super::settings::PostgresSettings;

/// In order; each is run once, and never changed after a release.
const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_journal.sql"),
    include_str!("migrations/0002_desk.sql"),
    include_str!("migrations/0003_skills.sql"),
    include_str!("migrations/0004_audit.sql"),
    include_str!("migrations/0005_account_details.sql"),
    include_str!("migrations/0006_erase.sql"),
    include_str!("migrations/0007_generation.sql"),
    include_str!("migrations/0008_statistics.sql"),
    include_str!("migrations/0009_bindings.sql"),
];
/// One lock for all who migrate.
const LOCK: i64 = 0x6672_6f6e_7464_6573;
/// A process that migrates for longer than this has a problem of its own.
const PATIENCE: &str = "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '60s'";

/// The schema this program makes.
pub(super) fn known_schema() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// Brings the database to this program's schema.
pub(super) async fn migrate(settings: &PostgresSettings) -> Result<(), PostgresError> {
    let live = Live::connect(&settings.target()?, settings).await?;
    let failed = |failure: Failure| PostgresError::Migrate(failure.to_string());
    live.batch(&format!("BEGIN; {PATIENCE}; SELECT pg_advisory_xact_lock({LOCK})"))
        .await
        .map_err(failed)?;
    live.batch("CREATE TABLE IF NOT EXISTS frontdesk_schema (version integer NOT NULL)")
        .await
        .map_err(failed)?;
    let rows = live
        .query("SELECT coalesce(max(version), 0) FROM frontdesk_schema", &[])
        .await
        .map_err(failed)?;
    let found: i32 = rows.first().map_or(0, |row| row.get(0));
    let known = known_schema();
    if found > known {
        return Err(PostgresError::TooNew { found, known });
    }
    for (sql, version) in MIGRATIONS.iter().zip(1..).skip(usize::try_from(found).unwrap_or(0)) {
        live.batch(sql).await.map_err(failed)?;
        live.batch(&format!("INSERT INTO frontdesk_schema VALUES ({version})"))
            .await
            .map_err(failed)?;
    }
    live.batch("COMMIT").await.map_err(failed)
}
