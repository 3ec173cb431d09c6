//! The command line of backups and of visitors' data. Says what can be asked for; does
//! nothing.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to copy, and where to.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// New folder for the backup, or with --check the one to look at.
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// Data folder; its server may run.
    #[arg(long, value_name = "DIR", default_value = "./data")]
    pub(crate) data: PathBuf,
    /// Only say whether an existing backup is whole, and what is in it.
    #[arg(long)]
    pub(crate) check: bool,
}

/// From where, and where to.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Folder of the backup.
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// Data folder to be: it does not exist, or is empty.
    #[arg(long, value_name = "DIR", default_value = "./data")]
    pub(crate) data: PathBuf,
}

/// What to do with all that is kept of a visitor.
#[derive(Debug, Subcommand)]
pub(crate) enum VisitorCommand {
    /// Write all of it to a new folder: visitor.json, and the files beside it.
    Export {
        /// Its id, or an e-mail address that it has left or that its attributes have.
        visitor: String,
        /// New folder.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// End its conversations, empty what was said in them and remove its files, for good.
    Erase {
        /// Its id, or an e-mail address that it has left or that its attributes have.
        visitor: String,
        /// Only say what there is.
        #[arg(long)]
        dry_run: bool,
    },
}
