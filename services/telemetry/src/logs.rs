//! One event per line, on standard error, so that standard output stays for
//! what a command prints. How much is logged can be changed while the process runs.
//!
//! Never logs what libraries say below `info`: they print what they carry, messages
//! and names included.

use serde::{Deserialize, Serialize};
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// What Frontdesk's own crates are called, as their events are.
const OWN: &str = "frontdesk";
/// The longest that another level may be asked for: a day.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// Directives such as `info` or `warn,frontdesk_gateway=debug`.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info,openraft=error".into(), format: LogFormat::Text }
    }
}

/// Why logging could not be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is no valid directive.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Only targets and levels are taken.
    #[error("log.level: {0:?}: write TARGET=LEVEL or LEVEL, separated by commas")]
    Form(String),
    /// It was set up before.
    #[error("logging was set up twice")]
    Twice,
    /// Asked for longer than a day, or for no time at all.
    #[error("another level may be asked for from a second to a day")]
    Time,
    /// The process ends.
    #[error("the log is gone")]
    Gone,
}

/// What is logged now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLevel {
    /// The directives in force.
    pub level: String,
    /// Those of the settings, to which the log returns.
    pub configured: String,
    /// Seconds until it does; absent when it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns_in_seconds: Option<u64>,
}

/// Changes what is logged.
#[derive(Debug, Clone)]
pub struct LogControl(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    filter: reload::Handle<EnvFilter, Registry>,
    configured: String,
    changed: Mutex<Option<Changed>>,
}

/// Another level than the configured one, for a while.
#[derive(Debug)]
struct Changed {
    level: String,
    until: Instant,
    /// Puts the configured one back.
    back: JoinHandle<()>,
}

impl LogControl {
    /// What is logged now.
    pub fn level(&self) -> LogLevel {
        let changed = self.0.lock();
        let configured = self.0.configured.clone();
        match &*changed {
            Some(Changed { level, until, .. }) => {
                let left = until.saturating_duration_since(Instant::now());
                let returns_in_seconds = Some(left.as_secs());
                LogLevel { level: level.clone(), configured, returns_in_seconds }
            }
            None => LogLevel { level: configured.clone(), configured, returns_in_seconds: None },
        }
    }

    /// Logs by other directives, then again by the configured ones. To be called within
    /// a runtime.
    pub fn change(&self, level: &str, time: Duration) -> Result<(), LogError> {
        if time < Duration::from_secs(1) || time > LONGEST {
            return Err(LogError::Time);
        }
        let filter = filter(level)?;
        let mut changed = self.0.lock();
        self.0.filter.reload(filter).map_err(|_| LogError::Gone)?;
        let until = Instant::now() + time;
        let inner = self.0.clone();
        // Ended by the next change, or by itself.
        let back = crate::tasks::spawn("logs.level", async move {
            tokio::time::sleep_until(until).await;
            inner.restore();
        });
        let before = changed.replace(Changed { level: level.to_owned(), until, back });
        if let Some(before) = before {
            before.back.abort();
        }
        drop(changed);
        tracing::info!(level, seconds = time.as_secs(), "logging by other directives for a while");
        Ok(())
    }

