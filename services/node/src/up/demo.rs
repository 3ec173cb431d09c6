//! The demo site of a cluster: made when the cluster is started here, or by
//! `frontdesk cluster demo` in any cluster's database.

use super::UpError;
use super::announce::DemoSite;
use crate::accounts;
use crate::announce::Account;
use crate::cli::DemoArgs;
use crate::settings::Settings;
use frontdesk_desk::{DeskService, DeskSettings};
use frontdesk_store::postgres::PostgresDesk;
use std::sync::Arc;

/// Makes the site for pages of these origins, and its accounts.
pub(super) async fn make(
    store: PostgresDesk,
    origins: &[String],
    reset_passwords: bool,
    extra_agents: u32,
) -> Result<(DemoSite, Vec<Account>), UpError> {
    let desk = DeskService::new(Arc::new(store), &DeskSettings::default()).await?;
    let site = desk.ensure_dev_site(origins).await?;
    let (id, key) = (site.site.id.to_string(), site.site.key.clone());
    let accounts = accounts::prepare(&desk, site.accounts, reset_passwords, extra_agents).await?;
    Ok((DemoSite { id, key }, accounts))
}

/// Makes it in the database of the settings, and prints how to sign in.
pub(crate) async fn run(settings: &Settings, args: &DemoArgs) -> Result<(), UpError> {
    let store = PostgresDesk::open(&settings.postgres).await?;
    let (site, accounts) = make(store, &args.origin, args.reset_passwords, 0).await?;
    println!("Site           {}   (key {})", site.id, site.key);
    for account in accounts {
        println!("{account}");
    }
    Ok(())
}
