//! One thing that was looked at, and what was found.

use crate::ctl::table;
use frontdesk_core::time::Timestamp;
use serde::Serialize;

/// Clocks that differ by more are worth a word, and by much more a repair:
/// certificates, tokens and people's timestamps suffer.
const CLOCK_WARN_MS: u64 = 500;
const CLOCK_FAIL_MS: u64 = 5_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    /// It works, but not for long or not as it should.
    Warn,
    /// It does not work, or is not safe.
    Fail,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) check: String,
    pub(super) verdict: Verdict,
    /// What was seen and, if it is not well, what to do.
    pub(super) detail: String,
}

impl Finding {
    pub(super) fn new(
        check: impl Into<String>,
        verdict: Verdict,
        detail: impl Into<String>,
    ) -> Self {
        Self { check: check.into(), verdict, detail: detail.into() }
    }

    pub(super) fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, detail)
    }

    pub(super) fn fail(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fail, detail)
    }

    /// How far another clock is from this one's `here`, which was read at the same
    /// time, give or take `unsure_ms` for the way.
    pub(super) fn clock(
        check: impl Into<String>,
        here: Timestamp,
        there: Timestamp,
        unsure_ms: u64,
    ) -> Self {
        let off = here.as_millis().abs_diff(there.as_millis());
        let verdict = match off.saturating_sub(unsure_ms) {
            CLOCK_FAIL_MS.. => Verdict::Fail,
            CLOCK_WARN_MS.. => Verdict::Warn,
            _ => Verdict::Ok,
        };
        let cure = if verdict == Verdict::Ok { "" } else { ": synchronise the clocks (NTP)" };
        Self::new(check, verdict, format!("{off} ms from this machine's{cure}"))
    }
}

/// For people.
pub(super) fn print(findings: &[Finding]) {
    let word = |verdict| match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "WARN",
        Verdict::Fail => "FAIL",
    };
    let rows = findings
        .iter()
        .map(|f| vec![word(f.verdict).to_owned(), f.check.clone(), f.detail.clone()])
        .collect();
    table::print(&["", "CHECK", "FOUND"], rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_judged_by_what_is_certain() {
        let here = Timestamp::from_millis(1_000_000);
        let off = |ms: u64, unsure| {
            Finding::clock("x", here, Timestamp::from_millis(1_000_000 - ms), unsure).verdict
        };
        assert_eq!(off(100, 0), Verdict::Ok);
        assert_eq!(off(600, 0), Verdict::Warn);
        assert_eq!(off(600, 200), Verdict::Ok, "the answer was slow");
        assert_eq!(off(6_000, 100), Verdict::Fail);
    }
}
