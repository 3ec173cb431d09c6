//! What a site keeps of visitors and asks them to agree to: as people write it, and
//! whether it can be meant.

use super::check::Check;
use super::diff;
use super::document::Span;
use frontdesk_core::conversation::{MAX_CONSENT_BYTES, Texts};
use frontdesk_core::privacy::{ConsentText, Privacy, Retention};
use frontdesk_core::time::Millis;
use serde::{Deserialize, Serialize, Serializer};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

/// Less, and a conversation could be gone before its visitor has rated it.
const LEAST: Millis = Millis::from_mins(60);
/// The most: a hundred years.
const MOST: Millis = Millis::from_mins(100 * 366 * 24 * 60);
/// Languages of a text, and bytes of it in each.
const MAX_LANGUAGES: usize = 64;
const MAX_TEXT_BYTES: usize = 2_000;
/// Bytes of an address.
const MAX_LINK_BYTES: usize = 500;

/// For how long what is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// What was said, from the end of the conversation on.
    #[serde(default)]
    closed: Option<Days>,
    /// Files, from their upload on.
    #[serde(default)]
    attachments: Option<Days>,
}

/// A long time, shown in days where it is whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Deserialize)]
#[serde(transparent)]
struct Days(Span);

impl Days {
    const MILLIS: u64 = 24 * 60 * 60 * 1_000;
}

impl std::fmt::Display for Days {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.0.get();
        match millis.is_multiple_of(Self::MILLIS) {
            true => write!(f, "{}d", millis / Self::MILLIS),
            false => self.0.fmt(f),
        }
    }
}

impl Serialize for Days {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What visitors agree to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    version: String,
    text: BTreeMap<String, String>,
    #[serde(default)]
    link: String,
}

/// Checks both.
pub(super) fn check(
    check: &mut Check,
    kept: Option<&Spanned<Kept>>,
    consent: Option<&Spanned<Consent>>,
) -> Privacy {
    let retention = kept.map(|kept| retention(check, kept)).unwrap_or_default();
    let consent = consent.and_then(|written| text(check, written.referenced, &written.value));
    Privacy { retention, consent }
}

fn retention(check: &mut Check, written: &Spanned<Kept>) -> Retention {
    let Spanned { value, referenced, .. } = written;
    for (what, span) in [("closed", value.closed), ("attachments", value.attachments)] {
        if let Some(span) = span
            && !(LEAST..=MOST).contains(&span.0.0)
        {
            let (least, most) = (Days(Span(LEAST)), Days(Span(MOST)));
            let reason = format!("retention: {what} {span} is not within {least} to {most}");
            check.refuse(*referenced, reason);
        }
    }
    let (closed, attachments) = (value.closed, value.attachments);
    if closed.zip(attachments).is_some_and(|(closed, files)| files > closed) {
        let reason = "retention: attachments go with their conversation: not later than closed";
        check.refuse(*referenced, reason.into());
    }
    Retention { closed: closed.map(|s| s.0.0), attachments: attachments.map(|s| s.0.0) }
}

fn text(check: &mut Check, at: Location, written: &Consent) -> Option<ConsentText> {
    let is_address = |link: &str| link.starts_with("https://") || link.starts_with("http://");
    let too_long = |text: &str| text.trim().is_empty() || text.len() > MAX_TEXT_BYTES;
    let Consent { version, text, link } = written;
    let problem = if !(1..=MAX_CONSENT_BYTES).contains(&version.len()) {
        format!("the version is not 1 to {MAX_CONSENT_BYTES} bytes")
    } else if text.is_empty() || text.len() > MAX_LANGUAGES {
        format!("there are no texts, or more than {MAX_LANGUAGES}")
    } else if let Some((tag, _)) = text.iter().find(|(_, text)| too_long(text)) {
        format!("the text in {tag} is empty or longer than {MAX_TEXT_BYTES} bytes")
    } else if !link.is_empty() && (!is_address(link) || link.len() > MAX_LINK_BYTES) {
        format!("the link is no address of a page, or longer than {MAX_LINK_BYTES} bytes")
    } else {
        let texts = text.iter().map(|(tag, text)| (tag.as_str().into(), text.as_str().into()));
        return Some(ConsentText {
            version: version.as_str().into(),
            text: Texts::new(texts.collect())?,
            link: link.as_str().into(),
        });
    };
    check.refuse(at, format!("consent: {problem}"));
    None
}

