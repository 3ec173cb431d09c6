//! Configuration and decisions, for supervisors.

use super::timestamp_to_proto;
use crate::api::{Applied, Explanation};
use crate::v1;
use frontdesk_core::presence::AgentView;
use std::collections::HashMap;
use std::sync::Arc;

/// What came of a configuration.
pub fn applied_to_proto(applied: Applied) -> v1::ApplyConfigurationResponse {
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let problems = applied.problems.into_iter().map(|problem| v1::ConfigurationProblem {
        line: narrow(problem.line),
        column: narrow(problem.column),
        reason: problem.reason,
    });
    let made = applied.made.into_iter();
    let made = made.map(|made| v1::NewAccount { email: made.email, password: made.password });
    v1::ApplyConfigurationResponse {
        version: narrow(applied.version),
        changes: applied.changes,
        problems: problems.collect(),
        made: made.collect(),
    }
}

/// A decision, with the names of its candidates where they are known.
pub fn explanation_to_proto(
    explained: &Explanation,
    agents: &[Arc<AgentView>],
) -> v1::ExplainConversationResponse {
    let names: HashMap<_, _> = agents.iter().map(|a| (a.id, &a.profile.name)).collect();
    let candidates = explained.trace.candidates.iter().map(|(agent, verdict)| v1::Candidate {
        agent_id: agent.to_string(),
        name: names.get(agent).map(ToString::to_string).unwrap_or_default(),
        verdict: verdict.as_str().to_owned(),
    });
    let required = explained.trace.required.iter();
    v1::ExplainConversationResponse {
        decided_at: Some(timestamp_to_proto(explained.at)),
        queue: explained.queue.to_string(),
        waiting_since: Some(timestamp_to_proto(explained.waiting_since)),
        required: required.map(|(skill, level)| (skill.to_string(), level.get().into())).collect(),
        candidates: candidates.collect(),
        language: explained.trace.language.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
