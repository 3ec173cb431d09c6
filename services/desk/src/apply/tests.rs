//! Documents on the real store: what is refused and where, what changes, twice.

use crate::tests::{attempt, demo, origins, start};
use frontdesk_core::audit::Author;
use frontdesk_core::conversation::{AlarmAction, AlarmKind};
use frontdesk_core::ids::AgentId;
use frontdesk_core::matching::Policy;
use frontdesk_core::party::Role;
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{Applied, Desk, QueueConfig};
use uuid::Uuid;

const GOOD: &str = "
title: Möbel
default_queue: general
queues:
  - { name: general, hours: office, when_closed: { queue: tax }, max_waiting: 50, max_wait: 10m, when_too_long: callback }
  - name: tax
    priority: 5m
    weight: 2
    offer_timeout: 20s
    wrap_up: 1m
    choice: best-proficiency
    hold_for_previous: 30s
    skills:
      - require: { tax: 4, german: 2 }
      - after: 30s
        require: { tax: 2 }
      - after: 2m
calendars:
  - name: office
    zone: Europe/Berlin
    week: { mon-fri: ['09:00-12:30', '13:30-18:00'] }
    holidays: { 2026-12-25: [] }
routes:
  - { name: german, when: { language: [de] }, queue: general }
  - { name: vip, when: { attributes: { tier: [gold] }, page: ['*/tax*'] }, queue: tax }
agents:
  - { email: Agent@demo.example, name: Alex, capacity: 6, queues: [tax, general], skills: { tax: 5, german: 3 } }
  - { email: new@demo.example, name: Nora, role: supervisor }
";

/// What comes of a document that a supervisor hands in.
pub(crate) async fn apply(desk: &crate::DeskService, text: &str, dry_run: bool) -> Applied {
    let by = Author {
        at: Timestamp::ZERO,
        id: AgentId::from_uuid(Uuid::from_u128(1)),
        name: "Sue".into(),
        role: Role::Supervisor,
        origin: "".into(),
    };
    Desk::apply(desk, &demo(), text, (!dry_run).then_some(by)).await.unwrap()
}

#[tokio::test]
async fn a_document_is_compared_then_put_in_force_once() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(8080)).await.unwrap();

    let planned = apply(&desk, GOOD, true).await;
    assert!(planned.problems.is_empty(), "{:?}", planned.problems);
    assert_eq!(
        planned.changes,
        [
            "~ title: Demo shop -> Möbel",
            "~ queue general: hours null -> office",
            "~ queue general: max_wait null -> 10m",
            "~ queue general: max_waiting null -> 50",
            "~ queue general: when_closed null -> {\"queue\":\"tax\"}",
            "~ queue general: when_full null -> form",
            "~ queue general: when_too_long null -> callback",
            "+ queue tax",
            "- queue sales",
            "+ calendar office",
            "+ rule german",
            "+ rule vip",
            "~ agent agent@demo.example: capacity 4 -> 6",
            "~ agent agent@demo.example: queues [] -> [\"tax\",\"general\"]",
            "~ agent agent@demo.example: skills {} -> {\"german\":3,\"tax\":5}",
            "+ agent new@demo.example",
        ]
    );
    assert_eq!(desk.site(&demo()).await.unwrap().unwrap().title, "Demo shop", "only planned");

    let done = apply(&desk, GOOD, false).await;
    assert_eq!(done.changes, planned.changes);
    assert_eq!(done.version, planned.version + 1);
    assert_eq!(done.made.len(), 1);
    let site = desk.site(&demo()).await.unwrap().unwrap();
    let tax = &site.queues[1];
    assert_eq!((tax.weight, tax.priority_minutes), (2, 5));
    assert_eq!(tax.rules.policy, Policy::BestProficiency);
    assert_eq!(tax.rules.hold_for_previous, Millis::from_secs(30));
    assert_eq!(tax.rules.needs.steps().len(), 3);
    assert_eq!(site.routes.iter().map(|r| &*r.name).collect::<Vec<_>>(), ["german", "vip"]);
    let general = &site.queues[0];
    assert_eq!(general.limits.max_waiting, Some(50));
    assert_eq!(site.hours(general).map(|hours| hours.zone()), Some("Europe/Berlin"));
    let made = &done.made[0];
    let signed = desk.sign_in(attempt("demo", &made.email, &made.password)).await.unwrap();
    assert_eq!(&*signed.profile.name, "Nora");

    let again = apply(&desk, GOOD, false).await;
    assert_eq!((again.version, again.changes.len(), again.made.len()), (done.version, 0, 0));
}

