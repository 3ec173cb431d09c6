//! `frontdesk cluster cut` and `heal`: breaks the network between processes of a
//! cluster that has namespaces, and mends it.

use super::roster::{self, Namespace, ProcessState};
use super::signal::find;
use super::{UpError, network};
use crate::cli::{CutArgs, HealArgs};

/// Cuts each of the processes named off from some others, or from all.
pub(crate) async fn cut(args: &CutArgs) -> Result<(), UpError> {
    let processes = roster::read(&args.cluster.data)?;
    let mut others = Vec::new();
    for name in &args.from {
        others.push(find(&processes, name).await?);
    }
    if others.is_empty() {
        others.extend(&processes);
    }
    for name in &args.names {
        let process = find(&processes, name).await?;
        for other in others.iter().filter(|other| other.name != process.name) {
            network::cut(namespace(process)?, namespace(other)?).await?;
        }
        println!("{}", process.name);
    }
    Ok(())
}

/// Mends everything.
pub(crate) async fn heal(args: &HealArgs) -> Result<(), UpError> {
    for process in &roster::read(&args.cluster.data)? {
        network::heal(namespace(process)?).await?;
    }
    Ok(())
}

fn namespace(process: &ProcessState) -> Result<&Namespace, UpError> {
    let none = || {
        let name = &process.name;
        UpError::Settings(format!("{name} has no network of its own: start with --namespaces"))
    };
    process.namespace.as_ref().ok_or_else(none)
}
