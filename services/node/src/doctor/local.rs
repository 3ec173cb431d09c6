//! What can be seen without asking anybody: keys and certificates.

use super::finding::{Finding, Verdict};
use crate::cluster::load_tls;
use crate::ctl::now;
use crate::keys;
use crate::settings::Settings;
use frontdesk_cluster::tls::{CertificateTerm, Tls, TlsFiles};
use frontdesk_core::time::{Millis, Timestamp};

/// A certificate that ends within this time is worth a word.
const RENEW_WITHIN: Millis = Millis::from_mins(14 * 24 * 60);
const MINUTES_OF_A_DAY: u64 = 24 * 60;

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![voters(settings), keys(settings)];
    match &settings.cluster.tls {
        None => findings.push(Finding::new(
            "cluster.tls",
            Verdict::Warn,
            "not set: whoever reaches an internal port gets in; see `frontdesk cluster certificates`",
        )),
        Some(files) => match load_tls(&settings.cluster) {
            Ok(_) => findings.extend(terms("cluster.tls", files)),
            Err(error) => findings.push(Finding::fail("cluster.tls", error.to_string())),
        },
    }
    if let Some(files) = &settings.gateway.tls {
        match Tls::load(files.clone()) {
            Ok(_) => findings.extend(terms("gateway.tls", files)),
            Err(error) => findings.push(Finding::fail("gateway.tls", error.to_string())),
        }
    }
    findings
}

fn voters(settings: &Settings) -> Finding {
    let voters = &settings.cluster.voters;
    let mut ids: Vec<u64> = voters.iter().map(|voter| voter.id).collect();
    ids.sort_unstable();
    ids.dedup();
    match voters.len() {
        count if ids.len() < count => Finding::fail("cluster.voters", "two have the same id"),
        1 => Finding::new("cluster.voters", Verdict::Warn, "1: none may fail; 3 survive one"),
        count @ (3 | 5) => Finding::ok("cluster.voters", format!("{count}")),
        count => Finding::fail("cluster.voters", format!("{count}: there should be 1, 3 or 5")),
    }
}

fn keys(settings: &Settings) -> Finding {
    let mut gateway = settings.gateway.clone();
    if let Err(error) = keys::resolve(&mut gateway) {
        return Finding::fail("gateway.keys", error.to_string());
    }
    match gateway.keys.len() {
        0 => Finding::fail(
            "gateway.keys",
            "none: each gateway would sign with a key of its own, which the others refuse",
        ),
        count => Finding::ok("gateway.keys", format!("{count}")),
    }
}

/// How long the certificates of a section are good for.
fn terms(section: &str, files: &TlsFiles) -> Vec<Finding> {
    match files.terms() {
        Ok(terms) => terms.iter().map(|term| judge(term, now())).collect(),
        Err(error) => vec![Finding::fail(section, error.to_string())],
    }
}

fn judge(term: &CertificateTerm, now: Timestamp) -> Finding {
    let days = |millis: Millis| millis.get() / Millis::from_mins(MINUTES_OF_A_DAY).get();
    let check = format!("certificate {}", term.path.display());
    if now < term.from {
        return Finding::fail(check, format!("{}: not good yet", term.subject));
    }
    if now >= term.until {
        let ago = days(now.since(term.until));
        return Finding::fail(check, format!("{}: has ended {ago} days ago", term.subject));
    }
    let left = term.until.since(now);
    let verdict = if left < RENEW_WITHIN { Verdict::Warn } else { Verdict::Ok };
    Finding::new(check, verdict, format!("{}: {} more days", term.subject, days(left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_judged_by_the_time_it_has_left() {
        let day = Millis::from_mins(MINUTES_OF_A_DAY).get();
        let at = |n: u64| Timestamp::from_millis(n * day);
        let term = CertificateTerm {
            path: "cert.pem".into(),
            subject: "CN=x".into(),
            from: at(10),
            until: at(100),
        };
        let verdict = |now| judge(&term, at(now)).verdict;
        assert_eq!(verdict(9), Verdict::Fail);
        assert_eq!(verdict(10), Verdict::Ok);
        assert_eq!(verdict(90), Verdict::Warn);
        assert_eq!(verdict(100), Verdict::Fail);
    }
}
