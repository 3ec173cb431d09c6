//! The same role on the journal that people run it on. Real time: its threads
//! do not know of the paused clock.

use crate::testing::{agent, conversation, gateway, message, start, visitor};
use crate::{SessionsDeps, SessionsService, Settings, SystemClock};
use frontdesk_bus::{Bus as _, LocalBus, Received, Subscription};
use frontdesk_core::conversation::{Command, ErasedWhy, Outcome, Summary};
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::party::{Origin, Principal};
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{
    ApiError, Attach, Envelope, HistoryQuery, ListFilter, ReplyFuture, Sessions as _,
};
use frontdesk_proto::internal::DeliveryBatch;
use frontdesk_proto::internal::delivery::Kind;
use frontdesk_store::sqlite::{DataFolder, SqliteJournal};
use futures::future::join_all;
use prost::Message as _;
use std::sync::Arc;

async fn serve(journal: &Arc<SqliteJournal>, bus: &Arc<LocalBus>, epoch: u64) -> SessionsService {
    let deps = SessionsDeps {
        journal: journal.clone(),
        bus: bus.clone(),
        observers: Vec::new(),
        clock: Arc::new(SystemClock::default()),
    };
    let owned: Vec<_> = ShardId::all().map(|shard| (shard, Epoch::new(epoch))).collect();
    SessionsService::start(Settings::default(), &owned, deps).await.unwrap()
}

fn submit(
    sessions: &SessionsService,
    id: ConversationId,
    who: &Principal,
    command: Command,
) -> ReplyFuture {
    sessions.submit(Envelope { conversation: id, origin: Origin::Client(who.clone()), command })
}

async fn say(sessions: &SessionsService, id: ConversationId, key: &str) -> (u32, bool) {
    match submit(sessions, id, &visitor(1), message(key)).await {
        Ok(Outcome::Sent { seq, duplicate, .. }) => (seq.get(), duplicate),
        other => panic!("{key}: {other:?}"),
    }
}

/// Seqs published to the gateway until `last` of them have come.
async fn published(subscription: &mut Box<dyn Subscription>, last: u32) -> Vec<u32> {
    let mut seqs = Vec::new();
    while seqs.last() != Some(&last) {
        let Some(Received::Batch(batch)) = subscription.recv().await else { panic!("lost") };
        for delivery in DeliveryBatch::decode(batch).unwrap().deliveries {
            if let Some(Kind::Event(event)) = delivery.kind {
                seqs.push(event.seq);
            }
        }
    }
    seqs
}

#[tokio::test]
async fn messages_are_appended_once_published_in_order_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (id, vi) = (conversation(1), visitor(1));
    let bus = Arc::new(LocalBus::new());
    let mut subscription = bus.subscribe(gateway());
    {
        let folder = DataFolder::lock(folder.path()).unwrap();
        let journal = Arc::new(SqliteJournal::open(&folder).unwrap());
        let sessions = serve(&journal, &bus, 1).await;
        submit(&sessions, id, &vi, start()).await.unwrap();
        let request =
            Attach { conversation: id, who: vi.clone(), gateway: gateway(), cursor: Seq::ZERO };
        assert_eq!(sessions.attach(request).await.unwrap().head, Seq::new(2));
        // Many in flight, each said twice.
        let keys: Vec<String> = (0..300).map(|n| format!("m{}", n / 2)).collect();
        let replies = join_all(keys.iter().map(|key| say(&sessions, id, key))).await;
        for (n, reply) in (0..).zip(replies) {
            assert_eq!(reply, (3 + n / 2, n % 2 == 1));
        }
        assert_eq!(published(&mut subscription, 152).await, (3..=152).collect::<Vec<_>>());
        submit(&sessions, id, &vi, Command::MarkRead { seq: Seq::new(100) }).await.unwrap();
        sessions.stop().await;
        journal.close();
    }
    let folder = DataFolder::lock(folder.path()).unwrap();
    let journal = Arc::new(SqliteJournal::open(&folder).unwrap());
    let sessions = serve(&journal, &bus, 2).await;
    // In memory no more: what the list shows is the journal's.
    let list = sessions.list(Some(&vi.site), ListFilter::All, 10).await.unwrap();
    let summary = sessions.summary(id, Some(&vi)).await.unwrap();
    assert_eq!((summary.head, summary.visitor_read), (Seq::new(152), Seq::new(100)));
    // What the rules go by is as old as the last change that lists show.
    let watch = list[0].watch.clone();
    assert_eq!(list, [Summary { watch, ..summary }]);
    // Forgotten by the state, found in the journal; also behind a new one.
    let replies = join_all(["m0", "new", "m149"].map(|key| say(&sessions, id, key))).await;
    assert_eq!(replies, [(3, true), (153, false), (152, true)]);
    let query = HistoryQuery {
        conversation: id,
        who: Some(vi.clone()),
        after: Seq::ZERO,
        limit: 1_000,
        backwards: false,
    };
    let page = sessions.history(query).await.unwrap();
    assert_eq!(
        page.events.iter().map(|e| e.seq.get()).collect::<Vec<_>>(),
        (1..=153).collect::<Vec<_>>()
    );
    let stranger = sessions.summary(id, Some(&agent(8))).await;
    assert!(matches!(stranger, Err(ApiError::NotFound(_))));
    sessions.stop().await;
}

