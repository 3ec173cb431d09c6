//! A document tried on accounts at hand, without a store: what would be in force. For
//! replays; puts nothing in force.

use super::document::Agent;
use super::{check, parse};
use crate::convert::{agent_account, site_config};
use frontdesk_core::ids::{AgentId, SiteId};
use frontdesk_core::skill::Skills;
use frontdesk_proto::api::{AgentAccount, Problem, SiteConfig};
use frontdesk_store::desk::{AccountDetails, AccountKind, StoredAccount, StoredSite};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a document comes to.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The site, with neither key nor origins.
    pub site: SiteConfig,
    /// The accounts that were given, as they would be.
    pub agents: Vec<AgentAccount>,
    /// Those that the document would make, with ids of their own for the trial.
    pub newcomers: Vec<AgentAccount>,
}

/// Tries a document.
///
/// # Errors
/// What is wrong with it, and where.
pub fn trial(text: &str, site: &SiteId, agents: &[AgentAccount]) -> Result<Trial, Vec<Problem>> {
    let accounts: Vec<StoredAccount> = agents.iter().map(stored).collect();
    let empty = StoredSite {
        id: site.clone(),
        title: String::new(),
        key: String::new(),
        allowed_origins: Vec::new(),
        // Replaced by the document's first, or the one it names.
        default_queue: "general".parse().expect("a slug"),
        queues: Vec::new(),
        routes: Vec::new(),
        calendars: BTreeMap::new(),
        privacy: Default::default(),
        bots: BTreeSet::new(),
        away_after_missed: None,
    };
    let wanted = check::check(parse(text)?, &empty, &accounts)?;
    let as_written = |account: StoredAccount| {
        let written = wanted.agents.iter().find(|agent| agent.email == account.email);
        agent_account(written.map_or_else(|| account.clone(), |w| check::changed(&account, w)))
    };
    let is_new = |agent: &&Agent| accounts.iter().all(|account| account.email != agent.email);
    let newcomers = wanted.agents.iter().filter(is_new).zip(1..).map(|(agent, number)| {
        let nobody = nobody(site, &agent.email, AgentId::from_uuid(Uuid::from_u128(number)));
        agent_account(check::changed(&nobody, agent))
    });
    let newcomers = newcomers.collect();
    let agents = accounts.into_iter().map(as_written).collect();
    Ok(Trial { site: site_config(wanted.site), agents, newcomers })
}

/// An account before a document says what it is to be.
fn nobody(site: &SiteId, email: &str, id: AgentId) -> StoredAccount {
    StoredAccount {
        id,
        site: site.clone(),
        email: email.to_owned(),
        kind: AccountKind::Agent,
        name: String::new(),
        capacity: 0,
        queues: Vec::new(),
        skills: Skills::default(),
        disabled: false,
        password_hash: String::new(),
        generation: 0,
        details: AccountDetails::default(),
    }
}

fn stored(account: &AgentAccount) -> StoredAccount {
    let profile = &account.profile;
    let kind = if profile.supervisor { AccountKind::Supervisor } else { AccountKind::Agent };
    StoredAccount {
        id: account.id,
        site: account.site.clone(),
        email: account.email.clone(),
        kind,
        name: profile.name.to_string(),
        capacity: profile.capacity,
        queues: profile.queues.clone(),
        skills: profile.skills.clone(),
        disabled: account.disabled,
        password_hash: String::new(),
        generation: account.generation,
        details: AccountDetails {
            languages: profile.languages.clone(),
            caps: profile.caps.clone(),
        },
    }
}
