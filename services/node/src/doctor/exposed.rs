//! Whether the database and the broker are spoken to in the open.

use super::finding::{Finding, Verdict};
use frontdesk_bus::RedisSettings;
use frontdesk_store::postgres::PostgresSettings;
use std::net::IpAddr;

pub(super) fn check(postgres: &PostgresSettings, redis: &RedisSettings) -> Vec<Finding> {
    vec![database(postgres), broker(redis)]
}

fn database(settings: &PostgresSettings) -> Finding {
    const CHECK: &str = "postgres tls";
    match settings.exposed_host() {
        Ok(None) => Finding::ok(CHECK, "checked, or on this machine"),
        Ok(Some(host)) => Finding::new(
            CHECK,
            Verdict::Warn,
            format!(
                "{host} is reached without TLS that checks it: sslmode=verify-full and postgres.ca"
            ),
        ),
        Err(error) => Finding::fail(CHECK, error.to_string()),
    }
}

fn broker(settings: &RedisSettings) -> Finding {
    const CHECK: &str = "redis tls";
    let local =
        |host: &str| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let address = &settings.address;
    match address.hosts().iter().find(|at| !address.is_tls() && !local(&at.host)) {
        None => Finding::ok(CHECK, "spoken, or on this machine"),
        Some(at) => Finding::new(
            CHECK,
            Verdict::Warn,
            format!("{} is reached in plain text: a rediss:// address and redis.ca", at.host),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_to_another_machine_is_worth_a_word() {
        let verdicts = |postgres: &str, redis: &str| {
            let postgres = PostgresSettings { url: postgres.into(), ..Default::default() };
            let redis = RedisSettings { address: redis.parse().unwrap(), ..Default::default() };
            check(&postgres, &redis).into_iter().map(|f| f.verdict).collect::<Vec<_>>()
        };
        use Verdict::{Fail, Ok, Warn};
        assert_eq!(verdicts("postgresql://u@localhost/f", "redis://127.0.0.1"), [Ok, Ok]);
        assert_eq!(verdicts("postgresql://u@db/f", "redis+cluster://127.0.0.1,r"), [Warn, Warn]);
        let checked = "postgresql://u@db/f?sslmode=verify-full";
        assert_eq!(verdicts(checked, "rediss+sentinel://s/main"), [Ok, Ok]);
        assert_eq!(verdicts("postgresql://u@db/f?sslmode=yes", "redis://r"), [Fail, Warn]);
    }
}
