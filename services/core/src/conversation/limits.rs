//! The documented limits of the client protocol, checked where they are decided.

use crate::time::Millis;

/// Bytes of a message's or note's text.
pub const MAX_TEXT_BYTES: usize = 32 * 1024;
/// Attachments of one message.
pub const MAX_ATTACHMENTS: usize = 10;
/// Pre-chat attributes.
pub const MAX_ATTRIBUTES: usize = 32;
/// Bytes of an attribute's key.
pub const MAX_ATTRIBUTE_KEY_BYTES: usize = 64;
/// Bytes of an attribute's value.
pub const MAX_ATTRIBUTE_VALUE_BYTES: usize = 1_024;
/// Bytes of a page's address.
pub const MAX_PAGE_BYTES: usize = 2_048;
/// Bytes of a language tag.
pub const MAX_LANGUAGE_BYTES: usize = 35;
/// Bytes of a channel's name.
pub const MAX_CHANNEL_BYTES: usize = 32;
/// Bytes of the version of a text that visitors agree to.
pub const MAX_CONSENT_BYTES: usize = 64;
/// Characters of a name.
pub const MAX_NAME_CHARS: usize = 80;
/// Tags of a conversation.
pub const MAX_TAGS: usize = 20;
/// Bytes of a tag.
pub const MAX_TAG_BYTES: usize = 64;
/// Bytes of a hand-over note.
pub const MAX_HANDOVER_BYTES: usize = 4 * 1024;
/// Bytes of a rating's comment.
pub const MAX_COMMENT_BYTES: usize = 2_000;
/// Bytes of an e-mail address (RFC 5321, 4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;
/// Bytes of a telephone number.
pub const MAX_PHONE_BYTES: usize = 32;
/// Bytes of what a visitor leaves with its address.
pub const MAX_CONTACT_TEXT_BYTES: usize = 4 * 1024;
/// Bytes of a reason to decline.
pub const MAX_REASON_BYTES: usize = 200;
/// Bytes of the first words shown in an offer.
pub const PREVIEW_BYTES: usize = 200;
/// Agents remembered as having declined or missed an offer.
pub const MAX_EXCLUDED: usize = 32;
/// Who take part at once beside the one who has it.
pub const MAX_GUESTS: usize = 8;
/// Agents who may read for having been invited or mentioned; past that the one who was
/// so the longest ago may not any more, unless it takes part.
pub const MAX_READERS: usize = 32;
/// Agents mentioned in one note.
pub const MAX_MENTIONS: usize = 16;
/// Bytes of what an invitation says.
pub const MAX_INVITATION_BYTES: usize = 1_000;
/// Skills a transfer may ask for.
pub const MAX_TRANSFER_SKILLS: usize = 8;
/// Alarms remembered as raised; the oldest is forgotten first.
pub const MAX_RAISED: usize = 32;
/// The most that may be added to, or taken from, a queue's priority: a day.
pub const MAX_EXTRA_MINUTES: i32 = 24 * 60;
/// Sender ids remembered in memory, about 45 bytes each; older ones are found by
/// the journal.
pub const RECENT_IDS: usize = 8;
/// Events a conversation may have; keeps `seq` far from its end.
pub const MAX_EVENTS: u32 = 10_000_000;
/// How long a transfer waits for the agent it names before anyone may take it.
pub const TARGET_HOLD: Millis = Millis::from_secs(60);
