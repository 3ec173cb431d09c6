//! Documents about whom agents serve, in which languages and how many at once.

use crate::tests::{demo, origins, start};
use frontdesk_core::language::Language;
use frontdesk_core::matching::{Acceptance, LanguageRule, Policy};
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{Applied, Desk as _};

const GOOD: &str = "
away_after_missed: 3
queues:
  - { name: general, choice: round-robin, acceptance: auto, max_active: 50 }
  - { name: tax, max_per_agent: 2, language: { require: true, relax_after: 1m } }
calendars:
  - { name: office, zone: UTC, week: { mon-fri: ['09:00-17:00'] } }
routes:
  - name: gold
    when: { attributes: { tier: [gold] }, channel: [web, app], during: office }
    queue: tax
    priority: 10m
agents:
  - { email: agent@demo.example, name: Alex, queues: [{ name: tax, max: 1 }, general], languages: [en, de] }
";

async fn apply(desk: &crate::DeskService, text: &str) -> Applied {
    super::tests::apply(desk, text, false).await
}

#[tokio::test]
async fn what_is_written_is_in_force_and_nothing_differs_afterwards() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(8080)).await.unwrap();
    let done = apply(&desk, GOOD).await;
    assert!(done.problems.is_empty(), "{:?}", done.problems);
    for line in [
        "~ away_after_missed: null -> 3",
        "~ queue general: acceptance offer -> auto",
        "~ queue general: choice least-loaded -> round-robin",
        "~ agent agent@demo.example: queues [] -> [{\"max\":1,\"name\":\"tax\"},\"general\"]",
        "~ agent agent@demo.example: languages [] -> [\"en\",\"de\"]",
    ] {
        assert!(done.changes.iter().any(|change| change == line), "{line}: {:#?}", done.changes);
    }
    let site = desk.site(&demo()).await.unwrap().unwrap();
    assert_eq!(site.away_after_missed, Some(3));
    let (general, tax) = (&site.queues[0].rules, &site.queues[1].rules);
    assert_eq!((general.policy, general.acceptance), (Policy::RoundRobin, Acceptance::Auto));
    assert_eq!((general.max_active, tax.max_per_agent), (Some(50), Some(2)));
    let relaxes = LanguageRule { relax_after: Some(Millis::from_mins(1)) };
    assert_eq!(tax.language, Some(relaxes));
    let route = &site.routes[0];
    assert_eq!((route.priority_minutes, route.when.channel.len()), (10, 2));
    let agents = desk.agents(&demo()).await.unwrap();
    let alex = agents.iter().find(|agent| agent.email == "agent@demo.example").unwrap();
    assert_eq!(alex.profile.languages, ["en", "de"].map(|code| Language::of_tag(code).unwrap()));
    assert_eq!(alex.profile.caps, [("tax".parse().unwrap(), 1)].into());
    assert_eq!(alex.profile.queues.len(), 2);
    let again = apply(&desk, GOOD).await;
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

/// Each with the line that is refused and a word of why; nothing changes.
#[tokio::test]
async fn what_cannot_work_is_refused_with_its_line() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(8080)).await.unwrap();
    let agent = |fields: &str| {
        format!("queues: [{{ name: a }}]\nagents:\n  - {{ email: a@b, name: A, {fields} }}\n")
    };
    let queue = |fields: &str| format!("queues:\n  - {{ name: a, {fields} }}\n");
    let route = |fields: &str| {
        format!("queues: [{{ name: a }}]\nroutes:\n  - {{ name: r, queue: a, {fields} }}\n")
    };
    let mut wrong = Vec::new();
    for (line, word, text) in [
        (2, "away_after_missed 0", "queues: [{ name: a }]\naway_after_missed: 0\n".to_owned()),
        (2, "away_after_missed 101", "queues: [{ name: a }]\naway_after_missed: 101\n".to_owned()),
        (2, "max_per_agent 0", queue("max_per_agent: 0")),
        (2, "max_per_agent 101", queue("max_per_agent: 101")),
        (2, "max_active 0", queue("max_active: 0")),
        (2, "max_active 4000000000", queue("max_active: 4000000000")),
        (2, "unknown variant", queue("acceptance: maybe")),
        (2, "unknown variant", queue("choice: by-age")),
        (2, "nobody who serves it has languages", queue("language: { require: true }")),
        (2, "without require", queue("language: { require: false, relax_after: 1m }")),
        (2, "relax_after 0s", queue("language: { require: true, relax_after: 0s }")),
        (2, "dialect", queue("language: { require: true, dialect: x }")),
        (3, "no language \"xx\"", agent("languages: [xx]")),
        (3, "no language \"de-AT\"", agent("languages: [de-AT]")),
        (3, "language de is named twice", agent("languages: [de, de]")),
        (3, "no queue b", agent("queues: [{ name: b, max: 1 }]")),
        (3, "max 0", agent("queues: [{ name: a, max: 0 }]")),
        (3, "max 101", agent("queues: [{ name: a, max: 101 }]")),
        (3, "named twice", agent("queues: [a, { name: a, max: 1 }]")),
        (3, "a queue is its name", agent("queues: [{ name: a, most: 1 }]")),
        (3, "whole minutes", route("priority: 30s")),
        (3, "more than a day", route("priority: 25h")),
        (3, "no calendar night", route("when: { during: night }")),
        (3, "channel: \"Web\"", route("when: { channel: [Web] }")),
        (3, "alternatives", route(&format!("when: {{ channel: [{}] }}", ["web"; 65].join(", ")))),
        (3, "no language \"xx\"", route("when: { language: [xx-AT] }")),
        (
            4,
            "never be reached",
            format!(
                "{}  - {{ name: s, queue: a, when: {{ channel: [web], text: [x] }} }}\n",
                route("when: { channel: [web, app] }")
            ),
        ),
    ] {
        let applied = apply(&desk, &text).await;
        let first = applied.problems.first();
        if first.is_none_or(|first| first.line != line || !first.reason.contains(word)) {
            wrong.push((line, word, applied.problems, text));
        }
        assert!(applied.changes.is_empty());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(desk.site(&demo()).await.unwrap().unwrap().away_after_missed, None, "as it was");
}
