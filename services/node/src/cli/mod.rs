//! The command line. Says what can be asked for; does nothing.

mod ctl;
mod privacy;
mod replay;
mod staff;

pub(crate) use ctl::{
    AgentsArgs, AgentsCommand, AuditArgs, AuditCommand, AuditFilter, ClusterCommands, CtlArgs,
    CtlCommand, DebugArgs, FiguresArgs, FiguresFormat, FitArgs, LogArgs, OpsArgs, Output,
    PlacedRole, RaftCommand, RouteArgs,
};
pub(crate) use privacy::{BackupArgs, RestoreArgs, VisitorCommand};
pub(crate) use replay::ReplayArgs;
pub(crate) use staff::StaffArgs;

use clap::{Args, Parser, Subcommand, ValueEnum};
use frontdesk_core::ids::SiteId;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Run a gateway of a cluster.
    Gateway(RoleArgs),
    /// Run an owner of conversations.
    Sessions(RoleArgs),
    /// Run a voter of the presence group.
    Presence(RoleArgs),
    /// Run a router.
    Routing(RoleArgs),
    /// Run a keeper of queues.
    Queueing(RoleArgs),
    /// Run the desk: configuration and accounts.
    Desk(RoleArgs),
    /// A whole cluster on this machine.
    Cluster(ClusterArgs),
    /// Print the effective settings, secrets hidden.
    Config(SettingsArgs),
    /// Chat in the terminal, as a visitor or as an agent.
    Chat(ChatArgs),
    /// Look into a running system, and move its parts.
    Ctl(CtlArgs),
    /// Check the settings of a cluster against its live parts.
    Doctor(DoctorArgs),
    /// Print what can be measured, as a table.
    Metrics,
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

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Start one, with Redis and PostgreSQL from this machine's programs, until
    /// interrupted.
    Up(UpArgs),
    /// Make a local authority and a certificate for connections between processes, good
    /// for 30 days. Those that are there stay until ten days before their end.
    Certificates {
        /// Folder for ca.pem, cert.pem and key.pem.
        folder: PathBuf,
    },
    /// Make the demo site in a cluster's database, and print how to sign in.
    Demo(DemoArgs),
    /// Send a signal to processes of one, by name; `raft-leader` is the voter that
    /// leads.
    Signal(SignalArgs),
    /// Cut processes off from others, or from all; clients still reach them. For
    /// clusters started with --namespaces.
    Cut(CutArgs),
    /// Mend all that was cut.
    Heal(HealArgs),
}

/// Which cluster of this machine.
#[derive(Debug, Args)]
pub(crate) struct ClusterFolder {
    /// Folder of the cluster.
    #[arg(long, value_name = "DIR", default_value = "./cluster-data")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CutArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterFolder,
    /// Which processes; `raft-leader` is the voter that leads.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// From which others, instead of all: NAME,NAME.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) from: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HealArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterFolder,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// Origins whose pages may carry the widget, such as http://localhost:8080.
    #[arg(long, value_name = "ORIGIN", required = true)]
    pub(crate) origin: Vec<String>,
    /// Name of the site; its accounts are at NAME.example.
    #[arg(long, value_name = "NAME", default_value = "demo")]
    pub(crate) site: SiteId,
    /// Agents that should exist besides the first one, for load tests.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) extra_agents: u32,
    /// Give the accounts new passwords.
    #[arg(long)]
    pub(crate) reset_passwords: bool,
    /// How to print; JSON is what the load harness takes for --accounts.
    #[arg(long, value_enum, default_value_t = Print::Text)]
    pub(crate) print: Print,
    /// Write to this file, for its owner's eyes only, instead of printing.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SignalArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterFolder,
    /// Which signal.
    #[arg(value_enum)]
    pub(crate) signal: SignalName,
    /// Which processes.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignalName {
    /// Stop in order; it is started again.
    Term,
    /// As Ctrl-C; PostgreSQL stops in order then, without waiting for its clients.
    Int,
    /// PostgreSQL ends as in a crash.
    Quit,
    /// End at once; it is started again.
    Kill,
    /// Freeze.
    Stop,
    /// Thaw.
    Cont,
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Folder for the files of all its processes.
    #[arg(long, value_name = "DIR", default_value = "./cluster-data")]
    pub(crate) data: PathBuf,
    /// Gateways listen from this port on, all else within 400 above it; 0 takes
    /// any that are free.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) base_port: u16,
    /// Voters of the presence group: 1, 3 or 5.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) presence: u16,
    /// Owners of conversations.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) sessions: u16,
    /// Gateways.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) gateways: u16,
    /// Keepers of queues.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) queueing: u16,
    /// Routers.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) routing: u16,
    /// Desks.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) desks: u16,
    #[command(flatten)]
    pub(crate) accounts: AccountsArgs,
    /// Milliseconds before a process that has ended is started again.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub(crate) restart_delay_ms: u64,
    /// Give each process a network namespace of its own, so that `cluster cut` can
    /// part them. Needs root and iproute2; ports are fixed then.
    #[arg(long)]
    pub(crate) namespaces: bool,
}

impl UpArgs {
    /// Before a process that has ended is started again.
    pub(crate) fn restart_delay(&self) -> Duration {
        Duration::from_millis(self.restart_delay_ms)
    }
}

/// Which process of a cluster this is; the settings file may be the same for all.
#[derive(Debug, Args, Clone)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// Name of this process, its own in the cluster.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Address for the other processes [default: 127.0.0.1:7100].
    #[arg(long, value_name = "ADDR")]
    pub(crate) internal_listen: Option<SocketAddr>,
    /// Where the other processes reach it, when that is another address.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) advertise: Option<String>,
    /// Address of health checks and metrics.
    #[arg(long, value_name = "ADDR")]
    pub(crate) health_listen: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Print {
    /// For people.
    Text,
    /// One line of JSON.
    Json,
}

/// The accounts that are made at the start, and how they are announced.
#[derive(Debug, Args)]
pub(crate) struct AccountsArgs {
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

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(flatten)]
    pub(crate) accounts: AccountsArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChatRole {
    Visitor,
    Agent,
    /// The same commands, and those that only a supervisor's account may use.
    Supervisor,
}

/// How to reach and sign in to a server.
#[derive(Debug, Args, Clone)]
pub(crate) struct TargetArgs {
    /// Address of a gateway.
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) target: String,
    /// What its certificate is for, when that is not the host in --target.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_name: Option<String>,
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
    /// Visitor: agree to what the site asks to agree to; else it is asked for.
    #[arg(long)]
    pub(crate) consent: bool,
    /// Agent: accept every offer at once.
    #[arg(long)]
    pub(crate) auto_accept: bool,
}
