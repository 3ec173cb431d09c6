//! Lists of conversations and the summaries they are made of.

use super::Subject;
use super::fixture::{
    agent, append, assigned, closed, conversation, offered, put, record, summary, visitor,
};
use crate::journal::{Append, AppendOutcome, Journal, ListQuery, ReadCursors};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, QueueId, Seq, SiteId};
use frontdesk_core::party::Participant;
use frontdesk_core::time::Timestamp;
use std::sync::Arc;

async fn listed(journal: &dyn Journal, query: ListQuery) -> Vec<ConversationId> {
    let all = journal.list(query, 100).await.expect("readable");
    all.iter().map(|summary| summary.id).collect()
}

fn site(name: &str) -> SiteId {
    name.parse().expect("a site")
}

fn queue(name: &str) -> QueueId {
    name.parse().expect("a queue")
}

fn id_of(agent: &Participant) -> AgentId {
    agent.agent_id().expect("an agent")
}

/// Own ones of the site, newest first; whole summaries; limited.
pub async fn lists_of_a_visitor(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let [old, new, theirs, abroad] = [(); 4].map(|()| conversation());
    let me = visitor(1);
    put(&*journal, 0, summary(new, me, 20)).await;
    put(&*journal, 0, summary(old, me, 10)).await;
    put(&*journal, 0, summary(theirs, visitor(2), 15)).await;
    put(&*journal, 0, Summary { site: site("two"), ..summary(abroad, me, 30) }).await;
    let mine = ListQuery::OfVisitor(site("one"), me);
    assert_eq!(listed(&*journal, mine.clone()).await, [new, old]);
    assert_eq!(journal.list(mine.clone(), 1).await, Ok(vec![Arc::new(summary(new, me, 20))]));
    assert_eq!(journal.summary(old).await, Ok(Some(Arc::new(summary(old, me, 10)))));
    put(&*journal, 1, summary(old, me, 40)).await;
    assert_eq!(listed(&*journal, mine).await, [old, new]);
    assert_eq!(listed(&*journal, ListQuery::OfSite(site("one"))).await, [old, new, theirs]);
}

/// What each side has read, although no append has told.
pub async fn lists_show_what_has_been_read(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    put(&*journal, 0, summary(id, visitor(1), 1)).await;
    let cursors = ReadCursors { visitor: Seq::new(1), agent: Seq::ZERO };
    journal.save_cursors(vec![(id, cursors)]).await.expect("saved");
    let list = journal.list(ListQuery::OfSite(site("one")), 1).await;
    let shown = Summary { visitor_read: Seq::new(1), ..summary(id, visitor(1), 1) };
    assert_eq!(list, Ok(vec![Arc::new(shown)]));
}

/// What an agent has or is offered, and on demand what it had last.
pub async fn lists_of_an_agent(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let (me, other) = (agent(1), agent(2));
    let [has, asked, had, passed_on, not_mine] = [(); 5].map(|()| conversation());
    let with = |id, at, phase, last: &Participant| Summary {
        phase,
        last_agent: Some(last.clone()),
        ..summary(id, visitor(1), at)
    };
    put(&*journal, 0, with(has, 1, assigned(&me), &me)).await;
    put(&*journal, 0, with(asked, 2, offered(&me), &other)).await;
    put(&*journal, 0, with(had, 3, closed(), &me)).await;
    put(&*journal, 0, with(passed_on, 4, assigned(&other), &other)).await;
    put(&*journal, 0, with(not_mine, 5, closed(), &other)).await;
    let mine = |closed| ListQuery::OfAgent { site: site("one"), agent: id_of(&me), closed };
    assert_eq!(listed(&*journal, mine(false)).await, [asked, has]);
    assert_eq!(listed(&*journal, mine(true)).await, [had, asked, has]);
    put(&*journal, 1, with(has, 6, closed(), &me)).await;
    assert_eq!(listed(&*journal, mine(false)).await, [asked]);
    assert_eq!(listed(&*journal, mine(true)).await, [has, had, asked]);
}

/// Waiting in or offered from a queue, longest wait first.
pub async fn lists_of_what_waits(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let [late, early, offer, elsewhere, taken] = [(); 5].map(|()| conversation());
    let since = |id, at, since, phase| Summary {
        waiting_since: Timestamp::from_millis(since),
        phase,
        ..summary(id, visitor(1), at)
    };
    put(&*journal, 0, since(late, 50, 9, Phase::Waiting)).await;
    put(&*journal, 0, since(early, 40, 1, Phase::Waiting)).await;
    put(&*journal, 0, since(offer, 60, 5, offered(&agent(1)))).await;
    put(&*journal, 0, since(taken, 60, 2, assigned(&agent(1)))).await;
    let sales = Summary { queue: queue("sales"), ..since(elsewhere, 1, 1, Phase::Waiting) };
    put(&*journal, 0, sales).await;
    let general = ListQuery::Waiting(site("one"), queue("general"));
    assert_eq!(listed(&*journal, general.clone()).await, [early, offer, late]);
    put(&*journal, 1, since(early, 70, 1, assigned(&agent(1)))).await;
    assert_eq!(listed(&*journal, general).await, [offer, late]);
}

