//! What becomes of a panic: a process of its own, for the hook is the process's.

use frontdesk_telemetry::tasks;
use frontdesk_telemetry::{LogFormat, LogSettings, init_logs, init_metrics};
use std::process::Command;

const CHILD: &str = "PANICS_IN_A_CHILD";

/// Runs this test again in a process whose log can be read.
#[test]
fn a_panic_is_one_event_with_its_task_and_nothing_that_was_put_together() {
    if std::env::var_os(CHILD).is_some() {
        return in_the_child();
    }
    let program = std::env::current_exe().expect("it runs");
    let mut command = Command::new(program);
    command.env(CHILD, "1").env_remove("RUST_BACKTRACE").args(["--nocapture", "--exact"]);
    command.arg("a_panic_is_one_event_with_its_task_and_nothing_that_was_put_together");
    let output = command.output().expect("it can be run again");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let events: Vec<&str> = log.lines().filter(|line| line.contains("panicked")).collect();
    assert_eq!(events.len(), 3, "{log}");
    for (event, task, said) in [
        (events[0], "\"test.literal\"", "\"as it is written\""),
        (events[1], "\"test.formatted\"", "not shown"),
        (events[2], "\"a-thread\"", "\"a thread's\""),
    ] {
        assert!(event.starts_with('{') && event.contains("\"level\":\"ERROR\""), "{event}");
        assert!(event.contains(&format!("\"task\":{task}")) && event.contains(said), "{event}");
        assert!(event.contains("panics.rs:"), "{event}");
    }
    assert!(!log.contains("a secret"), "{log}");
}

fn in_the_child() {
    let settings = LogSettings { format: LogFormat::Json, ..LogSettings::default() };
    init_logs(&settings).expect("the first time");
    let metrics = init_metrics().expect("the first time");
    tasks::log_panics();
    assert!(metrics.render().contains("frontdesk_tasks_panics_total 0"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it starts");
    runtime.block_on(async {
        let secret = String::from("a secret");
        tasks::spawn("test.literal", async { panic!("as it is written") }).await.unwrap_err();
        tasks::spawn("test.formatted", async move { panic!("{secret}") }).await.unwrap_err();
    });
    let thread = std::thread::Builder::new().name("a-thread".into());
    let thread = thread.spawn(|| panic!("a thread's")).expect("it starts");
    thread.join().unwrap_err();
    assert!(metrics.render().contains("frontdesk_tasks_panics_total 3"));
}
