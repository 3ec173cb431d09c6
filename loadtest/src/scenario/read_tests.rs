//! Scenarios that are read, and mistakes that are named.

use super::*;
use frontdesk_results::Model;
use std::path::Path;

const DAY: &str = "name = \"day\"\nthresholds = [\"ack.p99 < 1s\"]\n\n[[phases]]\nkind = \"ramp\"\n\
    seconds = 5\nconversations_per_second = [1, 2]\n\n[agents]\ncount = 2\n\n[conversation]\n\
    messages = 4\nlength_bytes = \"real-messages\"\n";

#[test]
fn the_shipped_scenarios_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let scenario = Scenario::read(&path).unwrap();
        assert_eq!(path.file_stem().unwrap().to_str(), Some(scenario.name.as_str()));
        names.push(scenario.name);
    }
    for wanted in [
        "smoke",
        "steady-1k",
        "saturate",
        "idle-connections",
        "reconnect-storm",
        "soak",
        "support-day",
        "failover",
    ] {
        assert!(names.iter().any(|name| name == wanted), "{wanted}");
    }
}

#[test]
fn a_scenario_is_read_with_its_defaults() {
    let scenario = parse(DAY).unwrap();
    assert_eq!(scenario.seconds(), 5);
    assert_eq!(scenario.phases[0].arrivals, Level { from: 1.0, to: 2.0 });
    assert_eq!(scenario.model(), Model::Open);
    assert_eq!(scenario.load.talk.lead, Duration::from_secs(1));
    assert_eq!(scenario.load.talk.length_bytes, Distribution::RealMessages);
    assert!(scenario.talks() && scenario.counts(4) && !scenario.counts(5));
    assert_eq!(scenario.thresholds.len(), 1);
}

#[test]
fn the_model_is_said_honestly() {
    let population = DAY.replace("conversations_per_second = [1, 2]", "conversations = [1, 2]");
    assert_eq!(parse(&population).unwrap().model(), Model::Closed);
    let window = population.replace("messages = 4", "window = 4");
    assert_eq!(parse(&window).unwrap().model(), Model::Closed);
    let rate = population.replace("messages = 4", "messages_per_second = 4");
    assert_eq!(parse(&rate).unwrap().model(), Model::Open);
}

#[test]
fn equal_digests_are_equal_loads() {
    let digest = |text: &str| parse(text).unwrap().digest();
    let other = |from: &str, to: &str| digest(&DAY.replace(from, to));
    assert_eq!(digest(DAY), other("\"day\"", "\"night\""));
    assert_eq!(digest(DAY), other("< 1s", "< 2s"));
    assert_ne!(digest(DAY), other("[1, 2]", "[1, 3]"));
    assert_ne!(digest(DAY), other("messages = 4", "messages = 5"));
    assert_ne!(digest(DAY), other("name", "seed = 3\nname"));
}

#[test]
fn mistakes_are_named_with_line_and_reason() {
    let cases = [
        ("seconds = 5", "seconds = 0", 6, "seconds must be 1"),
        ("seconds = 5", "seconds = \"5\"", 6, "string"),
        ("seconds = 5", "second = 5", 6, "second"),
        ("\"ramp\"", "\"jump\"", 5, "jump"),
        ("[1, 2]", "3", 7, "must be [from, to]"),
        ("[1, 2]", "[1, 2e9]", 7, "must be 0 to"),
        ("\"ramp\"", "\"steady\"", 7, "must be one number"),
        ("[1, 2]", "[1, 2]\ncut = 1.0", 8, "cut means nothing"),
        ("\"ramp\"", "\"storm\"", 6, "needs cut"),
        ("[1, 2]", "[1, 2]\nwarm_up = true", 4, "no warm-up"),
        ("count = 2", "count = -2", 10, "0 to 10000, not -2"),
        ("messages = 4", "messages = 4\nwindow = 3", 14, "only one of"),
        ("messages = 4", "messages = { median = 1, sigma = 1 }", 13, "number, { from"),
        ("messages = 4", "messages = { from = 3, to = 2 }", 13, "rise within"),
        ("\"real-messages\"", "\"long\"", 14, "number, { from"),
        ("count = 2", "count = 0", 4, "need agents"),
        ("messages = 4", "window = 4", 4, "must come to an end"),
        ("ack.p99", "speed", 2, "speed"),
        ("[agents]", "[carriers]\nvisitors = { pigeon = 1 }\n[agents]", 10, "pigeon"),
        ("[agents]", "[carriers]\nvisitors = { grpc = 0 }\n[agents]", 10, "shares"),
        (
            "[agents]",
            "[[faults]]\nname = \"x\"\nat_seconds = 9\ncommand = \"\"\n[agents]",
            11,
            "0 to 5",
        ),
    ];
    for (from, to, line, reason) in cases {
        let text = DAY.replace(from, to);
        assert_ne!(text, DAY, "{from}");
        let (found, why) = parse(&text).unwrap_err();
        assert!(why.contains(reason), "{to}: {why}");
        assert_eq!(found, line, "{to}: {why}");
    }
}
