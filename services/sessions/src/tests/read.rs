//! Pages of events, for those who may read them.

use crate::testing::{World, agent, message, visitor};
use frontdesk_core::conversation::Command;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Principal;
use frontdesk_proto::api::{ApiError, HistoryQuery, Sessions as _};

fn query(conversation: ConversationId, who: Option<Principal>) -> HistoryQuery {
    HistoryQuery { conversation, who, after: Seq::ZERO, limit: 100, backwards: false }
}

#[tokio::test(start_paused = true)]
async fn each_reader_sees_a_chain_without_gaps() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    let note = Command::Note {
        client_msg_id: "n1".parse().unwrap(),
        text: "psst".into(),
        mentions: vec![],
    };
    world.submit(id, &agent(7), note).await.unwrap();
    world.submit(id, &vi, message("m1")).await.unwrap();
    // Started, queued, offered (internal), assigned, note (internal), message.
    for (who, seqs) in [(vi, vec![1, 2, 4, 6]), (agent(7), vec![1, 2, 3, 4, 5, 6])] {
        let page = world.sessions.history(query(id, Some(who))).await.unwrap();
        let mut cursor = Seq::ZERO;
        for event in &page.events {
            assert_eq!(event.prev, cursor);
            cursor = event.seq;
        }
        assert_eq!(page.events.iter().map(|e| e.seq.get()).collect::<Vec<_>>(), seqs);
        assert!(!page.more);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_go_both_ways() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    let page = |after, backwards| {
        let query = HistoryQuery { after: Seq::new(after), limit: 2, backwards, ..query(id, None) };
        async { world.sessions.history(query).await.unwrap() }
    };
    let seqs = |page: frontdesk_proto::api::EventPage| {
        (page.events.iter().map(|e| e.seq.get()).collect::<Vec<_>>(), page.more)
    };
    assert_eq!(seqs(page(0, false).await), (vec![1, 2], true));
    assert_eq!(seqs(page(2, false).await), (vec![3, 4], false));
    assert_eq!(seqs(page(0, true).await), (vec![3, 4], true));
    assert_eq!(seqs(page(3, true).await), (vec![1, 2], false));
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_read_is_an_answer() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    world.journal.stored().failing_reads = 1;
    let page = world.sessions.history(query(id, None)).await;
    assert!(matches!(page, Err(ApiError::Unavailable { .. })));
    assert!(world.sessions.history(query(id, None)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn strangers_learn_nothing() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    for who in [visitor(2), agent(8)] {
        let page = world.sessions.history(query(id, Some(who.clone()))).await;
        assert!(matches!(page, Err(ApiError::NotFound(_))));
        let summary = world.sessions.summary(id, Some(&who)).await;
        assert!(matches!(summary, Err(ApiError::NotFound(_))));
    }
}
