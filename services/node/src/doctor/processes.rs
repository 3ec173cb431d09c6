//! What each process tells of itself: whether it is reached at the address it gave the
//! others, its version and clock, and whether it has room for files and connections.

use super::finding::{Finding, Verdict};
use crate::ctl::{Link, now};
use frontdesk_cluster::{About, ClusterView, Question};
use frontdesk_core::presence::node_name;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// For one question to one process.
const DEADLINE: Duration = Duration::from_secs(3);
/// Files and sockets that a gateway needs besides those of its clients.
const FILES_BESIDE_CLIENTS: u64 = 256;
/// Of a hundred files that may be open, as many open ones are worth a word.
const MANY_OPEN_PERCENT: u64 = 80;
const MIB: u64 = 1024 * 1024;
/// Less room for a voter's log than this is worth a word, or a repair.
const DATA_WARN_BYTES: u64 = 1_024 * MIB;
const DATA_FAIL_BYTES: u64 = 128 * MIB;

/// What one process said.
struct Told {
    name: String,
    address: String,
    answer: Result<About, ApiError>,
    took: Duration,
    /// This machine's clock when the answer was there.
    heard: Timestamp,
}

/// All live processes, and the voters, which are no members.
pub(super) async fn check(link: &Link, view: Option<&ClusterView>) -> Vec<Finding> {
    let members = view.into_iter().flat_map(ClusterView::members);
    let members = members.map(|m| (node_name(&m.node).to_owned(), m.address.to_string()));
    let voters = link.settings.cluster.voters.iter();
    let voters = voters.map(|voter| (voter.name.clone(), voter.address.clone()));
    let told = join_all(voters.chain(members).map(|(name, at)| ask(link, name, at))).await;
    judge(&told)
}

async fn ask(link: &Link, name: String, address: String) -> Told {
    let asked = Instant::now();
    let answer = link.cluster.ask_at(&address, &Question::About, DEADLINE).await;
    Told { name, address, answer, took: asked.elapsed(), heard: now() }
}

fn judge(told: &[Told]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = told.iter().map(reach).collect();
    findings.push(versions(told));
    findings.push(clocks(told));
    for told in told {
        if let Ok(about) = &told.answer {
            findings.extend(files(&told.name, about));
            findings.extend(room(&told.name, about));
        }
    }
    findings
}

fn reach(told: &Told) -> Finding {
    let check = format!("reach {}", told.name);
    match &told.answer {
        Ok(about) => Finding::ok(check, format!("{}, version {}", told.address, about.version)),
        // An earlier version does not know the question: that it says so is an answer.
        Err(ApiError::Unimplemented(_) | ApiError::Invalid(_)) => {
            Finding::ok(check, format!("{}, an earlier version", told.address))
        }
        Err(error) => Finding::fail(
            check,
            format!("{} ({error}): check cluster.advertise and the network", told.address),
        ),
    }
}

/// One, or two neighbouring ones while an upgrade is under way.
fn versions(told: &[Told]) -> Finding {
    let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for told in told {
        match &told.answer {
            Ok(about) => seen.entry(&about.version).or_default().push(&told.name),
            Err(ApiError::Unimplemented(_) | ApiError::Invalid(_)) => {
                seen.entry("earlier").or_default().push(&told.name);
            }
            Err(_) => {}
        }
    }
    let numbers: BTreeSet<(u64, u64)> = seen.keys().filter_map(|text| number(text)).collect();
    let list: Vec<String> =
        seen.iter().map(|(version, names)| format!("{version}: {}", names.join(", "))).collect();
    let list = list.join("; ");
    match (seen.len(), are_neighbours(&numbers)) {
        (0, _) => Finding::fail("versions", "no process tells its version"),
        (1, _) => Finding::ok("versions", list),
        (2, true) => {
            let told = format!("{list}: an upgrade is under way; finish it");
            Finding::new("versions", Verdict::Warn, told)
        }
        _ => Finding::fail(
            "versions",
            format!("{list}: only neighbouring versions are tested together"),
        ),
    }
}

