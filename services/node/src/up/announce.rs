//! Tells the person, or the program, who started the cluster where everything is.

use super::files::Files;
use super::layout::Layout;
use crate::announce::Account;
use crate::cli::Print;
use serde::Serialize;
use std::path::Path;

/// The site that the demo's widget belongs to.
pub(super) struct DemoSite {
    pub(super) id: String,
    pub(super) key: String,
}

/// Where everything is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Announcement<'a> {
    event: &'static str,
    gateways: Vec<String>,
    /// The first gateway, as `frontdesk dev` names its only one.
    listen: String,
    site: &'a str,
    site_key: &'a str,
    agents: &'a [Account],
    settings: &'a Path,
    processes: &'a Path,
    data: &'a Path,
}

impl<'a> Announcement<'a> {
    pub(super) fn new(
        layout: &Layout,
        files: &'a Files,
        site: &'a DemoSite,
        agents: &'a [Account],
        processes: &'a Path,
    ) -> Self {
        let gateways = layout.gateways();
        Self {
            event: "ready",
            listen: gateways.first().cloned().unwrap_or_default(),
            gateways,
            site: &site.id,
            site_key: &site.key,
            agents,
            settings: &files.settings,
            processes,
            data: &files.folder,
        }
    }

    /// Prints to standard output.
    pub(super) fn print(&self, how: Print) -> Result<(), serde_json::Error> {
        match how {
            Print::Json => println!("{}", serde_json::to_string(self)?),
            Print::Text => self.print_text(),
        }
        Ok(())
    }

    fn print_text(&self) {
        println!("\n  A Frontdesk cluster is running.\n");
        for gateway in &self.gateways {
            println!("  Gateway        {gateway}");
        }
        println!("  Demo shop      {}/demo/", self.listen);
        println!("  Agent console  {}/console/", self.listen);
        println!("  Board          {}/supervisor/", self.listen);
        println!("  Site           {}   (key {})", self.site, self.site_key);
        for account in self.agents {
            println!("  {account}");
        }
        println!("  Settings       {}", self.settings.display());
        println!("  Processes      {}", self.processes.display());
        println!("  Logs           {}\n", self.data.join("logs").display());
        println!("  Ctrl-C stops it.\n");
    }
}
