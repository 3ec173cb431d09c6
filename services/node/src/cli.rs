//! The command line. Says what can be asked for; does nothing.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Live chat for customer support.
#[derive(Debug, Parser)]
#[command(name = "frontdesk", version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every role in one process on embedded parts.
    Dev(DevArgs),
    /// Print the effective settings, secrets hidden.
    Config(SettingsArgs),
    /// Chat in the terminal, as a visitor or as an agent.
    Chat(ChatArgs),
    /// Look into a running system.
    Ctl(CtlArgs),
}

/// Where settings come from: the file, then `FRONTDESK_…` variables, then these.
#[derive(Debug, Args, Clone)]
pub(crate) struct SettingsArgs {
    /// Settings file (TOML).
    #[arg(long, value_name = "FILE", env = "FRONTDESK_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that holds all state [default: ./data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Log directives such as `info` or `warn,frontdesk_gateway=debug`.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Print {
    /// For people.
    Text,
    /// One line of JSON.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// How to announce addresses and sign-ins.
    #[arg(long, value_enum, default_value_t = Print::Text)]
    pub(crate) print: Print,
    /// Give the generated accounts new passwords and print them.
    #[arg(long)]
    pub(crate) reset_passwords: bool,
    /// Agents that should exist besides the first one, for load tests.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) extra_agents: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChatRole {
    Visitor,
    Agent,
}

/// How to reach and sign in to a server.
#[derive(Debug, Args, Clone)]
pub(crate) struct TargetArgs {
    /// Address of a gateway.
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) target: String,
    /// Site.
    #[arg(long, global = true, default_value = "demo")]
    pub(crate) site: String,
    /// E-mail address to sign in with.
    #[arg(long, global = true)]
    pub(crate) email: Option<String>,
    /// File whose first line is the password; otherwise FRONTDESK_PASSWORD, or asked for.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    /// Which side to take.
    #[arg(long = "as", value_enum)]
    pub(crate) role: ChatRole,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Public key of the site, for a visitor; by default the demo site's.
    #[arg(long)]
    pub(crate) site_key: Option<String>,
    /// Name to show.
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// Queue to wait in; by default the site's.
    #[arg(long, default_value = "")]
    pub(crate) queue: String,
    /// Agent: accept every offer at once.
    #[arg(long)]
    pub(crate) auto_accept: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CtlArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = Output::Table, global = true)]
    pub(crate) output: Output,
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
    Agents,
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
}
