//! Agents that a document would make, in a replay of what came before there were any: they
//! have no calendar of their own, so each is there whenever a queue that it serves is open.

use frontdesk_core::figures::Stretch;
use frontdesk_core::hours::{Hours, Opening};
use frontdesk_core::model::Staff;
use frontdesk_core::presence::AgentProfile;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::SiteConfig;

/// One who is there in the hours of its queues, within a stretch.
pub(super) fn staff(site: &SiteConfig, profile: &AgentProfile, within: Stretch) -> Staff {
    let serves = |queue: &frontdesk_core::ids::QueueId| {
        profile.queues.is_empty() || profile.queues.contains(queue)
    };
    let mut all = Vec::new();
    for queue in site.queues.iter().filter(|queue| serves(&queue.id)) {
        match site.hours(queue) {
            Some(hours) => all.extend(open(hours, within)),
            None => all.push(within),
        }
    }
    Staff { profile: profile.clone(), shifts: merged(all) }
}

/// When it is open within a stretch.
fn open(hours: &Hours, (from, to): Stretch) -> Vec<Stretch> {
    let (mut at, mut all) = (from, Vec::new());
    while at < to {
        let until = match hours.opening(at) {
            Opening::Open { until } => {
                let until = until.unwrap_or(to).min(to);
                all.push((at, until));
                until
            }
            Opening::Closed { until } => until.unwrap_or(to),
        };
        // Whatever the hours say, it ends.
        at = until.max(Timestamp::from_millis(at.as_millis() + 1));
    }
    all
}

/// The same time, each moment once.
fn merged(mut all: Vec<Stretch>) -> Vec<Stretch> {
    all.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::new();
    for (from, to) in all {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::time::Millis;

    /// Hours after the epoch, a Thursday.
    fn at(hours: u64) -> Timestamp {
        Timestamp::ZERO + Millis::from_mins(hours * 60)
    }

    fn office() -> Hours {
        let mut hours = Hours::new("UTC").unwrap();
        hours.set_days("mon-fri", &["09:00-12:00", "13:00-17:00"]).unwrap();
        hours
    }

    #[test]
    fn it_is_there_when_its_queue_is_open_and_not_over_the_weekend() {
        let found = open(&office(), (at(10), at(5 * 24)));
        let day = |n: u64| [(at(n * 24 + 9), at(n * 24 + 12)), (at(n * 24 + 13), at(n * 24 + 17))];
        let [_, afternoon] = day(0);
        let friday = day(1);
        let monday = day(4);
        assert_eq!(
            found,
            [(at(10), at(12)), afternoon, friday[0], friday[1], monday[0], monday[1]]
        );
        assert_eq!(open(&Hours::never(), (at(0), at(50))), []);
    }

    #[test]
    fn each_moment_counts_once_however_many_queues_are_open() {
        let all = vec![(at(4), at(8)), (at(1), at(3)), (at(2), at(4)), (at(9), at(10))];
        assert_eq!(merged(all), [(at(1), at(8)), (at(9), at(10))]);
    }
}