fn alarm(rule: &str) -> String {
    format!("queues: [{{ name: a, alarms: [{{ {rule} }}] }}, {{ name: b }}]\n")
}

/// Each with the line that is refused and a word of why; nothing changes.
#[tokio::test]
async fn what_cannot_work_is_refused_with_its_line() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(8080)).await.unwrap();
    let mut wrong = Vec::new();
    let agent = "agents:\n  - { email: a@b, name: A, skills: { tax: 3 } }\n";
    for (line, word, text) in [
        (1, "one queue", "queues: []\n".to_owned()),
        (1, "field", "title: x\n".to_owned()),
        (2, "colour", "queues:\n  - { name: a, colour: red }\n".to_owned()),
        (2, "a-z", "queues:\n  - { name: Ä }\n".to_owned()),
        (2, "length of time", "queues:\n  - { name: a, wrap_up: soon }\n".to_owned()),
        (2, "level 9", "queues:\n  - { name: a, skills: [{ require: { tax: 9 } }] }\n".to_owned()),
        (3, "twice", "queues:\n  - name: a\n  - name: a\n".to_owned()),
        (3, "weight 0", "queues:\n  - name: b\n  - { name: a, weight: 0 }\n".to_owned()),
        (2, "weight 101", "queues:\n  - { name: a, weight: 101 }\n".to_owned()),
        (2, "slots", "queues:\n  - { name: a, weight: 5 }\n".to_owned()),
        (2, "offer_timeout", "queues:\n  - { name: a, offer_timeout: 1s }\n".to_owned()),
        (2, "whole minutes", "queues:\n  - { name: a, priority: 30s }\n".to_owned()),
        (3, "nowhere", "queues:\n  - name: a\ndefault_queue: nowhere\n".to_owned()),
        (
            2,
            "more tax",
            format!(
                "queues:\n  - {{ name: a, skills: [{{ require: {{ tax: 1 }} }}, {{ after: 9s, require: {{ tax: 2 }} }}] }}\n{agent}"
            ),
        ),
        (
            2,
            "skill cooking",
            "queues:\n  - { name: a, skills: [{ require: { cooking: 1 } }, { after: 1m }] }\n"
                .to_owned(),
        ),
        (
            2,
            "last step",
            format!("queues:\n  - {{ name: a, skills: [{{ require: {{ tax: 4 }} }}] }}\n{agent}"),
        ),
        (
            4,
            "queue b",
            "queues:\n  - name: a\nagents:\n  - { email: a@b, name: A, queues: [b] }\n".to_owned(),
        ),
        (4, "name@host", "queues:\n  - name: a\nagents:\n  - { email: ab, name: A }\n".to_owned()),
        (
            4,
            "capacity",
            "queues:\n  - name: a\nagents:\n  - { email: a@b, name: A, capacity: 0 }\n".to_owned(),
        ),
        (1, "answer_within 0s", "queues: [{ name: a, answer_within: 0s }]\n".to_owned()),
        (1, "no calendar b", "queues: [{ name: a, hours: b }]\n".to_owned()),
        (1, "without hours", "queues: [{ name: a, when_closed: wait }]\n".to_owned()),
        (1, "without max_wait", "queues: [{ name: a, max_wait: 1m, when_full: form }, { name: b, when_too_long: form }]\n".to_owned()),
        (1, "wait is what", "queues: [{ name: a, max_wait: 1m, when_too_long: wait }]\n".to_owned()),
        (1, "max_waiting 0", "queues: [{ name: a, max_waiting: 0 }]\n".to_owned()),
        (1, "max_wait 1s", "queues: [{ name: a, max_wait: 1s }]\n".to_owned()),
        (1, "no queue b", "queues: [{ name: a, max_wait: 1m, when_too_long: { queue: b } }]\n".to_owned()),
        (
            2,
            "a -> b -> a",
            "queues:\n  - { name: a, max_wait: 1m, when_too_long: { queue: b } }\n  - { name: b, max_waiting: 9, when_full: { queue: a } }\n"
                .to_owned(),
        ),
        (1, "after is missing", "queues: [{ name: a, alarms: [{ on: long-wait, do: [notify] }] }]\n".to_owned()),
        (
            4,
            "no queue b",
            "queues:\n  - name: a\n    alarms:\n      - { on: long-wait, after: 1m, do: [{ queue: b }] }\n".to_owned(),
        ),
        (1, "a -> a", alarm("on: long-wait, after: 1m, do: [{ queue: a }]")),
        (1, "no answer_within", alarm("on: late, do: [notify]")),
        (1, "goes by answer_within", alarm("on: late, after: 1m, do: [notify]")),
        (1, "so at once", alarm("on: abandoned, after: 1m, do: [notify]")),
        (1, "has ended", alarm("on: abandoned, do: [{ message: { en: x } }]")),
        (1, "an agent has", alarm("on: unanswered, after: 1m, do: [{ priority: 5m }]")),
        (1, "nobody is there", alarm("on: visitor-lost, after: 1m, do: [{ queue: b }]")),
        (1, "max_wait is for", alarm("on: long-wait, after: 1m, do: [close]")),
        (1, "after close", alarm("on: visitor-lost, after: 1m, do: [close, notify]")),
        (1, "does nothing", alarm("on: visitor-lost, after: 1m, do: []")),
        (1, "notify is written twice", alarm("on: visitor-lost, after: 1m, do: [notify, notify]")),
        (1, "after 1s", alarm("on: visitor-lost, after: 1s, do: [notify]")),
        (1, "after 0s", alarm("on: unanswered, after: 0s, do: [notify]")),
        (1, "after 1month", alarm("on: long-wait, after: 1month, do: [notify]")),
        (1, "whole minutes", alarm("on: long-wait, after: 1m, do: [{ priority: 90s }]")),
        (1, "whole minutes", alarm("on: long-wait, after: 1m, do: [{ priority: 2days }]")),
        (1, "1 to 32 languages", alarm("on: long-wait, after: 1m, do: [{ message: {} }]")),
        (1, "language tag", alarm("on: long-wait, after: 1m, do: [{ message: { english!: x } }]")),
        (1, "1 to 1000 bytes", alarm("on: long-wait, after: 1m, do: [{ message: { en: ' ' } }]")),
        (1, "unknown variant", alarm("on: long-wait, after: 1m, do: [explode]")),
        (
            1,
            "nobody waits longer than max_wait",
            "queues: [{ name: a, max_wait: 1m, alarms: [{ on: long-wait, after: 1m, do: [notify] }] }]\n".to_owned(),
        ),
        (
            4,
            "written twice",
            "queues:\n  - name: a\n    alarms: [{ on: unanswered, after: 1m, do: [notify] },\n      { on: unanswered, after: 1m, do: [notify] }]\n".to_owned(),
        ),
        (
            2,
            "a -> b -> a",
            "queues:\n  - { name: a, alarms: [{ on: long-wait, after: 1m, do: [{ queue: b }] }] }\n  - { name: b, max_waiting: 9, when_full: { queue: a } }\n".to_owned(),
        ),
        (1, "transfer_return 1s", "queues: [{ name: a, transfer_return: 1s }]\n".to_owned()),
        (2, "Mars", "queues: [{ name: a }]\ncalendars: [{ name: c, zone: Mars/Olympus }]\n".to_owned()),
        (2, "never opens", "queues: [{ name: a }]\ncalendars: [{ name: c, zone: UTC }]\n".to_owned()),
        (
            6,
            "overlap",
            "queues: [{ name: a }]\ncalendars:\n  - name: c\n    zone: UTC\n    week:\n      mon: ['09:00-12:00', '11:00-13:00']\n"
                .to_owned(),
        ),
        (
            6,
            "25:00",
            "queues: [{ name: a }]\ncalendars:\n  - name: c\n    zone: UTC\n    holidays:\n      2026-12-24: ['09:00-25:00']\n"
                .to_owned(),
        ),
        (3, "no queue b", "queues: [{ name: a }]\nroutes:\n  - { name: r, queue: b }\n".to_owned()),
        (
            3,
            "colour",
            "queues: [{ name: a }]\nroutes:\n  - { name: r, queue: a, when: { colour: [x] } }\n"
                .to_owned(),
        ),
        (
            3,
            "alternatives",
            "queues: [{ name: a }]\nroutes:\n  - { name: r, queue: a, when: { attributes: { t: [] } } }\n"
                .to_owned(),
        ),
        (
            4,
            "never be reached",
            "queues: [{ name: a }]\nroutes:\n  - { name: r, queue: a }\n  - { name: s, queue: a, when: { text: [x] } }\n"
                .to_owned(),
        ),
        (
            4,
            "twice",
            "queues: [{ name: a }]\nroutes:\n  - { name: r, queue: a, when: { text: [y] } }\n  - { name: r, queue: a, when: { text: [x] } }\n"
                .to_owned(),
        ),
    ] {
        let applied = apply(&desk, &text, false).await;
        let first = applied.problems.first();
        if first.is_none_or(|first| first.line != line || !first.reason.contains(word)) {
            wrong.push((line, word, applied.problems, text));
        }
        assert!(applied.changes.is_empty());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(desk.site(&demo()).await.unwrap().unwrap().queues.len(), 2, "as it was");
}

