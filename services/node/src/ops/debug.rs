//! `/debug`: what the process is at, for whoever bears the admin token. Numbers, names of
//! processes and ids of conversations; never what is said.

use super::Ops;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use frontdesk_cluster::Cluster;
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_sessions::SessionsService;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Slow commits that are shown.
const SLOWEST: usize = 50;
/// Roles whose shards are placed.
const PLACED: [NodeRole; 3] = [NodeRole::Sessions, NodeRole::Queueing, NodeRole::Routing];

/// Draws a page: a list of rows, all with the same fields.
type Page = Arc<dyn Fn() -> Value + Send + Sync>;

/// The pages of a process.
#[derive(Clone)]
pub(crate) struct DebugPages(BTreeMap<&'static str, Page>);

impl Default for DebugPages {
    fn default() -> Self {
        Self(BTreeMap::from([("tasks", Arc::new(tasks) as Page)]))
    }
}

impl DebugPages {
    /// With the pages of an owner of conversations.
    pub(crate) fn sessions(mut self, sessions: &Arc<SessionsService>) -> Self {
        let of = sessions.clone();
        self.0.insert("mailboxes", Arc::new(move || rows(&of.shards())));
        let of = sessions.clone();
        self.0.insert("slow", Arc::new(move || rows(&of.slowest(SLOWEST))));
        self
    }

    /// With the page of who owns what, as this process knows it.
    pub(crate) fn placement(mut self, cluster: &Arc<Cluster>) -> Self {
        let cluster = cluster.clone();
        self.0.insert("placement", Arc::new(move || placement(&cluster)));
        self
    }
}

fn rows<T: Serialize>(rows: &[T]) -> Value {
    // Numbers and texts always are JSON.
    serde_json::to_value(rows).unwrap_or_default()
}

/// What the runtime does; shards, which are the tasks that matter, are a page of their own.
fn tasks() -> Value {
    let Ok(runtime) = Handle::try_current() else { return Value::Array(Vec::new()) };
    let metrics = runtime.metrics();
    json!([{
        "workers": metrics.num_workers(),
        "alive": metrics.num_alive_tasks(),
        "ready_to_run": metrics.global_queue_depth(),
    }])
}

fn placement(cluster: &Cluster) -> Value {
    let view = cluster.view().borrow().clone();
    let row = |(role, shard): (NodeRole, ShardId)| {
        let place = view.place(role, shard)?;
        Some(json!({
            "role": role.as_str(),
            "shard": shard.get(),
            "owner": place.node.to_string(),
            "epoch": place.epoch.get(),
            "moving_to": place.moving.as_ref().map(|moving| moving.to.to_string()),
        }))
    };
    let all = PLACED.into_iter().flat_map(|role| ShardId::all().map(move |shard| (role, shard)));
    Value::Array(all.filter_map(row).collect())
}

/// How a page is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// `text` for people; JSON otherwise.
    #[serde(default)]
    format: String,
}

/// The names of the pages.
pub(super) async fn index(State(ops): State<Ops>) -> Json<Vec<&'static str>> {
    Json(ops.debug.0.keys().copied().collect())
}

pub(super) async fn page(
    State(ops): State<Ops>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Some(page) = ops.debug.0.get(name.as_str()) else {
        return (StatusCode::NOT_FOUND, "this process has no such page\n").into_response();
    };
    let rows = page();
    match wanted.format.as_str() {
        "text" => table(&rows).into_response(),
        _ => Json(rows).into_response(),
    }
}

/// Rows as lines, fields parted by tabs, their names first.
fn table(rows: &Value) -> String {
    let rows = rows.as_array().map_or(&[][..], Vec::as_slice);
    let fields = rows.first().and_then(Value::as_object);
    let names: Vec<&str> =
        fields.map_or_else(Vec::new, |row| row.keys().map(String::as_str).collect());
    let mut text = names.join("\t");
    for row in rows {
        let shown = |name: &&str| match &row[*name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let cells: Vec<String> = names.iter().map(shown).collect();
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{}", cells.join("\t"));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_lines() {
        let rows = json!([{ "a": 1, "b": null }, { "a": 2, "b": "x" }]);
        assert_eq!(table(&rows), "a\tb\n1\t-\n2\tx\n");
        assert_eq!(table(&json!([])), "\n");
    }
}
