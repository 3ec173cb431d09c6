//! `frontdesk chat`: one side of a conversation in a terminal, over gRPC.

mod agent;
pub(crate) mod screen;
mod staff;
mod visitor;

use crate::cli::{ChatArgs, ChatRole};
use crate::link::{Heard, Link, LinkError};
use crate::signin::{self, SignInError};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use uuid::Uuid;

/// How long to wait for the last answers after the end of the input.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Why the chat ended in failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChatError {
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("cannot read the input: {0}")]
    Input(#[from] std::io::Error),
    #[error("the server did not answer the last messages")]
    Unanswered,
    #[error("the site asks to agree first: with --consent that is done")]
    NoConsent,
}

/// Runs until the person or the server ends it.
pub(crate) async fn run(args: ChatArgs) -> Result<(), ChatError> {
    match args.role {
        ChatRole::Visitor => {
            let token = signin::visitor(&args.target, args.site_key.as_deref()).await?;
            let link = Link::open(&args.target, token.token)?;
            converse(link, visitor::Visitor::new(&args)).await
        }
        ChatRole::Agent | ChatRole::Supervisor => {
            let token = signin::staff(&args.target).await?;
            let link = Link::open(&args.target, token.token)?;
            converse(link, agent::Agent::new(args.auto_accept)).await
        }
    }
}

/// What a line or a frame leads to.
enum Next {
    Ask(Vec<Request>),
    Quit,
    Fail(ChatError),
}

/// One side: turns lines into requests and frames into text.
trait Side {
    /// First requests, once.
    fn begin(&mut self) -> Vec<Request>;
    /// Whether a line can be made use of yet; until then none is read.
    fn listens(&self) -> bool {
        true
    }
    /// The person typed a line.
    fn line(&mut self, line: &str) -> Next;
    /// There are no more lines.
    fn no_more_lines(&mut self) -> Next {
        Next::Ask(Vec::new())
    }
    /// The server said something.
    fn frame(&mut self, frame: Frame) -> Next;
    /// Whether a message has not been acknowledged yet.
    fn owes(&self) -> bool;
}

async fn converse(mut link: Link, mut side: impl Side) -> Result<(), ChatError> {
    for request in side.begin() {
        link.ask(request).await;
    }
    let mut lines: Lines<BufReader<Stdin>> = BufReader::new(tokio::io::stdin()).lines();
    let mut open = true;
    loop {
        let heard = tokio::select! {
            line = lines.next_line(), if open && side.listens() => {
                let next = match line? {
                    Some(line) => side.line(line.trim_end()),
                    None => { open = false; side.no_more_lines() }
                };
                if act(&link, next).await? { return Ok(()) }
                continue;
            }
            heard = link.hear() => heard,
            () = tokio::time::sleep(LAST_ANSWERS), if !open => {
                return if side.owes() { Err(ChatError::Unanswered) } else { Ok(()) };
            }
        };
        match heard {
            Some(Heard::Frame(frame)) => {
                if act(&link, side.frame(*frame)).await? {
                    return Ok(());
                }
                if !open && !side.owes() {
                    return Ok(());
                }
            }
            Some(Heard::Lost) => screen::remark("connection lost, reconnecting …"),
            Some(Heard::Ended(error)) => return Err(error.into()),
            None => return Ok(()),
        }
    }
}

/// Whether it is over.
async fn act(link: &Link, next: Next) -> Result<bool, ChatError> {
    match next {
        Next::Quit => Ok(true),
        Next::Fail(error) => Err(error),
        Next::Ask(requests) => {
            for request in requests {
                link.ask(request).await;
            }
            Ok(false)
        }
    }
}

/// A fresh `client_msg_id`.
fn fresh_id() -> String {
    Uuid::now_v7().to_string()
}
