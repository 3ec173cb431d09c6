//! Tells the person, or the program, who started `frontdesk dev` where
//! everything is and how to sign in.

use crate::cli::Print;
use serde::Serialize;
use std::path::Path;

/// One account; the password is known only when it has just been made.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) role: &'static str,
    pub(super) email: String,
    pub(super) password: Option<String>,
}

/// Where everything is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ready<'a> {
    event: &'static str,
    listen: String,
    demo: String,
    console: String,
    site: &'a str,
    site_key: &'a str,
    agents: &'a [Account],
    data: &'a Path,
}

impl<'a> Ready<'a> {
    pub(super) fn new(
        listen: std::net::SocketAddr,
        site: &'a str,
        site_key: &'a str,
        agents: &'a [Account],
        data: &'a Path,
    ) -> Self {
        let listen = format!("http://{listen}");
        Self {
            event: "ready",
            demo: format!("{listen}/demo/"),
            console: format!("{listen}/console/"),
            listen,
            site,
            site_key,
            agents,
            data,
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
        println!("\n  Frontdesk is running.\n");
        println!("  Demo shop      {}", self.demo);
        println!("  Agent console  {}", self.console);
        println!("  Site           {}   (key {})", self.site, self.site_key);
        for account in self.agents {
            let password = account
                .password
                .as_deref()
                .unwrap_or("(as printed at the first start; --reset-passwords makes new ones)");
            println!("  {:<13}  {}   {password}", capitalized(account.role), account.email);
        }
        println!("  Data           {}\n", self.data.display());
        println!("  Ctrl-C stops it.\n");
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
