//! Running mail on conversations in memory.

use super::Shard;
use super::erase::is_erasure;
use super::load::Unsettled;
use super::ready::{Encoded, Encoder, MAX_WAITING, Ready, Spares};
use crate::mail::{Held, Job, Mail};
use frontdesk_actor::{Residence, WaitingFull};
use frontdesk_core::conversation::{
    Alarm, AlarmKind, Body, Command, Conversation, Outcome, Reject, Step, Summary,
};
use frontdesk_core::ids::ConversationId;
use frontdesk_core::party::{Audience, Principal, Role};
use frontdesk_core::time::Timestamp;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::{ApiError, Attach, Attached};
use std::collections::VecDeque;

const TOO_MANY: &str = "too many commands wait for this conversation";

impl Shard {
    /// Runs one item, or lets it wait for its conversation.
    pub(super) fn take(&mut self, mail: Mail, now: Timestamp) {
        if self.fenced {
            self.turn_away(mail, ApiError::Moved);
            return;
        }
        let id = mail.conversation();
        if let Mail::Hint { internal, frame, .. } = mail {
            self.hint(id, internal, None, frame);
            return;
        }
        let mail = match mail {
            Mail::Command(job) if is_erasure(&job) => return self.take_erasure(id, job, now),
            mail => mail,
        };
        let residence = match &mail {
            // Lists must not keep in memory what they show.
            Mail::Look { live_only: true, .. } => self.residents.peek(id),
            _ => self.residents.find(id, self.turn),
        };
        match residence {
            Residence::Here(ready) => match ready.flight.as_deref_mut() {
                Some(flight) if flight.must_settle(self.late.iter().any(|c| c.is_of(id))) => {
                    if flight.waiting.len() < MAX_WAITING {
                        flight.waiting.push_back(mail);
                    } else {
                        self.turn_away(mail, ApiError::unavailable(TOO_MANY));
                    }
                }
                Some(flight) if flight.is_full() => {
                    self.turn_away(mail, ApiError::unavailable(TOO_MANY));
                }
                _ => self.run_on(id, mail, now),
            },
            Residence::Loading => {
                if let Err(WaitingFull(mail)) = self.residents.wait(id, mail) {
                    self.turn_away(mail, ApiError::unavailable(TOO_MANY));
                }
            }
            Residence::Away => match mail {
                Mail::Detach(gateway, _, who) => self.detach(&gateway, id, who),
                Mail::Look { live_only: true, .. } => {
                    mail.refuse(ApiError::NotFound("not in memory".into()));
                }
                mail => self.activate(id, VecDeque::from([mail]), Unsettled::default()),
            },
        }
    }

    fn run_on(&mut self, id: ConversationId, mail: Mail, now: Timestamp) {
        let Some(ready) = self.residents.get_mut(id) else { return };
        let held = match mail {
            Mail::Command(job) if is_for_an_absent(&job) && self.visitors.is_here(id) => {
                Held::Command(job, Err(Reject::State("the visitor is there")))
            }
            Mail::Command(mut job) => {
                let trace = job.taken();
                let result =
                    run_command(ready, (&job, trace), now, &mut self.spares, &mut self.encoder);
                Held::Command(job, result)
            }
            // Who asked has gone and will not detach.
            Mail::Attach(_, answer) if answer.is_closed() => return,
            Mail::Attach(request, answer) => {
                let result = attach(ready, &request).map(Box::new);
                if result.is_ok() {
                    if request.who.role == Role::Visitor {
                        self.visitors.came(id, &request.gateway);
                    }
                    let gateways = self.interest.entry(id).or_default();
                    if !gateways.contains(&request.gateway) {
                        gateways.push(request.gateway.clone());
                    }
                }
                Held::Attach(request, answer, result)
            }
            Mail::Look { conversation, who, answer, .. } => {
                let mut result = look(ready, who.as_ref());
                if let (Ok(summary), None) = (&mut result, &who) {
                    let seen = self.visitors.seen(id, summary.started_at);
                    summary.watch.visitor = Some(seen);
                }
                Held::Look { conversation, who, answer, result }
            }
            Mail::Detach(gateway, _, who) => {
                self.detach(&gateway, id, who);
                return;
            }
            Mail::Hint { .. } => return,
        };
        match &mut ready.flight {
            Some(flight) => {
                // The first answer that rests on this turn's events.
                if !flight.open.events.is_empty() && flight.open.held.is_empty() {
                    self.touched.push(id);
                }
                flight.hold(held);
            }
            None => self.say(id, held),
        }
    }

