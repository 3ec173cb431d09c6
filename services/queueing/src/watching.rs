//! Which alarms of a group's sites are due: found, carried out, and looked for again when
//! the owners have answered.

use crate::group::{FARTHEST_LOOK, Group, LOOK_AFTER};
use crate::raising::{Found, Told};
use crate::site::Site;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, ConversationId, QueueId};
use frontdesk_core::presence::AgentStatus;
use frontdesk_core::queue::{Due, Plan};
use frontdesk_core::time::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

impl Group {
    /// Has done what is due, as far as there is room.
    pub(crate) fn watch_due(&mut self) {
        let (now, there) = (Instant::now(), self.now());
        let due = |site: &Site| site.next_watch.is_some_and(|at| at <= now);
        for (id, site) in self.sites.iter_mut().filter(|(_, site)| due(site)) {
            let room = self.raising.room();
            // What there is no room for is looked at as soon as anything is over.
            site.next_watch = None;
            for (conversation, due) in site.due(there, room) {
                self.raising.begin(id, conversation, due);
            }
            if self.raising.room() > 0 {
                site.watch_when_due(there);
            }
        }
    }

    /// Takes what came of one conversation.
    pub(crate) fn told(&mut self, told: Told) {
        let now = self.now();
        if let Some(site) = self.sites.get_mut(&told.site) {
            match told.found {
                Found::So(summary) => site.looked(&summary, now),
                Found::Gone => site.vigil.forget(told.conversation),
                Found::Nothing => {}
            }
        }
        // Room for one more, of whatever site.
        self.sites.values_mut().for_each(|site| site.watch_when_due(now));
    }
}

impl Site {
    fn looked(&mut self, summary: &Summary, now: Timestamp) {
        self.vigil.looked(summary, now);
    }

    /// Has it looked, so much later at the latest, which alarms are due.
    pub(crate) fn watch_in(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        self.next_watch = Some(self.next_watch.map_or(at, |before| before.min(at)));
    }

    fn watch_when_due(&mut self, now: Timestamp) {
        if let Some(due) = self.vigil.next() {
            let wait = due.since(now).to_duration();
            self.watch_in(wait.clamp(LOOK_AFTER, FARTHEST_LOOK));
        }
    }

    fn due(&mut self, now: Timestamp, most: usize) -> Vec<(ConversationId, Vec<Due>)> {
        let mut vigil = std::mem::take(&mut self.vigil);
        let due = vigil.due(now, most, |queue| self.plan(queue), |agent| self.is_there(agent));
        self.vigil = vigil;
        due
    }

    fn plan(&self, queue: &QueueId) -> Option<Plan<'_>> {
        let config = self.configured(queue)?;
        Some(Plan {
            rules: &config.alarms,
            answer_within: config.answer_within,
            transfer_return: config.transfer_return,
            hours: self.hours(config),
        })
    }

    /// Whether an agent could be asked now.
    fn is_there(&self, agent: AgentId) -> bool {
        let is_there = |agent: &AgentId| {
            let view = self.agent(*agent)?;
            Some(view.status == AgentStatus::Online && !view.gateways.is_empty())
        };
        is_there(&agent).unwrap_or(false)
    }
}
