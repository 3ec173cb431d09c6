//! Rules for what people type: each refusal says which rule and its limit.

use crate::error::DeskError;
use frontdesk_core::conversation::MAX_NAME_CHARS;
use frontdesk_core::ids::QueueId;
use frontdesk_store::desk::StoredSite;

/// Longest e-mail address, in bytes.
const MAX_EMAIL_BYTES: usize = 254;
/// Most slots of an agent.
const MAX_CAPACITY: u32 = 100;
/// Shortest password, in bytes.
const MIN_PASSWORD_BYTES: usize = 10;
/// Longest password, in bytes; longer ones would only cost time.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1024;
/// Longest name of a file, in bytes.
const MAX_FILE_NAME_BYTES: usize = 200;

fn invalid<T>(why: impl Into<String>) -> Result<T, DeskError> {
    Err(DeskError::Invalid(why.into()))
}

/// An address in the form in which it is stored: trimmed, lower case.
pub(crate) fn email(typed: &str) -> Result<String, DeskError> {
    let email = typed.trim().to_lowercase();
    let well_formed = email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if email.len() > MAX_EMAIL_BYTES {
        return invalid(format!("e-mail address is longer than {MAX_EMAIL_BYTES} bytes"));
    }
    if !well_formed || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return invalid("e-mail address is not of the form name@host");
    }
    Ok(email)
}

/// A name to show, trimmed.
pub(crate) fn name(typed: &str) -> Result<String, DeskError> {
    let name = typed.trim();
    match name.chars().count() {
        0 => return invalid("name is empty"),
        n if n > MAX_NAME_CHARS => {
            return invalid(format!("name is longer than {MAX_NAME_CHARS} characters"));
        }
        _ => {}
    }
    if name.chars().any(char::is_control) {
        return invalid("name has control characters");
    }
    Ok(name.to_owned())
}

/// Slots of an agent.
pub(crate) fn capacity(slots: u32) -> Result<u32, DeskError> {
    if (1..=MAX_CAPACITY).contains(&slots) {
        Ok(slots)
    } else {
        invalid(format!("capacity {slots} is not within 1 to {MAX_CAPACITY}"))
    }
}

/// Queues of an agent: each one of the site.
pub(crate) fn queues(wanted: &[QueueId], site: &StoredSite) -> Result<(), DeskError> {
    match wanted.iter().find(|wanted| site.queues.iter().all(|queue| queue.id != **wanted)) {
        Some(unknown) => invalid(format!("site {} has no queue {unknown}", site.id)),
        None => Ok(()),
    }
}

/// A password that a person chose.
pub(crate) fn password(typed: &str) -> Result<(), DeskError> {
    if (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&typed.len()) {
        Ok(())
    } else {
        invalid(format!(
            "password is not within {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes"
        ))
    }
}

/// A web origin as browsers send it: scheme and host, perhaps a port, no more.
pub(crate) fn origin(typed: &str) -> Result<String, DeskError> {
    let origin = typed.to_ascii_lowercase();
    let host =
        origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or("");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return invalid(format!(
            "origin {typed:?} is not of the form https://host or http://host:port"
        ));
    }
    Ok(origin)
}

/// The name of an uploaded file.
pub(crate) fn file_name(name: &str) -> Result<(), DeskError> {
    if name.is_empty() || name.len() > MAX_FILE_NAME_BYTES {
        return invalid(format!("file name is not within 1 to {MAX_FILE_NAME_BYTES} bytes"));
    }
    if name.chars().any(|c| c.is_control() || c == '/' || c == '\\') {
        return invalid("file name has path parts or control characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_brought_to_one_form() {
        assert_eq!(email(" Ana@Shop.Example ").unwrap(), "ana@shop.example");
        for bad in ["", "ana", "@host", "ana@", "a b@c", "a@b@c", &"a".repeat(260)] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_and_capacity_have_limits() {
        assert_eq!(name(" Zoë ").unwrap(), "Zoë");
        for bad in ["", "  ", "a\u{7}b", &"ä".repeat(81)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(capacity(1).is_ok() && capacity(100).is_ok());
        assert!(capacity(0).is_err() && capacity(101).is_err());
    }

    #[test]
    fn origins_are_scheme_and_host() {
        assert_eq!(origin("http://LocalHost:8080").unwrap(), "http://localhost:8080");
        assert!(origin("http://[::1]:8080").is_ok());
        for bad in ["*", "localhost", "https://", "https://a/b", "ftp://a", "https://a b"] {
            assert!(origin(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn file_names_have_no_paths() {
        assert!(file_name("Rechnung März.pdf").is_ok());
        for bad in ["", "../a", "a\\b", "a\0", &"a".repeat(201)] {
            assert!(file_name(bad).is_err(), "{bad:?}");
        }
    }
}