#[tokio::test]
async fn a_stale_owner_is_refused_by_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let folder = DataFolder::lock(folder.path()).unwrap();
    let journal = Arc::new(SqliteJournal::open(&folder).unwrap());
    let bus = Arc::new(LocalBus::new());
    let (id, vi) = (conversation(1), visitor(1));
    let old = serve(&journal, &bus, 1).await;
    submit(&old, id, &vi, start()).await.unwrap();
    assert_eq!(say(&old, id, "m1").await, (3, false));
    let new = serve(&journal, &bus, 2).await;
    assert_eq!(say(&new, id, "m2").await, (4, false));
    let stale = submit(&old, id, &vi, message("m3")).await;
    assert!(matches!(stale, Err(ApiError::Moved)));
    assert_eq!(say(&new, id, "m3").await, (5, false));
    assert_eq!(say(&new, id, "m1").await, (3, true));
    old.stop().await;
    new.stop().await;
}

/// What was sent before it is acknowledged and gone, what is sent after it is refused, and
/// whoever follows hears of all places.
#[tokio::test]
async fn an_erasure_in_the_midst_of_sends_leaves_every_place_and_no_word() {
    let folder = tempfile::tempdir().unwrap();
    let folder = DataFolder::lock(folder.path()).unwrap();
    let journal = Arc::new(SqliteJournal::open(&folder).unwrap());
    let bus = Arc::new(LocalBus::new());
    let mut subscription = bus.subscribe(gateway());
    let sessions = serve(&journal, &bus, 1).await;
    let (id, vi) = (conversation(1), visitor(1));
    submit(&sessions, id, &vi, start()).await.unwrap();
    let request =
        Attach { conversation: id, who: vi.clone(), gateway: gateway(), cursor: Seq::ZERO };
    sessions.attach(request).await.unwrap();
    let command = Command::Erase { why: ErasedWhy::Request };
    let erase = || {
        let (origin, command) = (Origin::System, command.clone());
        sessions.submit(Envelope { conversation: id, origin, command })
    };
    let send = |n: u32| submit(&sessions, id, &vi, message(&format!("m{n}")));
    let before: Vec<_> = (0..200).map(send).collect();
    let erased = erase();
    let after: Vec<_> = (200..220).map(send).collect();
    assert!(join_all(before).await.iter().all(Result::is_ok));
    assert_eq!(erased.await, Ok(Outcome::Done));
    for refused in join_all(after).await {
        assert!(matches!(refused, Err(ApiError::State(_))), "{refused:?}");
    }
    // 202 of before, then the two that end it.
    assert_eq!(published(&mut subscription, 204).await, (3..=204).collect::<Vec<_>>());
    assert_eq!(erase().await, Ok(Outcome::Done), "once more does nothing");
    let summary = sessions.summary(id, Some(&vi)).await.unwrap();
    assert!(summary.erased && summary.head == Seq::new(204), "{summary:?}");
    let query = HistoryQuery {
        conversation: id,
        who: None,
        after: Seq::ZERO,
        limit: 999,
        backwards: false,
    };
    let page = sessions.history(query).await.unwrap();
    assert_eq!(page.events.len(), 204);
    let words = b"text of";
    let says = |bytes: &[u8]| bytes.windows(words.len()).any(|window| window == words);
    assert!(!page.events.iter().any(|event| says(&event.event)));
    sessions.stop().await;
}
