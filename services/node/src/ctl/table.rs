//! Tables for people: columns as wide as their content.

use crate::chat::screen;
use frontdesk_proto::v1::{AgentState, ConversationState, QueueState};

/// Prints rows under a heading; characters count as one column each.
pub(crate) fn print(heading: &[&str], rows: Vec<Vec<String>>) {
    let mut width: Vec<usize> = heading.iter().map(|h| h.len()).collect();
    for row in &rows {
        for (w, cell) in width.iter_mut().zip(row) {
            *w = (*w).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<String>| {
        let padded: Vec<String> =
            cells.iter().zip(&width).map(|(c, w)| format!("{c:<w$}")).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(heading.iter().map(ToString::to_string).collect());
    rows.into_iter().for_each(line);
}

fn seconds(d: Option<frontdesk_proto::wkt::Duration>) -> String {
    d.map_or_else(|| "-".into(), |d| format!("{}s", d.seconds))
}

/// Agents with status and load.
pub(super) fn agents(agents: &[AgentState]) {
    let rows = agents
        .iter()
        .map(|a| {
            let who = a.agent.as_ref();
            vec![
                who.map(screen::name).unwrap_or_default(),
                screen::word(a.status().as_str_name()),
                format!("{}/{}", a.load, a.capacity),
                a.connections.to_string(),
                who.map(|p| p.id.clone()).unwrap_or_default(),
                a.reason.clone(),
            ]
        })
        .collect();
    print(&["NAME", "STATUS", "LOAD", "CONNECTIONS", "ID", "REASON"], rows);
}

/// Queues with how many wait.
pub(super) fn queues(queues: &[QueueState]) {
    let rows = queues
        .iter()
        .map(|q| {
            vec![
                q.queue.clone(),
                q.waiting.to_string(),
                q.offered.to_string(),
                q.agents_online.to_string(),
                seconds(q.estimated_wait),
            ]
        })
        .collect();
    print(&["QUEUE", "WAITING", "OFFERED", "AGENTS", "ESTIMATE"], rows);
}

/// Conversations.
pub(super) fn conversations(conversations: &[ConversationState]) {
    let rows = conversations
        .iter()
        .map(|c| {
            vec![
                c.conversation_id.clone(),
                screen::word(c.phase().as_str_name()),
                c.queue.clone(),
                c.visitor.as_ref().map(screen::name).unwrap_or_default(),
                c.agent.as_ref().map_or_else(|| "-".into(), screen::name),
                c.head_seq.to_string(),
                c.tags.join(","),
            ]
        })
        .collect();
    print(&["CONVERSATION", "PHASE", "QUEUE", "VISITOR", "AGENT", "EVENTS", "TAGS"], rows);
}
