//! Who may call a process's internal port.

use crate::cluster;
use frontdesk_proto::internal::Document;
use frontdesk_proto::internal::role_service_client::RoleServiceClient;
use std::time::Duration;
use tonic::transport::Endpoint;

/// A stranger gets no answer from any process, not even that it may not ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reaches_no_internal_service() {
    let (cluster, _turn) = cluster().await;
    let cluster = cluster.expects("a peer was refused at the handshake");
    let mut asked = 0;
    for member in cluster.members() {
        let Some(internal) = member.internal else { continue };
        let endpoint = Endpoint::from_shared(format!("http://{internal}")).expect("an address");
        let channel = endpoint.timeout(Duration::from_secs(5)).connect_lazy();
        let question = Document { json: r#"{"cluster":"view"}"#.into() };
        let answer = RoleServiceClient::new(channel).ask(question).await;
        let refusal = answer.expect_err("a stranger is not answered");
        assert!(refusal.details().is_empty(), "{}: no role has spoken: {refusal}", member.name);
        asked += 1;
    }
    assert_eq!(asked, 12, "every process was asked");
    cluster.stop();
}
