//! What servers log: warnings and errors that no test expects fail it. Every one that may
//! be there is in this file, with the reason.

use std::path::Path;

/// A part of a line, and why such a line is no fault.
type Listed = (&'static str, &'static str);

/// What a healthy server may warn of, and why that is no fault of it.
const HARMLESS: &[Listed] = &[(
    "the bus lost deliveries",
    "a burst may overflow a gateway's inbox; its readers are fed from the journal",
)];

/// What the processes of a cluster may say while all of them start, stop or are rolled, in
/// whatever order a busy machine lets them.
const AS_OTHERS_COME_AND_GO: &[Listed] = &[
    ("a node has been silent for too long", "a busy machine lets no heartbeat through for 3 s"),
    ("this gateway was taken for dead", "the same, as the gateway learns of it"),
    ("could not join the cluster; trying again", "no voter is up, or none leads yet"),
    ("waiting for the database", "it starts at the same time, or again"),
    ("the presence group was not reached", "no voter is up, or none leads for a moment"),
    ("no voter can be followed", "no voter is up yet, or the last has stopped before this one"),
    ("stopping before all shards were taken over", "when all stop, nobody is left to take them"),
    ("could not say good-bye to the cluster", "the leader is stopping as well"),
    ("leadership was not handed over", "the last voter has nobody to hand it to"),
    ("clients that did not go are cut", "a test's clients may stay until the end"),
    ("routing stopped with steps under way", "chats go on meanwhile; the next start settles them"),
    ("shards could not be taken over; trying again", "the group has no leader for a moment"),
];

/// What they say while parts are killed, frozen or cut off: each names what it has lost
/// and goes on trying. Never that something was lost for good, and never a panic.
const AS_PARTS_FAIL: &[Listed] = &[
    // The broker is gone.
    ("the bus cannot publish to Redis", "it is away; gateways are fed directly"),
    ("the bus cannot listen to Redis", "it is away; gateways are fed directly"),
    ("the bus lost Redis", "it is away; gateways are fed directly"),
    ("the bus hears no probe", "it is frozen; gateways are fed directly"),
    // The database is gone.
    ("the journal does not answer", "it is away; nothing is acknowledged meanwhile"),
    ("conversations cannot be loaded", "it is away; commands are answered: unavailable, retry"),
    ("a snapshot was not stored", "it is away; there is one more to read later"),
    ("read cursors were not stored", "it is away; they are stored with the next"),
    ("appends were under way when the journal was closed", "it is away; nobody was told of them"),
    ("the board is not known", "an owner or the database is away; it is drawn again soon"),
    // An owner was frozen or cut off.
    ("fenced: shard has moved", "that is how a stale owner is stopped"),
    ("could not be attached again", "its owner is away; the next one is asked"),
    ("an observer did not take changes", "queueing or routing is away; they compare when back"),
    ("an observer took too long", "queueing or routing is away; they compare when back"),
    ("an agent's work could not be listed", "an owner is away; it is shown with the next look"),
    ("queues could not be compared", "an owner is away; tried again soon"),
    ("could not look for half-done steps", "an owner is away; tried again soon"),
    (
        "remotely-reset pending-accept streams reached limit",
        "what was asked of it while it was frozen was given up; connections are made anew",
    ),
    // There is no quorum, or the leader was lost.
    ("agents could not be listed", "no quorum; the next comparison lists them"),
    ("an agent could not be announced again", "no quorum; its lease is renewed when there is one"),
    ("an agent's state is not known", "no quorum; it is asked with the next change"),
    ("presence does not know yet that an agent is here", "no quorum; it is told later"),
    ("could not sign an agent's connection off", "no quorum; the gateway's lease makes it good"),
    ("presence could not expire what is due", "no quorum; tried again"),
    ("not placed", "the leader has changed, or the node has just gone; planned again"),
    ("a release was not", "the leader has changed; tried again, or forced after 10 s"),
    // A founder has lost its disk.
    ("the group has been founded, and this disk is empty", "it joins as somebody else"),
    ("a voter at this address votes and its disk is not here", "it says what has to be done"),
    // Connections are cut in the middle.
    ("a peer was refused at the handshake", "it was killed or cut off before it was done"),
];

/// Whether a line of a log is a warning, an error or a panic.
pub fn is_alarm(line: &str) -> bool {
    let level = line.split_whitespace().nth(1).unwrap_or_default();
    let is_json = line.starts_with('{');
    let of_json = || ["WARN", "ERROR"].iter().any(|l| line.contains(&format!("\"level\":\"{l}\"")));
    (is_json && of_json()) || ["WARN", "ERROR"].contains(&level) || line.contains(" panicked at ")
}

/// Those of these lines that are neither harmless nor expected by this test.
pub fn unlisted(alarms: Vec<String>, expected: &[String]) -> Vec<String> {
    let is_listed = |line: &String| {
        is_among(line, HARMLESS) || expected.iter().any(|text| line.contains(text.as_str()))
    };
    alarms.into_iter().filter(|line| !is_listed(line)).collect()
}

/// The same, of a process that is one of several; `fails` where others are made to.
pub fn unlisted_among_others(alarms: Vec<String>, fails: bool, expected: &[String]) -> Vec<String> {
    let is_listed = |line: &str| {
        is_among(line, AS_OTHERS_COME_AND_GO) || fails && is_among(line, AS_PARTS_FAIL)
    };
    unlisted(alarms, expected).into_iter().filter(|line| !is_listed(line)).collect()
}

/// The same, from the file of its log.
pub fn unlisted_of_file(log: &Path, fails: bool, expected: &[String]) -> Vec<String> {
    let bytes = std::fs::read(log).unwrap_or_else(|e| panic!("{}: {e}", log.display()));
    let text = String::from_utf8_lossy(&bytes);
    let alarms = text.lines().filter(|line| is_alarm(line)).map(str::to_owned).collect();
    unlisted_among_others(alarms, fails, expected)
}

fn is_among(line: &str, listed: &[Listed]) -> bool {
    listed.iter().any(|(text, _why)| line.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_found_in_a_log() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let log = folder.path().join("x.log");
        let text = "t  INFO a: b\nt  WARN a: the bus lost deliveries\nt ERROR a: new\nt  WARN a: c";
        std::fs::write(&log, text).expect("a file can be written");
        let found = unlisted_of_file(&log, false, &["a: c".into()]);
        assert_eq!(found, ["t ERROR a: new"]);
    }
}
