//! Every route of HTTP, as the API's own description lists them.

use super::world::World;
use super::{CALLERS, Place, Who};
use bytes::Bytes;
use frontdesk_tests::wire::fresh_id;
use http::Method;
use serde_json::Value;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Everybody; nobody's data.
    Anybody,
    /// Whoever may read the conversation.
    Conversation,
    /// The same, of the file's conversation.
    File,
}

const RULES: [(&str, Rule); 23] = [
    ("GET /", Rule::Anybody),
    ("GET /auth/methods", Rule::Anybody),
    // What these ask for is in cookies that only the browser of a sign-in has.
    ("GET /auth/oidc/callback", Rule::Anybody),
    ("GET /auth/oidc/start", Rule::Anybody),
    ("GET /console/", Rule::Anybody),
    ("GET /console/{path}", Rule::Anybody),
    ("GET /demo/", Rule::Anybody),
    ("GET /demo/config.json", Rule::Anybody),
    ("GET /demo/{path}", Rule::Anybody),
    ("GET /livez", Rule::Anybody),
    ("GET /metrics", Rule::Anybody),
    ("GET /openapi.json", Rule::Anybody),
    ("GET /readyz", Rule::Anybody),
    ("GET /supervisor/", Rule::Anybody),
    ("GET /supervisor/{path}", Rule::Anybody),
    ("GET /v1/attachments/{id}", Rule::File),
    ("GET /v1/conversations/{id}/transcript", Rule::Conversation),
    // An upgrade; what is then asked is the table of verbs'.
    ("GET /v1/ws", Rule::Anybody),
    ("GET /widget/{path}", Rule::Anybody),
    ("POST /auth/oidc/token", Rule::Anybody),
    ("POST /v1/agent/sign-in", Rule::Anybody),
    ("POST /v1/conversations/{id}/attachments", Rule::Conversation),
    ("POST /v1/visitor/token", Rule::Anybody),
];

/// The routes that a description lists, sorted.
pub(super) fn of(described: &Value) -> Vec<String> {
    let paths = described["paths"].as_object().expect("it lists paths");
    let routes = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("it lists methods").keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let mut routes: Vec<String> = routes.collect();
    routes.sort();
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_does_what_the_table_says() {
    let mut world = World::start().await;
    let described: Value = world.server.http().get("/openapi.json").await.expect_ok().json();
    assert_eq!(of(&described), RULES.map(|(route, _)| route), "each route needs a rule");

    let mut wrong = Vec::new();
    for (route, rule) in RULES {
        if rule == Rule::Anybody {
            continue;
        }
        for (who, place) in CALLERS {
            let id = match rule {
                Rule::File => file(&mut world, who, place).await,
                _ => world.conversation(who, place).await,
            };
            let expected = match (who, place) {
                (_, Place::Own) | (Who::Supervisor, Place::Other) => 200..300,
                _ => 404..405,
            };
            let token = world.token(who, place).to_owned();
            let (seen, said) = call(&world, route, &token, &id).await;
            if !expected.contains(&seen) {
                wrong.push(format!("{route} {who:?} {place:?}: {seen}, not {expected:?}"));
            }
            if seen == 404 {
                let none = fresh_id();
                let (_, of_none) = call(&world, route, &token, &none).await;
                assert_eq!(said.replace(&id, "ID"), of_none.replace(&none, "ID"), "{route}");
            }
        }
        for token in ["", "nonsense"] {
            let (seen, _) = call(&world, route, token, &fresh_id()).await;
            if seen != 401 {
                wrong.push(format!("{route} without a token: {seen}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n  {}", wrong.len(), wrong.join("\n  "));
}

/// A file in the conversation that this caller asks about, put there by its visitor.
pub(super) async fn file(world: &mut World, who: Who, place: Place) -> String {
    let id = world.conversation(who, place).await;
    let token = world.visitor_of(&id).to_owned();
    let route = "POST /v1/conversations/{id}/attachments";
    let (status, said) = call(world, route, &token, &id).await;
    assert_eq!(status, 201, "{said}");
    let file: Value = serde_json::from_str(&said).expect("JSON");
    file["id"].as_str().expect("a file has an id").to_owned()
}

pub(super) async fn call(world: &World, route: &str, token: &str, id: &str) -> (u16, String) {
    let (method, path) = route.split_once(' ').expect("METHOD PATH");
    let (method, path) = (method.parse::<Method>().expect("a method"), path.replace("{id}", id));
    let http = world.server.http();
    let call = match token {
        "" => http.call(method.clone(), &path),
        token => http.call_as(token, method.clone(), &path),
    };
    let body = if method == Method::POST { "a file" } else { "" };
    let answer = http.send(call.header("x-file-name", "a.txt"), Bytes::from(body)).await;
    (answer.status.as_u16(), answer.text())
}
