//! Tells the person, or the program, who started `frontdesk dev` where
//! everything is, and how to sign in.

use crate::cli::Print;
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// One account; the password is known only when it has just been made.
#[derive(Debug, Serialize)]
pub(crate) struct Account {
    pub(crate) role: &'static str,
    pub(crate) email: String,
    pub(crate) password: Option<String>,
}

/// One line: role, address, password.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self
            .password
            .as_deref()
            .unwrap_or("(as printed at the first start; --reset-passwords makes new ones)");
        write!(f, "{:<13}  {}   {password}", capitalized(self.role), self.email)
    }
}

/// Where everything is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ready<'a> {
    event: &'static str,
    listen: String,
    demo: String,
    console: String,
    supervisor: String,
    site: &'a str,
    site_key: &'a str,
    agents: &'a [Account],
    data: &'a Path,
}

impl<'a> Ready<'a> {
    /// `listen` is the URL of the gateway.
    pub(crate) fn new(
        listen: String,
        site: &'a str,
        site_key: &'a str,
        agents: &'a [Account],
        data: &'a Path,
    ) -> Self {
        Self {
            event: "ready",
            demo: format!("{listen}/demo/"),
            console: format!("{listen}/console/"),
            supervisor: format!("{listen}/supervisor/"),
            listen,
            site,
            site_key,
            agents,
            data,
        }
    }

    /// Prints to standard output.
    pub(crate) fn print(&self, how: Print) -> Result<(), serde_json::Error> {
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
        println!("  Board          {}", self.supervisor);
        println!("  Site           {}   (key {})", self.site, self.site_key);
        for account in self.agents {
            println!("  {account}");
        }
        println!("  Data           {}\n", self.data.display());
        println!("  Ctrl-C stops it.\n");
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
