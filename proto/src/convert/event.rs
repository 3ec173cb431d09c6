//! Events: what the journal holds.

use super::alarm;
use super::direct::put_event;
use super::erased;
use super::staff::{released_from_proto, released_to_proto, skills_from_proto, skills_to_proto};
use super::unserved;
use super::{
    ConvertError, participant_from_proto, participant_to_proto, timestamp_from_proto,
    timestamp_to_proto,
};
use crate::v1::{self, event::Body as Wire};
use crate::wkt;
use bytes::{Bytes, BytesMut};
use frontdesk_core::conversation::{
    Attachment, Body, ClosedReason, Contact, Event, OfferOutcome, QueuedReason,
};
use frontdesk_core::ids::Seq;
use frontdesk_core::party::{Audience, Participant};
use prost::Message as _;
use std::str::FromStr;

/// Encodes an event as `frontdesk.v1.Event`.
pub fn encode_event(event: &Event) -> Bytes {
    let mut bytes = BytesMut::new();
    put_event(event, &mut bytes);
    bytes.freeze()
}

/// Decodes what `encode_event` gave; `prev_public` is stored beside it.
pub fn decode_event(bytes: &[u8], prev_public: Seq) -> Result<Event, ConvertError> {
    event_from_proto(v1::Event::decode(bytes)?, prev_public)
}

/// To the wire.
pub fn event_to_proto(event: &Event) -> v1::Event {
    let audience = match event.body.audience() {
        Audience::Public => v1::Audience::Public,
        Audience::Internal => v1::Audience::Internal,
    };
    v1::Event {
        conversation_id: event.conversation.to_string(),
        seq: event.seq.get(),
        at: Some(timestamp_to_proto(event.at)),
        audience: audience.into(),
        by: Some(participant_to_proto(&event.by)),
        body: Some(body_to_proto(&event.body)),
    }
}

/// From the wire.
pub fn event_from_proto(event: v1::Event, prev_public: Seq) -> Result<Event, ConvertError> {
    Ok(Event {
        conversation: parse(&event.conversation_id, "event.conversation_id")?,
        seq: Seq::new(event.seq),
        prev_public,
        at: time(event.at.as_ref(), "event.at")?,
        by: participant(event.by, "event.by")?,
        body: body_from_proto(event.body.ok_or(ConvertError::Field("event.body"))?)?,
    })
}

fn body_to_proto(body: &Body) -> Wire {
    match body {
        Body::Started { site, attributes, page, language, channel, consent } => {
            Wire::Started(v1::Started {
                attributes: attributes
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_string()))
                    .collect(),
                page: page.to_string(),
                language: language.to_string(),
                site: site.to_string(),
                channel: channel.to_string(),
                consent: consent.as_ref().map(erased::consent_to_proto),
            })
        }
        Body::Message { client_msg_id, text, attachments } => Wire::Message(v1::Message {
            client_msg_id: client_msg_id.as_str().to_owned(),
            text: text.to_string(),
            attachments: attachments.iter().map(attachment_to_proto).collect(),
        }),
        Body::Note { client_msg_id, text, mentions } => Wire::Note(v1::Note {
            client_msg_id: client_msg_id.as_str().to_owned(),
            text: text.to_string(),
            mentions: mentions.iter().map(participant_to_proto).collect(),
        }),
        Body::Queued { queue, reason } => Wire::Queued(v1::Queued {
            queue: queue.to_string(),
            reason: queued_reason(*reason).into(),
        }),
        Body::Offered { offer, agent, expires_at } => Wire::Offered(v1::Offered {
            offer_id: offer.to_string(),
            agent: Some(participant_to_proto(agent)),
            expires_at: Some(timestamp_to_proto(*expires_at)),
        }),
        Body::OfferEnded { offer, agent, outcome, reason } => Wire::OfferEnded(v1::OfferEnded {
            offer_id: offer.to_string(),
            agent: Some(participant_to_proto(agent)),
            outcome: offer_outcome_to_proto(*outcome).into(),
            reason: reason.to_string(),
        }),
        Body::Assigned { agent } => {
            Wire::Assigned(v1::Assigned { agent: Some(participant_to_proto(agent)) })
        }
        Body::Released { agent, reason } => Wire::Released(v1::Released {
            agent: Some(participant_to_proto(agent)),
            reason: released_to_proto(*reason).into(),
        }),
        Body::Transferred { to_queue, to_agent, note, to_skills, warm } => {
            Wire::Transferred(v1::Transferred {
                to_queue: to_queue.to_string(),
                to_agent: to_agent.as_ref().map(participant_to_proto),
                note: note.to_string(),
                to_skills: skills_to_proto(to_skills),
                warm: *warm,
            })
        }
        Body::TagsChanged { tags } => Wire::TagsChanged(v1::TagsChanged {
            tags: tags.iter().map(ToString::to_string).collect(),
        }),
        Body::Closed { reason } => Wire::Closed(v1::Closed {
            reason: match reason {
                ClosedReason::ByVisitor => v1::ClosedReason::ByVisitor,
                ClosedReason::ByAgent => v1::ClosedReason::ByAgent,
                ClosedReason::Unserved(why) => unserved::closed_to_proto(*why),
                ClosedReason::VisitorLost => v1::ClosedReason::VisitorLost,
                ClosedReason::Erased => v1::ClosedReason::Erased,
            }
            .into(),
        }),
        Body::Reopened => Wire::Reopened(v1::Reopened {}),
        Body::Rated { score, comment } => {
            Wire::Rated(v1::Rated { score: u32::from(*score), comment: comment.to_string() })
        }
        Body::ContactAsked { why, opens_at } => Wire::ContactAsked(v1::ContactAsked {
            reason: unserved::to_proto(*why).into(),
            opens_at: opens_at.map(timestamp_to_proto),
        }),
        Body::ContactLeft(contact) => Wire::ContactLeft(v1::ContactLeft {
            email: contact.email.to_string(),
            phone: contact.phone.to_string(),
            text: contact.text.to_string(),
        }),
        Body::Whisper { client_msg_id, text } => Wire::Whisper(v1::Whisper {
            client_msg_id: client_msg_id.as_str().to_owned(),
            text: text.to_string(),
        }),
        Body::Invited { agent, note } => Wire::Invited(v1::Invited {
            agent: Some(participant_to_proto(agent)),
            note: note.to_string(),
        }),
        Body::Joined { agent } => {
            Wire::Joined(v1::Joined { agent: Some(participant_to_proto(agent)) })
        }
        Body::Left { agent, by_other } => {
            Wire::Left(v1::Left { agent: Some(participant_to_proto(agent)), by_other: *by_other })
        }
        Body::PriorityChanged { minutes } => {
            Wire::PriorityChanged(v1::PriorityChanged { extra_minutes: *minutes })
        }
        Body::AlarmRaised(raised) => Wire::AlarmRaised(alarm::to_proto(raised)),
        Body::TransferReturned { to_agent } => Wire::TransferReturned(v1::TransferReturned {
            to_agent: Some(participant_to_proto(to_agent)),
        }),
        Body::Erased { why } => Wire::Erased(erased::to_proto(*why)),
    }
}

