//! The command line of `frontdesk ctl staff`. Says what can be asked for; does nothing.

use clap::Args;
use std::time::Duration;

/// The goal, and the load if it is not to be measured.
#[derive(Debug, Args)]
pub(crate) struct StaffArgs {
    /// Share to be served in time.
    #[arg(long, value_name = "SHARE", default_value = "80%", value_parser = share)]
    pub(crate) service_level: f64,
    /// Within so long.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub(crate) within: Duration,
    /// Share of the agents' slots that may be taken on average.
    #[arg(long, value_name = "SHARE", default_value = "85%", value_parser = share)]
    pub(crate) max_occupancy: f64,
    /// Share of paid time in which an agent is not there.
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    pub(crate) shrinkage: f64,
    /// Chats of an agent at once; as measured, or 1, when absent.
    #[arg(long, value_name = "CHATS", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) at_once: Option<u32>,
    /// Ask the simulator, too: it knows how much longer chats take when an agent has
    /// several at once.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Measure from then on: a date, a time (RFC 3339), or how long ago.
    #[arg(long, value_name = "WHEN", default_value = "7d")]
    pub(crate) from: String,
    /// Measure until before then; now when absent.
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// Measure this queue only.
    #[arg(long)]
    pub(crate) queue: Option<String>,
    /// Zone of dates and hours.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// Chats that come, instead of measuring (needs --handling).
    #[arg(long, value_name = "CHATS", conflicts_with = "visits")]
    pub(crate) arrivals: Option<f64>,
    /// Visits to the site, instead of measuring (needs --handling).
    #[arg(long)]
    pub(crate) visits: Option<f64>,
    /// Share of the visits that look at what may raise a question.
    #[arg(long, value_name = "SHARE", default_value = "100%", value_parser = share)]
    pub(crate) interested: f64,
    /// Share of those that open a chat.
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = share)]
    pub(crate) chatting: f64,
    /// Time in which so many come.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    pub(crate) per: Duration,
    /// How long a chat takes an agent, at this many at once.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) handling: Option<Duration>,
    /// After how long visitors give up, on average; never when absent.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) patience: Option<Duration>,
}

/// `80%` or `0.8`.
fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map_err(|e| e.to_string())? / whole;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("is not within 0% to 100%".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        assert_eq!(["80%", "0.8", "100 %"].map(share), [Ok(0.8), Ok(0.8), Ok(1.0)]);
        for bad in ["", "%", "80", "-1%", "NaN", "101%"] {
            assert!(share(bad).is_err(), "{bad:?}");
        }
    }
}
