//! One trace across the processes of a cluster, and the two ends of a call between them.

use crate::ONE_AT_A_TIME;
use frontdesk_client::{Address, Carrier};
use frontdesk_proto::v1::{AgentStatus, Token};
use frontdesk_tests::accounts::Account;
use frontdesk_tests::cluster::Cluster;
use frontdesk_tests::collector::{Collector, Sent, way_to};
use frontdesk_tests::http::Http;
use frontdesk_tests::wire::Wire;
use serde_json::json;

/// As few processes as have everything between them: two gateways, one of the rest.
const SMALL: [&str; 10] =
    ["--presence", "1", "--sessions", "1", "--queueing", "1", "--routing", "1", "--desks", "1"];

async fn token(gateway: &str, path: &str, ask: &serde_json::Value) -> String {
    let address = gateway.trim_start_matches("http://").parse().expect("an address");
    let answer = Http::new(address).post(path, ask).await.expect_ok();
    answer.json::<Token>().token
}

async fn agent_token(cluster: &Cluster, gateway: &str) -> String {
    let is_agent = |account: &&Account| account.role == "agent";
    let account = cluster.ready().agents.iter().find(is_agent).expect("the demo site has one");
    let (site, email) = (&cluster.ready().site, &account.email);
    let ask = json!({ "site": site, "email": email, "password": account.password });
    token(gateway, "/v1/agent/sign-in", &ask).await
}

fn instances(way: &[Sent]) -> Vec<String> {
    way.iter().filter_map(|sent| sent.process("service.instance.id")).collect()
}

/// The two spans of a call to a role, from one process to another.
fn call(sent: &[Sent], question: &str) -> Option<[Sent; 2]> {
    let is_asked = |sent: &&Sent| sent.text("question").as_deref() == Some(question);
    sent.iter().filter(is_asked).find_map(|server| {
        let client = sent.iter().filter(is_asked).find(|client| server.is_under(client))?;
        Some([client.clone(), server.clone()])
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_a_message_on_its_way_through_the_processes_of_a_cluster() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let collector = Collector::start();
    let cluster = Cluster::start_set(&SMALL, &collector.settings(1.0)).await;
    let gateways: Vec<String> = cluster.gateways().into_iter().map(str::to_owned).collect();
    let at = |n: usize| gateways[n].parse::<Address>().expect("an address");
    let carrier = Carrier::WebSocketProtobuf;
    let ask = json!({ "siteKey": cluster.ready().site_key });
    let theirs = token(&gateways[0], "/v1/visitor/token", &ask).await;
    let mut visitor = Wire::open_at(&at(0), carrier, &theirs).await;
    let own = agent_token(&cluster, &gateways[1]).await;
    let mut agent = Wire::open_at(&at(1), Carrier::Grpc, &own).await;
    agent.status(AgentStatus::Online).await;
    let id = visitor.start("Hello").await.conversation_id;
    agent.take(&id).await;
    agent.say(&id, "across").await;
    visitor.hear("across").await;

    let way = |sent: &[Sent]| way_to(sent, "visitor", "send");
    let way = collector.shows("a way across the cluster", way).await;
    let (here, owner, there) = ("gateway-2", "sessions-1", "gateway-1");
    assert_eq!(instances(&way), [here, here, owner, owner, owner, there]);
    let group = |sent: &[Sent]| {
        let mut groups = sent.iter().filter(|sent| sent.span.name == "journal.group");
        groups.any(|group| group.is_under(&way[3])).then_some(())
    };
    collector.shows("the group of its commit", group).await;

    let sign_in = collector.shows("a call to the desk", |sent| call(sent, "sign_in")).await;
    assert_eq!(instances(&sign_in), [here, "desk-1"]);
    let is_above = |sent: &[Sent]| sent.iter().find(|s| sign_in[0].is_under(s)).cloned();
    let above = collector.shows("what it was asked for", is_above).await;
    assert_eq!(above.text("http.route").as_deref(), Some("/v1/agent/sign-in"));

    let accept = collector.shows("a call to the router", |sent| call(sent, "accept")).await;
    assert_eq!(instances(&accept), [here, "routing-1"]);
    let offer = |sent: &[Sent]| {
        let offer = sent.iter().find(|sent| sent.span.name == "routing.offer")?;
        let asked = call(sent, "propose").filter(|_| offer.text("conversation").is_some())?;
        let reserved = sent.iter().any(|sent| sent.is_under(offer));
        (reserved && asked[1].process("frontdesk.role").as_deref() == Some("presence"))
            .then(|| offer.clone())
    };
    let offer = collector.shows("an offer", offer).await;
    assert_eq!(offer.text("conversation").as_deref(), Some(id.as_str()));
    drop((visitor, agent));
    cluster.stop();
}
