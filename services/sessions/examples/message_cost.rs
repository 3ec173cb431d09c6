//! What this role adds to a message and to a live conversation, without journal,
//! bus and network.
//!
//! `message_cost [CONVERSATIONS] [ROUNDS]`: each round sends one 128-byte message
//! in every conversation and awaits all answers, on one thread, over a journal
//! that says yes to everything and keeps nothing. Prints allocations and CPU per
//! message, and heap bytes per conversation: new, with ROUNDS messages, and after
//! it has left memory.

#![allow(clippy::disallowed_methods, reason = "tasks of a measurement need no names")]

use async_trait::async_trait;
use frontdesk_bus::{Bus as _, LocalBus};
use frontdesk_core::conversation::{Command, StartRequest, Summary};
use frontdesk_core::ids::{ConversationId, Epoch, NodeId, Seq};
use frontdesk_core::party::{Origin, Principal, Role};
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{ApiError, Attach, Envelope, Sessions as _};
use frontdesk_sessions::{SessionsDeps, SessionsService, Settings, SystemClock};
use frontdesk_store::journal::{
    Append, AppendOutcome, DedupKey, Journal, JournalError, ListQuery, Loaded, ReadCursors,
    ReadQuery, RecordPage, Snapshot,
};
use futures::future::{BoxFuture, FutureExt as _, ready};
use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use uuid::Uuid;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static HELD_BYTES: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        HELD_BYTES.fetch_add(layout.size() as isize, Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size() as isize, Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Says yes to everything and keeps nothing.
struct YesJournal;

#[async_trait]
impl Journal for YesJournal {
    async fn claim(&self, _: &[(ShardId, Epoch)]) -> Result<(), JournalError> {
        Ok(())
    }

    fn append(&self, _: Append) -> BoxFuture<'static, AppendOutcome> {
        ready(AppendOutcome::Ok).boxed()
    }

    async fn load(&self, _: ConversationId) -> Result<Option<Loaded>, JournalError> {
        Ok(None)
    }

    async fn read(&self, _: ReadQuery) -> Result<RecordPage, JournalError> {
        Ok(RecordPage::default())
    }

    async fn summary(&self, _: ConversationId) -> Result<Option<Arc<Summary>>, JournalError> {
        Ok(None)
    }

    async fn list(&self, _: ListQuery, _: u32) -> Result<Vec<Arc<Summary>>, JournalError> {
        Ok(Vec::new())
    }

    async fn find_dedup(
        &self,
        _: ConversationId,
        _: &DedupKey,
    ) -> Result<Option<Seq>, JournalError> {
        Ok(None)
    }

    async fn save_snapshot(&self, _: ConversationId, _: Snapshot) -> Result<(), JournalError> {
        Ok(())
    }

    async fn save_cursors(
        &self,
        _: Vec<(ConversationId, ReadCursors)>,
    ) -> Result<(), JournalError> {
        Ok(())
    }
}

/// CPU time of this thread, from the kernel's scheduler.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().ok_or("an empty schedstat")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}

async fn round(
    sessions: &SessionsService,
    people: &[(ConversationId, Principal)],
    command: impl Fn() -> Command,
) -> Result<(), ApiError> {
    let replies: Vec<_> = people
        .iter()
        .map(|(conversation, who)| {
            let origin = Origin::Client(who.clone());
            sessions.submit(Envelope { conversation: *conversation, origin, command: command() })
        })
        .collect();
    for reply in replies {
        reply.await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (conversations, rounds) = (number(500)?, number(200)?);

    let gateway: NodeId = "gateway".parse()?;
    let bus = Arc::new(LocalBus::new());
    let mut subscription = bus.subscribe(gateway.clone());
    let reader = tokio::spawn(async move { while subscription.recv().await.is_some() {} });
    let deps = SessionsDeps {
        journal: Arc::new(YesJournal),
        bus,
        observers: Vec::new(),
        clock: Arc::new(SystemClock::default()),
    };
    let owned: Vec<_> = ShardId::all().map(|shard| (shard, Epoch::new(1))).collect();
    let settings = Settings { idle_seconds: 20, ..Settings::default() };
    let sessions = SessionsService::start(settings, &owned, deps).await?;
    let site: frontdesk_core::ids::SiteId = "demo".parse()?;
    let people: Vec<(ConversationId, Principal)> = (0..conversations)
        .map(|_| {
            let id = Uuid::now_v7();
            let (role, name) = (Role::Visitor, "".into());
            let who = Principal { site: site.clone(), role, id, name };
            (ConversationId::from_uuid(Uuid::now_v7()), who)
        })
        .collect();
    let start = StartRequest {
        queue: "sales".parse()?,
        attributes: Default::default(),
        page: "https://shop.example/basket".into(),
        language: "en".into(),
        channel: None,
        consent: None,
        extra_minutes: 0,
        first_message: None,
    };
    let each = |bytes: isize| bytes / conversations as isize;

    let empty = HELD_BYTES.load(Relaxed);
    round(&sessions, &people, || Command::Start(start.clone())).await?;
    println!("bytes per new conversation: {}", each(HELD_BYTES.load(Relaxed) - empty));
    for (conversation, who) in &people {
        let (who, gateway, cursor) = (who.clone(), gateway.clone(), Seq::ZERO);
        sessions.attach(Attach { conversation: *conversation, who, gateway, cursor }).await?;
    }

    let text: Arc<str> = "x".repeat(128).into();
    let ids = |n: usize| format!("0193a5b2-7c1e-7def-8000-{n:012x}");
    let (allocations, began) = (ALLOCATIONS.load(Relaxed), cpu()?);
    for n in 0..rounds {
        let client_msg_id: frontdesk_core::ids::ClientMsgId = ids(n).parse()?;
        round(&sessions, &people, || Command::Send {
            client_msg_id: client_msg_id.clone(),
            text: text.clone(),
            attachments: Vec::new(),
            after: None,
        })
        .await?;
    }
    let messages = conversations * rounds;
    let spent = cpu()? - began;
    let allocations = ALLOCATIONS.load(Relaxed) - allocations;
    println!("CPU per message: {} ns", spent.as_nanos() / messages as u128);
    println!("allocations per message: {:.1}", allocations as f64 / messages as f64);
    // What the burst has needed is given back within the second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("bytes per live conversation: {}", each(HELD_BYTES.load(Relaxed) - empty));

    tokio::time::sleep(Duration::from_secs(25)).await;
    println!("bytes per followed one that left: {}", each(HELD_BYTES.load(Relaxed) - empty));
    for (conversation, _) in &people {
        sessions.detach(&gateway, *conversation).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("bytes per one that left: {}", each(HELD_BYTES.load(Relaxed) - empty));
    sessions.stop().await;
    drop(sessions);
    reader.await?;
    Ok(())
}
