//! The driver against the bare relay, as a whole: it must find nothing where
//! nothing is wrong, and what is wrong where something is.

use frontdesk_rivals::adapters::{Adapter, Heard, Link, LinkError, Relay};
use frontdesk_rivals::drive::{self, Faults, Load};
use frontdesk_rivals::relay;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

const LOAD: Load = Load {
    pairs: 12,
    agents: 3,
    window: 4,
    bytes: 128,
    warm_up: Duration::from_millis(50),
    counted: Duration::from_millis(200),
    arrive_within: Duration::from_secs(3),
};

/// A relay on a thread of its own, as the program runs it; ends with the test.
fn relay() -> Relay {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.set_nonblocking(true).expect("a listener need not block");
    let port = listener.local_addr().expect("a bound listener has an address").port();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new()
            .block_on(&runtime, async { relay::serve(TcpListener::from_std(listener)?).await })
    });
    Relay { port, bytes: LOAD.bytes }
}

#[tokio::test]
async fn pairs_talk_and_everything_arrives() {
    let outcome = drive::run(&relay(), &LOAD, &[std::process::id()]).await.expect("it runs");
    assert!(outcome.delivered > 0, "{outcome:?}");
    assert_eq!(outcome.faults, Faults::default());
    assert_eq!(outcome.server_cpu_seconds.len(), 1);
}

/// What goes wrong with the third message, which is within the first window.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mischief {
    Lose,
    Repeat,
    Damage,
    Silence,
}

/// A relay whose visitors do not get what was sent.
struct Faulty(Relay, Mischief);

struct FaultyLink<L> {
    link: L,
    mischief: Option<Mischief>,
    received: u32,
    acknowledged: u32,
}

impl<L> FaultyLink<L> {
    /// What is heard instead.
    fn distort(&mut self, heard: Heard) -> Vec<Heard> {
        match heard {
            Heard::Received { .. } => self.received += 1,
            Heard::Acknowledged { .. } => self.acknowledged += 1,
            Heard::Ready { .. } => {}
        }
        match (self.mischief, heard) {
            (Some(Mischief::Lose), Heard::Received { .. }) if self.received == 3 => vec![],
            (Some(Mischief::Repeat), Heard::Received { .. }) if self.received == 3 => {
                vec![heard, heard]
            }
            (Some(Mischief::Damage), Heard::Received { pair, .. }) if self.received == 3 => {
                vec![Heard::Received { pair, label: None }]
            }
            (Some(Mischief::Silence), Heard::Acknowledged { .. }) if self.acknowledged == 3 => {
                vec![]
            }
            _ => vec![heard],
        }
    }
}

impl<L: Link> Link for FaultyLink<L> {
    fn say(&mut self, pair: u32, number: u32, text: String) {
        self.link.say(pair, number, text);
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        self.link.flush().await
    }

    async fn hear(&mut self, heard: &mut Vec<Heard>) -> Result<(), LinkError> {
        let mut all = Vec::new();
        self.link.hear(&mut all).await?;
        for one in all {
            heard.extend(self.distort(one));
        }
        Ok(())
    }
}

impl Adapter for Faulty {
    type Link = FaultyLink<<Relay as Adapter>::Link>;

    async fn agent(&self, agent: usize, pairs: &[u32]) -> Result<Self::Link, LinkError> {
        let link = self.0.agent(agent, pairs).await?;
        Ok(FaultyLink { link, mischief: None, received: 0, acknowledged: 0 })
    }

    async fn visitor(&self, pair: u32, agent: usize) -> Result<Self::Link, LinkError> {
        let link = self.0.visitor(pair, agent).await?;
        Ok(FaultyLink { link, mischief: Some(self.1), received: 0, acknowledged: 0 })
    }
}

async fn found(mischief: Mischief) -> Faults {
    let faulty = Faulty(relay(), mischief);
    drive::run(&faulty, &LOAD, &[]).await.expect("it runs").faults
}

#[tokio::test]
async fn what_is_wrong_is_found_once_for_each_visitor() {
    let each = u64::from(LOAD.pairs);
    let (lost, repeated, damaged, silent) = tokio::join!(
        found(Mischief::Lose),
        found(Mischief::Repeat),
        found(Mischief::Damage),
        found(Mischief::Silence),
    );
    assert_eq!(lost, Faults { lost: each, disordered: each, ..Faults::default() });
    assert_eq!(repeated, Faults { disordered: each, ..Faults::default() });
    assert_eq!(
        damaged,
        Faults { lost: each, damaged: each, disordered: each, ..Faults::default() }
    );
    assert_eq!(silent, Faults { unacknowledged: each, ..Faults::default() });
}
