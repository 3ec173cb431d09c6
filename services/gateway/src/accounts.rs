//! What supervisors do to accounts of their site. The desk writes it down first; sessions
//! that stand on this gateway end at once, those on others within seconds.

use crate::audit;
use crate::peer::Peer;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::party::Principal;
use frontdesk_proto::api::{ApiError, EndedSessions, Unbound};

/// Signs an account of the caller's site out everywhere; here at once.
pub(crate) async fn end_sessions(
    shared: &Shared,
    who: &Principal,
    peer: Peer,
    account: &str,
) -> Result<EndedSessions, ApiError> {
    let by = audit::author(shared, who, peer)
        .ok_or_else(|| ApiError::Forbidden("only a supervisor may do this".into()))?;
    let asked = shared.deps.desk.end_sessions(&who.site, account, by);
    let ended = within(CALL_DEADLINE, "desk", asked).await?;
    shared.standings.end_older(&who.site, &[(ended.agent, ended.generation)].into());
    Ok(ended)
}

/// Frees an account of the caller's site of whom it is bound to; here its sessions end at
/// once.
pub(crate) async fn unbind(
    shared: &Shared,
    who: &Principal,
    peer: Peer,
    account: &str,
) -> Result<Unbound, ApiError> {
    let by = audit::author(shared, who, peer)
        .ok_or_else(|| ApiError::Forbidden("only a supervisor may do this".into()))?;
    let asked = shared.deps.desk.unbind(&who.site, account, by);
    let freed = within(CALL_DEADLINE, "desk", asked).await?;
    shared.standings.end_older(&who.site, &[(freed.agent, freed.generation)].into());
    Ok(freed)
}
