//! Sessions that are ended, and keys that are replaced, while the server runs.

use crate::terminal::{ctl, ctl_json};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::AgentStatus;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id};
use std::path::Path;

const REFUSED: u32 = 4200;
const SIGNED_OUT: u32 = 4205;

/// What a call with this token comes to, about a conversation that does not exist.
async fn status(server: &Server, token: &str) -> u16 {
    let path = format!("/v1/conversations/{}/transcript", fresh_id());
    server.http().get_as(token, &path).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_signs_an_agent_out_everywhere() {
    let mut server = Server::start().await;
    let (account, mail) = (server.agent(0), server.agent(0).email);
    let before = server.sign_in(&account).await.token;
    let (mut alex, _) = Wire::open(&server, Carrier::WebSocketJson, &before).await;
    alex.status(AgentStatus::Online).await;
    let said = ctl(&server, &["agents", "revoke", &mail]);
    assert!(said.contains(&mail), "{said}");
    assert_eq!(alex.end().await, SIGNED_OUT);
    assert_eq!(status(&server, &before).await, 401);
    let after = server.sign_in(&account).await.token;
    assert_eq!(status(&server, &after).await, 404);
    Wire::open(&server, Carrier::Grpc, &after).await;
    let log = ctl_json(&server, &["audit", "--act", "end_sessions"]);
    assert_eq!(log[0]["details"]["email"], *mail);

    server.kill();
    server.start_again().await;
    assert_eq!((status(&server, &before).await, status(&server, &after).await), (401, 404));

    // An account that is disabled is signed out as well, which its connections notice.
    let (mut alex, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &after).await;
    let file = server.data().join("desk.yaml");
    let boss = server.supervisor().email;
    let document = format!(
        "title: x\nqueues: [{{ name: general }}]\nagents:\n  - {{ email: {mail}, name: Alex, \
         disabled: true }}\n  - {{ email: {boss}, name: Sam, role: supervisor }}\n"
    );
    std::fs::write(&file, document).expect("written");
    ctl(&server, &["apply", "-f", &file.display().to_string()]);
    assert_eq!(alex.end().await, SIGNED_OUT);
}

fn write_keys(file: &Path, kids: &[(&str, u8)]) {
    use base64::Engine as _;
    let key = |(kid, byte): &(&str, u8)| {
        let secret = base64::engine::general_purpose::STANDARD.encode([*byte; 32]);
        format!("{{kid=\"{kid}\",secret=\"{secret}\"}}")
    };
    let keys: Vec<String> = kids.iter().map(key).collect();
    std::fs::write(file, format!("[{}]", keys.join(",\n"))).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_replaced_without_a_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("keys");
    write_keys(&file, &[("old", 1)]);
    let server = Plan::default().set("gateway.keys_file", file.display()).start().await;
    let old = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &old).await;
    assert_eq!(status(&server, &old).await, 404);
    write_keys(&file, &[("new", 2)]);
    assert_eq!(visitor.end().await, REFUSED, "it ends once the file has been read again");
    assert_eq!(status(&server, &old).await, 401);
    let new = server.visitor_token().await.token;
    assert_eq!(status(&server, &new).await, 404);
}
