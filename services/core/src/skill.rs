//! What agents are good at, and what a conversation needs: less and less of it the
//! longer it waits. Must never ask for more later than before.

use crate::ids::SkillId;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How good an agent is at something: 1 (knows a little) to 5 (expert).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

/// A number that is no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("level {0} is not within 1 to 5")]
pub struct InvalidLevel(u8);

impl Level {
    /// The lowest.
    pub const LOWEST: Self = Self(1);

    /// As a number from 1 to 5.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Level {
    type Error = InvalidLevel;
    fn try_from(level: u8) -> Result<Self, InvalidLevel> {
        if (1..=5).contains(&level) { Ok(Self(level)) } else { Err(InvalidLevel(level)) }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.0
    }
}

/// Skills with a level each: those an agent has, or at least has to have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Skills(BTreeMap<SkillId, Level>);

impl Skills {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The level of one.
    pub fn level(&self, skill: &SkillId) -> Option<Level> {
        self.0.get(skill).copied()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SkillId, Level)> {
        self.0.iter().map(|(skill, level)| (skill, *level))
    }

    /// Whether whoever has these has all that is required.
    pub fn satisfy(&self, required: &Self) -> bool {
        required.iter().all(|(skill, least)| self.level(skill).is_some_and(|has| has >= least))
    }

    /// Both what these and what the others ask for.
    pub fn and(&self, others: &Self) -> Self {
        let mut both = self.0.clone();
        for (skill, level) in others.iter() {
            let least = both.entry(skill.clone()).or_insert(level);
            *least = level.max(*least);
        }
        Self(both)
    }

    /// The sum of the levels at what is asked for: how well these fit.
    pub fn proficiency(&self, asked: &Self) -> u32 {
        asked.iter().filter_map(|(skill, _)| self.level(skill)).map(|l| u32::from(l.get())).sum()
    }
}

impl FromIterator<(SkillId, Level)> for Skills {
    fn from_iter<I: IntoIterator<Item = (SkillId, Level)>>(skills: I) -> Self {
        Self(skills.into_iter().collect())
    }
}

/// What is required from some time of waiting on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Time waited.
    pub after: Millis,
    /// What is required from then on; nothing: anyone will do.
    pub skills: Skills,
}

/// Why steps are no relaxation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNeeds {
    /// The first step must begin at once, each other one later than the one before.
    #[error("step {0} does not begin later than the one before it")]
    Order(usize),
    /// A step asks for what the one before it did not ask for.
    #[error("step {step} asks for more {skill} than the one before it")]
    More {
        /// Which, from 1.
        step: usize,
        /// For what.
        skill: SkillId,
    },
    /// More than `MAX_STEPS`.
    #[error("there are more than {MAX_STEPS} steps")]
    Many,
}

/// Steps of one relaxation.
pub const MAX_STEPS: usize = 16;

/// What is required of an agent, step by step; nothing when there is no step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Step>", into = "Vec<Step>")]
pub struct Needs(Vec<Step>);

impl Needs {
    /// From steps of which the first begins at once and each asks for no more than
    /// the one before it.
    pub fn new(steps: Vec<Step>) -> Result<Self, InvalidNeeds> {
        if steps.len() > MAX_STEPS {
            return Err(InvalidNeeds::Many);
        }
        if steps.first().is_some_and(|first| first.after > Millis::ZERO) {
            return Err(InvalidNeeds::Order(1));
        }
        for (pair, step) in steps.windows(2).zip(2..) {
            let [before, now] = pair else { continue };
            if now.after <= before.after {
                return Err(InvalidNeeds::Order(step));
            }
            let more = |(skill, least): &(&SkillId, Level)| {
                before.skills.level(skill).is_none_or(|asked| asked < *least)
            };
            if let Some((skill, _)) = now.skills.iter().find(more) {
                return Err(InvalidNeeds::More { step, skill: skill.clone() });
            }
        }
        Ok(Self(steps))
    }

    /// What would be best: the first step.
    pub fn ideal(&self) -> Option<&Skills> {
        self.0.first().map(|step| &step.skills)
    }

    /// All steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// What is required of one who has waited so long; `None`: nothing. A step that
    /// nobody there fulfils is not waited for: the next is tried at once, and past
    /// the last one it stays at what that requires.
    pub fn at(&self, waited: Millis, somebody_has: impl Fn(&Skills) -> bool) -> Option<&Skills> {
        let begun = self.0.iter().rposition(|step| step.after <= waited)?;
        let left = &self.0[begun..];
        let step = left.iter().find(|step| somebody_has(&step.skills)).or(left.last())?;
        Some(&step.skills)
    }

    /// When the next step begins, in time waited.
    pub fn next_after(&self, waited: Millis) -> Option<Millis> {
        self.0.iter().map(|step| step.after).find(|after| *after > waited)
    }
}

