//! Whether what a client sends keeps within the documented limits.

use super::command::{Reject, StartRequest};
use super::event::{Attachment, Contact};
use super::limits::*;
use crate::party::Principal;

pub(super) fn check_text(text: &str, attachments: &[Attachment]) -> Result<(), Reject> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Reject::Invalid("the text is longer than 32 KiB"));
    }
    if text.is_empty() && attachments.is_empty() {
        return Err(Reject::Invalid("the message is empty"));
    }
    if attachments.len() > MAX_ATTACHMENTS {
        return Err(Reject::Invalid("more than 10 attachments"));
    }
    Ok(())
}

pub(super) fn check_start(start: &StartRequest, who: &Principal) -> Result<(), Reject> {
    let too_long = |k: &str, v: &str| {
        k.is_empty() || k.len() > MAX_ATTRIBUTE_KEY_BYTES || v.len() > MAX_ATTRIBUTE_VALUE_BYTES
    };
    let problem = if start.attributes.len() > MAX_ATTRIBUTES {
        "more than 32 attributes"
    } else if start.attributes.iter().any(|(k, v)| too_long(k, v)) {
        "an attribute's key or value is too long"
    } else if start.page.len() > MAX_PAGE_BYTES {
        "the page's address is too long"
    } else if start.language.len() > MAX_LANGUAGE_BYTES {
        "the language tag is too long"
    } else if start.channel.as_deref().is_some_and(|channel| !is_channel(channel)) {
        "the channel is not 1 to 32 of a-z, 0-9 and -"
    } else if start.consent.as_deref().is_some_and(|v| !(1..=MAX_CONSENT_BYTES).contains(&v.len()))
    {
        "the version of the consent is not 1 to 64 bytes"
    } else if !(-MAX_EXTRA_MINUTES..=MAX_EXTRA_MINUTES).contains(&start.extra_minutes) {
        "the priority is more than a day"
    } else if who.name.chars().count() > MAX_NAME_CHARS {
        "the name is too long"
    } else {
        return Ok(());
    };
    Err(Reject::Invalid(problem))
}

/// Whether a channel may be called so.
pub fn is_channel(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=MAX_CHANNEL_BYTES).contains(&name.len()) && name.bytes().all(is_plain)
}

pub(super) fn check_contact(contact: &Contact) -> Result<(), Reject> {
    let Contact { email, phone, text } = contact;
    let is_address = |email: &str| {
        let (name, host) = email.rsplit_once('@').unwrap_or_default();
        let is_plain = email.chars().all(|c| !c.is_whitespace() && !c.is_control());
        is_plain && !name.is_empty() && !host.is_empty() && !host.starts_with('.')
    };
    let is_number = |phone: &str| {
        let may_be = |c: char| c.is_ascii_digit() || "+-()./ ".contains(c);
        phone.chars().all(may_be) && phone.bytes().any(|b| b.is_ascii_digit())
    };
    let problem = if email.is_empty() && phone.is_empty() {
        "neither an e-mail address nor a telephone number"
    } else if email.len() > MAX_EMAIL_BYTES || !email.is_empty() && !is_address(email) {
        "not an e-mail address"
    } else if phone.len() > MAX_PHONE_BYTES || !phone.is_empty() && !is_number(phone) {
        "not a telephone number"
    } else if text.len() > MAX_CONTACT_TEXT_BYTES {
        "the text is longer than 4 KiB"
    } else {
        return Ok(());
    };
    Err(Reject::Invalid(problem))
}
