//! The command line of `frontdesk ctl replay`. Says what can be asked for; does nothing.

use clap::Args;
use std::path::PathBuf;

/// What is run through which rules.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Document with the rules to try (YAML, as for `apply`); `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,
    /// What came from then on: a date, a time (RFC 3339), or how long ago, such as 7d.
    #[arg(long, value_name = "WHEN", default_value = "1d")]
    pub(crate) from: String,
    /// Until before then; now when absent.
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// Zone of dates.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
}
