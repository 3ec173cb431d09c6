//! Any interleaving of commits, deliveries, losses and fills gives each reader
//! exactly what it may see.

use super::*;
use proptest::prelude::*;

/// One step of the world around a reader.
#[derive(Debug, Clone)]
enum Move {
    /// An event is committed and published.
    Commit { internal: bool },
    /// The next published event arrives at the gateway.
    Arrive { room: bool },
    /// The next published event is lost; the bus will say so.
    Lose,
    /// An event that arrived before arrives again.
    Repeat(prop::sample::Index),
    /// The bus says that it lost something.
    Lagged,
    /// A fill reads a page.
    Read { limit: usize },
    /// The page read last reaches the reader.
    Land,
    /// The client subscribes again from an earlier place.
    Restart(prop::sample::Index),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => any::<bool>().prop_map(|internal| Move::Commit { internal }),
        6 => prop::bool::weighted(0.9).prop_map(|room| Move::Arrive { room }),
        1 => Just(Move::Lose),
        1 => any::<prop::sample::Index>().prop_map(Move::Repeat),
        1 => Just(Move::Lagged),
        4 => (1..4_usize).prop_map(|limit| Move::Read { limit }),
        4 => Just(Move::Land),
        1 => any::<prop::sample::Index>().prop_map(Move::Restart),
    ];
    prop::collection::vec(one, 0..120)
}

struct World {
    staff: bool,
    /// Whether each event is internal; index 0 is seq 1.
    log: Vec<bool>,
    arrived: usize,
    lost: bool,
    follow: Follow,
    page: Option<(u32, Vec<u32>, bool)>,
    /// What the client holds.
    seen: Vec<u32>,
}

impl World {
    fn new(staff: bool) -> Self {
        let mut follow = Follow::from(Seq::ZERO);
        follow.restart(Seq::ZERO, Seq::ZERO);
        let (log, seen) = (Vec::new(), Vec::new());
        Self { staff, log, arrived: 0, lost: false, follow, page: None, seen }
    }

    fn visible(&self, seq: u32) -> bool {
        self.staff || !self.log[seq as usize - 1]
    }

    fn may_see(&self) -> Vec<u32> {
        (1..=self.log.len() as u32).filter(|s| self.visible(*s)).collect()
    }

    fn arrive(&mut self, seq: u32, room: bool) {
        if !self.visible(seq) {
            return;
        }
        let prev = (1..seq).rev().find(|s| self.visible(*s)).unwrap_or(0);
        if self.follow.deliver(Seq::new(seq), Seq::new(prev), room) == Deliver::Push {
            self.seen.push(seq);
        }
    }

    fn read(&mut self, limit: usize) {
        if let Next::Read { after, generation } = self.follow.next() {
            let all: Vec<u32> = self.may_see().into_iter().filter(|s| *s > after.get()).collect();
            let more = all.len() > limit;
            self.page = Some((generation, all.into_iter().take(limit).collect(), more));
        }
    }

    fn land(&mut self) {
        let Some((generation, events, more)) = self.page.take() else {
            return;
        };
        if !self.follow.wants_page(generation) {
            return;
        }
        let mut advanced = false;
        for seq in events {
            if self.follow.take(Seq::new(seq)) {
                self.seen.push(seq);
                advanced = true;
            }
        }
        self.follow.page_done(more, advanced);
    }

    fn step(&mut self, step: Move) {
        match step {
            Move::Commit { internal } => self.log.push(internal),
            Move::Arrive { room } if self.arrived < self.log.len() => {
                self.arrived += 1;
                self.arrive(self.arrived as u32, room);
            }
            Move::Lose if self.arrived < self.log.len() => {
                self.arrived += 1;
                self.lost = true;
            }
            Move::Repeat(i) if self.arrived > 0 => {
                self.arrive(i.index(self.arrived) as u32 + 1, true);
            }
            Move::Lagged => {
                self.lost = false;
                self.follow.doubt();
            }
            Move::Read { limit } => self.read(limit),
            Move::Land => self.land(),
            Move::Restart(i) => {
                let keep = i.index(self.seen.len() + 1);
                self.seen.truncate(keep);
                let cursor = Seq::new(self.seen.last().copied().unwrap_or(0));
                let head = Seq::new(self.may_see().last().copied().unwrap_or(0));
                self.follow.restart(cursor, head);
            }
            Move::Arrive { .. } | Move::Lose | Move::Repeat(_) => {}
        }
    }

    /// Everything arrives, the bus owns up to its losses, fills run to their end.
    fn heal(&mut self) {
        while self.arrived < self.log.len() {
            self.step(Move::Arrive { room: true });
        }
        if self.lost {
            self.step(Move::Lagged);
        }
        for _ in 0..1_000 {
            self.read(3);
            self.land();
            if self.follow.next() == Next::Live {
                return;
            }
        }
        panic!("the fill does not end: {:?}", self.follow);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_reader_sees_a_prefix_and_in_the_end_everything(staff: bool, moves in moves()) {
        let mut world = World::new(staff);
        for step in moves {
            world.step(step);
            let all = world.may_see();
            prop_assert!(world.seen.len() <= all.len());
            prop_assert_eq!(&world.seen[..], &all[..world.seen.len()]);
        }
        world.heal();
        prop_assert_eq!(&world.seen, &world.may_see());
    }

    #[test]
    fn who_loses_a_conversation_sees_exactly_what_came_before(
        before in 0..20_u32, after in 1..20_u32, live in 0..20_u32, limit in 1..4_usize,
    ) {
        let mut world = World::new(true);
        let end = before + 1;
        for _ in 0..before + after {
            world.step(Move::Commit { internal: false });
        }
        world.follow.next();
        for _ in 0..live.min(before) {
            world.step(Move::Arrive { room: true });
        }
        world.step(Move::Lagged);
        if !world.follow.end_before(Seq::new(end)) {
            for _ in 0..100 {
                world.read(limit);
                world.land();
            }
            prop_assert_eq!(world.follow.next(), Next::Ended);
        }
        prop_assert_eq!(world.seen, (1..=before).collect::<Vec<_>>());
    }
}

#[test]
fn an_announced_event_that_history_lacks_is_asked_for_again() {
    let mut follow = Follow::from(Seq::ZERO);
    follow.restart(Seq::ZERO, Seq::new(2));
    assert!(follow.take(Seq::new(1)));
    assert!(matches!(follow.page_done(false, true), Next::Read { .. }));
    assert_eq!(follow.page_done(false, false), Next::Retry);
    assert!(follow.take(Seq::new(2)));
    assert_eq!(follow.page_done(false, true), Next::Live);
}

#[test]
fn a_live_reader_who_loses_the_conversation_is_let_go_at_once() {
    let mut follow = Follow::from(Seq::ZERO);
    follow.restart(Seq::new(4), Seq::new(4));
    assert_eq!(follow.next(), Next::Live);
    assert!(follow.end_before(Seq::new(5)));
}
