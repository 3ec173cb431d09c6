//! What a visitor has agreed to, and that what was said is gone.

use super::{ConvertError, timestamp_from_proto, timestamp_to_proto};
use crate::v1;
use frontdesk_core::conversation::{Consent, ErasedWhy};
use frontdesk_core::privacy::ConsentText;

/// To the wire.
pub(crate) fn consent_to_proto(consent: &Consent) -> v1::Consent {
    v1::Consent {
        version: consent.version.to_string(),
        accepted_at: Some(timestamp_to_proto(consent.at)),
    }
}

/// From the wire.
pub(crate) fn consent_from_proto(consent: &v1::Consent) -> Result<Consent, ConvertError> {
    let at = consent.accepted_at.as_ref().and_then(timestamp_from_proto);
    let at = at.ok_or(ConvertError::Field("consent.accepted_at"))?;
    Ok(Consent { version: consent.version.as_str().into(), at })
}

/// What visitors are asked to agree to, to the wire.
pub fn consent_text_to_proto(consent: &ConsentText) -> v1::ConsentText {
    v1::ConsentText {
        version: consent.version.to_string(),
        text: consent.text.iter().map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect(),
        link: consent.link.to_string(),
    }
}

/// To the wire.
pub(crate) fn to_proto(why: ErasedWhy) -> v1::Erased {
    let reason = match why {
        ErasedWhy::Request => v1::ErasedReason::Request,
        ErasedWhy::Retention => v1::ErasedReason::Retention,
    };
    v1::Erased { reason: reason.into() }
}

/// From the wire.
pub(crate) fn from_proto(erased: &v1::Erased) -> Result<ErasedWhy, ConvertError> {
    match erased.reason() {
        v1::ErasedReason::Request => Ok(ErasedWhy::Request),
        v1::ErasedReason::Retention => Ok(ErasedWhy::Retention),
        v1::ErasedReason::Unspecified => Err(ConvertError::Field("erased.reason")),
    }
}
