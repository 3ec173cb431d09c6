//! The demo site of a cluster: made when the cluster is started here, or by
//! `frontdesk cluster demo` in any cluster's database.

use super::UpError;
use super::announce::DemoSite;
use crate::accounts;
use crate::announce::Account;
use crate::cli::{DemoArgs, Print};
use crate::settings::Settings;
use frontdesk_core::ids::SiteId;
use frontdesk_desk::{DeskService, DeskSettings};
use frontdesk_store::postgres::PostgresDesk;
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// The site's name unless another one is asked for.
pub(super) const NAME: &str = "demo";

/// What is to be made.
pub(super) struct Wanted<'a> {
    pub(super) site: &'a SiteId,
    /// Whose pages may carry the widget.
    pub(super) origins: &'a [String],
    pub(super) reset_passwords: bool,
    pub(super) extra_agents: u32,
}

/// Who may sign in, in the form that the load harness reads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Accounts<'a> {
    site: &'a str,
    site_key: &'a str,
    agents: &'a [Account],
}

/// Makes the site and its accounts.
pub(super) async fn make(
    store: PostgresDesk,
    wanted: Wanted<'_>,
) -> Result<(DemoSite, Vec<Account>), UpError> {
    let desk = DeskService::new(Arc::new(store), &DeskSettings::default()).await?;
    let site = desk.ensure_example_site(wanted.site, wanted.origins).await?;
    let (id, key) = (site.site.id.to_string(), site.site.key.clone());
    let Wanted { reset_passwords, extra_agents, .. } = wanted;
    let accounts = accounts::prepare(&desk, site.accounts, reset_passwords, extra_agents).await?;
    Ok((DemoSite { id, key }, accounts))
}

/// Makes it in the database of the settings, and tells how to sign in.
pub(crate) async fn run(settings: &Settings, args: &DemoArgs) -> Result<(), UpError> {
    let store = PostgresDesk::open(&settings.postgres).await?;
    let wanted = Wanted {
        site: &args.site,
        origins: &args.origin,
        reset_passwords: args.reset_passwords,
        extra_agents: args.extra_agents,
    };
    let (site, accounts) = make(store, wanted).await?;
    let text = match args.print {
        Print::Json => {
            let told = Accounts { site: &site.id, site_key: &site.key, agents: &accounts };
            serde_json::to_string(&told)? + "\n"
        }
        Print::Text => in_words(&site, &accounts),
    };
    match &args.to {
        Some(file) => write_private(file, &text)?,
        None => io::stdout().write_all(text.as_bytes())?,
    }
    Ok(())
}

fn in_words(site: &DemoSite, accounts: &[Account]) -> String {
    let mut text = format!("Site           {}   (key {})\n", site.id, site.key);
    for account in accounts {
        text += &format!("{account}\n");
    }
    text
}

/// Passwords are nobody else's to read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_of_passwords_is_its_owners_and_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.json");
        write_private(&path, "a longer text").unwrap();
        write_private(&path, "short").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
