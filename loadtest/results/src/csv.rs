//! The series as CSV (RFC 4180): one header row, one row a second, CRLF.

use crate::RunResult;
use std::fmt::Write as _;

/// The series with the phase of each second. What was not measured is empty.
pub fn csv(result: &RunResult) -> String {
    let series = &result.series;
    let mut out = String::from("at_s,phase");
    for name in series.columns.keys() {
        out.push(',');
        field(&mut out, name);
    }
    out.push_str("\r\n");
    for (row, at_s) in series.at_s.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(out, "{at_s},");
        field(&mut out, phase_at(result, *at_s));
        for values in series.columns.values() {
            out.push(',');
            if let Some(value) = values.get(row).copied().flatten() {
                let _ = write!(out, "{value}");
            }
        }
        out.push_str("\r\n");
    }
    out
}

/// The phase of the interval that ends at `at_s`.
fn phase_at(result: &RunResult, at_s: f64) -> &str {
    let phase = result.phases.iter().find(|phase| phase.from_s < at_s && at_s <= phase.to_s);
    phase.map_or("", |phase| &phase.name)
}

/// Quoted where it must be.
fn field(out: &mut String, text: &str) {
    if text.contains([',', '"', '\r', '\n']) {
        let _ = write!(out, "\"{}\"", text.replace('"', "\"\""));
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_header_and_a_row_a_second() {
        let result = sample::support_day();
        let text = csv(&result);
        let rows: Vec<_> = text.strip_suffix("\r\n").unwrap().split("\r\n").collect();
        assert_eq!(rows.len(), 601);
        assert!(rows[0].starts_with("at_s,phase,ack_max_ms,"));
        assert!(rows[60].starts_with("60,opening,") && rows[61].starts_with("61,morning,"));
        let width = rows[0].split(',').count();
        assert!(rows.iter().all(|row| row.split(',').count() == width));
        // Nothing arrived in the last second.
        assert!(rows[600].starts_with("600,,,,"), "{}", rows[600]);
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let mut result = sample::empty();
        result.series.at_s = vec![0.5, 1.0];
        result.series.columns.insert("a,\"b\"\n".into(), vec![Some(1.5)]);
        assert_eq!(csv(&result), "at_s,phase,\"a,\"\"b\"\"\n\"\r\n0.5,,1.5\r\n1,,\r\n");
    }
}
