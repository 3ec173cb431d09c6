//! Visitors in a terminal, where a site asks to agree first.

use crate::terminal::{Terminal, ctl, ctl_json, frontdesk};
use frontdesk_tests::server::Server;
use std::process::Command;
use std::time::Duration;

const END: Duration = Duration::from_secs(30);
const ASKED: &str = "the site asks (version 2): May we keep what you write?";

fn visitor(server: &Server, more: &[&str]) -> Command {
    let words = ["chat", "--as", "visitor", "--site-key", &server.ready().site_key];
    let mut command = frontdesk(server, None, &[&words, more].concat());
    command.env("LC_ALL", "en_GB.UTF-8");
    command
}

fn conversations(server: &Server) -> usize {
    let list = ctl_json(server, &["conversations"]);
    list["conversations"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_agrees_in_the_terminal_or_nothing_is_begun() {
    let server = Server::start().await;
    let file = server.data().join("desk.yaml");
    let document = "consent: { version: '2', text: { en: May we keep what you write?, de: x } }\n\
                    queues: [{ name: general }]\n";
    std::fs::write(&file, document).expect("written");
    ctl(&server, &["apply", "-f", &file.display().to_string()]);

    let mut unwilling = Terminal::open(&mut visitor(&server, &[]));
    unwilling.shows(ASKED).await;
    unwilling.type_line("no");
    unwilling.shows("nothing was begun").await;
    assert!(unwilling.process.wait_exit(END).success());
    assert_eq!(conversations(&server), 0);

    // A script that says nothing of it learns how to.
    let mut silent = Terminal::open(&mut visitor(&server, &[]));
    silent.shows(ASKED).await;
    silent.hang_up();
    assert!(!silent.process.wait_exit(END).success());
    assert!(silent.process.printed().contains("--consent"), "{}", silent.process.printed());
    assert_eq!(conversations(&server), 0);

    let mut willing = Terminal::open(&mut visitor(&server, &[]));
    willing.shows(ASKED).await;
    willing.type_line("yes");
    agreed(&server, &mut willing).await;
    willing.type_line("Hello");
    willing.shows("you: Hello").await;

    let mut script = Terminal::open(&mut visitor(&server, &["--consent"]));
    script.type_line("Hello from a script");
    agreed(&server, &mut script).await;
    script.shows("you: Hello from a script").await;
    script.hang_up();
    assert!(script.process.wait_exit(END).success());
    assert_eq!(conversations(&server), 2);
}

async fn agreed(server: &Server, terminal: &mut Terminal) {
    let shown = terminal.shows("conversation ").await;
    let id = shown.split_whitespace().last().expect("an id");
    let shown = ctl_json(server, &["show", id]);
    assert_eq!(shown["conversation"]["consent"]["version"], "2", "{shown}");
}
