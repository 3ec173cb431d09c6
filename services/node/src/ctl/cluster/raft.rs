//! The Raft group: who votes, who leads, and changing that.

use super::written::about_to;
use super::{CtlError, DEADLINE, Link, fit};
use crate::cli::{Output, RaftCommand};
use crate::ctl::{print_json, table};
use frontdesk_cluster::{ClusterQuestion, GroupStatus, MembershipChange, Question, VoterStatus};
use frontdesk_core::audit::Act;
use frontdesk_proto::api::ApiError;
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// For a change of who votes: the newcomer may have to catch up.
const CHANGE_DEADLINE: Duration = Duration::from_secs(15);
/// Answers of voters that do not lead, before one is believed.
const HOPS: usize = 3;

/// Runs one command.
pub(super) async fn run(link: &Link, output: Output, command: RaftCommand) -> Result<(), CtlError> {
    let change = match command {
        RaftCommand::Status => return print_status(&status(link).await?, output),
        RaftCommand::Add { address } => MembershipChange::Add { address },
        RaftCommand::Promote { voter } => MembershipChange::Promote { voter },
        RaftCommand::Remove { voter } => MembershipChange::Remove { voter },
        RaftCommand::Transfer { voter } => MembershipChange::Transfer { voter },
        RaftCommand::Fit(args) => return fit::run(link, output, &args).await,
    };
    let voter = change_voters(link, change).await?;
    match output {
        Output::Json => print_json(&json!({ "voter": voter }))?,
        Output::Table => println!("voter {voter}"),
    }
    Ok(())
}

/// One change, with the id that it is about.
pub(super) async fn change_voters(link: &Link, change: MembershipChange) -> Result<u64, CtlError> {
    about_to(link, Act::CHANGE_VOTERS, in_words(&change), json!({})).await?;
    let question = Question::Cluster(ClusterQuestion::ChangeVoters(change));
    Ok(link.cluster.ask_voters(&question, CHANGE_DEADLINE).await?)
}

/// As it is typed.
fn in_words(change: &MembershipChange) -> String {
    match change {
        MembershipChange::Add { address } => format!("add {address}"),
        MembershipChange::Promote { voter } => format!("promote {voter}"),
        MembershipChange::Remove { voter } => format!("remove {voter}"),
        MembershipChange::Transfer { voter } => format!("transfer {voter}"),
    }
}

/// As the leader sees it; as any voter does while there is none.
pub(crate) async fn status(link: &Link) -> Result<GroupStatus, ApiError> {
    let question = Question::Cluster(ClusterQuestion::Status);
    let mut seen: GroupStatus = link.cluster.ask_voters(&question, DEADLINE).await?;
    for _ in 0..HOPS {
        let leader = seen.voters.iter().find(|v| Some(v.id) == seen.leader && v.id != seen.by);
        let Some(leader) = leader else { break };
        match link.cluster.ask_at(&leader.address, &question, DEADLINE).await {
            Ok(better) => seen = better,
            Err(_) => break,
        }
    }
    Ok(seen)
}

/// The group, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group<'s> {
    told_by: u64,
    leader: Option<u64>,
    term: u64,
    last_log: u64,
    applied: u64,
    snapshot: u64,
    changing: bool,
    voters: Vec<Participant<'s>>,
}

/// One who takes part, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Participant<'s> {
    id: u64,
    address: &'s str,
    votes: bool,
    lag: Option<u64>,
    silent_ms: Option<u64>,
}

impl<'s> Group<'s> {
    fn new(status: &'s GroupStatus) -> Self {
        let participant = |v: &'s VoterStatus| Participant {
            id: v.id,
            address: &v.address,
            votes: v.votes,
            lag: v.lag,
            silent_ms: v.silent_ms,
        };
        Self {
            told_by: status.by,
            leader: status.leader,
            term: status.term,
            last_log: status.last_log,
            applied: status.applied,
            snapshot: status.snapshot,
            changing: status.changing,
            voters: status.voters.iter().map(participant).collect(),
        }
    }
}

fn print_status(status: &GroupStatus, output: Output) -> Result<(), CtlError> {
    if output == Output::Json {
        print_json(&Group::new(status))?;
        return Ok(());
    }
    let leader = status.leader.map_or_else(|| "none".to_owned(), |id| id.to_string());
    println!(
        "leader {leader}, term {}, log {}, applied {}, snapshot {}{}",
        status.term,
        status.last_log,
        status.applied,
        status.snapshot,
        if status.changing { ", a change of who votes is half done" } else { "" }
    );
    let heading = ["ID", "ADDRESS", "ROLE", "LAG", "LAST HEARD"];
    table::print(&heading, status.voters.iter().map(|v| cells(status, v)).collect());
    Ok(())
}

fn cells(status: &GroupStatus, voter: &VoterStatus) -> Vec<String> {
    let role = match (status.leader == Some(voter.id), voter.votes) {
        (true, _) => "leader",
        (false, true) => "voter",
        (false, false) => "learner",
    };
    vec![
        voter.id.to_string(),
        voter.address.clone(),
        role.to_owned(),
        voter.lag.map_or_else(|| "-".to_owned(), |lag| lag.to_string()),
        voter.silent_ms.map_or_else(|| "never".to_owned(), |ms| format!("{ms} ms ago")),
    ]
}
