//! A Frontdesk of a test's own: the real binary on a data folder of its own.

use crate::accounts::{Account, Ready};
use crate::binary;
use crate::deadline::{STEP, within};
use crate::http::Http;
use crate::logs;
use crate::process::Process;
use frontdesk_client::Address;
use frontdesk_proto::v1::Token;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;
use tempfile::TempDir;

/// Longest start in a debug build while other tests run, hashing of passwords
/// of many accounts included.
const START: Duration = Duration::from_secs(90);

/// How a server is to be started.
#[derive(Debug, Default)]
pub struct Plan {
    extra_agents: u32,
    settings: Vec<(String, String)>,
    data: Option<PathBuf>,
    expected: Vec<String>,
}

impl Plan {
    /// So many agents besides the first one.
    pub fn extra_agents(mut self, count: u32) -> Self {
        self.extra_agents = count;
        self
    }

    /// A setting, by its dotted name: `gateway.ping_interval_seconds`.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// A data folder that the test provides, instead of a temporary one.
    pub fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_owned());
        self
    }

    /// A warning or an error that this test brings about, by a part of its line. Any
    /// other fails the test.
    pub fn expects(mut self, text: &str) -> Self {
        self.expected.push(text.to_owned());
        self
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut server = Server {
            process: None,
            ready: None,
            announced: String::new(),
            data: self.data.clone().unwrap_or_else(|| folder.path().join("data")),
            plan: self,
            _folder: folder,
        };
        server.start_again().await;
        server
    }
}

/// The command `frontdesk dev` with settings, free of settings of the machine.
pub fn dev_command(data: &Path, listen: &str, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(binary::frontdesk());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FRONTDESK_") {
            command.env_remove(name);
        }
    }
    for (name, value) in settings {
        let variable = format!("FRONTDESK_{}", name.to_uppercase().replace('.', "__"));
        command.env(variable, value);
    }
    command.arg("dev").arg("--data").arg(data).args(["--listen", listen, "--print", "json"]);
    command
}

/// A running server. Ended when dropped.
#[derive(Debug)]
pub struct Server {
    process: Option<Process>,
    /// Of the first start, which alone tells the passwords; the port stays.
    ready: Option<Ready>,
    announced: String,
    data: PathBuf,
    plan: Plan,
    _folder: TempDir,
}

impl Server {
    /// A server as a newcomer gets it.
    pub async fn start() -> Self {
        Plan::default().start().await
    }

    /// Starts it again on the same data and port, after `kill` or `terminate`.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let listen = self.ready.as_ref().map(|r| r.address().to_string());
        let listen = listen.as_deref().unwrap_or("127.0.0.1:0");
        let mut command = dev_command(&self.data, listen, &self.plan.settings);
        if self.plan.extra_agents > 0 {
            command.args(["--extra-agents", &self.plan.extra_agents.to_string()]);
        }
        let process = self.process.insert(Process::start(&mut command));
        let line = within(START, "the server is ready", process.line()).await;
        let line = line.unwrap_or_else(|| panic!("it ended at once:\n{}", process.printed()));
        let ready: Ready = serde_json::from_str(&line)
            .unwrap_or_else(|e| panic!("not a line of readiness ({e}): {line}"));
        assert_eq!(ready.event, "ready");
        if self.ready.is_none() {
            (self.ready, self.announced) = (Some(ready), line);
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process_mut().kill();
        self.look_through_the_log();
        self.process = None;
    }

    /// SIGTERM; the server must end by itself.
    pub fn terminate(&mut self) -> ExitStatus {
        let status = self.process_mut().terminate(STEP);
        self.look_through_the_log();
        self.process = None;
        status
    }

    #[track_caller]
    fn look_through_the_log(&self) {
        let Some(process) = &self.process else { return };
        let unlisted = logs::unlisted(process.take_alarms(), &self.plan.expected);
        assert!(unlisted.is_empty(), "nobody expects in the log:\n  {}", unlisted.join("\n  "));
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("the server runs")
    }

    fn process_mut(&mut self) -> &mut Process {
        self.process.as_mut().expect("the server runs")
    }

    /// What it said at its first start.
    pub fn ready(&self) -> &Ready {
        self.ready.as_ref().expect("the server has been ready")
    }

    /// The line of JSON by which it said so.
    pub fn announced(&self) -> &str {
        &self.announced
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.ready().address()
    }

    /// `http://HOST:PORT`.
    pub fn url(&self) -> &str {
        &self.ready().listen
    }

    /// The same, for a client.
    pub fn gateway(&self) -> Address {
        self.url().parse().expect("it prints its address")
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Calls over HTTP.
    pub fn http(&self) -> Http {
        Http::new(self.address())
    }

    /// The accounts of one role.
    pub fn accounts(&self, role: &str) -> Vec<Account> {
        self.ready().agents.iter().filter(|a| a.role == role).cloned().collect()
    }

    /// The n-th agent's account.
    pub fn agent(&self, n: usize) -> Account {
        let agents = self.accounts("agent");
        agents.get(n).cloned().unwrap_or_else(|| panic!("there are {} agents", agents.len()))
    }

    /// The first supervisor's account.
    pub fn supervisor(&self) -> Account {
        self.accounts("supervisor").into_iter().next().expect("there is a supervisor")
    }

    /// A token for a new visitor.
    pub async fn visitor_token(&self) -> Token {
        let ask = json!({ "siteKey": self.ready().site_key });
        self.http().post("/v1/visitor/token", &ask).await.expect_ok().json()
    }

    /// A token for a member of the staff.
    pub async fn sign_in(&self, account: &Account) -> Token {
        let ask = json!({
            "site": self.ready().site,
            "email": account.email,
            "password": account.password,
        });
        self.http().post("/v1/agent/sign-in", &ask).await.expect_ok().json()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process
            && !std::thread::panicking()
        {
            // Its readers end with it: then everything has been read.
            process.kill();
            self.look_through_the_log();
        }
    }
}
