//! Which versions are compared, and whether all that is needed is there, so that
//! nobody waits for minutes to hear that something is missing.

use crate::systems::{Places, System};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;

/// Packages whose versions matter.
const PACKAGES: [&str; 3] = ["socket.io", "@socket.io/redis-adapter", "ioredis"];

/// A part and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// What.
    pub part: String,
    /// Which.
    pub version: String,
}

/// What is missing, and where it is to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is missing: {remedy}")]
pub struct Missing {
    what: String,
    remedy: String,
}

/// The versions of all that these systems need.
pub fn needed(systems: &[System], places: &Places) -> Result<Vec<Version>, Missing> {
    let mut versions = Vec::new();
    if systems.contains(&System::Relay) {
        exists(&places.binaries.join("frontdesk-relay"))?;
    }
    if systems.iter().any(|s| matches!(s, System::Frontdesk | System::FrontdeskCluster)) {
        versions.push(frontdesk(&places.binaries.join("frontdesk"))?);
    }
    if systems.iter().any(|system| system.needs_node()) {
        let said = says("node", "install Node.js 20 or newer")?;
        versions.push(version("Node.js", said.trim_start_matches('v')));
        for name in PACKAGES {
            versions.push(package(&places.node, name)?);
        }
    }
    if systems.contains(&System::FrontdeskCluster) {
        let said = says("postgres", "install PostgreSQL 15 or newer and put it on the path")?;
        versions.push(version("PostgreSQL", said.split(' ').nth(2).unwrap_or("unknown")));
    }
    if systems.iter().any(|s| matches!(s, System::SocketIoRedis | System::FrontdeskCluster)) {
        let said = says("redis-server", "install the package redis-server")?;
        versions.push(version("Redis", redis_version(&said).unwrap_or("unknown")));
    }
    Ok(versions)
}

fn version(part: &str, version: &str) -> Version {
    Version { part: part.to_owned(), version: version.to_owned() }
}

fn exists(program: &Path) -> Result<(), Missing> {
    let remedy = "build frontdesk-node and frontdesk-rivals with the same profile".to_owned();
    let missing = || Missing { what: program.display().to_string(), remedy };
    program.is_file().then_some(()).ok_or_else(missing)
}

fn frontdesk(program: &Path) -> Result<Version, Missing> {
    exists(program)?;
    let said = says(&program.display().to_string(), "it does not run: build it again")?;
    Ok(version("Frontdesk", said.rsplit(' ').next().unwrap_or("unknown")))
}

/// What a program answers to `--version`.
fn says(program: &str, remedy: &str) -> Result<String, Missing> {
    let missing = || Missing { what: program.to_owned(), remedy: remedy.to_owned() };
    let output = Command::new(program).arg("--version").output().map_err(|_| missing())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(missing()),
    }
}

/// In `Redis server v=7.0.15 sha=…`.
fn redis_version(said: &str) -> Option<&str> {
    said.split_whitespace().find_map(|word| word.strip_prefix("v="))
}

#[derive(Deserialize)]
struct Package {
    version: String,
}

fn package(node: &Path, name: &str) -> Result<Version, Missing> {
    let file = node.join("node_modules").join(name).join("package.json");
    let text = std::fs::read_to_string(&file).ok();
    let package = text.and_then(|text| serde_json::from_str::<Package>(&text).ok());
    let remedy = format!("run `npm ci` in {}", node.display());
    let missing = || Missing { what: format!("the npm package {name}"), remedy };
    package.map(|package| version(name, &package.version)).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::RedisAdapter;

    #[test]
    fn the_version_of_redis_is_found() {
        assert_eq!(redis_version("Redis server v=7.0.15 sha=0:0 bits=64"), Some("7.0.15"));
        assert_eq!(redis_version("something else"), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let empty = tempfile::tempdir().unwrap();
        let (binaries, node) = (empty.path().to_owned(), empty.path().to_owned());
        let places = Places { binaries, node, redis_adapter: RedisAdapter::Sharded };
        for (system, what) in [(System::Relay, "frontdesk-relay"), (System::Frontdesk, "frontdesk")]
        {
            let missing = needed(&[system], &places).unwrap_err().to_string();
            assert!(missing.contains(what) && missing.contains("build"), "{missing}");
        }
        let missing = package(empty.path(), "socket.io").unwrap_err().to_string();
        assert!(missing.contains("socket.io is missing: run `npm ci`"), "{missing}");
        assert_eq!(needed(&[], &places), Ok(Vec::new()));
    }
}
