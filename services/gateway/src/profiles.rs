//! What presence knows of the agents here is what desk says of them, even when their
//! accounts are changed while they are connected. Tells nobody else.

use crate::registry::Reader;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::presence::AgentProfile;
use frontdesk_proto::api::{AgentConnect, ApiError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often desk is asked. It remembers accounts for some seconds itself.
const EVERY: Duration = Duration::from_secs(10);

/// Looks until the gateway stops.
pub(crate) async fn watch(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = sleep(EVERY) => {}
        }
        for (reader, known) in shared.registry.agents.connections() {
            if shared.stopping.is_cancelled() {
                return;
            }
            if let Err(error) = look(&shared, &reader, &known).await {
                // Looked at again soon; whoever is away says so itself.
                tracing::debug!(%error, "an agent's account could not be compared");
            }
        }
    }
}

async fn look(shared: &Shared, reader: &Arc<Reader>, known: &AgentProfile) -> Result<(), ApiError> {
    let Some(agent) = reader.who.agent_id() else { return Ok(()) };
    let site = &reader.who.site;
    let account = within(CALL_DEADLINE, "desk", shared.deps.desk.agent(site, agent)).await?;
    let Some(account) = account.filter(|account| account.profile != *known) else {
        return Ok(());
    };
    let request = AgentConnect {
        site: site.clone(),
        agent,
        profile: account.profile.clone(),
        gateway: shared.deps.node_id.clone(),
        connection: reader.connection,
    };
    // Before presence hears of it: a connection that has ended meanwhile must not be
    // announced again.
    if shared.registry.agents.set_profile(reader, &account.profile) {
        within(CALL_DEADLINE, "presence", shared.deps.presence.connect(request)).await?;
    }
    Ok(())
}
