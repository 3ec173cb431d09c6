//! Where the processes of a cluster tell of their health.

use super::{CtlError, DEADLINE, Link, member};
use frontdesk_cluster::{About, Question};
use frontdesk_proto::api::ApiError;
use std::net::{IpAddr, SocketAddr};

/// The address of each, in the order of the names.
pub(super) async fn all(link: &Link, names: &[String]) -> Result<Vec<String>, CtlError> {
    let voters = &link.settings.cluster.voters;
    let mut found = Vec::new();
    for name in names {
        let internal = match voters.iter().find(|voter| voter.name == *name) {
            Some(voter) => voter.address.clone(),
            None => member(&link.view().await?, name)?.address.to_string(),
        };
        let about = link.cluster.ask_at::<About>(&internal, &Question::About, DEADLINE).await;
        let about = about.map_err(|error| match error {
            ApiError::Invalid(_) | ApiError::Unimplemented(_) => {
                CtlError::Usage(format!("{name} is of an earlier version: name it with --at"))
            }
            error => CtlError::Api(error),
        })?;
        let at = about.health.as_deref().and_then(|health| reached(health, &internal));
        let none = || CtlError::Usage(format!("{name} has no cluster.health_listen"));
        found.push(at.ok_or_else(none)?);
    }
    Ok(found)
}

/// One that listens on all its addresses is reached at that of its internal listener.
fn reached(health: &str, internal: &str) -> Option<String> {
    let address: SocketAddr = health.parse().ok()?;
    let anywhere = match address.ip() {
        IpAddr::V4(ip) => ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_unspecified(),
    };
    match anywhere {
        false => Some(health.to_owned()),
        true => Some(format!("{}:{}", internal.rsplit_once(':')?.0, address.port())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_where_the_process_is() {
        let at = |health| reached(health, "gateway-1.frontdesk:7100").unwrap();
        assert_eq!(at("10.0.0.7:7101"), "10.0.0.7:7101");
        assert_eq!(at("0.0.0.0:7101"), "gateway-1.frontdesk:7101");
        assert_eq!(at("[::]:7101"), "gateway-1.frontdesk:7101");
        assert_eq!(reached("[::]:7101", "[::1]:7100").unwrap(), "[::1]:7101");
        assert_eq!(reached("nonsense", "a:1"), None);
    }
}