impl TryFrom<Vec<Step>> for Needs {
    type Error = InvalidNeeds;
    fn try_from(steps: Vec<Step>) -> Result<Self, InvalidNeeds> {
        Self::new(steps)
    }
}

impl From<Needs> for Vec<Step> {
    fn from(needs: Needs) -> Self {
        needs.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skills(all: &[(&str, u8)]) -> Skills {
        let one =
            |(name, level): &(&str, u8)| (name.parse().unwrap(), Level::try_from(*level).unwrap());
        all.iter().map(one).collect()
    }

    fn step(secs: u64, all: &[(&str, u8)]) -> Step {
        Step { after: Millis::from_secs(secs), skills: skills(all) }
    }

    fn needs() -> Needs {
        let steps = vec![step(0, &[("tax", 4), ("de", 1)]), step(30, &[("tax", 2)]), step(90, &[])];
        Needs::new(steps).unwrap()
    }

    #[test]
    fn levels_are_one_to_five() {
        assert!(Level::try_from(0).is_err() && Level::try_from(6).is_err());
        assert!(serde_json::from_str::<Level>("9").is_err());
    }

    #[test]
    fn every_skill_must_be_there_at_its_level() {
        let ana = skills(&[("tax", 4), ("de", 2)]);
        assert!(ana.satisfy(&skills(&[("tax", 4)])) && ana.satisfy(&Skills::default()));
        assert!(!ana.satisfy(&skills(&[("tax", 5)])) && !ana.satisfy(&skills(&[("fr", 1)])));
        assert_eq!(ana.proficiency(&skills(&[("tax", 1), ("fr", 1)])), 4);
    }

    #[test]
    fn less_is_asked_for_the_longer_one_waits() {
        let needs = needs();
        let at = |secs| needs.at(Millis::from_secs(secs), |_| true).unwrap().clone();
        assert_eq!(at(29), skills(&[("tax", 4), ("de", 1)]));
        assert_eq!(at(30), skills(&[("tax", 2)]));
        assert_eq!(at(9_000), Skills::default());
        assert_eq!(needs.next_after(Millis::from_secs(30)), Some(Millis::from_secs(90)));
        assert_eq!(needs.next_after(Millis::from_secs(90)), None);
    }

    #[test]
    fn what_nobody_can_is_not_waited_for() {
        let needs = needs();
        let novice = skills(&[("tax", 2)]);
        let asked = needs.at(Millis::ZERO, |required| novice.satisfy(required));
        assert_eq!(asked, Some(&skills(&[("tax", 2)])));
        assert_eq!(needs.at(Millis::ZERO, |_| false), Some(&Skills::default()));
    }

    #[test]
    fn steps_that_ask_for_more_are_refused() {
        let more = Needs::new(vec![step(0, &[("tax", 2)]), step(9, &[("tax", 3)])]);
        let skill = "tax".parse().unwrap();
        assert_eq!(more, Err(InvalidNeeds::More { step: 2, skill }));
        assert_eq!(Needs::new(vec![step(1, &[])]), Err(InvalidNeeds::Order(1)));
        let twice = Needs::new(vec![step(0, &[]), step(0, &[])]);
        assert_eq!(twice, Err(InvalidNeeds::Order(2)));
    }

    fn any_skills() -> impl Strategy<Value = Skills> {
        prop::collection::btree_map(0..4_u8, 1..=5_u8, 0..4).prop_map(|all| {
            let named =
                |(n, l): (u8, u8)| (format!("s{n}").parse().unwrap(), Level::try_from(l).unwrap());
            all.into_iter().map(named).collect()
        })
    }

    proptest! {
        /// Relaxation is monotone: who would do now will do later.
        #[test]
        fn who_would_do_will_do_later(
            first in any_skills(),
            later in prop::collection::vec((1..40_u64, 0..4_u8), 0..5),
            team in prop::collection::vec(any_skills(), 0..4),
            times in (0..120_u64, 0..120_u64),
        ) {
            let mut steps = vec![Step { after: Millis::ZERO, skills: first }];
            for (gap, dropped) in later {
                let last = steps.last().unwrap();
                let dropped: SkillId = format!("s{dropped}").parse().unwrap();
                let skills = last.skills.iter().filter(|(skill, _)| **skill != dropped);
                let skills = skills.map(|(skill, level)| (skill.clone(), level)).collect();
                steps.push(Step { after: Millis::new(last.after.get() + gap), skills });
            }
            let needs = Needs::new(steps).unwrap();
            let somebody = |required: &Skills| team.iter().any(|has| has.satisfy(required));
            let (early, late) = (times.0.min(times.1), times.0.max(times.1));
            let asked = |waited| needs.at(Millis::new(waited), somebody);
            for has in &team {
                let does = |asked: Option<&Skills>| asked.is_none_or(|a| has.satisfy(a));
                prop_assert!(!does(asked(early)) || does(asked(late)));
            }
        }
    }
}