    /// Logs by the configured directives from now on.
    pub fn restore(&self) {
        if let Some(changed) = self.0.lock().take() {
            changed.back.abort();
        }
        self.0.restore();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Option<Changed>> {
        // Every write is one assignment: a poisoned state is a whole one.
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn restore(&self) {
        let mut changed = self.lock();
        // One that was replaced while this waited for the lock has been aborted only
        // now: the time of the newer one is not over.
        if changed.as_ref().is_some_and(|changed| changed.until > Instant::now()) {
            return;
        }
        *changed = None;
        // It was valid at the start, and without a subscriber there is no log.
        if let Ok(filter) = filter(&self.configured) {
            let _ = self.filter.reload(filter);
        }
    }
}

/// Starts logging for the process.
pub fn init_logs(settings: &LogSettings) -> Result<LogControl, LogError> {
    let (filter, handle) = reload::Layer::new(filter(&settings.level)?);
    let lines =
        fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let done = match settings.format {
        LogFormat::Text => tracing_subscriber::registry().with(filter).with(lines).try_init(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            tracing_subscriber::registry().with(filter).with(lines).try_init()
        }
    };
    done.map_err(|_| LogError::Twice)?;
    let (configured, changed) = (settings.level.clone(), Mutex::default());
    Ok(LogControl(Arc::new(Inner { filter: handle, configured, changed })))
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    Ok(EnvFilter::builder().parse(own_only(level)?)?)
}

/// The directives with those of libraries held at `info`.
fn own_only(level: &str) -> Result<String, LogError> {
    let mut kept = Vec::new();
    for directive in level.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        if directive.contains(['[', ']', '{', '}', '"', '\n']) {
            return Err(LogError::Form(directive.to_owned()));
        }
        let talks =
            |level: &str| ["debug", "trace", "4", "5"].contains(&&*level.to_ascii_lowercase());
        match directive.split_once('=') {
            None if talks(directive) => {
                kept.push("info".to_owned());
                kept.push(format!("{OWN}={directive}"));
            }
            Some((target, level)) if talks(level) && !target.starts_with(OWN) => {
                kept.push(format!("{target}=info"));
            }
            // A target alone stands for all that it says.
            None if !is_level(directive) && !directive.starts_with(OWN) => {
                kept.push(format!("{directive}=info"));
            }
            _ => kept.push(directive.to_owned()),
        }
    }
    Ok(kept.join(","))
}

fn is_level(word: &str) -> bool {
    let levels = ["off", "error", "warn", "info", "debug", "trace", "0", "1", "2", "3", "4", "5"];
    levels.contains(&&*word.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_held_at_info() {
        let own = |text: &str| own_only(text).unwrap();
        assert_eq!(own("info,openraft=error"), "info,openraft=error");
        assert_eq!(own("trace"), "info,frontdesk=trace");
        assert_eq!(own("DEBUG"), "info,frontdesk=DEBUG");
        assert_eq!(own("tokio_postgres=debug, warn"), "tokio_postgres=info,warn");
        assert_eq!(own("h2"), "h2=info", "a target without a level means everything");
        let gateway = "warn,frontdesk_gateway=trace";
        assert_eq!(own(gateway), gateway);
        assert!(matches!(own_only("x[span{a=1}]=trace"), Err(LogError::Form(_))));
        assert!(matches!(filter("info,frontdesk=louder"), Err(LogError::Level(_))));
        assert!(filter(&LogSettings::default().level).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn another_level_is_for_a_while() {
        let (_layer, handle) = reload::Layer::<_, Registry>::new(filter("info").unwrap());
        let configured = "info".to_owned();
        let inner = Inner { filter: handle, configured, changed: Mutex::default() };
        let control = LogControl(Arc::new(inner));
        let now = || (control.level().level, control.level().returns_in_seconds);
        control.change("debug", Duration::from_secs(60)).unwrap();
        assert_eq!(now(), ("debug".into(), Some(60)));
        tokio::time::sleep(Duration::from_secs(50)).await;
        control.change("trace", Duration::from_secs(60)).unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(now(), ("trace".into(), Some(40)), "the newer one counts");
        tokio::time::sleep(Duration::from_secs(41)).await;
        assert_eq!(now(), ("info".into(), None));

        control.change("warn", Duration::from_secs(60)).unwrap();
        control.restore();
        assert_eq!(now().0, "info");
        assert!(control.change("nonsense=9", Duration::from_secs(60)).is_err());
        assert!(control.change("info", Duration::ZERO).is_err());
        assert!(control.change("info", LONGEST * 2).is_err());
        assert_eq!(now().0, "info", "what is refused changes nothing");
    }
}
