//! What the database's failures mean.

use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

/// Why the database cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL cannot be read.
    #[error("postgres.url is not a PostgreSQL URL")]
    Url,
    /// A word of `sslmode` that is not known.
    #[error("postgres.url: sslmode is disable, prefer, require, verify-ca or verify-full")]
    SslMode,
    /// The certificates cannot be used.
    #[error("postgres: {0}")]
    Tls(String),
    /// A certificate without its key, or the other way round.
    #[error("postgres: client_cert and client_key belong together")]
    HalfPair,
    /// No server takes writes; trying again may help.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The server does not let this login into this database.
    #[error("the database refuses the login: {0}")]
    Refused(String),
    /// A newer version of Frontdesk has changed the tables already.
    #[error("the database has schema {found}, this program knows {known}: it is too old")]
    TooNew {
        /// What the database has.
        found: i32,
        /// What this program makes.
        known: i32,
    },
    /// The tables could not be made.
    #[error("the database's tables could not be made: {0}")]
    Migrate(String),
}

impl PostgresError {
    /// Of a connection that did not come about.
    pub(super) fn of_connecting(error: &Error) -> Self {
        let refused = error.code().is_some_and(|code| {
            *code == SqlState::INVALID_PASSWORD
                || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                || *code == SqlState::UNDEFINED_DATABASE
        });
        let said = describe(error);
        if refused { Self::Refused(said) } else { Self::Unreachable(said) }
    }
}

/// What the server said, else what happened; never a parameter.
pub(super) fn describe(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        // Such as what is wrong with a certificate.
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

/// Why a statement brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Nothing was done: there was no connection, or the server has refused and
    /// rolled back.
    #[error("{0}")]
    NotDone(String),
    /// The answer did not come: nobody knows.
    #[error("{0}")]
    Unknown(String),
    /// Somebody else has put a row there at the same time; nothing was done.
    #[error("{0} exists already")]
    Exists(String),
    /// A row refers to what is not there; nothing was done.
    #[error("{0} has nothing to refer to")]
    Dangling(String),
    /// What is stored cannot be understood.
    #[error("{0}")]
    Damaged(String),
}

impl Failure {
    /// Of an error that came while a statement was under way.
    pub(super) fn of(error: &Error) -> Self {
        let Some(said) = error.as_db_error() else {
            return Self::Unknown(error.to_string());
        };
        let constraint = || said.constraint().unwrap_or("a row").to_owned();
        match said.parsed_severity() {
            // The session has ended with it, perhaps after the commit.
            Some(Severity::Fatal | Severity::Panic) => Self::Unknown(said.message().to_owned()),
            _ if *said.code() == SqlState::UNIQUE_VIOLATION => Self::Exists(constraint()),
            _ if *said.code() == SqlState::FOREIGN_KEY_VIOLATION => Self::Dangling(constraint()),
            _ => Self::NotDone(format!("{} ({})", said.message(), said.code().code())),
        }
    }
}
