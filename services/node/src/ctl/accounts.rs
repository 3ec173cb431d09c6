//! `frontdesk ctl agents revoke` and `unbind`: what is done to an account.

use super::{Admin, CtlError, print_json};
use crate::chat::screen::plain;
use crate::cli::{AgentsCommand, Output};
use crate::signin::with_deadline;
use frontdesk_proto::v1::{EndSessionsRequest, UnbindAccountRequest};

/// Runs one command.
pub(super) async fn run(
    admin: Admin,
    output: Output,
    command: AgentsCommand,
) -> Result<(), CtlError> {
    match command {
        AgentsCommand::Revoke { account } => revoke(admin, output, account).await,
        AgentsCommand::Unbind { account } => unbind(admin, output, account).await,
    }
}

async fn revoke(mut admin: Admin, output: Output, account: String) -> Result<(), CtlError> {
    let ask = EndSessionsRequest { account };
    let answer = admin.end_sessions(with_deadline(ask)).await?.into_inner();
    match output {
        Output::Json => print_json(&answer)?,
        Output::Table => println!("{} is signed out everywhere", answer.email),
    }
    Ok(())
}

async fn unbind(mut admin: Admin, output: Output, account: String) -> Result<(), CtlError> {
    let ask = UnbindAccountRequest { account };
    let answer = admin.unbind_account(with_deadline(ask)).await?.into_inner();
    match output {
        Output::Json => print_json(&answer)?,
        Output::Table if answer.was.is_empty() => println!("{} was bound to nobody", answer.email),
        Output::Table => {
            for who in &answer.was {
                let (subject, issuer) = (plain(&who.subject), plain(&who.issuer));
                println!("{} is no longer bound to {subject} of {issuer}", answer.email);
            }
            println!("{} is signed out everywhere", answer.email);
        }
    }
    Ok(())
}
