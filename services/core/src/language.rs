//! The language somebody speaks: the first part of a BCP 47 tag. Regions and scripts
//! make no difference to who understands whom, as far as choosing an agent goes.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A language, such as `de`: two or three small letters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Language(Arc<str>);

/// Why something names no language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no language {0:?}: it is a code of ISO 639, such as de, without a region")]
pub struct InvalidLanguage(String);

/// ISO 639-1, all of it.
const TWO_LETTERS: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca \
    ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu \
    gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko \
    kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl \
    nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn \
    so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo \
    xh yi yo za zh zu";

impl Language {
    /// That of a tag such as `de-AT`; `None` when the tag begins with no language. A
    /// code nobody knows is taken all the same: then nobody speaks it.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        let is_code =
            (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
        is_code.then(|| Self(first.to_ascii_lowercase().into()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;
    fn from_str(s: &str) -> Result<Self, InvalidLanguage> {
        let is_code = s.bytes().all(|b| b.is_ascii_lowercase());
        // There are some 8,000 codes of three letters: their form has to do.
        let is_known = s.len() == 3 || TWO_LETTERS.split_ascii_whitespace().any(|code| code == s);
        if is_code && is_known { Ok(Self(s.into())) } else { Err(InvalidLanguage(s.to_owned())) }
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::of_tag(&text)
            .filter(|language| *language.0 == *text)
            .ok_or_else(|| serde::de::Error::custom(InvalidLanguage(text)))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_the_language_it_begins_with() {
        let of = |tag| Language::of_tag(tag).map(|language| language.to_string());
        assert_eq!(of("de-AT").as_deref(), Some("de"));
        assert_eq!(of("EN").as_deref(), Some("en"));
        assert_eq!(of("zh_Hant_TW").as_deref(), Some("zh"));
        assert_eq!(of("gsw").as_deref(), Some("gsw"));
        for none in ["", "-", "d", "german", "1a", "ä"] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }

    #[test]
    fn what_people_write_has_to_be_a_code() {
        assert!("de".parse::<Language>().is_ok() && "gsw".parse::<Language>().is_ok());
        for wrong in ["xx", "DE", "de-AT", "german", "", "d", "é"] {
            assert!(wrong.parse::<Language>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_stored_is_read_and_nothing_else() {
        let stored = serde_json::to_string(&Language::of_tag("xx").unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<Language>(&stored).unwrap().as_str(), "xx");
        assert!(serde_json::from_str::<Language>("\"de-AT\"").is_err());
    }
}
