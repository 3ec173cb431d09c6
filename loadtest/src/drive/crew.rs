//! Getting people connected: tokens, sessions, the first Welcome; many at once,
//! but never more than the server can greet.

use super::RunError;
use super::common::{Cell, Common};
use crate::credentials::Login;
use crate::scenario::Carriers;
use frontdesk_client::{AskError, Heard, Session, SessionSettings, Tokens};
use frontdesk_proto::v1::Welcome;
use std::ops::ControlFlow;

/// Which connection a person has: it chooses gateway, source and carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// The n-th visitor with a conversation.
    Visitor(u32),
    /// The n-th visitor without one.
    Idle(u32),
    /// The n-th agent.
    Agent(u32),
    /// The n-th supervisor.
    Supervisor(u32),
}

impl Seat {
    /// Its number.
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Visitor(n) | Self::Idle(n) | Self::Agent(n) | Self::Supervisor(n) => n,
        }
    }

    fn carriers(self, common: &Common) -> &Carriers {
        let load = &common.scenario.load;
        match self {
            Self::Visitor(_) | Self::Idle(_) => &load.visitor_carriers,
            Self::Agent(_) => &load.agent_carriers,
            Self::Supervisor(_) => &load.supervisor_carriers,
        }
    }
}

/// Connects people of one worker.
#[derive(Debug)]
pub(super) struct Crew {
    /// One for each cell.
    tokens: Vec<Tokens>,
}

impl Crew {
    pub(super) fn new(cells: &[Cell]) -> Result<Self, RunError> {
        let tokens = cells.iter().map(|cell| Tokens::new(&cell.addresses[0]));
        Ok(Self { tokens: tokens.collect::<Result<_, _>>()? })
    }

    fn place(&self, seat: Seat) -> usize {
        seat.number() as usize % self.tokens.len()
    }

    /// A visitor's session; it connects when it is first driven.
    pub(super) async fn visitor(&self, common: &Common, seat: Seat) -> Result<Session, RunError> {
        let place = self.place(seat);
        let token = self.tokens[place].visitor(&common.cells[place].accounts.site_key).await?;
        Ok(Session::new(self.settings(common, seat, token.token)))
    }

    /// An agent's or supervisor's session, welcomed.
    pub(super) async fn staff(
        &self,
        common: &Common,
        seat: Seat,
        login: &Login,
    ) -> Result<(Session, Box<Welcome>), RunError> {
        let place = self.place(seat);
        let site = &common.cells[place].accounts.site;
        let token = self.tokens[place].sign_in(site, &login.email, &login.password).await?;
        let mut session = Session::new(self.settings(common, seat, token.token));
        let welcome = session.wait_for(|heard| match heard {
            Heard::Connected(welcome) => ControlFlow::Break(welcome),
            other => ControlFlow::Continue(other),
        });
        let welcome = welcome.await.map_err(|error| match error {
            AskError::Session(error) => RunError::Session(error),
            error => RunError::Ask(error),
        })?;
        Ok((session, welcome))
    }

    fn settings(&self, common: &Common, seat: Seat, token: String) -> SessionSettings {
        let n = seat.number();
        let cells = common.cells.len();
        let cell = &common.cells[self.place(seat)];
        let mut addresses = cell.addresses.clone();
        // Neighbours of one cell go round its gateways.
        let turn = n as usize / cells % addresses.len();
        addresses.rotate_left(turn);
        if !common.sources.is_empty() {
            let source = common.sources[n as usize / cells % common.sources.len()];
            addresses = addresses.into_iter().map(|a| a.from_source(source)).collect();
        }
        let carrier = seat.carriers(common).of(n);
        let mut settings = SessionSettings::new(addresses[0].clone(), carrier, token);
        settings.addresses = addresses;
        settings
    }
}
