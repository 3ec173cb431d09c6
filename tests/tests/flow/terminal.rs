//! The terminal commands, as a person without a browser uses them.

use frontdesk_tests::accounts::Account;
use frontdesk_tests::binary;
use frontdesk_tests::deadline::step;
use frontdesk_tests::process::Process;
use frontdesk_tests::server::Server;
use serde_json::Value;
use std::io::Write as _;
use std::process::{ChildStdin, Command};

/// One side of a chat in a terminal.
pub(crate) struct Terminal {
    pub(crate) process: Process,
    keyboard: Option<ChildStdin>,
}

impl Terminal {
    pub(crate) fn open(command: &mut Command) -> Self {
        let mut process = Process::start(command);
        let keyboard = Some(process.take_stdin());
        Self { process, keyboard }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let keyboard = self.keyboard.as_mut().expect("it has not ended");
        writeln!(keyboard, "{line}").expect("the program reads its input");
    }

    /// Ends the input.
    pub(crate) fn hang_up(&mut self) {
        self.keyboard = None;
    }

    /// Waits for a line of output that contains these words.
    pub(crate) async fn shows(&mut self, words: &str) -> String {
        step(format!("the terminal shows {words:?}"), async {
            loop {
                let line = self.process.line().await;
                let line = line.unwrap_or_else(|| panic!("it ended before {words:?}"));
                if line.contains(words) {
                    return line;
                }
            }
        })
        .await
    }
}

/// A terminal command against this server; the first word says which.
pub(crate) fn frontdesk(server: &Server, account: Option<&Account>, words: &[&str]) -> Command {
    let (which, rest) = words.split_first().expect("a command has a name");
    let mut command = Command::new(binary::frontdesk());
    command.args([which, "--target", server.url()]);
    if let Some(account) = account {
        command.args(["--email", &account.email]);
        command.env("FRONTDESK_PASSWORD", account.password.as_deref().unwrap_or_default());
    }
    command.args(rest);
    command
}

/// Runs `frontdesk ctl`; gives what it printed.
pub(crate) fn ctl(server: &Server, words: &[&str]) -> String {
    let supervisor = server.supervisor();
    let output = frontdesk(server, Some(&supervisor), &["ctl"]).args(words).output();
    let output = output.expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ctl {words:?}: {errors}");
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

pub(crate) fn ctl_json(server: &Server, words: &[&str]) -> Value {
    let printed = ctl(server, &[&["-o", "json"], words].concat());
    serde_json::from_str(&printed).unwrap_or_else(|e| panic!("not JSON ({e}): {printed}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_terminals_chat_and_ctl_watches() {
    let server = Server::start().await;
    let alex = server.agent(0);
    let mut agent = frontdesk(&server, Some(&alex), &["chat", "--as", "agent", "--auto-accept"]);
    let mut agent = Terminal::open(&mut agent);
    let mut visitor = frontdesk(&server, None, &["chat", "--as", "visitor", "--name", "Vera"]);
    visitor.args(["--site-key", &server.ready().site_key]);
    let mut visitor = Terminal::open(&mut visitor);
    let shown = visitor.shows("conversation ").await;
    let id = shown.split_whitespace().last().expect("an id").to_owned();

    visitor.shows("has joined").await;
    visitor.type_line("Is this thing on? 喂");
    agent.shows("Is this thing on? 喂").await;
    agent.type_line("Loud and clear.");
    visitor.shows("Loud and clear.").await;
    agent.type_line("/note a quiet one");
    agent.shows("a quiet one").await;

    looked_at_with_ctl(&server, &id);
    let supervisor = server.supervisor();
    let mut follow = frontdesk(&server, Some(&supervisor), &["ctl", "-o", "json", "follow", &id]);
    let mut follow = Terminal::open(&mut follow);
    let line = follow.shows("a quiet one").await;
    assert!(serde_json::from_str::<Value>(&line).is_ok(), "a line of JSON: {line}");

    agent.type_line("/close");
    visitor.shows("closed the chat").await;
    follow.shows("closed").await;
    visitor.type_line("/rate 5 fine");
    follow.shows("fine").await;
    visitor.type_line("/quit");
    assert!(visitor.process.wait_exit(std::time::Duration::from_secs(15)).success());
}

fn looked_at_with_ctl(server: &Server, id: &str) {
    assert!(ctl(server, &["agents"]).contains("online"));
    let agents = ctl_json(server, &["agents"]);
    assert_eq!(agents["agents"][0]["status"], "AGENT_STATUS_ONLINE", "{agents}");
    assert!(ctl(server, &["queues"]).contains("general"));
    let queues = ctl_json(server, &["queues"]);
    assert!(queues["queues"].as_array().is_some_and(|q| q.len() >= 2), "{queues}");
    let table = ctl(server, &["conversations", "--open"]);
    assert!(table.contains(id) && table.contains("assigned"), "{table}");
    let list = ctl_json(server, &["conversations"]);
    assert_eq!(list["conversations"][0]["conversationId"], id, "{list}");
    assert!(ctl(server, &["show", id]).contains("Loud and clear."));
    let shown = ctl_json(server, &["show", id]);
    assert_eq!(shown["events"][0]["event"]["seq"], 1, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctl_refuses_in_one_clear_line() {
    let server = Server::start().await;
    let agent = server.agent(0);
    let supervisor = server.supervisor();
    let wrong = Account { password: Some("wrong".into()), ..supervisor.clone() };
    let absent = "0190aaaa-0000-7000-8000-000000000000";
    for (account, words) in [
        (agent, vec!["ctl", "agents"]),
        (wrong, vec!["ctl", "agents"]),
        (supervisor.clone(), vec!["ctl", "show", absent]),
        (supervisor, vec!["ctl", "show", "not-an-id"]),
    ] {
        let output = frontdesk(&server, Some(&account), &words).output();
        let output = output.expect("the binary runs");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{words:?} as {}", account.email);
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}
