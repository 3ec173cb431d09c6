//! Lets time pass: on the leader, proposes an `Expire` when a deadline has come,
//! and otherwise sleeps until one does.

use frontdesk_cluster::{Clock, PresenceGroup};
use frontdesk_core::presence::{Action, RequestId};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Pause after a proposal that failed or moved no deadline (the leader has
/// changed to one whose clock is behind).
const RETRY: Duration = Duration::from_millis(200);

/// Runs until the group ends or the task is aborted.
pub(crate) async fn run(group: PresenceGroup, clock: Arc<dyn Clock>) {
    let mut leading = group.leading();
    let mut deadline = group.next_deadline();
    loop {
        if leading.wait_for(|leads| *leads).await.is_err() {
            return;
        }
        let due = *deadline.borrow_and_update();
        let sleep = async {
            match due {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            changed = deadline.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            changed = leading.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        }
        let request = RequestId::from_uuid(Uuid::now_v7());
        if let Err(error) = group.propose(request, Action::Expire).await {
            tracing::warn!(%error, "presence could not expire what is due; trying again");
        }
        if *deadline.borrow() == due {
            tokio::time::sleep(RETRY).await;
        }
    }
}
