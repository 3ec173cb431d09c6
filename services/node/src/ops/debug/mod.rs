//! `/debug`: what the process is at, for whoever bears the admin token. Numbers, names of
//! processes and ids of conversations and connections; never what is said, nor by whom.

mod pages;
mod shown;

pub(crate) use shown::columns;

use super::Ops;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use frontdesk_bus::Bus;
use frontdesk_cluster::{Cluster, PresenceGroup};
use frontdesk_gateway::Inspector;
use frontdesk_proto::api::{Clock, Queueing};
use frontdesk_queueing::QueueingService;
use frontdesk_sessions::SessionsService;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Rows, all with the same fields; or why there are none now.
type Rows = Result<Value, String>;
type Draw = Arc<dyn Fn() -> BoxFuture<'static, Rows> + Send + Sync>;

/// A page: what it is about, and how it is drawn.
#[derive(Clone)]
struct Page {
    about: &'static str,
    draw: Draw,
}

/// The connections of a gateway, which may start after its pages do.
pub(crate) type LateInspector = Arc<OnceLock<Inspector>>;

/// The pages of a process.
#[derive(Clone)]
pub(crate) struct DebugPages(BTreeMap<&'static str, Page>);

impl Default for DebugPages {
    fn default() -> Self {
        Self(BTreeMap::new())
            .with("tasks", "Tasks by name: busiest_ratio near 1 never rests, running_for_ms large is stuck; those that are not named are the libraries'.", || Ok(pages::tasks()))
            .with("threads", "Threads with what they have used; R runs, S waits, D waits for a disk.", || Ok(pages::threads()))
    }
}

impl DebugPages {
    /// With the pages of an owner of conversations.
    pub(crate) fn sessions(self, sessions: &Arc<SessionsService>) -> Self {
        let (of, slow) = (sessions.clone(), sessions.clone());
        self.with("mailboxes", "Shards owned here, and what waits for them.", move || {
            Ok(pages::rows(&of.shards()))
        })
        .with("slow", "The slowest commits of the last minutes.", move || {
            Ok(pages::rows(&slow.slowest(pages::SLOWEST)))
        })
    }

    /// With the page of who owns what, as this process knows it.
    pub(crate) fn placement(self, cluster: &Arc<Cluster>) -> Self {
        let cluster = cluster.clone();
        self.with("placement", "Who owns which shard, as this process knows it.", move || {
            Ok(pages::placement(&cluster))
        })
    }

    /// With the pages of a gateway.
    pub(crate) fn connections(self, gateway: &LateInspector) -> Self {
        let (all, slow) = (gateway.clone(), gateway.clone());
        let starting = || "the gateway is starting".to_owned();
        self.with("connections", "Connections by carrier and state.", move || {
            let gateway = all.get().ok_or_else(starting)?;
            Ok(pages::rows(&gateway.connections()))
        })
        .with(
            "readers",
            "Connections that do not read what waits for them, worst first.",
            move || {
                let gateway = slow.get().ok_or_else(starting)?;
                Ok(pages::rows(&gateway.slowest(pages::SLOWEST)))
            },
        )
    }

    /// With the pages of a keeper of queues.
    pub(crate) fn queueing(self, queueing: &Arc<QueueingService>, clock: &Clock) -> Self {
        let (groups, asked, clock) = (queueing.clone(), queueing.clone(), clock.clone());
        let about = "Queues kept here in which anybody waits, and the others of their sites.";
        let draw: Draw = Arc::new(move || {
            let (queueing, clock): (Arc<dyn Queueing>, _) = (asked.clone(), clock.clone());
            async move { pages::queues(&*queueing, clock()).await.map_err(|e| e.to_string()) }
                .boxed()
        });
        self.page("queues", Page { about, draw }).with(
            "groups",
            "Tasks that keep queues, and what waits for them.",
            move || Ok(pages::rows(&groups.mailboxes())),
        )
    }

    /// With the page of a voter.
    pub(crate) fn raft(self, group: &PresenceGroup) -> Self {
        let group = group.clone();
        let about = "The presence group as this voter sees it; the leader alone knows lags.";
        self.with("raft", about, move || Ok(pages::raft(&group.status())))
    }

    /// With the page of the fan-out.
    pub(crate) fn bus(self, bus: &Arc<dyn Bus>) -> Self {
        let bus = bus.clone();
        let about = "Ways to gateways, and to the gateway of this process.";
        self.with("bus", about, move || Ok(pages::rows(&bus.inspect())))
    }

    fn with(
        self,
        name: &'static str,
        about: &'static str,
        draw: impl Fn() -> Rows + Send + Sync + 'static,
    ) -> Self {
        let draw: Draw = Arc::new(move || std::future::ready(draw()).boxed());
        self.page(name, Page { about, draw })
    }

    fn page(mut self, name: &'static str, page: Page) -> Self {
        self.0.insert(name, page);
        self
    }
}

/// How a page is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// `text`, `html` or `json`; without it browsers get HTML and others JSON.
    #[serde(default)]
    format: String,
}

/// As what an answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Text,
    Html,
}

impl Wanted {
    fn format(&self, headers: &HeaderMap) -> Format {
        let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        match self.format.as_str() {
            "text" => Format::Text,
            "html" => Format::Html,
            "" if accepts.is_some_and(|kinds| kinds.contains("text/html")) => Format::Html,
            _ => Format::Json,
        }
    }
}

/// The pages, with what they are about.
pub(super) async fn index(
    State(ops): State<Ops>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let pages: Vec<(&str, &str)> = ops.debug.0.iter().map(|(name, p)| (*name, p.about)).collect();
    shown::index(&pages, wanted.format(&headers))
}

pub(super) async fn page(
    State(ops): State<Ops>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let Some((name, page)) = ops.debug.0.get_key_value(name.as_str()) else {
        return (StatusCode::NOT_FOUND, "this process has no such page\n").into_response();
    };
    match (page.draw)().await {
        Ok(rows) => {
            let names: Vec<&str> = ops.debug.0.keys().copied().collect();
            shown::page(name, page.about, &names, &rows, wanted.format(&headers))
        }
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// How the pages look to people.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], shown::STYLE).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_html_and_programs_json_unless_they_say_otherwise() {
        let format = |accept: Option<&str>, wanted: &str| {
            let accept = accept.map(|kinds| (header::ACCEPT, kinds.parse().unwrap()));
            Wanted { format: wanted.into() }.format(&accept.into_iter().collect())
        };
        let browser = Some("text/html,application/xhtml+xml,*/*;q=0.8");
        assert_eq!(format(browser, ""), Format::Html);
        assert_eq!(format(browser, "json"), Format::Json);
        assert_eq!(format(browser, "text"), Format::Text);
        assert_eq!(format(None, "html"), Format::Html);
        assert_eq!(format(Some("*/*"), ""), Format::Json);
        assert_eq!(format(None, ""), Format::Json);
    }

    #[tokio::test]
    async fn every_page_is_rows_with_the_same_fields() {
        frontdesk_telemetry::tasks::spawn("test.page", async {}).await.unwrap();
        for (name, page) in &DebugPages::default().0 {
            let rows = (page.draw)().await.unwrap();
            let rows = rows.as_array().unwrap();
            let fields = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert!(!rows.is_empty(), "{name}");
            assert!(rows.iter().all(|row| fields(row) == fields(&rows[0])), "{name}");
            assert!(page.about.ends_with('.'), "{name}");
        }
    }
}
