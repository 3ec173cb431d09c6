//! After the run: every conversation is read whole through the API, as a
//! supervisor sees it, and compared with what was acknowledged.

use super::CoordinateError;
use crate::audit::{Case, Findings, Transcript};
use crate::credentials::Accounts;
use frontdesk_client::{Address, AskError, Carrier, Session, SessionSettings, Tokens};
use frontdesk_results::{Offence, Violation};
use futures::future::try_join_all;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Connections over which conversations are read.
const READERS: usize = 8;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct ReadBack {
    pub(super) findings: Findings,
    pub(super) conversations: u64,
    pub(super) messages: u64,
}

/// Gateways that share accounts.
pub(super) struct Cell {
    pub(super) addresses: Vec<Address>,
    pub(super) accounts: Accounts,
}

/// Reads all conversations; each belongs to the cell of its number.
pub(super) async fn read_back(
    run: u32,
    cells: &[Cell],
    cases: &BTreeMap<u32, Case>,
) -> Result<ReadBack, CoordinateError> {
    let mut all = ReadBack::default();
    for (place, cell) in cells.iter().enumerate() {
        let here = cases.iter().filter(|(number, _)| **number as usize % cells.len() == place);
        let queue = Mutex::new(here);
        let token = token(cell).await?;
        let readers = (0..READERS).map(|n| {
            let queue = &queue;
            let address = cell.addresses[n % cell.addresses.len()].clone();
            let token = token.clone();
            async move {
                let settings = SessionSettings::new(address, Carrier::WebSocketProtobuf, token);
                let mut session = Session::new(settings);
                let mut read = ReadBack::default();
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((number, case)) = next else { return Ok(read) };
                    one(&mut session, run, *number, case, &mut read).await?;
                }
            }
        });
        for read in try_join_all(readers).await.map_err(CoordinateError::ReadBack)? {
            all.findings.merge(read.findings);
            all.conversations += read.conversations;
            all.messages += read.messages;
        }
    }
    Ok(all)
}

async fn token(cell: &Cell) -> Result<String, CoordinateError> {
    let login = cell.accounts.supervisors(1)?.remove(0);
    let tokens = Tokens::new(&cell.addresses[0])?;
    let token = tokens.sign_in(&cell.accounts.site, &login.email, &login.password).await?;
    Ok(token.token)
}

async fn one(
    session: &mut Session,
    run: u32,
    number: u32,
    case: &Case,
    read: &mut ReadBack,
) -> Result<(), AskError> {
    let mut transcript = Transcript::new(run, number, case);
    loop {
        let page = match session.history(case.conversation(), transcript.last()).await {
            Ok(page) => page,
            // Nothing was promised of a conversation whose start was never answered.
            Err(AskError::Refused(_)) if case.acknowledged() == 0 => return Ok(()),
            Err(AskError::Refused(error)) => {
                read.findings.note(Offence {
                    violation: Violation::Lost,
                    conversation: case.conversation().to_owned(),
                    sender: None,
                    number: None,
                    seq: None,
                    detail: format!("cannot be read back: {}", error.message),
                });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let more = page.more && !page.events.is_empty();
        page.events.into_iter().for_each(|push| transcript.event(push));
        if !more {
            break;
        }
    }
    let (findings, messages) = transcript.finish();
    read.findings.merge(findings);
    read.messages += messages;
    read.conversations += 1;
    Ok(())
}
