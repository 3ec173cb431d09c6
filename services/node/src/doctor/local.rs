//! What can be seen without asking anybody: keys and certificates.

use super::finding::{Finding, Verdict};
use crate::cluster::load_tls;
use crate::ctl::now;
use crate::keys;
use crate::settings::Settings;
use frontdesk_cluster::tls::{CertificateTerm, INTERNAL_NAME, Tls, TlsFiles, certificate_terms};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_gateway::examine_keys;

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
            Ok(_) => {
                findings.extend(terms("cluster.tls", files));
                findings.extend(named("cluster.tls names", files, INTERNAL_NAME, Verdict::Fail));
            }
            Err(error) => findings.push(Finding::fail("cluster.tls", error.to_string())),
        },
    }
    if let Some(files) = &settings.gateway.tls {
        match Tls::load(files.clone()) {
            Ok(_) => {
                findings.extend(terms("gateway.tls", files));
                if let Some(host) = public_host(settings) {
                    // A proxy in front may show browsers another one.
                    findings.extend(named("gateway.tls names", files, &host, Verdict::Warn));
                }
            }
            Err(error) => findings.push(Finding::fail("gateway.tls", error.to_string())),
        }
    }
    let engines = [
        ("postgres.ca", &settings.postgres.ca),
        ("postgres.client_cert", &settings.postgres.client_cert),
        ("redis.ca", &settings.redis.ca),
        ("redis.client_cert", &settings.redis.client_cert),
    ];
    for (section, path) in engines {
        match path.as_deref().map(certificate_terms) {
            None => {}
            Some(Ok(terms)) => findings.extend(terms.iter().map(|term| judge(term, now()))),
            Some(Err(error)) => findings.push(Finding::fail(section, error.to_string())),
        }
    }
    findings
}

/// Where browsers reach the gateways, as far as the settings say.
fn public_host(settings: &Settings) -> Option<String> {
    let origin = &settings.gateway.oidc.as_ref()?.public_origin;
    let host = origin.split_once("://")?.1;
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| port.parse::<u16>().is_ok())
        .map_or(host, |(h, _)| h);
    Some(host.trim_matches(['[', ']']).to_owned())
}

/// Whether a chain's own certificate is good for the name that others ask for.
fn named(check: &str, files: &TlsFiles, wanted: &str, otherwise: Verdict) -> Option<Finding> {
    // One that cannot be read has been told of.
    let own = certificate_terms(&files.cert).ok()?.into_iter().next()?;
    Some(judge_names(check, &own, wanted, otherwise))
}

fn judge_names(check: &str, own: &CertificateTerm, wanted: &str, otherwise: Verdict) -> Finding {
    let covers = |name: &String| {
        let beneath = || {
            let domain = name.strip_prefix("*.")?;
            Some(wanted.split_once('.')?.1.eq_ignore_ascii_case(domain))
        };
        name.eq_ignore_ascii_case(wanted) || beneath().unwrap_or(false)
    };
    match own.names.iter().any(covers) {
        true => Finding::ok(check, wanted),
        false => Finding::new(
            check,
            otherwise,
            format!(
                "{} is good for {}, not for {wanted}: issue it with that name",
                own.path.display(),
                if own.names.is_empty() { "no name".to_owned() } else { own.names.join(", ") },
            ),
        ),
    }
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
    if !gateway.keys.is_empty()
        && let Err(error) = examine_keys(&gateway.keys)
    {
        let told = format!("{error}: each key needs a name of its own and 32 bytes or more");
        return Finding::fail("gateway.keys", told);
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
            names: Vec::new(),
            from: at(10),
            until: at(100),
        };
        let verdict = |now| judge(&term, at(now)).verdict;
        assert_eq!(verdict(9), Verdict::Fail);
        assert_eq!(verdict(10), Verdict::Ok);
        assert_eq!(verdict(90), Verdict::Warn);
        assert_eq!(verdict(100), Verdict::Fail);
    }

    #[test]
    fn a_certificate_is_good_for_its_names_alone() {
        let verdict = |names: &[&str], wanted| {
            let own = CertificateTerm {
                path: "cert.pem".into(),
                subject: "CN=x".into(),
                names: names.iter().map(ToString::to_string).collect(),
                from: Timestamp::ZERO,
                until: Timestamp::ZERO,
            };
            judge_names("x", &own, wanted, Verdict::Fail).verdict
        };
        assert_eq!(verdict(&["localhost", INTERNAL_NAME], INTERNAL_NAME), Verdict::Ok);
        assert_eq!(verdict(&["*.example"], "chat.example"), Verdict::Ok);
        assert_eq!(verdict(&["*.example"], "a.chat.example"), Verdict::Fail);
        assert_eq!(verdict(&["10.0.0.7"], "10.0.0.8"), Verdict::Fail);
        assert_eq!(verdict(&[], "chat.example"), Verdict::Fail);
    }

    #[test]
    fn keys_of_one_name_or_that_are_short_are_told() {
        let verdict = |keys: &[(&str, usize)]| {
            use base64::Engine as _;
            let secret = |len| base64::engine::general_purpose::STANDARD.encode(vec![7; len]);
            let mut settings = Settings::default();
            settings.gateway.keys = keys
                .iter()
                .map(|(kid, len)| frontdesk_gateway::TokenKey {
                    kid: (*kid).into(),
                    algorithm: Default::default(),
                    secret: secret(*len),
                    public: String::new(),
                })
                .collect();
            super::keys(&settings).verdict
        };
        assert_eq!(verdict(&[("a", 32), ("b", 32)]), Verdict::Ok);
        assert_eq!(verdict(&[("a", 32), ("a", 32)]), Verdict::Fail);
        assert_eq!(verdict(&[("a", 16)]), Verdict::Fail);
        assert_eq!(verdict(&[]), Verdict::Fail);
    }

    #[test]
    fn browsers_are_known_to_come_where_the_provider_sends_them() {
        let host = |origin: &str| {
            let mut settings = Settings::default();
            settings.gateway.oidc = toml::from_str(&format!(
                "issuer = \"https://p\"\nclient_id = \"f\"\npublic_origin = \"{origin}\"\ngrants = []"
            ))
            .unwrap();
            public_host(&settings).unwrap()
        };
        assert_eq!(host("https://chat.example"), "chat.example");
        assert_eq!(host("https://chat.example:8443"), "chat.example");
        assert_eq!(host("https://[::1]:8443"), "::1");
        assert_eq!(public_host(&Settings::default()), None);
    }
}
