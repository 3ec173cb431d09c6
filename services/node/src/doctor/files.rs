//! The bucket that files are kept in, if there is one, as this machine reaches it. Puts an
//! object of its own there and removes it.

use super::finding::{Finding, Verdict};
use frontdesk_store::s3::{BucketExamination, S3Settings, Step, Versioning, examine};
use std::time::Instant;

const CHECK: &str = "files";

pub(super) async fn check(settings: Option<&S3Settings>) -> Vec<Finding> {
    let Some(settings) = settings else { return Vec::new() };
    let begun = Instant::now();
    let found = match examine(settings).await {
        Ok(found) => found,
        Err(error) => return vec![Finding::fail(CHECK, error.to_string())],
    };
    let mut findings = vec![bucket(&found, begun.elapsed().as_millis())];
    findings.extend(versions(found.versioning));
    findings.push(way(settings));
    findings
}

/// The first step that does not work, or all of them.
fn bucket(found: &BucketExamination, took_ms: u128) -> Finding {
    let steps = [
        ("look whether a file is there", "s3:GetObject, and s3:ListBucket", &found.look),
        ("put", "s3:PutObject", &found.put),
        ("read", "s3:GetObject", &found.get),
        ("remove", "s3:DeleteObject", &found.remove),
    ];
    for (what, right, step) in steps {
        match step {
            Step::Done | Step::Skipped => {}
            Step::Refused(code) => {
                let advice = advice(code, right);
                return Finding::fail(CHECK, format!("may not {what} ({code}): {advice}"));
            }
            Step::Away(why) => {
                let advice = "check attachments.s3.endpoint, its ca, where keys come from, \
                              and the network";
                return Finding::fail(CHECK, format!("cannot {what}: {why}: {advice}"));
            }
        }
    }
    Finding::ok(CHECK, format!("a probe was put, read and removed, {took_ms} ms in all"))
}

/// What to do about the store's own words.
fn advice(code: &str, right: &str) -> String {
    match code {
        "NoSuchBucket" => "make the bucket, or set attachments.s3.bucket".into(),
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken" => {
            "check access_key_id and secret_access_key, or credentials_file".into()
        }
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraint" => {
            "set attachments.s3.region to the bucket's".into()
        }
        "RequestTimeTooSkewed" => "synchronise the clocks (NTP)".into(),
        "AccessDenied" => format!("allow the key {right}"),
        _ => "see what the store says of it".into(),
    }
}

fn versions(versioning: Versioning) -> Option<Finding> {
    let finding = |verdict, text| Some(Finding::new("files versions", verdict, text));
    match versioning {
        Versioning::On => finding(
            Verdict::Warn,
            "versioning is on: what is erased stays as an old version, until a lifecycle rule \
             (NoncurrentVersionExpiration) ends it",
        ),
        Versioning::Suspended => finding(
            Verdict::Warn,
            "versioning was on: what was erased then may still be there as old versions; \
             remove them, or have a lifecycle rule do it",
        ),
        Versioning::Off => finding(Verdict::Ok, "none are kept: what is removed is gone"),
        // It has none, or will not say.
        Versioning::Untold => None,
    }
}

fn way(settings: &S3Settings) -> Finding {
    const CHECK: &str = "files tls";
    match settings.exposed_host() {
        Ok(None) => Finding::ok(CHECK, "spoken, or on this machine"),
        Ok(Some(host)) => Finding::new(
            CHECK,
            Verdict::Warn,
            format!("{host} is reached in plain text: an https:// endpoint and attachments.s3.ca"),
        ),
        Err(error) => Finding::fail(CHECK, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(change: impl FnOnce(&mut BucketExamination)) -> Finding {
        let mut found = BucketExamination {
            look: Step::Done,
            put: Step::Done,
            get: Step::Done,
            remove: Step::Done,
            versioning: Versioning::Off,
        };
        change(&mut found);
        bucket(&found, 12)
    }

    #[test]
    fn a_bucket_is_judged_by_the_first_thing_that_does_not_work() {
        assert_eq!(found(|_| {}).verdict, Verdict::Ok);
        let denied = || Step::Refused("AccessDenied".into());
        for (finding, words) in [
            (found(|f| f.look = denied()), "s3:ListBucket"),
            (found(|f| f.put = denied()), "s3:PutObject"),
            (found(|f| f.remove = denied()), "s3:DeleteObject"),
            (found(|f| f.look = Step::Refused("NoSuchBucket".into())), "make the bucket"),
            (found(|f| f.look = Step::Away("connection refused".into())), "endpoint"),
            (found(|f| f.get = Step::Away("not what was put".into())), "cannot read"),
        ] {
            assert_eq!(finding.verdict, Verdict::Fail);
            assert!(finding.detail.contains(words), "{}", finding.detail);
        }
    }

    #[test]
    fn a_bucket_that_keeps_versions_is_worth_a_word() {
        let verdict = |versioning| versions(versioning).map(|finding| finding.verdict);
        assert_eq!(verdict(Versioning::On), Some(Verdict::Warn));
        assert_eq!(verdict(Versioning::Suspended), Some(Verdict::Warn));
        assert_eq!(verdict(Versioning::Off), Some(Verdict::Ok));
        assert_eq!(verdict(Versioning::Untold), None);
    }
}
