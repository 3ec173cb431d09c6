//! The command line of `frontdesk ctl`. Says what can be asked for; does nothing.

use super::{BackupArgs, ReplayArgs, RestoreArgs, StaffArgs, TargetArgs, VisitorCommand};

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct CtlArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Settings file of the cluster: for what is asked of its voters rather than of
    /// a gateway.
    #[arg(long, global = true, value_name = "FILE", env = "FRONTDESK_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = Output::Table, global = true)]
    pub(crate) output: Output,
    /// Drain, move or change voters even if that cannot be written down in the audit log:
    /// for when the desk or its database is what is broken.
    #[arg(long, global = true)]
    pub(crate) unrecorded: bool,
    #[command(subcommand)]
    pub(crate) command: CtlCommand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// JSON, one document (`follow`: one line an event).
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CtlCommand {
    /// Agents with status and load.
    Agents(AgentsArgs),
    /// Queues with how many wait and for how long.
    Queues,
    /// Conversations, newest activity first.
    Conversations {
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Only those that are not closed.
        #[arg(long)]
        open: bool,
    },
    /// One conversation with its events.
    Show {
        /// Its id.
        conversation: String,
    },
    /// A conversation's events, live, until interrupted.
    Follow {
        /// Its id.
        conversation: String,
        /// Begin after this seq.
        #[arg(long, default_value_t = 0)]
        after: u32,
    },
    /// Put a site's configuration in force: queues, skills, agents.
    Apply {
        /// Document (YAML); `-` for standard input.
        #[arg(long, short = 'f', value_name = "FILE")]
        file: PathBuf,
        /// Only print what it would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Why a conversation was, or was not, given to whom.
    Explain {
        /// Its id.
        conversation: String,
    },
    /// Which queue a conversation would go to that names none.
    Route(RouteArgs),
    /// Waits, answers, handling and what came of them, in figures.
    Figures(FiguresArgs),
    /// What supervisors did, and who signed in (newest first).
    Audit(AuditArgs),
    /// How many agents a load needs: the measured one hour by hour, or one that is given.
    Staff(StaffArgs),
    /// What came, run through other rules: waits, service level and load beside the real.
    Replay(ReplayArgs),
    /// Copy a data folder while its server runs (no gateway is asked).
    Backup(BackupArgs),
    /// Make a data folder from a backup (no gateway is asked).
    Restore(RestoreArgs),
    /// Hand out, or forget, all that is kept of a visitor.
    #[command(subcommand)]
    Visitor(VisitorCommand),
    /// What processes log, and another level for a while.
    Log(LogArgs),
    /// What processes are at: tasks, mailboxes, connections, queues, and more.
    Debug(DebugArgs),
    #[command(flatten)]
    Cluster(ClusterCommands),
}

/// Which processes, and who asks.
#[derive(Debug, Args)]
pub(crate) struct OpsArgs {
    /// Health listener of a process; may be given several times.
    #[arg(long = "at", value_name = "HOST:PORT", default_value = "127.0.0.1:7101")]
    pub(crate) at: Vec<String>,
    /// The admin token of its settings.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "FRONTDESK_TELEMETRY__ADMIN_TOKEN",
        hide_env_values = true,
        default_value = ""
    )]
    pub(crate) admin_token: String,
}

/// Which page of which processes.
#[derive(Debug, Args)]
pub(crate) struct DebugArgs {
    #[command(flatten)]
    pub(crate) ops: OpsArgs,
    /// Processes by their names instead of --at, as `ctl nodes` lists them; voters, too
    /// (--config).
    #[arg(long = "process", value_name = "NAME", conflicts_with = "at")]
    pub(crate) processes: Vec<String>,
    /// Name of the page; without it they are listed.
    #[arg(value_name = "PAGE")]
    pub(crate) page: Option<String>,
}

/// What is to be logged.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    pub(crate) ops: OpsArgs,
    /// Directives such as `debug` or `info,frontdesk_gateway=trace`; `default` for those
    /// of the settings. Without any it is only shown.
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// After this it is as in the settings again.
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) time: std::time::Duration,
}

