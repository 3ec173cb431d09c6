//! What goes wrong, one thing after the other, in an order drawn from a seed.

use crate::group::{CALLERS, FOUNDERS, Group, JOINER};
use crate::network::{Host, Way};
use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use std::ops::Range;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;

/// How long something is broken, in milliseconds: an election takes about 1,000.
const BROKEN_MS: Range<u64> = 1_200..2_800;
/// How long nothing is.
const WHOLE_MS: Range<u64> = 300..900;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The leader reaches no other voter; callers reach it still.
    LeaderApart,
    /// Nor do callers.
    LeaderGone,
    /// A voter that does not lead reaches no other; callers reach it still.
    FollowerApart,
    /// Some ways fail in one direction.
    SomeWays,
    /// A voter makes a snapshot, stops and comes back.
    Restart,
    /// Another one is to lead.
    Transfer,
    /// The fourth becomes a voter while one way fails.
    Grow,
    /// One of the founders leaves while one way fails.
    Shrink,
}

/// All that goes wrong in a run, changes of who votes well apart.
fn plan(rng: &mut SmallRng) -> Vec<Fault> {
    use Fault::{
        FollowerApart, Grow, LeaderApart, LeaderGone, Restart, Shrink, SomeWays, Transfer,
    };
    let mut faults = vec![
        LeaderApart,
        LeaderApart,
        LeaderGone,
        FollowerApart,
        SomeWays,
        SomeWays,
        Restart,
        Restart,
        Transfer,
    ];
    faults.shuffle(rng);
    faults.insert(3, Grow);
    faults.insert(7, Shrink);
    faults
}

/// Breaks and heals; ends with everything whole. Tells `asked` whom to ask.
pub(crate) async fn run(
    group: &mut Group,
    rng: &mut SmallRng,
    begun: Instant,
    asked: &watch::Sender<Vec<Host>>,
) {
    for fault in plan(rng) {
        println!("{:>7.3} s  {fault:?}", begun.elapsed().as_secs_f64());
        strike(fault, group, rng, asked).await;
        group.network.heal();
        sleep(Duration::from_millis(rng.random_range(WHOLE_MS))).await;
    }
}

async fn strike(
    fault: Fault,
    group: &mut Group,
    rng: &mut SmallRng,
    asked: &watch::Sender<Vec<Host>>,
) {
    let way = if rng.random() { Way::Held } else { Way::Cut };
    let broken = Duration::from_millis(rng.random_range(BROKEN_MS));
    let hosts = group.hosts();
    match fault {
        Fault::LeaderApart | Fault::LeaderGone => {
            let leader = group.leader().await;
            group.network.part(leader, &hosts, way);
            if matches!(fault, Fault::LeaderGone) {
                group.network.set(CALLERS, leader, way);
            }
            sleep(broken).await;
        }
        Fault::FollowerApart => {
            let follower = follower(group, rng).await;
            group.network.part(follower, &hosts, way);
            sleep(broken).await;
        }
        Fault::SomeWays => {
            for _ in 0..rng.random_range(1..=3) {
                fail_some_way(group, rng, way);
            }
            sleep(broken).await;
        }
        Fault::Restart => {
            let host = *hosts.choose(rng).expect("somebody runs");
            // Too late is as good: the snapshot is then made while it stops.
            let _ = group.service(host).group().compact().await;
            group.stop(host).await;
            sleep(broken).await;
            group.start(host).await;
        }
        Fault::Transfer => {
            let follower = follower(group, rng).await;
            group.transfer(follower).await;
        }
        Fault::Grow => {
            fail_some_way(group, rng, way);
            let network = group.network.clone();
            let heals = async {
                sleep(broken).await;
                network.heal();
            };
            tokio::join!(group.grow(), heals);
            asked.send_modify(|hosts| hosts.push(JOINER));
        }
        Fault::Shrink => {
            let leaves = *FOUNDERS.choose(rng).expect("there are some");
            fail_some_way(group, rng, way);
            let network = group.network.clone();
            let heals = async {
                sleep(broken).await;
                network.heal();
            };
            tokio::join!(group.shrink(leaves), heals);
            // Meanwhile it was asked and could have told what it last knew.
            asked.send_modify(|hosts| hosts.retain(|host| *host != leaves));
            group.stop(leaves).await;
        }
    }
}

async fn follower(group: &Group, rng: &mut SmallRng) -> Host {
    let leader = group.leader().await;
    let others: Vec<Host> = group.hosts().into_iter().filter(|host| *host != leader).collect();
    *others.choose(rng).expect("there are more")
}

/// Breaks a way between two voters in one direction.
fn fail_some_way(group: &Group, rng: &mut SmallRng, way: Way) {
    let two: Vec<Host> = group.hosts().sample(rng, 2).copied().collect();
    group.network.set(two[0], two[1], way);
}
