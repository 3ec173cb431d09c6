//! The course of a run: gathering, the load with its faults, draining, the end.

use super::conclude::{self, Course};
use super::ledger::Ledger;
use super::readback::read_back;
use super::sample::Sampler;
use super::team::{Recruit, Team};
use super::{CoordinateError, Order, micros, run_id};
use crate::audit::Dossier;
use crate::cost;
use crate::faults::{Fault, Made, Surroundings};
use crate::plan::Plan;
use crate::protocol::{Begin, Drain, End, from_worker, to_worker};
use frontdesk_results::RunResult;
use frontdesk_view::{Row, Stop, View};
use std::io;
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// The longest that staff may take to sign in.
const READY_WITHIN: Duration = Duration::from_secs(180);
/// From the order to the begin: all workers have heard it by then.
const AHEAD: Duration = Duration::from_millis(300);
/// Behind the end of a second, for the workers' reports of it.
const GRACE: Duration = Duration::from_millis(150);
/// Seconds without any movement after which all is well when nothing is under
/// way…
const QUIET: u32 = 2;
/// …and after which what is still under way is given up: longer than a client
/// that was cut off waits before its first tries.
const PATIENCE: u32 = 10;
/// The longest that everybody may take to go.
const LEAVE_WITHIN: Duration = Duration::from_secs(60);

/// Leads a run from its first worker to its result.
pub(super) async fn lead(
    order: &Order,
    plan: &Plan,
    view: &View,
    mut stop: Stop,
) -> Result<RunResult, CoordinateError> {
    let run = run_id();
    let sources = order.sources(plan);
    let gathering = Team::gather(order.recruit, |index| order.assignment(run, &sources, index));
    let mut team = tokio::select! {
        team = gathering => team?,
        () = stop.wanted() => return Err(CoordinateError::Stopped),
    };
    let count = order.recruit.count() as usize;
    tokio::select! {
        ready = timeout(READY_WITHIN, ready(&mut team, count)) => {
            ready.map_err(|_| CoordinateError::Missing { have: 0, count: count as u32 })??;
        }
        () = stop.wanted() => return Err(CoordinateError::Stopped),
    }
    let begin = SystemTime::now() + AHEAD;
    let origin = Instant::now() + AHEAD;
    team.order(to_worker::Message::Begin(Begin { at_us: micros(begin) })).await;
    let leader = Leader {
        order,
        view,
        origin,
        ledger: Ledger::new(order.scenario.clone(), count),
        sampler: Sampler::start(order.source.clone()).await,
        faults: JoinSet::new(),
        made: Vec::new(),
        finished: 0,
    };
    let course = leader.through(&mut team, plan, &mut stop).await?;
    team.dismiss().await;
    let cells = order.read_cells()?;
    view.say(format!("reading {} conversations back", course.figures.cases.len()));
    let read = read_back(run, &cells, &course.figures.cases).await?;
    Ok(conclude::conclude(order, run, begin, course, read))
}

async fn ready(team: &mut Team, count: usize) -> Result<(), CoordinateError> {
    for _ in 0..count {
        match team.report().await? {
            (_, from_worker::Message::Ready(_)) => {}
            (worker, _) => {
                let why = "it reported before it was ready".to_owned();
                return Err(CoordinateError::Worker { worker, why });
            }
        }
    }
    Ok(())
}

struct Leader<'a> {
    order: &'a Order,
    view: &'a View,
    origin: Instant,
    ledger: Ledger,
    sampler: Sampler,
    faults: JoinSet<(Fault, io::Result<Made>)>,
    made: Vec<(Fault, Made)>,
    finished: usize,
}

/// Of time: a slow command may end behind the next one.
fn in_order(mut made: Vec<(Fault, Made)>) -> Vec<(Fault, Made)> {
    made.sort_by_key(|(fault, _)| fault.at);
    made
}

/// What happens next.
enum Turn {
    Report(usize, from_worker::Message),
    SecondOver,
    FaultMade(Fault, io::Result<Made>),
    StopWanted,
}