fn body_from_proto(body: Wire) -> Result<Body, ConvertError> {
    Ok(match body {
        Wire::Started(b) => Body::Started {
            site: parse(&b.site, "started.site")?,
            attributes: b.attributes.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
            page: b.page.into(),
            language: b.language.into(),
            channel: b.channel.into(),
            consent: b.consent.as_ref().map(erased::consent_from_proto).transpose()?,
        },
        Wire::Message(b) => Body::Message {
            client_msg_id: parse(&b.client_msg_id, "message.client_msg_id")?,
            text: b.text.into(),
            attachments: b
                .attachments
                .into_iter()
                .map(attachment_from_proto)
                .collect::<Result<_, _>>()?,
        },
        Wire::Note(b) => Body::Note {
            client_msg_id: parse(&b.client_msg_id, "note.client_msg_id")?,
            text: b.text.into(),
            mentions: b
                .mentions
                .into_iter()
                .map(participant_from_proto)
                .collect::<Result<_, _>>()?,
        },
        Wire::Queued(b) => Body::Queued {
            reason: queued_reason_from(b.reason())?,
            queue: parse(&b.queue, "queued.queue")?,
        },
        Wire::Offered(b) => Body::Offered {
            offer: parse(&b.offer_id, "offered.offer_id")?,
            agent: participant(b.agent, "offered.agent")?,
            expires_at: time(b.expires_at.as_ref(), "offered.expires_at")?,
        },
        Wire::OfferEnded(b) => Body::OfferEnded {
            outcome: match b.outcome() {
                v1::OfferOutcome::Declined => OfferOutcome::Declined,
                v1::OfferOutcome::Expired => OfferOutcome::Expired,
                v1::OfferOutcome::Withdrawn => OfferOutcome::Withdrawn,
                v1::OfferOutcome::Unspecified => {
                    return Err(ConvertError::Field("offer_ended.outcome"));
                }
            },
            offer: parse(&b.offer_id, "offer_ended.offer_id")?,
            agent: participant(b.agent, "offer_ended.agent")?,
            reason: b.reason.into(),
        },
        Wire::Assigned(b) => Body::Assigned { agent: participant(b.agent, "assigned.agent")? },
        Wire::Released(b) => Body::Released {
            reason: released_from_proto(b.reason())?,
            agent: participant(b.agent, "released.agent")?,
        },
        Wire::Transferred(b) => Body::Transferred {
            to_queue: parse(&b.to_queue, "transferred.to_queue")?,
            to_agent: b.to_agent.map(participant_from_proto).transpose()?,
            note: b.note.into(),
            to_skills: skills_from_proto(b.to_skills)?,
            warm: b.warm,
        },
        Wire::TagsChanged(b) => {
            Body::TagsChanged { tags: b.tags.into_iter().map(Into::into).collect() }
        }
        Wire::Closed(b) => Body::Closed {
            reason: match b.reason() {
                v1::ClosedReason::ByVisitor => ClosedReason::ByVisitor,
                v1::ClosedReason::ByAgent => ClosedReason::ByAgent,
                v1::ClosedReason::VisitorLost => ClosedReason::VisitorLost,
                v1::ClosedReason::Erased => ClosedReason::Erased,
                reason => ClosedReason::Unserved(unserved::from_closed(reason)?),
            },
        },
        Wire::Reopened(_) => Body::Reopened,
        Wire::Rated(b) => Body::Rated {
            score: u8::try_from(b.score).map_err(|_| ConvertError::Field("rated.score"))?,
            comment: b.comment.into(),
        },
        Wire::ContactAsked(b) => Body::ContactAsked {
            why: unserved::from_proto(b.reason())?,
            opens_at: b
                .opens_at
                .as_ref()
                .map(|at| time(Some(at), "contact_asked.opens_at"))
                .transpose()?,
        },
        Wire::ContactLeft(b) => Body::ContactLeft(Contact {
            email: b.email.into(),
            phone: b.phone.into(),
            text: b.text.into(),
        }),
        Wire::Whisper(b) => Body::Whisper {
            client_msg_id: parse(&b.client_msg_id, "whisper.client_msg_id")?,
            text: b.text.into(),
        },
        Wire::Invited(b) => {
            Body::Invited { agent: participant(b.agent, "invited.agent")?, note: b.note.into() }
        }
        Wire::Joined(b) => Body::Joined { agent: participant(b.agent, "joined.agent")? },
        Wire::Left(b) => {
            Body::Left { agent: participant(b.agent, "left.agent")?, by_other: b.by_other }
        }
        Wire::PriorityChanged(b) => Body::PriorityChanged { minutes: b.extra_minutes },
        Wire::AlarmRaised(b) => Body::AlarmRaised(alarm::from_proto(b)?),
        Wire::TransferReturned(b) => Body::TransferReturned {
            to_agent: participant(b.to_agent, "transfer_returned.to_agent")?,
        },
        Wire::Erased(b) => Body::Erased { why: erased::from_proto(&b)? },
    })
}

