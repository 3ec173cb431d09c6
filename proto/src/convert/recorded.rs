//! What came in a time, as a replay needs it: the record of a conversation without what
//! was said, and the accounts of agents.

use super::{ConvertError, timestamp_from_proto, timestamp_to_proto};
use crate::api::AgentAccount;
use crate::{v1, wkt};
use frontdesk_core::conversation::Unserved;
use frontdesk_core::figures::{Asked, End, Episode, OfferFact, Opening, Record, Stint};
use frontdesk_core::ids::{AgentId, QueueId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::presence::AgentProfile;
use frontdesk_core::skill::Skills;
use frontdesk_core::time::Timestamp;
use std::sync::Arc;

/// To the wire: the episodes that `is_wanted`.
pub fn record_to_proto(
    record: &Record,
    routed: bool,
    is_wanted: impl Fn(&Episode) -> bool,
) -> v1::RecordedConversation {
    let opening = &record.opening;
    let attributes = opening.attributes.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    let episodes = record.episodes.iter().filter(|episode| is_wanted(episode));
    v1::RecordedConversation {
        conversation_id: record.conversation.to_string(),
        page: opening.page.to_string(),
        language: record.language.to_string(),
        attributes: attributes.collect(),
        text: opening.text.to_string(),
        channel: record.channel.to_string(),
        routed,
        episodes: episodes.map(episode_to_proto).collect(),
    }
}

fn episode_to_proto(episode: &Episode) -> v1::RecordedEpisode {
    let stint = |stint: &Stint| v1::RecordedStint {
        agent_id: stint.agent.to_string(),
        queue: stint.queue.to_string(),
        from: Some(timestamp_to_proto(stint.from)),
        to: stint.to.map(timestamp_to_proto),
    };
    let refused = episode.offers.iter().filter(|offer| offer.asked == Some(Asked::Declined));
    let refusal = |offer: &OfferFact| v1::RecordedRefusal {
        agent_id: offer.agent.to_string(),
        queue: offer.queue.to_string(),
        at: Some(timestamp_to_proto(offer.at)),
    };
    let end = match episode.ended.map(|(_, end)| end) {
        None => v1::RecordedEnd::Unspecified,
        Some(End::Visitor) => v1::RecordedEnd::Visitor,
        Some(End::Staff) => v1::RecordedEnd::Staff,
        Some(End::VisitorLost) => v1::RecordedEnd::VisitorLost,
        Some(End::Unserved(Unserved::OutOfHours)) => v1::RecordedEnd::OutOfHours,
        Some(End::Unserved(Unserved::QueueFull)) => v1::RecordedEnd::QueueFull,
        Some(End::Unserved(Unserved::WaitedTooLong)) => v1::RecordedEnd::WaitedTooLong,
    };
    v1::RecordedEpisode {
        began_at: Some(timestamp_to_proto(episode.began_at)),
        queue: episode.queue.to_string(),
        ended_at: episode.ended.map(|(at, _)| timestamp_to_proto(at)),
        end: end.into(),
        stints: episode.stints.iter().map(stint).collect(),
        refusals: refused.map(refusal).collect(),
    }
}

/// From the wire, with whether it was `routed`. What is not on the wire is empty.
pub fn record_from_proto(
    recorded: &v1::RecordedConversation,
) -> Result<(Record, bool), ConvertError> {
    let field = ConvertError::Field;
    let attributes = recorded.attributes.iter();
    let attributes = attributes.map(|(k, v)| (Arc::from(k.as_str()), Arc::from(v.as_str())));
    let record = Record {
        conversation: recorded.conversation_id.parse().map_err(|_| field("conversation_id"))?,
        language: Arc::from(recorded.language.as_str()),
        tags: Vec::new(),
        episodes: recorded.episodes.iter().map(episode_from_proto).collect::<Result<_, _>>()?,
        channel: Arc::from(recorded.channel.as_str()),
        opening: Opening {
            page: Arc::from(recorded.page.as_str()),
            attributes: attributes.collect(),
            text: Arc::from(recorded.text.as_str()),
        },
    };
    Ok((record, recorded.routed))
}

fn episode_from_proto(recorded: &v1::RecordedEpisode) -> Result<Episode, ConvertError> {
    let end = match recorded.end() {
        v1::RecordedEnd::Unspecified => None,
        v1::RecordedEnd::Visitor => Some(End::Visitor),
        v1::RecordedEnd::Staff => Some(End::Staff),
        v1::RecordedEnd::VisitorLost => Some(End::VisitorLost),
        v1::RecordedEnd::OutOfHours => Some(End::Unserved(Unserved::OutOfHours)),
        v1::RecordedEnd::QueueFull => Some(End::Unserved(Unserved::QueueFull)),
        v1::RecordedEnd::WaitedTooLong => Some(End::Unserved(Unserved::WaitedTooLong)),
    };
    let stints: Vec<Stint> = recorded.stints.iter().map(stint).collect::<Result<_, _>>()?;
    let ended_at = recorded.ended_at.as_ref().map(|at| moment(Some(at), "ended_at")).transpose()?;
    Ok(Episode {
        began_at: moment(recorded.began_at.as_ref(), "began_at")?,
        queue: queue(&recorded.queue)?,
        served: stints.first().map(|stint| (stint.from, stint.agent)),
        first_response: None,
        ended: ended_at.zip(end),
        stints,
        rewaits: Vec::new(),
        answers: Vec::new(),
        offers: recorded.refusals.iter().map(refusal).collect::<Result<_, _>>()?,
        transfers: Vec::new(),
        losses: Vec::new(),
        visitor_messages: 0,
        staff_messages: Vec::new(),
        rating: None,
        requeues: Vec::new(),
        releases: Vec::new(),
        follow_ups: Vec::new(),
    })
}

fn stint(recorded: &v1::RecordedStint) -> Result<Stint, ConvertError> {
    Ok(Stint {
        agent: agent(&recorded.agent_id)?,
        name: Arc::from(""),
        queue: queue(&recorded.queue)?,
        from: moment(recorded.from.as_ref(), "from")?,
        to: recorded.to.as_ref().map(|at| moment(Some(at), "to")).transpose()?,
    })
}

fn refusal(recorded: &v1::RecordedRefusal) -> Result<OfferFact, ConvertError> {
    Ok(OfferFact {
        agent: agent(&recorded.agent_id)?,
        queue: queue(&recorded.queue)?,
        at: moment(recorded.at.as_ref(), "at")?,
        asked: Some(Asked::Declined),
    })
}

fn agent(id: &str) -> Result<AgentId, ConvertError> {
    id.parse().map_err(|_| ConvertError::Field("agent_id"))
}

fn queue(name: &str) -> Result<QueueId, ConvertError> {
    name.parse().map_err(|_| ConvertError::Field("queue"))
}

fn moment(at: Option<&wkt::Timestamp>, what: &'static str) -> Result<Timestamp, ConvertError> {
    at.and_then(timestamp_from_proto).ok_or(ConvertError::Field(what))
}

/// To the wire.
pub fn account_to_proto(account: &AgentAccount) -> v1::RecordedAgent {
    let profile = &account.profile;
    let skills =
        profile.skills.iter().map(|(skill, level)| (skill.to_string(), level.get().into()));
    v1::RecordedAgent {
        agent_id: account.id.to_string(),
        email: account.email.clone(),
        name: profile.name.to_string(),
        supervisor: profile.supervisor,
        capacity: profile.capacity,
        queues: profile.queues.iter().map(ToString::to_string).collect(),
        skills: skills.collect(),
        disabled: account.disabled,
        languages: profile.languages.iter().map(ToString::to_string).collect(),
        caps: profile.caps.iter().map(|(queue, cap)| (queue.to_string(), *cap)).collect(),
    }
}

/// From the wire; `site` is the caller's.
pub fn account_from_proto(
    recorded: &v1::RecordedAgent,
    site: &SiteId,
) -> Result<AgentAccount, ConvertError> {
    let skills = recorded.skills.iter().map(|(skill, level)| {
        let level = u8::try_from(*level).ok()?.try_into().ok()?;
        Some((skill.parse().ok()?, level))
    });
    let skills: Option<Skills> = skills.collect();
    let languages: Option<_> = recorded.languages.iter().map(|tag| tag.parse().ok()).collect();
    let caps = recorded.caps.iter().map(|(name, cap)| Ok((queue(name)?, *cap)));
    Ok(AgentAccount {
        id: agent(&recorded.agent_id)?,
        site: site.clone(),
        email: recorded.email.clone(),
        role: if recorded.supervisor { Role::Supervisor } else { Role::Agent },
        profile: AgentProfile {
            name: Arc::from(recorded.name.as_str()),
            capacity: recorded.capacity,
            queues: recorded.queues.iter().map(|name| queue(name)).collect::<Result<_, _>>()?,
            supervisor: recorded.supervisor,
            skills: skills.ok_or(ConvertError::Field("skills"))?,
            languages: languages.ok_or(ConvertError::Field("languages"))?,
            caps: caps.collect::<Result<_, ConvertError>>()?,
        },
        disabled: recorded.disabled,
        generation: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::time::Millis;

    fn record() -> Record {
        let at = |secs| Timestamp::ZERO + Millis::from_secs(secs);
        let (agent, queue) = (AgentId::from_uuid(uuid::Uuid::from_u128(7)), "tax");
        let queue: QueueId = queue.parse().expect("a slug");
        let stint = Stint {
            agent,
            name: Arc::from(""),
            queue: queue.clone(),
            from: at(20),
            to: Some(at(80)),
        };
        let refused =
            OfferFact { agent, queue: queue.clone(), at: at(5), asked: Some(Asked::Declined) };
        let open = Episode {
            began_at: at(1),
            queue,
            served: Some((at(20), agent)),
            first_response: None,
            ended: None,
            stints: vec![stint],
            rewaits: Vec::new(),
            answers: Vec::new(),
            offers: vec![refused],
            transfers: Vec::new(),
            losses: Vec::new(),
            visitor_messages: 0,
            staff_messages: Vec::new(),
            rating: None,
            requeues: Vec::new(),
            releases: Vec::new(),
            follow_ups: Vec::new(),
        };
        let full = End::Unserved(Unserved::QueueFull);
        let ends =
            [End::Visitor, End::Staff, End::VisitorLost, full].map(|end| Some((at(90), end)));
        let ended = ends.map(|ended| Episode { ended, ..open.clone() });
        Record {
            conversation: uuid::Uuid::from_u128(9).to_string().parse().expect("an id"),
            language: Arc::from("de"),
            tags: Vec::new(),
            episodes: ended.into_iter().chain([open]).collect(),
            channel: Arc::from("web"),
            opening: Opening {
                page: Arc::from("https://shop.example/tax"),
                attributes: [(Arc::from("tier"), Arc::from("gold"))].into(),
                text: Arc::from("Hello"),
            },
        }
    }

    #[test]
    fn what_is_sent_arrives() {
        let sent = record_to_proto(&record(), true, |_| true);
        assert_eq!(record_from_proto(&sent), Ok((record(), true)));
        assert!(record_to_proto(&record(), true, |_| false).episodes.is_empty());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let good = record_to_proto(&record(), false, |_| true);
        let no_queue = |r: &mut v1::RecordedConversation| r.episodes[0].queue = "No!".into();
        let no_agent = |r: &mut v1::RecordedConversation| r.episodes[0].stints[0].agent_id.clear();
        let no_begin = |r: &mut v1::RecordedConversation| r.episodes[0].began_at = None;
        for (harm, what) in [
            (&no_queue as &dyn Fn(&mut v1::RecordedConversation), "queue"),
            (&no_agent, "agent_id"),
            (&no_begin, "began_at"),
        ] {
            let mut bad = good.clone();
            harm(&mut bad);
            assert_eq!(record_from_proto(&bad), Err(ConvertError::Field(what)));
        }
    }
}
