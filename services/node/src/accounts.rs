//! The accounts that `frontdesk dev`, `frontdesk cluster up` and `cluster demo` announce.

use crate::announce::Account;
use crate::operator::operator;
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_desk::{DeskError, DeskService, DevAccount, NewAgent, Password};
use frontdesk_proto::api::AgentAccount;

/// Slots of an extra agent: enough for a load test with few of them.
const EXTRA_CAPACITY: u32 = 100;

/// The first agent and supervisor, and the extra agents asked for.
pub(crate) async fn prepare(
    desk: &DeskService,
    first: Vec<DevAccount>,
    reset_passwords: bool,
    extra_agents: u32,
) -> Result<Vec<Account>, DeskError> {
    let mut accounts = Vec::new();
    let Some(site) = first.first().map(|a| a.account.site.clone()) else {
        return Ok(accounts);
    };
    for DevAccount { account, mut password } in first {
        if reset_passwords && password.is_none() {
            password = Some(desk.reset_password(&site, &account.email, operator()).await?);
        }
        accounts.push(announced(&account, password));
    }
    let known = desk.agents(&site).await?;
    for n in 1..=extra_agents {
        let email = format!("agent-{n}@{site}.example");
        if let Some(account) = known.iter().find(|a| a.email == email) {
            let password = match reset_passwords {
                true => Some(desk.reset_password(&site, &email, operator()).await?),
                false => None,
            };
            accounts.push(announced(account, password));
            continue;
        }
        let created = desk
            .create_agent(NewAgent {
                site: site.clone(),
                email,
                name: format!("Agent {n}"),
                role: Role::Agent,
                capacity: EXTRA_CAPACITY,
                queues: Vec::new(),
                skills: Skills::default(),
                details: Default::default(),
                password: None,
            })
            .await?;
        accounts.push(announced(&created.account, Some(created.password)));
    }
    Ok(accounts)
}

fn announced(account: &AgentAccount, password: Option<Password>) -> Account {
    Account {
        role: if account.role == Role::Supervisor { "supervisor" } else { "agent" },
        email: account.email.clone(),
        password: password.map(|p| p.reveal().to_owned()),
    }
}
