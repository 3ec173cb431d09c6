//! Numbers and times as people read them, in few characters.

use std::time::Duration;

/// What is shown where nothing was measured.
pub(crate) const NOTHING: &str = "–";

/// Three to four digits, with thousands apart: `0.42`, `12.3`, `4,998`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size < 9.995 {
        format!("{value:.2}")
    } else if size < 99.95 {
        format!("{value:.1}")
    } else {
        whole(value)
    }
}

/// A whole number with thousands apart: `50,000`.
pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    if value <= -0.5 {
        text.push('-');
    }
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `m:ss`, or `h:mm:ss`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// One line of text from who knows where: without line breaks and control
/// characters, which would move the cursor.
pub(crate) fn one_line(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.424, 9.999, 12.34, 99.96, 999.5, 4_998.2, 1_234_567.0, -1_500.0];
        let shown: Vec<String> = shown.into_iter().map(number).collect();
        let expected =
            ["0.00", "0.42", "10.0", "12.3", "100", "1,000", "4,998", "1,234,567", "-1,500"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn times_have_hours_only_when_they_need_them() {
        let shown = [0, 59, 61, 3_599, 3_600, 36_061].map(|s| clock(Duration::from_secs(s)));
        assert_eq!(shown, ["0:00", "0:59", "1:01", "59:59", "1:00:00", "10:01:01"]);
    }

    #[test]
    fn what_a_command_printed_cannot_move_the_cursor() {
        assert_eq!(one_line("a\r\n\x1b[2Jb\t\n"), "a   [2Jb");
    }

    proptest! {
        #[test]
        fn a_whole_number_is_itself_without_its_commas(value in -1_000_000_000_i64..1_000_000_000) {
            let shown = whole(value as f64).replace(',', "");
            prop_assert_eq!(shown.parse::<i64>().unwrap(), value);
        }
    }
}
