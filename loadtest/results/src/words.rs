//! Numbers as people read them: three significant digits and a unit that fits.

/// A number: grouped when large, three significant digits when small.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.abs() >= 999.5 {
        let grouped = grouped(value.abs().round() as u64);
        return if value < 0.0 { format!("-{grouped}") } else { grouped };
    }
    let decimals = match value.abs() {
        v if v >= 99.95 || v == 0.0 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 => 2,
        v => (2 - v.log10().floor() as i32).clamp(0, 9) as usize,
    };
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A count with its thousands apart.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Microseconds.
pub(crate) fn micros(micros: f64) -> String {
    match micros.abs() {
        us if us < 999.5 => format!("{} µs", number(micros)),
        us if us < 999_500.0 => format!("{} ms", number(micros / 1e3)),
        _ => format!("{} s", number(micros / 1e6)),
    }
}

/// A span of seconds.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = seconds.abs().round() as u64;
    match whole {
        0..120 => format!("{} s", number(seconds)),
        120..7_200 if whole.is_multiple_of(60) => format!("{} min", whole / 60),
        120..7_200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// Bytes.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes.abs() {
        b if b < 1024.0 => format!("{} B", number(bytes)),
        b if b < 1024.0 * 1024.0 => format!("{} KiB", number(bytes / 1024.0)),
        b if b < 1024.0 * 1024.0 * 1024.0 => format!("{} MiB", number(bytes / 1_048_576.0)),
        _ => format!("{} GiB", number(bytes / 1_073_741_824.0)),
    }
}

/// A part of one as percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// `1 thing`, `2 things`.
pub(crate) fn plural(count: u64, thing: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {thing}{s}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit_that_fits() {
        for (value, text) in [
            (0.0, "0"),
            (0.01234, "0.0123"),
            (1.0, "1"),
            (48.127, "48.1"),
            (99.97, "100"),
            (999.4, "999"),
            (999.7, "1,000"),
            (-1_234_567.0, "-1,234,567"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(micros(820.0), "820 µs");
        assert_eq!(micros(999.7), "1 ms");
        assert_eq!(micros(2_310_000.0), "2.31 s");
        assert_eq!(seconds(12.34), "12.3 s");
        assert_eq!(seconds(600.0), "10 min");
        assert_eq!(seconds(571.0), "9 min 31 s");
        assert_eq!(seconds(7_260.0), "2 h 1 min");
        assert_eq!(bytes(8_192.0), "8 KiB");
        assert_eq!(percent(0.0123), "1.23 %");
        assert_eq!(plural(1, "error"), "1 error");
        assert_eq!(plural(0, "error"), "0 errors");
    }
}