#[tokio::test]
async fn alarms_are_stored_as_written_and_lost_visitors_end_by_default() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(8080)).await.unwrap();
    let text = "
queues:
  - name: general
    answer_within: 1m
    transfer_return: 0s
    alarms:
      - { on: late, do: [{ priority: 10m }, notify] }
      - { on: visitor-lost, after: 1h, do: [notify] }
  - { name: sales, alarms: [{ on: long-wait, after: 5m, do: [{ queue: general }] }] }
";
    let done = apply(&desk, text, false).await;
    assert_eq!(done.problems, []);
    assert!(done.changes.contains(&"~ queue general: transfer_return 2m -> 0s".to_owned()));
    let alarms = done.changes.iter().find(|change| change.contains("sales: alarms")).unwrap();
    assert!(
        alarms
            .contains("[{\"after\":\"5m\",\"do\":[{\"queue\":\"general\"}],\"on\":\"long-wait\"},")
    );
    let site = desk.site(&demo()).await.unwrap().unwrap();
    let (general, sales) = (&site.queues[0], &site.queues[1]);
    let of = |queue: &QueueConfig| queue.alarms.iter().map(|rule| rule.on).collect::<Vec<_>>();
    assert_eq!(of(general), [AlarmKind::Late, AlarmKind::VisitorLost]);
    assert_eq!(general.alarms[0].actions, [AlarmAction::Priority(10), AlarmAction::Notify]);
    assert_eq!(of(sales), [AlarmKind::LongWait, AlarmKind::VisitorLost]);
    assert_eq!(sales.alarms[1].after, Some(Millis::from_mins(30)));
    assert_eq!(sales.alarms[1].actions.last(), Some(&AlarmAction::Close));
    assert_eq!(
        (general.transfer_return, sales.transfer_return),
        (None, Some(Millis::from_mins(2)))
    );
    assert_eq!(apply(&desk, text, false).await.changes, [""; 0], "the same again");
}

