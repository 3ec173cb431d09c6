//! Which queue a new conversation goes to: that of the first rule all of whose
//! conditions hold, else the default. Knows nothing of queues but their names.

use crate::hours::Hours;
use crate::ids::{CalendarId, QueueId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rules of one site.
pub const MAX_ROUTES: usize = 256;
/// Alternatives of one condition.
pub const MAX_ALTERNATIVES: usize = 64;
/// Bytes of one alternative.
pub const MAX_ALTERNATIVE_BYTES: usize = 256;

/// What is known of a conversation before it begins.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'v> {
    /// Address of the page, as the page says.
    pub page: &'v str,
    /// Language tag, such as `de-AT`.
    pub language: &'v str,
    /// What the page and the token say of the visitor.
    pub attributes: &'v BTreeMap<Arc<str>, Arc<str>>,
    /// The first message.
    pub text: &'v str,
    /// By what way the visitor comes, such as `web`; empty when not known.
    pub channel: &'v str,
    /// The time now.
    pub now: Timestamp,
    /// The site's opening hours, by name.
    pub calendars: &'v BTreeMap<CalendarId, Arc<Hours>>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// For people.
    pub name: String,
    /// Without any condition it always holds.
    #[serde(default)]
    pub when: When,
    /// Where the conversation goes.
    pub queue: QueueId,
    /// Head start in minutes of waiting, besides its queue's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority_minutes: u32,
}

fn is_zero(minutes: &u32) -> bool {
    *minutes == 0
}

/// Conditions, of which every one that is given must hold; each does when any of its
/// alternatives does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct When {
    /// Patterns of the page's address; `*` stands for any characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub page: Vec<String>,
    /// Language tags; `de` holds for `de-AT`, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub language: Vec<String>,
    /// Values of attributes; `*` holds for any value that is there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Words of the first message, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// Ways by which visitors come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channel: Vec<String>,
    /// While these hours are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub during: Option<CalendarId>,
}

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// No pattern fits the page.
    #[error("page")]
    Page,
    /// It is another language.
    #[error("language")]
    Language,
    /// This attribute is another, or absent.
    #[error("attribute {0}")]
    Attribute(String),
    /// No word is in the first message.
    #[error("text")]
    Text,
    /// It came another way.
    #[error("channel")]
    Channel,
    /// The hours are closed, or there are none of this name.
    #[error("during")]
    During,
}

/// Where a conversation goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed<'r> {
    /// The rule that holds; `None`: the default.
    pub route: Option<&'r Route>,
    /// The rules before it, with the first condition of each that does not hold.
    pub missed: Vec<(&'r Route, Miss)>,
}

impl When {
    /// Whether it holds for every conversation.
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// The first condition that does not hold.
    pub fn miss(&self, visit: &Visit<'_>) -> Option<Miss> {
        let any = |alternatives: &[String], holds: &dyn Fn(&str) -> bool| {
            alternatives.is_empty() || alternatives.iter().any(|alternative| holds(alternative))
        };
        if !any(&self.page, &|pattern| fits(pattern, visit.page)) {
            return Some(Miss::Page);
        }
        if !any(&self.language, &|tag| speaks(tag, visit.language)) {
            return Some(Miss::Language);
        }
        for (name, values) in &self.attributes {
            let has = visit.attributes.get(name.as_str()).map(AsRef::as_ref);
            let holds = |value: &str| has.is_some_and(|has: &str| value == "*" || value == has);
            if !values.iter().any(|value| holds(value)) {
                return Some(Miss::Attribute(name.clone()));
            }
        }
        if !any(&self.channel, &|channel| channel == visit.channel) {
            return Some(Miss::Channel);
        }
        let is_open = |name| {
            visit.calendars.get(name).is_some_and(|hours: &Arc<Hours>| hours.is_open(visit.now))
        };
        if self.during.as_ref().is_some_and(|name| !is_open(name)) {
            return Some(Miss::During);
        }
        let text = visit.text.to_lowercase();
        (!any(&self.text, &|words| says(&text, words))).then_some(Miss::Text)
    }
}

impl When {
    /// Whether it surely holds wherever `other` does. May say no though it does.
    pub fn covers(&self, other: &Self) -> bool {
        let each = |own: &[String], others: &[String], covers: &dyn Fn(&str, &str) -> bool| {
            own.is_empty()
                || !others.is_empty() && others.iter().all(|o| own.iter().any(|a| covers(a, o)))
        };
        let value = |a: &str, b: &str| a == "*" || a == b;
        each(&self.page, &other.page, &fits)
            && each(&self.language, &other.language, &speaks)
            && each(&self.channel, &other.channel, &|a, b| a == b)
            && (self.during.is_none() || self.during == other.during)
            && each(&self.text, &other.text, &|a, b| says(&b.to_lowercase(), a))
            && self.attributes.iter().all(|(name, own)| {
                let others = other.attributes.get(name);
                !own.is_empty() && others.is_some_and(|others| each(own, others, &value))
            })
    }
}