impl Leader<'_> {
    async fn through(
        mut self,
        team: &mut Team,
        plan: &Plan,
        stop: &mut Stop,
    ) -> Result<Course, CoordinateError> {
        self.plant_faults();
        let length = u32::try_from(plan.length.as_secs()).unwrap_or(u32::MAX);
        let (mut second, mut drained_at, mut stopped) = (0, None, None);
        let mut still = 0;
        let mut before = self.ledger.totals();
        loop {
            match self.turn(team, second, stop, stopped.is_none()).await? {
                Turn::Report(worker, message) => self.report(worker, message)?,
                Turn::FaultMade(fault, made) => self.fault_made(fault, made)?,
                Turn::StopWanted => {
                    stopped = Some(second);
                    self.view.say("stopping: what is under way arrives first");
                }
                Turn::SecondOver => {
                    self.second(second, drained_at.is_none()).await;
                    second += 1;
                    if drained_at.is_none() && (second >= length || stopped.is_some()) {
                        drained_at = Some(second);
                        self.ledger.loading = false;
                        team.order(to_worker::Message::Drain(Drain {})).await;
                    }
                    let now = self.ledger.totals();
                    let moved = (now.sent, now.answered, now.delivered)
                        != (before.sent, before.answered, before.delivered);
                    still = if moved || drained_at.is_none() { 0 } else { still + 1 };
                    before = now;
                    let settled = now.sent == now.answered && still >= QUIET;
                    if settled || still >= PATIENCE {
                        break;
                    }
                }
            }
        }
        self.end(team).await?;
        let notes = self.ledger.take_notes();
        notes.into_iter().for_each(|note| self.view.say(note));
        Ok(Course {
            stopped,
            drained_at: drained_at.unwrap_or(second),
            figures: self.ledger.finish(),
            sampler: self.sampler,
            faults: in_order(self.made),
        })
    }

    fn plant_faults(&mut self) {
        let surroundings = Surroundings {
            server_pids: self.order.server_pids.clone(),
            targets: self.order.targets(),
        };
        for fault in self.order.scenario.faults.clone() {
            let (at, surroundings) = (self.origin + fault.at, surroundings.clone());
            // Owned by the leader; what is left of them ends with it.
            self.faults.spawn(async move {
                sleep_until(at).await;
                let made = fault.make(&surroundings).await;
                (fault, made)
            });
        }
    }

    async fn turn(
        &mut self,
        team: &mut Team,
        second: u32,
        stop: &mut Stop,
        may_stop: bool,
    ) -> Result<Turn, CoordinateError> {
        let over = self.origin + Duration::from_secs(u64::from(second) + 1) + GRACE;
        tokio::select! {
            biased;
            report = team.report() => {
                let (worker, message) = report?;
                Ok(Turn::Report(worker, message))
            }
            Some(made) = self.faults.join_next(), if !self.faults.is_empty() => {
                let (fault, made) = made.map_err(crate::drive::RunError::from)?;
                Ok(Turn::FaultMade(fault, made))
            }
            () = sleep_until(over) => Ok(Turn::SecondOver),
            () = stop.wanted(), if may_stop => Ok(Turn::StopWanted),
        }
    }

    fn report(
        &mut self,
        worker: usize,
        message: from_worker::Message,
    ) -> Result<(), CoordinateError> {
        match message {
            from_worker::Message::Tick(tick) => self.ledger.tick(worker, &tick)?,
            from_worker::Message::Dossier(dossier) => self.ledger.dossier(Dossier::from(dossier)),
            from_worker::Message::Finished(_) => self.finished += 1,
            _ => {
                let why = "it reported out of turn".to_owned();
                return Err(CoordinateError::Worker { worker, why });
            }
        }
        Ok(())
    }

    fn fault_made(&mut self, fault: Fault, made: io::Result<Made>) -> Result<(), CoordinateError> {
        let made = made?;
        let words = made.output.trim();
        self.view.say(format!("fault {}: {} {words}", fault.name, made.end));
        self.made.push((fault, made));
        Ok(())
    }

    async fn second(&mut self, second: u32, loading: bool) {
        let totals = self.ledger.totals();
        let own = cost::cpu_time(std::process::id()).unwrap_or_default();
        let generator = match self.order.recruit {
            Recruit::Here => own,
            Recruit::Children(_) | Recruit::Callers(..) => {
                own + Duration::from_secs_f64(totals.cpu_seconds)
            }
        };
        let counts = loading && self.order.scenario.counts(second);
        let beside = self.sampler.second(counts, generator, totals.connections).await;
        let columns = self.ledger.close(second, beside);
        let findings = &self.ledger.findings;
        self.view.row(Row {
            at: Duration::from_secs(u64::from(second) + 1),
            columns,
            violations: findings.total(),
            first_offence: findings.offences.first().map(|offence| {
                format!("{} in {}: {}", offence.violation, offence.conversation, offence.detail)
            }),
            notes: self.ledger.take_notes(),
        });
    }

    /// Everybody goes; what they know of their conversations comes in.
    async fn end(&mut self, team: &mut Team) -> Result<(), CoordinateError> {
        team.order(to_worker::Message::End(End {})).await;
        let count = self.order.recruit.count() as usize;
        let leaving = async {
            while self.finished < count {
                let (worker, message) = team.report().await?;
                self.report(worker, message)?;
            }
            Ok::<_, CoordinateError>(())
        };
        timeout(LEAVE_WITHIN, leaving).await.map_err(|_| CoordinateError::Worker {
            worker: 0,
            why: format!("not all have gone within {LEAVE_WITHIN:?}"),
        })?
    }
}
