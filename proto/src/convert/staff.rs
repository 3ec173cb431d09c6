//! What the staff does beside talking to the visitor: skills, reasons, invitations.

use super::{ConvertError, participant_to_proto};
use crate::v1;
use frontdesk_core::conversation::{PREVIEW_BYTES, ReleasedReason, Summary};
use frontdesk_core::ids::Seq;
use frontdesk_core::party::Participant;
use frontdesk_core::skill::{Level, Skills};
use std::collections::HashMap;

/// To the wire.
pub(super) fn skills_to_proto(skills: &Skills) -> HashMap<String, u32> {
    let one = |(skill, level): (&_, Level)| (ToString::to_string(skill), u32::from(level.get()));
    skills.iter().map(one).collect()
}

/// From the wire; a name or level that is none is an error.
pub fn skills_from_proto(skills: HashMap<String, u32>) -> Result<Skills, ConvertError> {
    let one = |(skill, level): (String, u32)| {
        let level = u8::try_from(level).ok().and_then(|level| Level::try_from(level).ok());
        let level = level.ok_or(ConvertError::Field("skills.level"))?;
        Ok((skill.parse().map_err(|_| ConvertError::Field("skills.name"))?, level))
    };
    skills.into_iter().map(one).collect()
}

pub(super) fn released_to_proto(reason: ReleasedReason) -> v1::ReleasedReason {
    match reason {
        ReleasedReason::Transferred => v1::ReleasedReason::Transferred,
        ReleasedReason::AgentLost => v1::ReleasedReason::AgentLost,
        ReleasedReason::TakenOver => v1::ReleasedReason::TakenOver,
        ReleasedReason::Forced => v1::ReleasedReason::Forced,
    }
}

pub(super) fn released_from_proto(
    reason: v1::ReleasedReason,
) -> Result<ReleasedReason, ConvertError> {
    match reason {
        v1::ReleasedReason::Transferred => Ok(ReleasedReason::Transferred),
        v1::ReleasedReason::AgentLost => Ok(ReleasedReason::AgentLost),
        v1::ReleasedReason::TakenOver => Ok(ReleasedReason::TakenOver),
        v1::ReleasedReason::Forced => Ok(ReleasedReason::Forced),
        v1::ReleasedReason::Unspecified => Err(ConvertError::Field("released.reason")),
    }
}

/// An invitation as the invited agent sees it, for the first time.
pub fn invitation_push(
    summary: &Summary,
    by: &Participant,
    note: &str,
    seq: Seq,
) -> v1::InvitationPush {
    v1::InvitationPush {
        conversation_id: summary.id.to_string(),
        by: Some(participant_to_proto(by)),
        note: note.to_owned(),
        visitor: Some(participant_to_proto(&summary.visitor)),
        queue: summary.queue.to_string(),
        preview: summary.preview.to_string(),
        language: summary.language.to_string(),
        seq: seq.get(),
        again: false,
    }
}

/// A mention as the mentioned agent sees it, for the first time.
pub fn mention_push(id: &str, by: &Participant, text: &str, seq: Seq) -> v1::MentionPush {
    v1::MentionPush {
        conversation_id: id.to_owned(),
        by: Some(participant_to_proto(by)),
        seq: seq.get(),
        text: text[..text.floor_char_boundary(PREVIEW_BYTES)].to_owned(),
        again: false,
    }
}