/// Goes through the rules in their order.
pub fn decide<'r>(routes: &'r [Route], visit: &Visit<'_>) -> Routed<'r> {
    let mut missed = Vec::new();
    for route in routes {
        match route.when.miss(visit) {
            None => return Routed { route: Some(route), missed },
            Some(miss) => missed.push((route, miss)),
        }
    }
    Routed { route: None, missed }
}

/// Whether a pattern with `*` fits all of a text. Takes time in proportion to the
/// product of their lengths at most.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` is, and how much of the text it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            (p, t) = (at + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Whether a language tag is this one or a narrower one of it.
fn speaks(tag: &str, language: &str) -> bool {
    let head = language.get(..tag.len());
    let narrower = language.as_bytes().get(tag.len()).is_none_or(|next| *next == b'-');
    narrower && head.is_some_and(|head| head.eq_ignore_ascii_case(tag))
}

/// Whether these words are in a text in small letters, as words of their own: not
/// `tax` in `taxi`. Scripts without spaces have no such border.
fn says(text: &str, words: &str) -> bool {
    let words = words.to_lowercase();
    let is_border = |beside: Option<char>| {
        beside.is_none_or(|c| !c.is_alphanumeric() || !words.starts_with(|w: char| w.is_ascii()))
    };
    !words.is_empty()
        && text.match_indices(words.as_str()).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            is_border(before) && is_border(after)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn route(name: &str, when: When) -> Route {
        Route { name: name.into(), when, queue: name.parse().unwrap(), priority_minutes: 0 }
    }

    fn list(all: &[&str]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }

    static CALENDARS: BTreeMap<CalendarId, Arc<Hours>> = BTreeMap::new();

    fn visit<'v>(attributes: &'v BTreeMap<Arc<str>, Arc<str>>, text: &'v str) -> Visit<'v> {
        let now = Timestamp::from_millis(1_000);
        let calendars = &CALENDARS;
        Visit { page: "", language: "", attributes, text, channel: "", now, calendars }
    }

    fn attributes(all: &[(&str, &str)]) -> BTreeMap<Arc<str>, Arc<str>> {
        all.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect()
    }

    #[test]
    fn the_first_rule_that_holds_wins_and_those_before_say_why_not() {
        let tier = BTreeMap::from([("tier".to_owned(), list(&["gold", "silver"]))]);
        let routes = [
            route("vip", When { attributes: tier, ..When::default() }),
            route("german", When { language: list(&["de"]), ..When::default() }),
            route("rest", When::default()),
        ];
        let none = attributes(&[]);
        let mut visit = Visit { language: "de-AT", ..visit(&none, "") };
        let routed = decide(&routes, &visit);
        assert_eq!(routed.route.unwrap().name, "german");
        assert_eq!(routed.missed, [(&routes[0], Miss::Attribute("tier".into()))]);
        let gold = attributes(&[("tier", "gold")]);
        visit.attributes = &gold;
        assert_eq!(decide(&routes, &visit).route.unwrap().name, "vip");
        visit = Visit { attributes: &none, language: "den", ..visit };
        assert_eq!(decide(&routes, &visit).route.unwrap().name, "rest");
        assert_eq!(decide(&routes[..2], &visit).route, None);
    }

    #[test]
    fn every_condition_must_hold() {
        let when = When {
            page: list(&["https://shop.example/tax/*", "*/vat"]),
            text: list(&["VAT", "tax return"]),
            attributes: BTreeMap::from([("id".to_owned(), list(&["*"]))]),
            ..When::default()
        };
        let (with, without) = (attributes(&[("id", "7")]), attributes(&[]));
        let miss = |page, text, attributes| when.miss(&Visit { page, ..visit(attributes, text) });
        let page = "https://shop.example/tax/a";
        assert_eq!(miss(page, "My Tax Return?", &with), None);
        assert_eq!(miss("x/vat", "about vat.", &with), None);
        assert_eq!(miss("x/vats", "vat", &with), Some(Miss::Page));
        assert_eq!(miss(page, "private", &with), Some(Miss::Text));
        assert_eq!(miss(page, "vat", &without), Some(Miss::Attribute("id".into())));
    }

    #[test]
    fn words_are_whole_where_a_script_has_words() {
        assert!(says("where is my tax?", "tax") && !says("a taxi, please", "Tax"));
        assert!(says("我要退款谢谢", "退款"));
        assert!(!says("anything", ""));
    }

    #[test]
    fn ways_and_hours_are_conditions_too() {
        let mut day = Hours::new("Europe/Berlin").unwrap();
        day.set_days("mon-fri", &["09:00-18:00"]).unwrap();
        let day_name: CalendarId = "day".parse().unwrap();
        let calendars = BTreeMap::from([(day_name.clone(), Arc::new(day))]);
        let (app, during) = (list(&["app"]), Some(day_name));
        let when = When { channel: app, during: during.clone(), ..When::default() };
        let none = attributes(&[]);
        // Monday, 23 November 2026: 10:00 and 20:00 in Berlin.
        let (open, shut) = (1_795_424_400_000, 1_795_460_400_000);
        let miss = |channel, now| {
            let now = Timestamp::from_millis(now);
            when.miss(&Visit { channel, now, calendars: &calendars, ..visit(&none, "") })
        };
        assert_eq!((miss("app", open), miss("web", open)), (None, Some(Miss::Channel)));
        assert_eq!((miss("", open), miss("app", shut)), (Some(Miss::Channel), Some(Miss::During)));
        let unknown = Visit { channel: "app", ..visit(&none, "") };
        assert_eq!(when.miss(&unknown), Some(Miss::During), "hours that are not there are shut");
        let any_time = When { during: None, ..when.clone() };
        assert!(any_time.covers(&when) && !when.covers(&any_time));
        let other = When { during: Some("night".parse().unwrap()), ..when.clone() };
        assert!(when.covers(&when) && !when.covers(&other));
    }

    fn conditions() -> impl Strategy<Value = When> {
        let texts = |all: &[&str]| prop::collection::vec(prop::sample::select(list(all)), 0..3);
        (
            texts(&["*", "a*", "*b", "ab", "a*b"]),
            texts(&["de", "de-at", "en"]),
            prop::collection::btree_map("[xy]", texts(&["*", "1", "2"]), 0..3),
            texts(&["tax", "tax return", "a tax"]),
            texts(&["web", "app"]),
        )
            .prop_map(|(page, language, attributes, text, channel)| When {
                page,
                language,
                attributes,
                text,
                channel,
                during: None,
            })
    }

    proptest! {
        /// What a rule covers it takes: the later one can never be reached.
        #[test]
        fn a_covered_rule_is_never_reached(
            first in conditions(), later in conditions(),
            page in "[ab]{0,3}", language in "de|de-AT|en",
            x in prop::option::of("[12]"), y in prop::option::of("[12]"),
            text in "(a |my )?tax( return)?", channel in "web|app|",
        ) {
            let pairs = [("x", x.as_deref()), ("y", y.as_deref())];
            let has: Vec<(&str, &str)> =
                pairs.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
            let attributes = attributes(&has);
            let visit =
                Visit { page: &page, language: &language, channel: &channel, ..visit(&attributes, &text) };
            prop_assert!(first.covers(&first) || first.attributes.values().any(Vec::is_empty));
            if first.covers(&later) && later.miss(&visit).is_none() {
                prop_assert_eq!(first.miss(&visit), None);
            }
        }

        #[test]
        fn a_pattern_fits_what_is_made_from_it(parts in prop::collection::vec("[a-z/]{0,4}", 1..5), fill in "[a-z/]{0,4}") {
            let (pattern, text) = (parts.join("*"), parts.join(&fill));
            prop_assert!(fits(&pattern, &text), "{} {}", pattern, text);
        }

        /// The same answer as from trying everything.
        #[test]
        fn patterns_agree_with_a_search(pattern in "[ab*]{0,6}", text in "[ab]{0,6}") {
            fn slow(pattern: &[u8], text: &[u8]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some((b'*', rest)) => (0..=text.len()).any(|n| slow(rest, &text[n..])),
                    Some((byte, rest)) => text.first() == Some(byte) && slow(rest, &text[1..]),
                }
            }
            prop_assert_eq!(fits(&pattern, &text), slow(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn any_text_is_taken(page in any::<String>(), language in any::<String>(), text in any::<String>(), word in any::<String>()) {
            let none = attributes(&[]);
            let when = When {
                page: vec![word.clone()],
                language: vec![word.clone()],
                text: vec![word],
                ..When::default()
            };
            let _ = when.miss(&Visit { page: &page, language: &language, channel: &page, ..visit(&none, &text) });
            let _ = says(&text.to_lowercase(), &when.text[0]);
            let _ = speaks(&when.language[0], &language);
        }
    }
}