/// Major and minor.
fn number(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn are_neighbours(numbers: &BTreeSet<(u64, u64)>) -> bool {
    match (numbers.first(), numbers.last()) {
        (Some((major, low)), Some((other, high))) => major == other && high - low <= 1,
        _ => true,
    }
}

/// One finding for those that agree, and one for each that does not.
fn clocks(told: &[Told]) -> Finding {
    let off = |told: &Told| {
        let about = told.answer.as_ref().ok()?;
        let unsure = u64::try_from(told.took.as_millis()).unwrap_or(u64::MAX);
        let found = Finding::clock(&*told.name, told.heard, about.now, unsure);
        Some(found)
    };
    let all: Vec<Finding> = told.iter().filter_map(off).collect();
    let wrong: Vec<&Finding> = all.iter().filter(|f| f.verdict != Verdict::Ok).collect();
    let worst = wrong.iter().any(|found| found.verdict == Verdict::Fail);
    let said: Vec<String> = wrong.iter().map(|f| format!("{} {}", f.check, f.detail)).collect();
    match (said.is_empty(), worst) {
        (true, _) => Finding::ok("process clocks", format!("{} agree", all.len())),
        (_, false) => Finding::new("process clocks", Verdict::Warn, said.join("; ")),
        (_, true) => Finding::fail("process clocks", said.join("; ")),
    }
}

fn files(name: &str, about: &About) -> Option<Finding> {
    let (open, most) = (about.open_files?, about.max_files?);
    let check = format!("open files {name}");
    let raise = "raise the limit of open files (ulimit -n, LimitNOFILE)";
    if open.saturating_mul(100) >= most.saturating_mul(MANY_OPEN_PERCENT) {
        return Some(Finding::fail(check, format!("{open} of {most}: {raise}")));
    }
    let needed = about.max_connections.map(|clients| clients + FILES_BESIDE_CLIENTS);
    Some(match needed.filter(|needed| *needed > most) {
        Some(needed) => Finding::new(
            check,
            Verdict::Warn,
            format!(
                "{open} of {most}; gateway.max_connections takes {needed}: {raise}, or lower it"
            ),
        ),
        None => Finding::ok(check, format!("{open} of {most}")),
    })
}

fn room(name: &str, about: &About) -> Option<Finding> {
    let free = about.data_free_bytes?;
    let (check, said) = (format!("data {name}"), format!("{} MiB free", free / MIB));
    Some(match free {
        DATA_WARN_BYTES.. => Finding::ok(check, said),
        DATA_FAIL_BYTES.. => {
            Finding::new(check, Verdict::Warn, format!("{said}: give its volume more room"))
        }
        _ => Finding::fail(check, format!("{said}: a voter that cannot write its log is lost")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Fail, Ok as Fine, Warn};

    fn told(name: &str, answer: Result<About, ApiError>) -> Told {
        let heard = Timestamp::from_millis(1_000_000);
        Told { name: name.into(), address: "h:1".into(), answer, took: Duration::ZERO, heard }
    }

    fn about(version: &str) -> About {
        let now = Timestamp::from_millis(1_000_000);
        About { version: version.into(), now, ..About::default() }
    }

    #[test]
    fn an_earlier_version_is_reached_and_one_that_is_away_is_not() {
        let old = ApiError::Invalid("unknown variant".into());
        assert_eq!(reach(&told("a", Err(old))).verdict, Fine);
        assert_eq!(reach(&told("a", Ok(about("1.2.3")))).verdict, Fine);
        assert_eq!(reach(&told("a", Err(ApiError::unavailable("away")))).verdict, Fail);
    }

    #[test]
    fn versions_may_be_one_or_two_neighbours() {
        let verdict = |versions: &[&str]| {
            let told: Vec<_> = versions.iter().map(|v| told("a", Ok(about(v)))).collect();
            super::versions(&told).verdict
        };
        assert_eq!(verdict(&["1.2.3", "1.2.3"]), Fine);
        assert_eq!(verdict(&["1.2.3", "1.2.4"]), Warn);
        assert_eq!(verdict(&["1.2.3", "1.3.0"]), Warn);
        assert_eq!(verdict(&["1.2.3", "1.4.0"]), Fail);
        assert_eq!(verdict(&["1.2.3", "2.2.0"]), Fail);
        assert_eq!(verdict(&["1.2.3", "1.2.4", "1.3.0"]), Fail);
        assert_eq!(verdict(&[]), Fail);
        let old = told("b", Err(ApiError::Unimplemented("what?".into())));
        assert_eq!(super::versions(&[told("a", Ok(about("1.2.3"))), old]).verdict, Warn);
    }

    #[test]
    fn clocks_that_are_off_are_told_together() {
        let at = |ms| told("x", Ok(About { now: Timestamp::from_millis(ms), ..about("1.0.0") }));
        assert_eq!(clocks(&[at(1_000_000), at(1_000_100)]).verdict, Fine);
        let off = clocks(&[at(1_000_000), at(1_001_200)]);
        assert_eq!(off.verdict, Warn);
        assert!(off.detail.contains("x 1200 ms") && off.detail.contains("NTP"), "{off:?}");
        assert_eq!(clocks(&[at(1_000_000), at(1_001_200), at(9_000_000)]).verdict, Fail);
    }

    #[test]
    fn files_are_enough_for_the_clients_that_are_let_in() {
        let verdict = |open, most, clients| {
            let about = About {
                open_files: Some(open),
                max_files: Some(most),
                max_connections: clients,
                ..about("1.0.0")
            };
            files("g", &about).unwrap().verdict
        };
        assert_eq!(verdict(50, 1_024, None), Fine);
        assert_eq!(verdict(50, 1_024, Some(500)), Fine);
        assert_eq!(verdict(50, 1_024, Some(1_000)), Warn);
        assert_eq!(verdict(820, 1_024, None), Fail);
        assert!(files("g", &about("1.0.0")).is_none(), "it does not say");
    }

    #[test]
    fn a_voter_needs_room_for_its_log() {
        let verdict = |mib| {
            let about = About { data_free_bytes: Some(mib * MIB), ..about("1.0.0") };
            room("p", &about).unwrap().verdict
        };
        assert_eq!((verdict(5_000), verdict(500), verdict(100)), (Fine, Warn, Fail));
        assert!(room("g", &about("1.0.0")).is_none());
    }
}