    /// Answers that it cannot be done now; what asks for no answer is done.
    pub(super) fn turn_away(&mut self, mail: Mail, error: ApiError) {
        match mail {
            Mail::Detach(gateway, id, who) => self.detach(&gateway, id, who),
            Mail::Command(_) => {
                self.parts.meters.unavailable.increment(1);
                mail.refuse(error);
            }
            mail => mail.refuse(error),
        }
    }
}

/// Whether it rests on the visitor's being away, which the conversation cannot know.
fn is_for_an_absent(job: &Job) -> bool {
    let command = &job.envelope.command;
    matches!(command, Command::Alarm(Alarm { kind: AlarmKind::VisitorLost, .. }))
}

fn run_command(
    ready: &mut Ready,
    (job, trace): (&Job, Option<TraceContext>),
    now: Timestamp,
    spares: &mut Spares,
    encoder: &mut Encoder,
) -> Result<Outcome, Reject> {
    let envelope = &job.envelope;
    let shown = |it: &Conversation| (it.has_preview(), it.alarms_kept());
    let before = ready.conversation.as_ref().map(shown);
    let step = match &mut ready.conversation {
        Some(conversation) => conversation.step(&envelope.origin, &envelope.command, now)?,
        None => {
            let (conversation, step) = Conversation::open(
                envelope.conversation,
                &envelope.origin,
                &envelope.command,
                now,
            )?;
            ready.conversation = Some(conversation);
            step
        }
    };
    let Step { events, outcome } = step;
    if events.is_empty() {
        return Ok(outcome);
    }
    let now = ready.conversation.as_ref().map(shown);
    let is_assigned = events.iter().any(|e| matches!(e.body, Body::Assigned { .. }));
    let readers = ready.conversation.as_ref().filter(|_| is_assigned).map(Conversation::readers);
    let readers = readers.unwrap_or_default();
    let flight = ready.flight.get_or_insert_with(|| spares.take());
    flight.open.listed |= now != before || events.iter().any(|e| !is_only_said(&e.body));
    if flight.open.events.is_empty() {
        // Mostly there is one event in a turn, where growing would take four.
        flight.open.events.reserve_exact(events.len());
    }
    let encoded = events.iter().map(|event| Encoded::new(event, &readers, encoder));
    flight.open.events.extend(encoded);
    if let (Some(trace), Some(last)) = (trace, flight.open.events.last_mut()) {
        last.trace = Some(Box::new(trace));
    }
    Ok(outcome)
}

/// Lists, queues and routing show nothing of it.
fn is_only_said(body: &Body) -> bool {
    match body {
        Body::Message { .. } | Body::Whisper { .. } => true,
        Body::Note { mentions, .. } => mentions.is_empty(),
        _ => false,
    }
}

fn attach(ready: &Ready, request: &Attach) -> Result<Attached, ApiError> {
    let conversation = readable(ready, Some(&request.who))?;
    let audience = audience_of(Some(&request.who));
    let head = conversation.head_for(audience);
    if request.cursor > head {
        return Err(ApiError::Invalid("the cursor is beyond the last event".into()));
    }
    Ok(Attached { summary: conversation.summary(), audience, head })
}

fn look(ready: &Ready, who: Option<&Principal>) -> Result<Box<Summary>, ApiError> {
    readable(ready, who).map(|c| Box::new(c.summary()))
}

fn readable<'a>(ready: &'a Ready, who: Option<&Principal>) -> Result<&'a Conversation, ApiError> {
    match &ready.conversation {
        Some(c) if who.is_none_or(|who| c.may_read(who)) => Ok(c),
        _ => Err(Reject::NotFound.into()),
    }
}

/// How a caller reads; the system (`None`) sees everything.
pub(crate) fn audience_of(who: Option<&Principal>) -> Audience {
    match who {
        Some(who) if who.role == Role::Visitor => Audience::Public,
        _ => Audience::Internal,
    }
}
