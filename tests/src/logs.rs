//! What servers log: warnings and errors that no test expects fail it.

/// What a healthy server may warn of, and why that is no fault of it.
const HARMLESS: [(&str, &str); 1] = [(
    "the bus lost deliveries",
    "a burst may overflow a gateway's inbox; its readers are fed from the journal",
)];

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
        let harmless = HARMLESS.iter().any(|(text, _why)| line.contains(text));
        harmless || expected.iter().any(|text| line.contains(text.as_str()))
    };
    alarms.into_iter().filter(|line| !is_listed(line)).collect()
}
