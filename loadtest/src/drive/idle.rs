//! A visitor who is connected and says nothing.

use super::agenda::{Act, Agenda};
use super::common::{Common, Held, Stage};
use super::crew::{Crew, Seat};
use super::recorder::{Counter, Timer};
use super::{RunError, cuts};
use crate::plan::Stay;
use frontdesk_client::Heard;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// Keeps the n-th connection while its stay lasts.
pub(super) async fn hold(
    common: Arc<Common>,
    crew: Arc<Crew>,
    mut stage: watch::Receiver<Stage>,
    n: u32,
    stay: Stay,
) -> Result<(), RunError> {
    let mut alone = Some(Instant::now());
    let mut here = None;
    let mut session = crew.visitor(&common, Seat::Idle(n)).await?;
    let mut agenda = Agenda::default();
    if stay.to < common.plan.length {
        agenda.add(stay.to, Act::Leave);
    }
    for at in cuts::of(&common, Seat::Idle(n), stay.from) {
        agenda.add(at, Act::Cut);
    }
    while *stage.borrow_and_update() != Stage::Over {
        tokio::select! {
            biased;
            Ok(()) = stage.changed() => {}
            () = agenda.rings(&common) => {
                while let Some((_, act)) = agenda.take(common.since()) {
                    match act {
                        Act::Leave => return Ok(()),
                        _ => session.cut(),
                    }
                }
            }
            heard = session.next() => match heard? {
                Heard::Connected(_) => {
                    here = Some(Held::new(&common.gauges.connections));
                    common.count(n, Counter::Connected);
                    if session.connections() > 1 {
                        common.count(n, Counter::Reconnects);
                    }
                    if let Some(alone) = alone.take() {
                        let taken = alone.elapsed();
                        let begin = common.since().saturating_sub(taken);
                        common.recorder.time(n, Timer::Connect, begin, taken);
                    }
                }
                Heard::Lost(why) => {
                    common.lost(&why);
                    here = None;
                    alone.get_or_insert_with(Instant::now);
                }
                _ => {}
            },
        }
    }
    drop(here);
    Ok(())
}