/// What differs, a line each.
pub(super) fn changes(before: &Privacy, now: &Privacy) -> Vec<String> {
    let (kept, keeps) = (written_retention(before), written_retention(now));
    let mut changes = diff::changed("retention", Some(&kept), Some(&keeps));
    let (asked, asks) = (written_consent(before), written_consent(now));
    changes.extend(diff::changed("consent", asked.as_ref(), asks.as_ref()));
    changes
}

fn written_retention(privacy: &Privacy) -> Kept {
    let Retention { closed, attachments } = privacy.retention;
    let days = |kept: Option<Millis>| kept.map(|kept| Days(Span(kept)));
    Kept { closed: days(closed), attachments: days(attachments) }
}

fn written_consent(privacy: &Privacy) -> Option<Consent> {
    privacy.consent.as_ref().map(|consent| Consent {
        version: consent.version.to_string(),
        text: consent.text.iter().map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect(),
        link: consent.link.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use crate::apply::tests::apply;
    use crate::tests::{demo, origins, start};
    use frontdesk_core::time::Millis;
    use frontdesk_proto::api::Desk;

    const QUEUES: &str = "queues: [{ name: general }]\n";

    #[tokio::test]
    async fn what_is_kept_and_agreed_to_is_put_in_force_and_taken_back() {
        let temp = tempfile::tempdir().unwrap();
        let desk = start(temp.path()).await;
        desk.ensure_dev_site(&origins(8080)).await.unwrap();
        apply(&desk, QUEUES, false).await;
        let text = "retention: { closed: 365d, attachments: 90d }
consent: { version: '2', text: { en: May we keep it?, de: Dürfen wir? }, link: 'https://shop.example/p' }
";
        let mut changes = apply(&desk, &format!("{text}{QUEUES}"), false).await.changes;
        changes.sort();
        let attachments = "~ retention: attachments null -> 90d";
        assert_eq!(changes, ["+ consent", attachments, "~ retention: closed null -> 365d"]);
        let site = Desk::site(&desk, &demo()).await.unwrap().unwrap();
        let days = |n: u64| Some(Millis::from_mins(n * 24 * 60));
        let retention = site.privacy.retention;
        assert_eq!((retention.closed, retention.attachments), (days(365), days(90)));
        let consent = site.privacy.consent.clone().unwrap();
        assert_eq!((&*consent.version, &*consent.text.pick("de-AT")), ("2", "Dürfen wir?"));
        assert_eq!(apply(&desk, &format!("{text}{QUEUES}"), false).await.changes, [""; 0]);
        apply(&desk, QUEUES, false).await;
        let site = Desk::site(&desk, &demo()).await.unwrap().unwrap();
        assert_eq!(site.privacy, Default::default());
    }

    #[tokio::test]
    async fn what_cannot_be_meant_is_refused_with_its_place() {
        let temp = tempfile::tempdir().unwrap();
        let desk = start(temp.path()).await;
        desk.ensure_dev_site(&origins(8080)).await.unwrap();
        for (text, told) in [
            ("retention: { closed: 5m }", "closed 5m is not within 1h to"),
            ("retention: { closed: 1d, attachments: 2d }", "attachments go with their"),
            ("retention: { closed: soon }", "is no length of time"),
            ("retention: { audit: 1d }", "audit"),
            ("consent: { version: '', text: { en: x } }", "the version is not 1 to 64 bytes"),
            ("consent: { version: '1', text: {} }", "there are no texts"),
            ("consent: { version: '1', text: { en: ' ' } }", "the text in en is empty"),
            ("consent: { version: '1', text: { en: x }, link: 'javascript:x' }", "the link is no"),
        ] {
            let applied = apply(&desk, &format!("{QUEUES}{text}\n"), false).await;
            let [problem] = &applied.problems[..] else { panic!("{text}: {applied:?}") };
            assert_eq!(problem.line, 2, "{text}: {problem:?}");
            assert!(problem.reason.contains(told), "{text}: {problem:?}");
        }
    }
}
