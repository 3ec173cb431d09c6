//! What a conversation needs of an agent at this moment: a step of its queue's skills,
//! and the visitor's language. Both become less with time, and what nobody signed in
//! has is not waited for. Who would do now must do later.

use super::{Rejection, Request, Rules};
use crate::language::Language;
use crate::presence::AgentView;
use crate::queue::Entry;
use crate::skill::Skills;
use crate::time::Millis;

/// What one asks for, besides its queue.
#[derive(Clone, Copy)]
pub(super) struct Wish<'r> {
    pub(super) rules: &'r Rules,
    pub(super) language: Option<&'r Language>,
    /// By a transfer.
    pub(super) asked: Option<&'r Skills>,
}

impl<'r> Wish<'r> {
    pub(super) fn of(rules: &'r Rules, entry: &'r Entry) -> Self {
        let asked = Some(&entry.asked_skills).filter(|asked| !asked.is_empty());
        Self { rules, language: entry.language.as_ref(), asked }
    }

    /// Whoever serves the queue will do, at any time.
    pub(super) fn is_plain(&self) -> bool {
        let foreign = self.rules.language.is_some() && self.language.is_some();
        self.rules.needs.steps().is_empty() && self.asked.is_none() && !foreign
    }

    pub(super) fn needed(self, step: Option<usize>, language: Option<&'r Language>) -> Needed<'r> {
        let skills = step.map(|i| &self.rules.needs.steps()[i].skills);
        Needed { step, skills, language, asked: self.asked }
    }

    /// When less is needed next, in time waited.
    pub(super) fn next_after(&self, waited: Millis) -> Option<Millis> {
        let language = self.rules.language.filter(|_| self.language.is_some());
        let relaxes = language.and_then(|rule| rule.relax_after).filter(|after| *after > waited);
        self.rules.needs.next_after(waited).into_iter().chain(relaxes).min()
    }
}

/// What is needed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needed<'r> {
    /// Which step of the skills.
    pub(super) step: Option<usize>,
    /// What that asks for.
    pub(super) skills: Option<&'r Skills>,
    pub(super) language: Option<&'r Language>,
    /// What a transfer asks for: that stays as it is while the rest relaxes.
    pub(super) asked: Option<&'r Skills>,
}

impl<'r> Needed<'r> {
    pub(super) fn of(
        request: &'r Request,
        step: Option<usize>,
        language: Option<&'r Language>,
    ) -> Self {
        Wish::of(&request.rules, &request.entry).needed(step, language)
    }

    /// What an agent lacks of it.
    pub(super) fn lacked_by(&self, agent: &AgentView) -> Option<Rejection> {
        let lacks = |required: &Skills| !agent.profile.skills.satisfy(required);
        if self.skills.is_some_and(lacks) || self.asked.is_some_and(lacks) {
            return Some(Rejection::Unskilled);
        }
        let is_foreign = self.language.is_some_and(|language| !agent.speaks(language));
        is_foreign.then_some(Rejection::Language)
    }

    /// All the skills, for people.
    pub(super) fn all_skills(&self) -> Skills {
        let none = Skills::default();
        self.skills.unwrap_or(&none).and(self.asked.unwrap_or(&none))
    }
}

/// `somebody` says whether anyone signed in who serves the queue has a step's skills,
/// and speaks a language where one is given.
pub(super) fn needed<'r>(
    wish: Wish<'r>,
    waited: Millis,
    mut somebody: impl FnMut(Option<usize>, Option<&'r Language>) -> bool,
) -> Needed<'r> {
    let rules = wish.rules;
    let steps = rules.needs.steps();
    let begun = steps.iter().rposition(|step| step.after <= waited);
    let mut first_with = |language: Option<&'r Language>| match begun {
        // Nothing is asked for but the language.
        None => somebody(None, language).then_some(None),
        Some(begun) => (begun..steps.len()).find(|i| somebody(Some(*i), language)).map(Some),
    };
    let spoken = rules.language.and(wish.language);
    let with_language = spoken.and_then(|language| first_with(Some(language)));
    let is_over = rules.language.and_then(|rule| rule.relax_after).is_some_and(|at| at <= waited);
    let (step, language) = match with_language {
        Some(step) if !is_over => (step, spoken),
        // Past the last step it stays at what that requires. Never stricter than it was
        // with the language, or one who would have done would do no more.
        other => {
            let alone = first_with(None).unwrap_or(steps.len().checked_sub(1));
            (alone.max(other.flatten()), None)
        }
    };
    wish.needed(step, language)
}

/// When less is needed next, in time waited.
pub(super) fn next_after(request: &Request, waited: Millis) -> Option<Millis> {
    Wish::of(&request.rules, &request.entry).next_after(waited)
}
