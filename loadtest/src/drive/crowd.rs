//! Everybody of one worker: staff who are there from the begin, visitors who
//! come as the plan says.

use super::agent::Agent;
use super::common::{Common, Stage};
use super::crew::Crew;
use super::supervisor::Supervisor;
use super::visitor::{Visit, visit};
use super::{RunError, idle};
use crate::plan::{Plan, Stay};
use crate::scenario::Pace;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

/// Staff who sign in at once: passwords are dear to check.
const SIGN_INS: usize = 4;
/// People who fail for good, of this share of all and more than a few, end the run.
const MAX_FAILED: usize = 50;

pub(super) struct Crowd {
    common: Arc<Common>,
    crew: Arc<Crew>,
    stage: watch::Receiver<Stage>,
    people: JoinSet<Result<(), RunError>>,
    failed: usize,
}

/// Who comes next.
enum Coming {
    Arrival(u32),
    Place(u32, Stay),
    Idle(u32, Stay),
}

impl Crowd {
    /// Brings the staff online.
    pub(super) async fn assemble(
        common: Arc<Common>,
        stage: watch::Receiver<Stage>,
        watched: mpsc::Receiver<(String, u32)>,
    ) -> Result<Self, RunError> {
        let crew = Arc::new(Crew::new(&common.cells)?);
        let mut people = JoinSet::new();
        let mine = |count: u32| (0..count).filter(|n| common.share.has(*n)).collect::<Vec<u32>>();
        let load = &common.scenario.load;
        let cells = common.cells.len();
        let logins = |of: Role, count: u32| -> Result<Vec<_>, RunError> {
            let each = (count as usize).div_ceil(cells);
            let lists = common.cells.iter().map(|cell| match of {
                Role::Agent => cell.accounts.agents(each),
                Role::Supervisor => cell.accounts.supervisors(each),
            });
            Ok(lists.collect::<Result<_, _>>()?)
        };
        let supervisors = logins(Role::Supervisor, load.supervisors.count)?;
        let to_watch = Arc::new(Mutex::new(watched));
        for n in mine(load.supervisors.count) {
            let login = &supervisors[n as usize % cells][n as usize / cells];
            let supervisor = Supervisor::come(common.clone(), &crew, n, login).await?;
            people.spawn(supervisor.watch(stage.clone(), to_watch.clone()));
        }
        let agents = logins(Role::Agent, load.agents.count)?;
        let coming = stream::iter(mine(load.agents.count)).map(|n| {
            let login = &agents[n as usize % cells][n as usize / cells];
            Agent::come(common.clone(), &crew, n, login)
        });
        let mut coming = coming.buffer_unordered(SIGN_INS);
        while let Some(agent) = coming.try_next().await? {
            people.spawn(agent.work(stage.clone()));
        }
        drop(coming);
        Ok(Self { common, crew, stage, people, failed: 0 })
    }

    /// Lets visitors come and go until `over` is.
    pub(super) async fn run_until(
        &mut self,
        over: impl Future<Output = Result<(), RunError>>,
    ) -> Result<(), RunError> {
        let mut plan = timeline(&self.common).into_iter().peekable();
        tokio::pin!(over);
        loop {
            let next = plan.peek().map(|(at, _)| self.common.at(*at));
            tokio::select! {
                biased;
                ended = &mut over => return ended,
                () = wait(next) => {
                    let drained = *self.stage.borrow() >= Stage::Draining;
                    let now = self.common.since();
                    while let Some((_, coming)) = plan.next_if(|(at, _)| *at <= now) {
                        if !drained {
                            self.admit(coming);
                        }
                    }
                }
                Some(left) = self.people.join_next() => self.left(left?)?,
            }
        }
    }

    fn admit(&mut self, coming: Coming) {
        let (common, crew, stage) = (self.common.clone(), self.crew.clone(), self.stage.clone());
        match coming {
            Coming::Arrival(number) => {
                let arrival = common.plan.arrivals[number as usize];
                let leave = common.plan.length;
                self.people.spawn(visit(common, crew, stage, Visit { number, arrival, leave }));
            }
            Coming::Place(place, stay) => {
                self.people.spawn(occupy(common, crew, stage, place, stay));
            }
            Coming::Idle(n, stay) => {
                self.people.spawn(idle::hold(common, crew, stage, n, stay));
            }
        }
    }

    /// One who fails is counted and told; many end the run.
    fn left(&mut self, left: Result<(), RunError>) -> Result<(), RunError> {
        if let Err(error) = left {
            self.failed += 1;
            self.common.count(0, super::Counter::Refused);
            self.common.tell(format!("somebody had to go: {error}"));
            if self.failed > MAX_FAILED {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Waits until everybody has gone.
    pub(super) async fn leave(mut self) -> Result<(), RunError> {
        while let Some(left) = self.people.join_next().await {
            self.left(left?)?;
        }
        Ok(())
    }
}

enum Role {
    Agent,
    Supervisor,
}

/// This worker's share of the plan, in order of time.
fn timeline(common: &Common) -> Vec<(Duration, Coming)> {
    let share = common.share;
    let mine = |n: usize| u32::try_from(n).ok().filter(|n| share.has(*n));
    let Plan { arrivals, places, idle, .. } = &common.plan;
    let arrivals = arrivals
        .iter()
        .enumerate()
        .filter_map(|(n, at)| mine(n).map(|n| (*at, Coming::Arrival(n))));
    let places = places
        .iter()
        .enumerate()
        .filter_map(|(n, stay)| mine(n).map(|n| (stay.from, Coming::Place(n, *stay))));
    let idle = idle
        .iter()
        .enumerate()
        .filter_map(|(n, stay)| mine(n).map(|n| (stay.from, Coming::Idle(n, *stay))));
    let mut all: Vec<_> = arrivals.chain(places).chain(idle).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

/// One place of a population: scripted conversations follow one another.
async fn occupy(
    common: Arc<Common>,
    crew: Arc<Crew>,
    stage: watch::Receiver<Stage>,
    place: u32,
    stay: Stay,
) -> Result<(), RunError> {
    let places = u32::try_from(common.plan.places.len()).unwrap_or(u32::MAX);
    let scripted = matches!(common.scenario.load.talk.pace, Pace::Script { .. });
    let mut next = Visit { number: place, arrival: stay.from, leave: stay.to };
    loop {
        visit(common.clone(), crew.clone(), stage.clone(), next).await?;
        let now = common.since();
        if !scripted || now >= stay.to || *stage.borrow() >= Stage::Draining {
            return Ok(());
        }
        let Some(number) = next.number.checked_add(places) else { return Ok(()) };
        next = Visit { number, arrival: now, leave: stay.to };
    }
}

async fn wait(until: Option<tokio::time::Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
