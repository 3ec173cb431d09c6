//! Counting on is counting all.

use super::*;
use frontdesk_core::figures::Row;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

const NOON: Timestamp = Timestamp::from_millis(1_795_953_600_000);
const HOUR: u64 = 3_600_000;

/// Everything counts, within 60 s.
struct Plain;

impl Rule for Plain {
    fn elapsed(&self, _: &QueueId, from: Timestamp, to: Timestamp) -> Millis {
        to.since(from)
    }

    fn target(&self, _: &QueueId) -> Option<Millis> {
        Some(Millis::from_secs(60))
    }
}

fn basis(zone: &str) -> Basis {
    Basis { zone: zone.into(), targets: Vec::new() }
}

/// An episode that began so many minutes from noon, in a queue, and what came of it.
type Told3 = (i64, usize, u8);

fn record(conversation: u128, episodes: &[Told3]) -> Record {
    let agent = Uuid::from_u128(5);
    let episodes = episodes.iter().map(|(minutes, queue, end)| {
        let began = NOON.as_millis().saturating_add_signed(minutes * 60_000);
        let taken = (*end != 1).then(|| began + u64::from(*end) * 20_000);
        let served = taken.map(|at| json!([at, agent]));
        let ended = (*end < 2).then(|| json!([began + 90_000, "visitor"]));
        let queue = if *queue == 0 { "sales" } else { "tax" };
        let stint =
            |at| json!({ "agent": agent, "name": "", "queue": queue, "from": at, "to": null });
        let stints: Vec<_> = taken.into_iter().map(stint).collect();
        json!({
            "began_at": began, "queue": queue, "served": served,
            "ended": ended, "first_response": null, "stints": stints, "rewaits": [],
            "answers": [], "offers": [], "transfers": [], "losses": [],
            "visitor_messages": 1, "staff_messages": [], "rating": null,
        })
    });
    let episodes: Vec<_> = episodes.collect();
    let id = Uuid::from_u128(conversation + 1);
    let record = json!({ "conversation": id, "language": "", "tags": [], "episodes": episodes });
    serde_json::from_value(record).unwrap()
}

fn at_once(records: &HashMap<u128, Record>, counter: &Counter) -> HashMap<QueueId, Day> {
    let mut table = Table::new(counter.from, counter.to, vec![Dimension::Queue], "UTC").unwrap();
    records.values().for_each(|record| table.add(record, &Plain));
    let count = |row: &Row, count: Count| u32::try_from(row.count(count)).unwrap();
    let days = table.rows().map(|(key, row)| {
        let day = Day {
            arrivals: count(row, Count::Arrivals),
            served: count(row, Count::Served),
            abandoned: count(row, Count::Abandoned),
            in_target: count(row, Count::InTarget),
            of_target: count(row, Count::OfTarget),
        };
        (key[0].parse().unwrap(), day)
    });
    days.filter(|(_, day)| *day != Day::default()).collect()
}

proptest! {
    /// However often conversations change and are read again.
    #[test]
    fn counting_on_is_counting_all(
        told in prop::collection::vec(
            (0..8_u128, prop::collection::vec((-800..800_i64, 0..2_usize, 0..5_u8), 0..4)),
            0..40,
        ),
    ) {
        let mut counter = Counter::begin(NOON, basis("UTC"));
        let mut records = HashMap::new();
        for (conversation, episodes) in told {
            let record = record(conversation, &episodes);
            counter.add(&record, &Plain);
            records.insert(conversation, record);
            let mut days = counter.days.clone();
            days.retain(|_, day| *day != Day::default());
            prop_assert_eq!(days, at_once(&records, &counter));
        }
    }
}

#[test]
fn a_day_ends_and_a_change_of_the_rules_begins_it_anew() {
    let counter = Counter::begin(NOON, basis("UTC"));
    let hours = |hours: u64| Timestamp::from_millis(NOON.as_millis() + hours * HOUR);
    assert!(counter.goes_on(hours(11), &basis("UTC")));
    assert!(!counter.goes_on(hours(12), &basis("UTC")));
    assert!(!counter.goes_on(hours(1), &basis("Europe/Berlin")));
    let targets = vec![("sales".parse().unwrap(), Some(Millis::from_secs(1)))];
    assert!(!counter.goes_on(hours(1), &Basis { targets, ..basis("UTC") }));
    let share = counter.shares_of(&record(1, &[(0, 0, 0)]), &Plain);
    assert_eq!(share[0].1.service_level(), Some(1.0));
    assert_eq!(Day::default().service_level(), None);
}
