//! What is asked of one process by its health listener, with the admin token.

use super::{CtlError, print_json};
use crate::cli::{LogArgs, OpsArgs, Output};
use serde_json::{Value, json};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest that a process may take to answer.
const DEADLINE: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// Shows or changes what processes log.
pub(super) async fn log(wanted: LogArgs, output: Output) -> Result<(), CtlError> {
    let change = match wanted.filter.as_deref() {
        None => ("GET", String::new()),
        Some("default") => ("DELETE", String::new()),
        Some(level) => {
            let body = json!({ "level": level, "seconds": wanted.time.as_secs() });
            ("PUT", body.to_string())
        }
    };
    for at in &wanted.ops.at {
        let answer = ask(&wanted.ops, at, change.0, "/admin/log", &change.1).await?;
        let answer: Value = serde_json::from_str(&answer)?;
        match output {
            Output::Json => print_json(&answer)?,
            Output::Table => println!("{at}\t{}", told(&answer)),
        }
    }
    Ok(())
}

fn told(answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    match answer["returns_in_seconds"].as_u64() {
        Some(seconds) => {
            format!("{} for {seconds} s, then {}", text("level"), text("configured"))
        }
        None => text("level"),
    }
}

/// The body of an answer; one that is no success is an error.
pub(super) async fn ask(
    ops: &OpsArgs,
    at: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<String, CtlError> {
    let exchange = async {
        let mut stream = TcpStream::connect(at).await?;
        let (token, length) = (&ops.admin_token, body.len());
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let answered = tokio::time::timeout(DEADLINE, exchange).await;
    let answered = answered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let answer = answered.map_err(|source| CtlError::Unreachable { at: at.to_owned(), source })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status.starts_with('2') {
        return Ok(body.to_owned());
    }
    let said = format!("{status}: {}", body.trim());
    Err(CtlError::Denied { at: at.to_owned(), said })
}
