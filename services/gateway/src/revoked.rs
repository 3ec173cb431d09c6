//! Ends the connections of accounts whose sessions were ended. One question for each site
//! with staff here, every few seconds, however many are connected.

use crate::shared::{CALL_DEADLINE, Shared, within};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often desk is asked: the longest a connection outlives its sign-out, but for the
/// second that desk remembers its answer.
const EVERY: Duration = Duration::from_secs(2);

/// Looks until the gateway stops.
pub(crate) async fn watch(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = sleep(EVERY) => {}
        }
        look(&shared).await;
    }
}

async fn look(shared: &Shared) {
    for site in shared.standings.sites() {
        if shared.stopping.is_cancelled() {
            return;
        }
        let asked = shared.deps.desk.generations(&site);
        match within(CALL_DEADLINE, "desk", asked).await {
            Ok(generations) => shared.standings.end_older(&site, &generations),
            // Looked at again soon; an earlier version of the desk does not know.
            Err(error) => tracing::debug!(%error, "it is not known whose sessions were ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status_of_transcript;
    use crate::settings::TokenKey;
    use crate::testing::{TestClient, World, key};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use frontdesk_proto::v1::client_frame::Request;
    use frontdesk_proto::v1::server_frame::Frame;
    use frontdesk_proto::v1::{Hello, RefreshToken};
    use std::sync::atomic::Ordering;

    const SIGNED_OUT: Option<u16> = Some(4205);
    const REFUSED: Option<u16> = Some(4200);

    #[tokio::test]
    async fn whoever_is_signed_out_is_cut_off_and_its_tokens_are_refused() {
        let world = World::start().await;
        let shared = &world.gateway.shared;
        let (mut visitor, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
        let (mut agent, _) = TestClient::hello(&world, false, world.agent(), vec![]).await;
        look(shared).await;
        assert_eq!(status_of_transcript(&world, &world.agent()).await, 404);
        world.desk.generation.store(1, Ordering::SeqCst);
        // A token that is got just before the end is as old as the connection.
        let refresh = Request::RefreshToken(RefreshToken::default());
        let Frame::TokenRefreshed(fresh) = agent.ask(refresh.clone()).await else {
            panic!("not refreshed")
        };
        look(shared).await;
        assert_eq!(agent.close_code().await, SIGNED_OUT);
        assert!(matches!(visitor.ask(refresh).await, Frame::TokenRefreshed(_)));
        for token in [world.agent(), world.supervisor(), fresh.token] {
            assert_eq!(status_of_transcript(&world, &token).await, 401);
            let mut client = TestClient::connect(&world, true).await;
            client.send(1, Request::Hello(Hello { token, ..Hello::default() })).await;
            assert_eq!(client.close_code().await, REFUSED);
        }
        let (mut again, _) = TestClient::hello(&world, true, world.agent_of(1), vec![]).await;
        look(shared).await;
        assert!(matches!(again.ask(Request::ListTeam(Default::default())).await, Frame::Team(_)));
    }

    #[tokio::test]
    async fn a_connection_ends_when_the_key_of_its_token_goes() {
        let world = World::start().await;
        let ring = world.gateway.key_ring();
        let other = TokenKey { kid: "other".into(), secret: STANDARD.encode([9; 32]), ..key() };
        let (mut stays, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
        let (mut goes, _) = TestClient::hello(&world, false, world.visitor(), vec![]).await;
        ring.replace(&[other.clone(), key()]).unwrap();
        // It goes on with the new key; the other one does not.
        let refreshed = stays.ask(Request::RefreshToken(RefreshToken::default())).await;
        assert!(matches!(refreshed, Frame::TokenRefreshed(_)));
        assert!(ring.replace(&[]).is_err());
        ring.replace(&[other]).unwrap();
        assert_eq!(goes.close_code().await, REFUSED);
        let refreshed = stays.ask(Request::RefreshToken(RefreshToken::default())).await;
        assert!(matches!(refreshed, Frame::TokenRefreshed(_)));
        assert_eq!(status_of_transcript(&world, &world.visitor()).await, 401);
    }
}
