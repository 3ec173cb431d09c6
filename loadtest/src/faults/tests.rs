//! Commands that end well, badly, or not at all.

use super::*;
use std::path::Path;

fn fault(command: &str) -> Fault {
    Fault {
        name: "test".into(),
        at: Duration::from_secs(30),
        command: command.into(),
        // Of no test's concern but those that wait for it.
        deadline: Duration::from_secs(60),
    }
}

async fn made(command: &str) -> Made {
    let surroundings = Surroundings {
        server_pids: vec![11, 12],
        targets: vec!["http://127.0.0.1:1".into(), "http://127.0.0.1:2".into()],
    };
    fault(command).make(&surroundings).await.unwrap()
}

/// Whether a process is there and has not ended.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

/// Waits until a process has ended: what was killed takes a moment to go.
async fn gone(pid: &str) {
    while lives(pid) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_command_knows_the_server_and_its_words_are_kept_in_order() {
    let said = "echo $LOADTEST_SERVER_PIDS; echo $LOADTEST_SERVER_PID >&2; echo $LOADTEST_TARGETS";
    let made = made(said).await;
    assert_eq!(made.output, "11 12\n11\nhttp://127.0.0.1:1 http://127.0.0.1:2");
    assert!(made.succeeded());
}

#[tokio::test]
async fn without_server_processes_there_is_no_first_one() {
    let command = "echo ${LOADTEST_SERVER_PID-none}";
    let made = fault(command).make(&Surroundings::default()).await.unwrap();
    assert_eq!(made.output, "none");
}

#[tokio::test]
async fn a_command_that_fails_says_how() {
    assert_eq!(made("echo no such node >&2; exit 3").await.end, End::Exited(3));
    assert_eq!(made("kill -9 $$").await.end, End::Signalled(9));
    assert!(!made("false").await.succeeded());
}

#[tokio::test]
async fn a_command_that_prints_without_end_does_not_block_itself() {
    let made = made("yes | head -c 300000").await;
    assert!(made.succeeded());
    assert!(made.output.len() < 4_200);
}

#[tokio::test]
async fn what_overruns_its_deadline_is_killed_with_all_it_started() {
    let mut slow = fault("sleep 1000 & echo $!; sleep 1000");
    slow.deadline = Duration::from_millis(500);
    let made = slow.make(&Surroundings::default()).await.unwrap();
    assert_eq!(made.end, End::Overdue);
    assert!(made.took >= slow.deadline);
    // A shell that was too slow to start anything left nothing.
    if !made.output.is_empty() {
        gone(&made.output).await;
    }
    let result = slow.result(&made, Recovery::Never, 7);
    assert_eq!((result.exit_status, result.recovery_s, result.at_s), (None, None, 30.0));
}

#[tokio::test]
async fn what_is_left_in_the_background_lives_on() {
    let made = made("sleep 1000 & echo $!").await;
    assert!(made.succeeded());
    assert!(lives(&made.output), "{}", made.output);
    let pid = Pid::from_raw(made.output.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_fault_that_is_given_up_leaves_nothing_behind() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let command = format!("sleep 1000 & echo $! > {}; sleep 1000", file.path().display());
    let written = async {
        loop {
            match std::fs::read_to_string(file.path()) {
                Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let fault = fault(&command);
    let surroundings = Surroundings::default();
    let pid = tokio::select! {
        _ = fault.make(&surroundings) => panic!("it sleeps"),
        pid = written => pid,
    };
    gone(&pid).await;
}