/// What is done with agents; nothing: they are listed.
#[derive(Debug, Args)]
pub(crate) struct AgentsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AgentsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AgentsCommand {
    /// Sign an account out everywhere, within seconds: its tokens are refused from then on.
    Revoke {
        /// Its e-mail address or id.
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
    /// Free an account of whom it is bound to at the OpenID provider, and sign it out
    /// everywhere: whoever then signs in there with its address has it.
    Unbind {
        /// Its e-mail address or id.
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
}

/// How a conversation begins.
#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    /// Address of the page.
    #[arg(long, value_name = "URL", default_value = "")]
    pub(crate) page: String,
    /// Language tag, such as de-AT.
    #[arg(long, value_name = "TAG", default_value = "")]
    pub(crate) language: String,
    /// What is known of the visitor; may be given several times.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    pub(crate) attributes: Vec<(String, String)>,
    /// The first message.
    #[arg(long, default_value = "")]
    pub(crate) text: String,
    /// By what way the visitor comes, such as web.
    #[arg(long, default_value = "")]
    pub(crate) channel: String,
    /// When (RFC 3339), such as 2026-12-24T20:00:00+01:00; now when absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Say which rule holds and why those before it do not.
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Which figures.
#[derive(Debug, Args)]
pub(crate) struct FiguresArgs {
    /// From then on: a date, a time (RFC 3339), or how long ago, such as 7d.
    #[arg(long, value_name = "WHEN", default_value = "1d")]
    pub(crate) from: String,
    /// Until before then; now when absent.
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// What rows are told apart by: queue, agent, tag, language, channel,
    /// hour, day.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) by: Vec<String>,
    /// Count durations only while the queue is open.
    #[arg(long)]
    pub(crate) business_hours: bool,
    /// Zone of dates, hours and days.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// Print otherwise than --output says.
    #[arg(long, value_enum)]
    pub(crate) format: Option<FiguresFormat>,
}

/// What is done with the audit log; nothing: it is listed.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AuditCommand>,
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
    /// At most this many.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) limit: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// All of a time, one JSON document a line, newest first: to be kept elsewhere.
    Export {
        /// New file for its owner's eyes only, instead of standard output.
        #[arg(long, value_name = "FILE")]
        to_file: Option<PathBuf>,
    },
}

/// Which acts of which time.
#[derive(Debug, Args)]
pub(crate) struct AuditFilter {
    /// From then on: a date, a time (RFC 3339), or how long ago, such as 7d.
    #[arg(long, global = true, value_name = "WHEN", default_value = "1d")]
    pub(crate) from: String,
    /// Until before then; now when absent.
    #[arg(long, global = true, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// Of this account only, by id or name.
    #[arg(long, global = true, value_name = "WHO", default_value = "")]
    pub(crate) actor: String,
    /// Only this act, such as watch, take_over or apply.
    #[arg(long, global = true, value_name = "ACT", default_value = "")]
    pub(crate) act: String,
    /// Only what concerns this conversation, visitor or account, by id.
    #[arg(long, global = true, value_name = "ID", default_value = "")]
    pub(crate) subject: String,
    /// Zone of dates.
    #[arg(long, global = true, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FiguresFormat {
    /// Comma-separated values, one line a row, durations in seconds.
    Csv,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What is asked of the voters, with `--config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommands {
    /// Processes of the cluster, with their roles and shards (--config).
    Nodes,
    /// Who owns which shards (--config).
    Placement {
        /// Of this role only.
        #[arg(long, value_enum)]
        role: Option<PlacedRole>,
    },
    /// Take all shards, or all clients, from a process; it goes on running (--config).
    Drain {
        /// Name of the process.
        node: String,
        /// Give up waiting after this many seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
    },
    /// Move shards to a process, where they stay until it goes (--config).
    Move {
        /// Of which role.
        #[arg(value_enum)]
        role: PlacedRole,
        /// Which: 0 to 255.
        #[arg(required = true, value_name = "SHARD")]
        shards: Vec<u16>,
        /// Name of the process.
        #[arg(long, value_name = "NODE", required_unless_present = "unpin")]
        to: Option<String>,
        /// Let the plan place them again, as if they had never been moved.
        #[arg(long, conflicts_with = "to")]
        unpin: bool,
    },
    /// What takes agents' room: offers, chats, wrap-up (--config).
    Reservations {
        /// Of this agent only, by id or name.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// Which process has a conversation, and where it stands (--config).
    Where {
        /// Its id.
        conversation: String,
    },
    /// The Raft group behind presence and placement (--config).
    #[command(subcommand)]
    Raft(RaftCommand),
}

/// A role whose shards are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlacedRole {
    Sessions,
    Queueing,
    Routing,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RaftCommand {
    /// Who takes part, who leads, how far each is.
    Status,
    /// A process that was started without being a founder learns from now on.
    Add {
        /// `host:port` of its internal listener.
        address: String,
    },
    /// A learner that has caught up votes from now on.
    Promote {
        /// Its id.
        voter: u64,
    },
    /// A voter or learner takes part no longer; its id is never used again.
    Remove {
        /// Its id.
        voter: u64,
    },
    /// A voter is to lead.
    Transfer {
        /// Its id.
        voter: u64,
    },
    /// Those at these addresses are to vote and no others: adds, promotes and removes one
    /// after the other until it is so. Repeating it is harmless.
    Fit(FitArgs),
}

/// Who is to vote.
#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    /// `host:port` of each voter's internal listener: 1, 3 or 5 of them.
    #[arg(required = true, value_name = "HOST:PORT")]
    pub(crate) addresses: Vec<String>,
    /// Only have those join who are missing.
    #[arg(long, conflicts_with = "only_leave")]
    pub(crate) only_join: bool,
    /// Only have those leave who are not named.
    #[arg(long)]
    pub(crate) only_leave: bool,
    /// Give up after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) wait: u64,
}
