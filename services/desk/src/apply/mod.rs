//! A site's configuration from one document: checked as a whole, compared with what
//! is in force, then put in force. A document with any problem changes nothing.

mod alarms;
mod calendars;
mod check;
mod diff;
mod document;
#[cfg(test)]
mod hostile_tests;
mod limits;
mod privacy;
mod routes;
mod serving;
#[cfg(test)]
mod serving_tests;
#[cfg(test)]
pub(crate) mod tests;
mod trial;

pub use trial::{Trial, trial};

pub(crate) use alarms::with_defaults;

use crate::admin::NewAgent;
use crate::audit;
use crate::error::DeskError;
use crate::service::DeskService;
use check::Wanted;
use document::{Agent, Document, RoleName};
use frontdesk_core::audit::Author;
use frontdesk_core::ids::SiteId;
use frontdesk_core::party::Role;
use frontdesk_proto::api::{Applied, MadeAccount, Problem};
use frontdesk_store::desk::{StoredAccount, StoredSite, Versioned};

/// Bytes of a document: 10,000 agents at 200 bytes are 2 MB.
const MAX_BYTES: usize = 3 * 1024 * 1024;

impl DeskService {
    /// Puts a document in force, or, by nobody, says what that would change. Accounts
    /// are changed after the site, one by one: what fails in between is completed by
    /// the same document once more. It is in the audit log before, and with the changes
    /// that are made: the site must be at the version they were found with.
    pub(crate) async fn apply_document(
        &self,
        site: &SiteId,
        text: &str,
        by: Option<Author>,
    ) -> Result<Applied, DeskError> {
        let stored = self.store.site(site).await?.ok_or(DeskError::NotFound("site"))?;
        let accounts = self.store.accounts(site).await?;
        let wanted = match parse(text)
            .and_then(|document| check::check(document, &stored.value, &accounts))
        {
            Ok(wanted) => wanted,
            Err(problems) => return Ok(Applied { problems, ..Applied::default() }),
        };
        let mut applied = Applied {
            version: stored.version,
            changes: changes(&stored.value, &accounts, &wanted),
            ..Applied::default()
        };
        if let Some(by) = by
            && !applied.changes.is_empty()
        {
            let version = stored.version + u64::from(stored.value != wanted.site);
            let entry = audit::of_configuration(site.clone(), by, version, &applied.changes);
            self.write_down(entry).await?;
            let (version, made) = self.put_in_force(stored, &accounts, wanted).await?;
            (applied.version, applied.made) = (version, made);
            self.forget_cached();
        }
        Ok(applied)
    }

    async fn put_in_force(
        &self,
        stored: Versioned<StoredSite>,
        accounts: &[StoredAccount],
        wanted: Wanted,
    ) -> Result<(u64, Vec<MadeAccount>), DeskError> {
        let site = wanted.site.id.clone();
        let version = match stored.value == wanted.site {
            true => stored.version,
            false => self.store.put_site(wanted.site, stored.version).await?,
        };
        let mut made = Vec::new();
        for agent in wanted.agents {
            match accounts.iter().find(|account| account.email == agent.email) {
                Some(account) => {
                    let changed = check::changed(account, &agent);
                    if changed != *account {
                        self.store.change_account(changed).await?;
                    }
                }
                None => made.push(self.make(site.clone(), agent).await?),
            }
        }
        Ok((version, made))
    }

    async fn make(&self, site: SiteId, agent: Agent) -> Result<MadeAccount, DeskError> {
        let created = self
            .create_agent(NewAgent {
                site,
                email: agent.email.clone(),
                name: agent.name.clone(),
                role: match agent.role {
                    RoleName::Agent => Role::Agent,
                    RoleName::Supervisor => Role::Supervisor,
                },
                capacity: agent.capacity,
                queues: agent.queues.iter().map(|queue| queue.name().clone()).collect(),
                skills: agent.skills.clone(),
                details: serving::details(&agent.queues, &agent.languages),
                password: None,
            })
            .await?;
        if agent.disabled {
            let account = self.store.account(&created.account.site, created.account.id).await?;
            let account = account.ok_or(DeskError::NotFound("account"))?;
            self.store.change_account(check::changed(&account, &agent)).await?;
        }
        Ok(MadeAccount { email: agent.email, password: created.password.reveal().to_owned() })
    }
}

fn parse(text: &str) -> Result<Document, Vec<Problem>> {
    if text.len() > MAX_BYTES {
        let reason = format!("the document is longer than {MAX_BYTES} bytes");
        return Err(vec![Problem { line: 1, column: 1, reason }]);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location();
        let (line, column) = at.map_or((1, 1), |at| (at.line(), at.column()));
        // Its first line; the rest repeats the place and the text around it.
        let said = error.without_snippet().to_string();
        let reason = said.lines().next().unwrap_or_default().to_owned();
        vec![Problem { line, column, reason }]
    })
}

fn changes(site: &StoredSite, accounts: &[StoredAccount], wanted: &Wanted) -> Vec<String> {
    let mut changes = Vec::new();
    if site.title != wanted.site.title {
        changes.push(format!("~ title: {} -> {}", site.title, wanted.site.title));
    }
    if site.default_queue != wanted.site.default_queue {
        let (before, now) = (&site.default_queue, &wanted.site.default_queue);
        changes.push(format!("~ default_queue: {before} -> {now}"));
    }
    let (before, now) = (site.away_after_missed, wanted.site.away_after_missed);
    if before != now {
        let shown = |most: Option<u32>| most.map_or("null".into(), |most| most.to_string());
        changes.push(format!("~ away_after_missed: {} -> {}", shown(before), shown(now)));
    }
    let (before, now) = (document::queues(site), document::queues(&wanted.site));
    for queue in &now {
        let old = before.iter().find(|old| old.name == queue.name);
        changes.extend(diff::changed(&format!("queue {}", queue.name), old, Some(queue)));
    }
    for gone in before.iter().filter(|old| now.iter().all(|queue| queue.name != old.name)) {
        changes.extend(diff::changed(&format!("queue {}", gone.name), Some(gone), None));
    }
    changes.extend(privacy::changes(&site.privacy, &wanted.site.privacy));
    changes.extend(calendars::changes(&site.calendars, &wanted.site.calendars));
    changes.extend(routes::changes(&site.routes, &wanted.site.routes));
    for agent in &wanted.agents {
        let old = accounts.iter().find(|account| account.email == agent.email);
        let old = old.map(|account| document::agent(account, site));
        changes.extend(diff::changed(&format!("agent {}", agent.email), old.as_ref(), Some(agent)));
    }
    changes
}