fn queued_reason(reason: QueuedReason) -> v1::QueuedReason {
    match reason {
        QueuedReason::Started => v1::QueuedReason::Started,
        QueuedReason::Reopened => v1::QueuedReason::Reopened,
        QueuedReason::Transferred => v1::QueuedReason::Transferred,
        QueuedReason::AgentLost => v1::QueuedReason::AgentLost,
        QueuedReason::Unserved(why) => unserved::queued_to_proto(why),
        QueuedReason::ContactLeft => v1::QueuedReason::ContactLeft,
        QueuedReason::Released => v1::QueuedReason::Released,
        QueuedReason::TransferReturned => v1::QueuedReason::TransferReturned,
        QueuedReason::Alarm => v1::QueuedReason::Alarm,
    }
}

fn queued_reason_from(reason: v1::QueuedReason) -> Result<QueuedReason, ConvertError> {
    match reason {
        v1::QueuedReason::Started => Ok(QueuedReason::Started),
        v1::QueuedReason::Reopened => Ok(QueuedReason::Reopened),
        v1::QueuedReason::Transferred => Ok(QueuedReason::Transferred),
        v1::QueuedReason::AgentLost => Ok(QueuedReason::AgentLost),
        v1::QueuedReason::ContactLeft => Ok(QueuedReason::ContactLeft),
        v1::QueuedReason::Released => Ok(QueuedReason::Released),
        v1::QueuedReason::TransferReturned => Ok(QueuedReason::TransferReturned),
        v1::QueuedReason::Alarm => Ok(QueuedReason::Alarm),
        reason => unserved::from_queued(reason).map(QueuedReason::Unserved),
    }
}

/// To the wire.
pub(crate) fn offer_outcome_to_proto(outcome: OfferOutcome) -> v1::OfferOutcome {
    match outcome {
        OfferOutcome::Declined => v1::OfferOutcome::Declined,
        OfferOutcome::Expired => v1::OfferOutcome::Expired,
        OfferOutcome::Withdrawn => v1::OfferOutcome::Withdrawn,
    }
}

fn attachment_to_proto(a: &Attachment) -> v1::Attachment {
    v1::Attachment {
        id: a.id.to_string(),
        name: a.name.to_string(),
        media_type: a.media_type.to_string(),
        size: a.size,
    }
}

fn attachment_from_proto(a: v1::Attachment) -> Result<Attachment, ConvertError> {
    Ok(Attachment {
        id: parse(&a.id, "attachment.id")?,
        name: a.name.into(),
        media_type: a.media_type.into(),
        size: a.size,
    })
}

fn parse<T: FromStr>(s: &str, field: &'static str) -> Result<T, ConvertError> {
    s.parse().map_err(|_| ConvertError::Field(field))
}

fn time(
    t: Option<&wkt::Timestamp>,
    field: &'static str,
) -> Result<frontdesk_core::time::Timestamp, ConvertError> {
    t.and_then(timestamp_from_proto).ok_or(ConvertError::Field(field))
}

fn participant(
    p: Option<v1::Participant>,
    field: &'static str,
) -> Result<Participant, ConvertError> {
    participant_from_proto(p.ok_or(ConvertError::Field(field))?)
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