/// Of all queues of a site, longest wait first; and what its agents have.
pub async fn lists_of_all_that_waits_or_is_assigned(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let [late, early, offer, taken, fresh, ended, abroad] = [(); 7].map(|()| conversation());
    let of = |id, at, since, name: &str, phase| Summary {
        waiting_since: Timestamp::from_millis(since),
        queue: queue(name),
        phase,
        ..summary(id, visitor(1), at)
    };
    put(&*journal, 0, of(late, 50, 9, "general", Phase::Waiting)).await;
    put(&*journal, 0, of(early, 60, 1, "sales", Phase::Waiting)).await;
    put(&*journal, 0, of(offer, 40, 5, "general", offered(&agent(1)))).await;
    put(&*journal, 0, of(taken, 30, 2, "general", assigned(&agent(1)))).await;
    put(&*journal, 0, of(fresh, 70, 3, "sales", assigned(&agent(2)))).await;
    put(&*journal, 0, of(ended, 80, 4, "general", closed())).await;
    let elsewhere = of(abroad, 10, 0, "general", Phase::Waiting);
    put(&*journal, 0, Summary { site: site("two"), ..elsewhere }).await;
    let waiting = ListQuery::AllWaiting(site("one"));
    assert_eq!(listed(&*journal, waiting.clone()).await, [early, offer, late]);
    let first = journal.list(waiting, 1).await.expect("readable");
    assert_eq!(*first[0], of(early, 60, 1, "sales", Phase::Waiting));
    assert_eq!(listed(&*journal, ListQuery::AllAssigned(site("one"))).await, [fresh, taken]);
}

/// In the order in which they were changed, page after page.
pub async fn lists_of_what_was_changed(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let [first, twin_a, twin_b, last, before, abroad] = [(); 6].map(|()| conversation());
    for (id, at) in [(last, 9), (first, 5), (twin_a, 7), (twin_b, 7), (before, 4)] {
        put(&*journal, 0, summary(id, visitor(1), at)).await;
    }
    put(&*journal, 0, Summary { site: site("two"), ..summary(abroad, visitor(1), 6) }).await;
    let mut twins = [twin_a, twin_b];
    twins.sort();
    let page = async |at, after| {
        let from = Timestamp::from_millis(at);
        let query = ListQuery::Changed { site: site("one"), from, after };
        let page = journal.list(query, 2).await.expect("readable");
        page.iter().map(|summary| summary.id).collect::<Vec<_>>()
    };
    assert_eq!(page(5, None).await, [first, twins[0]]);
    assert_eq!(page(7, Some(twins[0])).await, [twins[1], last]);
    put(&*journal, 1, summary(first, visitor(1), 10)).await;
    assert_eq!(page(9, Some(last)).await, [first]);
    assert_eq!(page(10, Some(first)).await, []);
}

/// Every site's, without the closed ones.
pub async fn lists_of_what_is_open(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let [waiting, taken, ended] = [(); 3].map(|()| conversation());
    put(&*journal, 0, summary(waiting, visitor(1), 1)).await;
    let abroad = Summary { site: site("two"), ..summary(taken, visitor(2), 2) };
    put(&*journal, 0, Summary { phase: assigned(&agent(1)), ..abroad }).await;
    put(&*journal, 0, Summary { phase: closed(), ..summary(ended, visitor(3), 3) }).await;
    assert_eq!(listed(&*journal, ListQuery::Open).await, [taken, waiting]);
}

/// The same page after page, in the order in which they were changed.
pub async fn pages_of_what_is_open(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let [first, twin_a, twin_b, abroad, ended] = [(); 5].map(|()| conversation());
    for (id, at) in [(first, 5), (twin_a, 7), (twin_b, 7)] {
        put(&*journal, 0, summary(id, visitor(1), at)).await;
    }
    put(&*journal, 0, Summary { site: site("two"), ..summary(abroad, visitor(2), 8) }).await;
    put(&*journal, 0, Summary { phase: closed(), ..summary(ended, visitor(3), 6) }).await;
    let mut twins = [twin_a, twin_b];
    twins.sort();
    let page = async |at, after| {
        let query = ListQuery::OpenFrom { from: Timestamp::from_millis(at), after };
        let page = journal.list(query, 2).await.expect("readable");
        page.iter().map(|summary| summary.id).collect::<Vec<_>>()
    };
    assert_eq!(page(0, None).await, [first, twins[0]]);
    assert_eq!(page(7, Some(twins[0])).await, [twins[1], abroad]);
    put(&*journal, 1, summary(first, visitor(1), 10)).await;
    assert_eq!(page(8, Some(abroad)).await, [first]);
    put(&*journal, 2, Summary { phase: closed(), ..summary(first, visitor(1), 11) }).await;
    assert_eq!(page(8, Some(abroad)).await, []);
}

/// A summary goes with its records.
pub async fn a_refused_append_changes_no_summary(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    put(&*journal, 0, summary(id, visitor(1), 1)).await;
    let changed = Summary { phase: closed(), ..summary(id, visitor(1), 2) };
    let refused = Append { summary: Some(Arc::new(changed)), ..append(id, 0, vec![record(1)]) };
    let outcome = journal.append(refused).await;
    assert!(matches!(outcome, AppendOutcome::SeqConflict { .. }));
    assert_eq!(journal.summary(id).await, Ok(Some(Arc::new(summary(id, visitor(1), 1)))));
}
