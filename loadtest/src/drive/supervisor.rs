//! A supervisor, who follows some of the conversations and says nothing.

use super::RunError;
use super::common::{Common, Held, Stage};
use super::crew::{Crew, Seat};
use super::recorder::{Counter, Timer};
use crate::audit::{Dossier, Ear, Findings};
use crate::credentials::Login;
use frontdesk_client::{Heard, Session};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{Cursor, EventPush, Subscribe};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, watch};

/// Conversations one of them follows at once; more are not watched.
const MAX_WATCHED: usize = 500;

/// What all supervisors of a worker take their conversations from.
pub(super) type ToWatch = Arc<Mutex<mpsc::Receiver<(String, u32)>>>;

/// A supervisor who is online.
pub(super) struct Supervisor {
    common: Arc<Common>,
    session: Session,
    shard: u32,
    watched: HashMap<String, (u32, Ear)>,
    findings: Findings,
}

impl Supervisor {
    /// Signs in.
    pub(super) async fn come(
        common: Arc<Common>,
        crew: &Crew,
        n: u32,
        login: &Login,
    ) -> Result<Self, RunError> {
        let (session, _) = crew.staff(&common, Seat::Supervisor(n), login).await?;
        let (watched, findings) = (HashMap::new(), Findings::default());
        Ok(Self { common, session, shard: n, watched, findings })
    }

    /// Watches until the end.
    pub(super) async fn watch(
        mut self,
        mut stage: watch::Receiver<Stage>,
        to_watch: ToWatch,
    ) -> Result<(), RunError> {
        let common = self.common.clone();
        let _here = Held::new(&common.gauges.connections);
        while *stage.borrow_and_update() != Stage::Over {
            let room = self.watched.len() < MAX_WATCHED;
            tokio::select! {
                biased;
                Ok(()) = stage.changed() => {}
                heard = self.session.next() => self.heard(heard?).await,
                Some((id, number)) = async { to_watch.lock().await.recv().await }, if room => {
                    self.follow(id, number);
                }
            }
        }
        let left: Vec<String> = self.watched.keys().cloned().collect();
        for conversation in left {
            self.finish(&conversation, true).await;
        }
        Ok(())
    }

    fn follow(&mut self, conversation_id: String, number: u32) {
        let cursor = Some(Cursor { conversation_id: conversation_id.clone(), seq: 0 });
        if self.session.submit(Request::Subscribe(Subscribe { cursor })).is_ok() {
            let ear =
                Ear::new(self.common.run, number, conversation_id.clone(), "supervisor", None);
            self.watched.insert(conversation_id, (number, ear));
        }
    }

    async fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Event(push) => self.event(&push).await,
            Heard::Breach { conversation, breach } => {
                self.findings.breach(&conversation, breach, "supervisor");
            }
            Heard::Connected(_) => {
                self.common.count(self.shard, Counter::Connected);
                if self.session.connections() > 1 {
                    self.common.count(self.shard, Counter::Reconnects);
                }
            }
            Heard::Unfollowed { conversation, error } => {
                self.common.tell(format!("supervisor: not followed: {}", error.message));
                self.finish(&conversation, false).await;
            }
            Heard::Deferred { .. } => self.common.count(self.shard, Counter::Deferred),
            _ => {}
        }
    }

    async fn event(&mut self, push: &EventPush) {
        let Some(event) = &push.event else { return };
        let Some((_, ear)) = self.watched.get_mut(&event.conversation_id) else { return };
        match &event.body {
            Some(Body::Message(message)) => {
                let heard = ear.message(&message.text, event.seq, &mut self.findings);
                if let Some(payload) = heard {
                    self.common.time(self.shard, Timer::Watched, payload.intended);
                }
            }
            Some(Body::Closed(_)) => {
                let conversation = event.conversation_id.clone();
                self.finish(&conversation, true).await;
            }
            _ => {}
        }
    }

    async fn finish(&mut self, conversation: &str, complete: bool) {
        let Some((number, ear)) = self.watched.remove(conversation) else { return };
        self.session.forget(conversation);
        self.common.found(std::mem::take(&mut self.findings));
        let dossier = Dossier {
            number,
            conversation: conversation.to_owned(),
            listener: "supervisor".to_owned(),
            complete,
            spoken: BTreeMap::new(),
            heard: ear.into_heard(),
        };
        self.common.file(dossier).await;
    }
}