#[tokio::test]
async fn a_bot_is_known_by_its_address() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(8080)).await.unwrap();
    let bots = |desk: std::sync::Arc<frontdesk_proto::api::SiteConfig>| {
        desk.bots.iter().cloned().collect::<Vec<_>>()
    };
    let with = |agent: &str| format!("queues:\n  - name: a\nagents:\n  - {agent}\n");
    let helper = with("{ email: Helper@b.example, name: Helper, bot: true }");
    let applied = apply(&desk, &helper, false).await;
    assert!(applied.problems.is_empty(), "{:?}", applied.problems);
    assert_eq!(bots(desk.site(&demo()).await.unwrap().unwrap()), ["helper@b.example"]);
    // Whom a document does not name stays as it is.
    apply(&desk, "queues:\n  - name: b\n", false).await;
    assert_eq!(bots(desk.site(&demo()).await.unwrap().unwrap()), ["helper@b.example"]);
    let person = apply(&desk, &with("{ email: helper@b.example, name: Helper }"), false).await;
    assert!(person.changes.contains(&"~ agent helper@b.example: bot true -> false".to_owned()));
    assert!(bots(desk.site(&demo()).await.unwrap().unwrap()).is_empty());
    let boss = with("{ email: a@b, name: A, role: supervisor, bot: true }");
    let refused = apply(&desk, &boss, true).await.problems;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].reason.contains("bot"), "{refused:?}");
}

#[tokio::test]
async fn a_document_is_tried_without_a_store() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    let alex = desk.ensure_dev_site(&origins(8080)).await.unwrap().accounts.remove(0).account;
    let tried = crate::trial(GOOD, &demo(), std::slice::from_ref(&alex)).unwrap();
    let tax = tried.site.queue(&"tax".parse().unwrap()).unwrap();
    assert_eq!((tax.weight, tax.rules.policy), (2, Policy::BestProficiency));
    assert_eq!((tried.agents.len(), tried.agents[0].profile.capacity), (1, 6));
    assert_eq!(tried.agents[0].id, alex.id);
    assert!(tried.newcomers.iter().all(|account| account.email != alex.email));
    let fresh = crate::trial(GOOD, &demo(), &[]).unwrap();
    assert!(fresh.agents.is_empty(), "none are there");
    let new = fresh.newcomers.iter().find(|account| account.email == alex.email).unwrap();
    assert_eq!((new.profile.capacity, &new.profile.name), (6, &tried.agents[0].profile.name));
    let problems = crate::trial("queues: []\n", &demo(), &[]).unwrap_err();
    assert_eq!(problems.len(), 1);
}
