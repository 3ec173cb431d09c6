//! Looking at a site once a second for those who watch it. Knows nothing of what is on a
//! board but whether it has changed.

use super::Boards;
use crate::codec::{SharedPush, push_frame};
use crate::metrics::Metrics;
use crate::outbox::{Class, Pushed};
use frontdesk_core::ids::SiteId;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::v1::{self, server_frame::Frame};
use prost::Message as _;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// A board is sent again, unchanged, as a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// See the module.
pub(super) struct Poll<'a> {
    boards: &'a Boards,
    site: &'a SiteId,
    news: &'a Notify,
    /// The newest board, when there is one.
    last: Option<Last>,
}

struct Last {
    /// From 1.
    number: u64,
    board: v1::BoardPush,
    /// Encoded `v1::ServerFrame`.
    frame: Vec<u8>,
    made_at: Instant,
}

impl<'a> Poll<'a> {
    pub(super) fn new(boards: &'a Boards, site: &'a SiteId, news: &'a Notify) -> Self {
        Self { boards, site, news, last: None }
    }

    /// Looks until nobody watches.
    pub(super) async fn run<L>(mut self, look: impl Fn() -> L, metrics: &Metrics)
    where
        L: Future<Output = Result<v1::BoardPush, ApiError>>,
    {
        let mut next = Instant::now();
        let mut failing = false;
        while self.boards.goes_on(self.site) {
            if Instant::now() >= next {
                next = Instant::now() + EVERY;
                match look().await {
                    Ok(board) => {
                        failing = false;
                        self.learn(board);
                    }
                    Err(error) if failing => {
                        tracing::debug!(site = %self.site, %error, "the board is not known");
                    }
                    Err(error) => {
                        failing = true;
                        tracing::warn!(site = %self.site, %error, "the board is not known");
                    }
                }
            }
            self.tell(metrics);
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.news.notified() => {}
            }
        }
    }

    /// What was seen is a new board when it differs or the last one is old.
    fn learn(&mut self, mut board: v1::BoardPush) {
        let at = board.at.take();
        let number = match &self.last {
            None => 1,
            Some(last) if last.board != board || last.made_at.elapsed() >= SIGN_OF_LIFE => {
                last.number + 1
            }
            Some(_) => return,
        };
        let whole = v1::BoardPush { at, ..board.clone() };
        let frame = push_frame(Frame::Board(whole)).encode_to_vec();
        self.last = Some(Last { number, board, frame, made_at: Instant::now() });
    }

    /// Sends the newest board to those who have not seen it and have room; the others
    /// get the one that is the newest then.
    fn tell(&self, metrics: &Metrics) {
        let Some(last) = &self.last else { return };
        let mut shared = SharedPush::new(&last.frame);
        for reader in self.boards.behind(self.site, last.number) {
            if !reader.outbox.is_low() {
                metrics.shed.increment(1);
                continue;
            }
            let Some(piece) = shared.piece(reader.outbox.format()) else { continue };
            match reader.outbox.push(piece, Class::Hint) {
                Pushed::Queued => self.boards.sent(self.site, reader.connection, last.number),
                Pushed::Shed => metrics.shed.increment(1),
                Pushed::Closed => {}
            }
        }
    }
}
