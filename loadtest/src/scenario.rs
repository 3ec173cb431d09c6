//! What a run does: TOML, checked before anything is started.

use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// Smallest message: the audit's header has to fit.
pub const MIN_MESSAGE_BYTES: usize = 64;
/// Largest message the protocol takes.
pub const MAX_MESSAGE_BYTES: usize = 32 * 1024;

/// What a run does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name for the report.
    pub name: String,
    /// The load.
    pub load: Load,
    /// Seconds of load before anything is counted.
    #[serde(default = "default_warm_up")]
    pub warm_up_seconds: u64,
    /// Seconds that are counted.
    pub seconds: u64,
}

fn default_warm_up() -> u64 {
    3
}

/// The kind of load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Load {
    /// As fast as it goes: each side of each conversation keeps `window`
    /// unacknowledged messages under way (closed model).
    Saturate {
        /// Conversations, each one visitor and one agent.
        conversations: usize,
        /// Bytes of a message's text.
        message_bytes: usize,
        /// Unacknowledged messages per side.
        window: u32,
        /// Agents that share the conversations.
        agents: usize,
    },
    /// At a fixed rate whatever the server does (open model); latency counts
    /// from the intended time.
    Open {
        /// Conversations, each one visitor and one agent.
        conversations: usize,
        /// Bytes of a message's text.
        message_bytes: usize,
        /// Messages a second over all conversations, both directions.
        messages_per_second: f64,
        /// Agents that share the conversations.
        agents: usize,
    },
    /// Connections that only answer pings, opened in steps; then each starts a
    /// conversation.
    Idle {
        /// Connections at the end.
        connections: usize,
        /// Steps, each followed by a measurement; 2–20.
        steps: usize,
    },
}

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML of this form; the message has line and reason.
    #[error("{path}: {source}")]
    Parse {
        /// The file.
        path: String,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("{path}: {reason}")]
    Value {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Scenario {
    /// Reads and checks a scenario.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: name.clone(), source })?;
        let scenario: Self = toml::from_str(&text)
            .map_err(|e| ScenarioError::Parse { path: name.clone(), source: Box::new(e) })?;
        scenario.check().map_err(|reason| ScenarioError::Value { path: name, reason })?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        if self.seconds == 0 {
            return Err("seconds must be at least 1".into());
        }
        match &self.load {
            Load::Saturate { conversations, message_bytes, window, agents } => {
                check_chats(*conversations, *message_bytes, *agents)?;
                positive("window", *window as usize)
            }
            Load::Open { conversations, message_bytes, messages_per_second, agents } => {
                check_chats(*conversations, *message_bytes, *agents)?;
                if messages_per_second.is_finite() && *messages_per_second > 0.0 {
                    return Ok(());
                }
                Err("messages_per_second must be above 0".into())
            }
            Load::Idle { connections, steps } => {
                positive("connections", *connections)?;
                if (2..=20).contains(steps) { Ok(()) } else { Err("steps must be 2 to 20".into()) }
            }
        }
    }

    /// The time that is not counted.
    pub fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm_up_seconds)
    }

    /// The time that is counted.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn check_chats(conversations: usize, bytes: usize, agents: usize) -> Result<(), String> {
    positive("conversations", conversations)?;
    positive("agents", agents)?;
    if !(MIN_MESSAGE_BYTES..=MAX_MESSAGE_BYTES).contains(&bytes) {
        return Err(format!("message_bytes must be {MIN_MESSAGE_BYTES} to {MAX_MESSAGE_BYTES}"));
    }
    Ok(())
}

fn positive(what: &str, n: usize) -> Result<(), String> {
    if n == 0 { Err(format!("{what} must be at least 1")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scenario, String> {
        let scenario: Scenario = toml::from_str(text).map_err(|e| e.to_string())?;
        scenario.check().map(|()| scenario)
    }

    #[test]
    fn the_shipped_scenarios_are_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            Scenario::read(&entry.unwrap().path()).unwrap();
            count += 1;
        }
        assert!(count >= 4, "{count}");
    }

    #[test]
    fn mistakes_are_named() {
        let base = "name = \"x\"\nseconds = 1\n[load]\nkind = \"idle\"\nconnections = 5\n";
        assert!(parse(&format!("{base}steps = 5")).is_ok());
        assert!(parse(&format!("{base}steps = 1")).unwrap_err().contains("steps"));
        let unknown = parse(&format!("{base}steps = 5\nspeed = 3")).unwrap_err();
        assert!(unknown.contains("speed"), "{unknown}");
    }
}
