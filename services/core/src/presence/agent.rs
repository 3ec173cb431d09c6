//! One agent: its connections, status and room. Every rule about capacity and
//! grace is here; nothing here knows of other agents, nodes or the log.

use super::claim::Claim;
use super::command::{AgentKey, Refusal};
use super::limits::{
    GRACE, MAX_CAPACITY, MAX_CONNECTIONS, MAX_LANGUAGES, MAX_LAPSED, MAX_NAME_CHARS, MAX_QUEUES,
    MAX_REASON_BYTES, MAX_RESERVATION, MAX_WRAP_UP, MIN_CAPACITY,
};
use super::view::{AgentProfile, AgentStatus, AgentView, Hold, Reservation};
use crate::ids::{ConnectionId, ConversationId, NodeId};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A reservation that expired before it was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lapsed {
    conversation: ConversationId,
    weight: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Claim>,
}

/// An agent that has connected at least once. `view.load` and `view.gateways`
/// follow from `view.reservations` and `connections`; `settle` keeps them so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Agent {
    view: Arc<AgentView>,
    connections: BTreeSet<(NodeId, ConnectionId)>,
    /// Set while no connection is left and the status is not `Offline`.
    grace_until: Option<Timestamp>,
    /// Oldest first, at most `MAX_LAPSED`.
    lapsed: VecDeque<Lapsed>,
}

/// Checks what `desk` says of an agent.
pub(super) fn check_profile(profile: &AgentProfile) -> Result<(), Refusal> {
    if !(MIN_CAPACITY..=MAX_CAPACITY).contains(&profile.capacity) {
        return Err(Refusal::BadCapacity);
    }
    let name_fits = profile.name.chars().take(MAX_NAME_CHARS + 1).count() <= MAX_NAME_CHARS;
    let lists_fit = profile.queues.len() <= MAX_QUEUES
        && profile.caps.len() <= MAX_QUEUES
        && profile.languages.len() <= MAX_LANGUAGES;
    if name_fits && lists_fit { Ok(()) } else { Err(Refusal::TooLong) }
}

impl Agent {
    /// An agent that is not there yet.
    pub(super) fn new(key: AgentKey, profile: AgentProfile, now: Timestamp) -> Self {
        Self {
            view: Arc::new(AgentView {
                site: key.site,
                id: key.agent,
                profile,
                status: AgentStatus::Offline,
                reason: Arc::from(""),
                since: now,
                load: 0,
                reservations: Vec::new(),
                idle_since: now,
                assigned_at: Timestamp::ZERO,
                missed: 0,
                gateways: Vec::new(),
                revision: 0,
            }),
            connections: BTreeSet::new(),
            grace_until: None,
            lapsed: VecDeque::new(),
        }
    }

    pub(super) fn key(&self) -> AgentKey {
        AgentKey { site: self.view.site.clone(), agent: self.view.id }
    }

    pub(super) fn view(&self) -> &Arc<AgentView> {
        &self.view
    }

    /// When something changes by itself next.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let holds = self.view.reservations.iter().filter_map(|r| match r.hold {
            Hold::Reserved(at) | Hold::WrapUp(at) => Some(at),
            Hold::Active => None,
        });
        holds.chain(self.grace_until).min()
    }

    /// Adds a connection. Offline becomes `Away`; anything else stays.
    pub(super) fn connect(
        &mut self,
        profile: AgentProfile,
        gateway: NodeId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let link = (gateway, connection);
        if self.connections.len() >= MAX_CONNECTIONS && !self.connections.contains(&link) {
            return Err(Refusal::Full);
        }
        self.connections.insert(link);
        self.grace_until = None;
        if self.view.status == AgentStatus::Offline {
            self.become_status(AgentStatus::Away, Arc::from(""), now);
        }
        let known = &self.view.profile;
        if *known != profile {
            Arc::make_mut(&mut self.view).profile = profile;
        }
        self.settle();
        Ok(())
    }

    /// Drops one connection; whether there was one.
    pub(super) fn disconnect(
        &mut self,
        gateway: &NodeId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> bool {
        self.drop_connections(now, |(g, c)| g == gateway && *c == connection)
    }

    /// Drops all connections of a gateway; whether there was one.
    pub(super) fn lose_gateway(&mut self, gateway: &NodeId, now: Timestamp) -> bool {
        self.drop_connections(now, |(g, _)| g == gateway)
    }

    fn drop_connections(
        &mut self,
        now: Timestamp,
        gone: impl Fn(&(NodeId, ConnectionId)) -> bool,
    ) -> bool {
        let before = self.connections.len();
        self.connections.retain(|link| !gone(link));
        if self.connections.len() == before {
            return false;
        }
        if self.connections.is_empty() && self.view.status != AgentStatus::Offline {
            self.grace_until = Some(now + GRACE);
        }
        self.settle();
        true
    }

    pub(super) fn set_status(
        &mut self,
        status: AgentStatus,
        reason: Arc<str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if reason.len() > MAX_REASON_BYTES {
            return Err(Refusal::TooLong);
        }
        if self.connections.is_empty() {
            return Err(Refusal::NotConnected);
        }
        Arc::make_mut(&mut self.view).missed = 0;
        self.become_status(status, reason, now);
        self.settle();
        Ok(())
    }

    fn become_status(&mut self, status: AgentStatus, reason: Arc<str>, now: Timestamp) {
        let view = Arc::make_mut(&mut self.view);
        view.reason = reason;
        if view.status == status {
            return;
        }
        view.status = status;
        view.since = now;
        match status {
            AgentStatus::Online => view.idle_since = now,
            // Nobody is there to answer an offer.
            AgentStatus::Offline => self.lapse(|_| true),
            AgentStatus::Busy | AgentStatus::Away => {}
        }
    }

    /// Takes room for an offer. Room this conversation holds already is renewed,
    /// or, when it is a chat, left as it is.
    pub(super) fn reserve(
        &mut self,
        conversation: ConversationId,
        weight: u32,
        claim: Option<Claim>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if !(1..=MAX_CAPACITY).contains(&weight) {
            return Err(Refusal::BadWeight);
        }
        let held = self.find(conversation).map(|i| self.view.reservations[i].clone());
        if held.as_ref().is_some_and(|r| r.hold == Hold::Active) {
            return Ok(());
        }
        if expires_at <= now {
            return Err(Refusal::Expired);
        }
        self.check_room(weight, held.map_or(0, |r| r.weight))?;
        self.check_cap(conversation, claim.as_ref())?;
        let until = expires_at.min(now + MAX_RESERVATION);
        self.put(Reservation { conversation, weight, hold: Hold::Reserved(until), claim });
        self.settle();
        Ok(())
    }

    /// Makes reserved room last; takes it again when it expired and there is room.
    pub(super) fn confirm(
        &mut self,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let (weight, claim) = match self.find(conversation).map(|i| &self.view.reservations[i]) {
            Some(Reservation { hold: Hold::Active, .. }) => return Ok(()),
            Some(Reservation { hold: Hold::Reserved(_), weight, claim, .. }) => {
                (*weight, claim.clone())
            }
            Some(Reservation { hold: Hold::WrapUp(_), .. }) => return Err(Refusal::NoReservation),
            None => {
                let lapsed = self.lapsed.iter().find(|l| l.conversation == conversation);
                let Lapsed { weight, claim, .. } = lapsed.ok_or(Refusal::NoReservation)?.clone();
                self.check_room(weight, 0)?;
                self.check_cap(conversation, claim.as_ref())?;
                (weight, claim)
            }
        };
        self.put(Reservation { conversation, weight, hold: Hold::Active, claim });
        let view = Arc::make_mut(&mut self.view);
        (view.idle_since, view.assigned_at, view.missed) = (now, now, 0);
        self.settle();
        Ok(())
    }

    /// Counts an offer that was not answered, once for each reservation made for it:
    /// the release that follows takes that away. Whether it was counted.
    pub(super) fn miss(
        &mut self,
        conversation: ConversationId,
        away_after: u32,
        now: Timestamp,
    ) -> bool {
        let reserved = |i: usize| matches!(self.view.reservations[i].hold, Hold::Reserved(_));
        let has_lapsed = || self.lapsed.iter().any(|l| l.conversation == conversation);
        if !self.find(conversation).map_or_else(has_lapsed, reserved) {
            return false;
        }
        let view = Arc::make_mut(&mut self.view);
        view.missed = view.missed.saturating_add(1);
        if view.missed >= away_after && view.status == AgentStatus::Online {
            let reason = match view.missed {
                1 => "missed an offer".to_owned(),
                missed => format!("missed {missed} offers in a row"),
            };
            self.become_status(AgentStatus::Away, reason.into(), now);
        }
        self.settle();
        true
    }

    /// Frees room, that of a chat after the wrap-up; whether anything changed.
    /// A wrap-up that runs is ended by a release without one.
    pub(super) fn release(
        &mut self,
        conversation: ConversationId,
        wrap_up: Millis,
        now: Timestamp,
    ) -> bool {
        self.lapsed.retain(|l| l.conversation != conversation);
        let Some(index) = self.find(conversation) else {
            return false;
        };
        let view = Arc::make_mut(&mut self.view);
        match view.reservations[index].hold {
            Hold::WrapUp(_) if wrap_up > Millis::ZERO => return false,
            Hold::Active if wrap_up > Millis::ZERO => {
                view.reservations[index].hold = Hold::WrapUp(now + wrap_up.min(MAX_WRAP_UP));
            }
            hold => {
                view.reservations.remove(index);
                if !matches!(hold, Hold::Reserved(_)) {
                    view.idle_since = now;
                }
            }
        }
        self.settle();
        true
    }

    /// Does what is due; whether anything changed.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        if self.deadline().is_none_or(|at| at > now) {
            return false;
        }
        if let Some(over) = self.grace_until.filter(|at| *at <= now) {
            self.grace_until = None;
            self.become_status(AgentStatus::Offline, Arc::from(""), over);
        }
        self.lapse(|until| until <= now);
        let view = Arc::make_mut(&mut self.view);
        let mut idle_since = view.idle_since;
        view.reservations.retain(|r| match r.hold {
            Hold::WrapUp(until) if until <= now => {
                idle_since = idle_since.max(until);
                false
            }
            _ => true,
        });
        view.idle_since = idle_since;
        self.settle();
        true
    }

    /// Drops the unconfirmed reservations that `gone` picks by their expiry.
    fn lapse(&mut self, gone: impl Fn(Timestamp) -> bool) {
        let lapsed = &mut self.lapsed;
        Arc::make_mut(&mut self.view).reservations.retain(|r| match r.hold {
            Hold::Reserved(until) if gone(until) => {
                if lapsed.len() == MAX_LAPSED {
                    lapsed.pop_front();
                }
                let Reservation { conversation, weight, ref claim, .. } = *r;
                lapsed.push_back(Lapsed { conversation, weight, claim: claim.clone() });
                false
            }
            _ => true,
        });
    }

    /// Whether the agent may take `weight` more slots, giving back `held` ones.
    fn check_room(&self, weight: u32, held: u32) -> Result<(), Refusal> {
        if self.connections.is_empty() {
            return Err(Refusal::NotConnected);
        }
        if self.view.status != AgentStatus::Online {
            return Err(Refusal::NotOnline);
        }
        if self.view.load - held + weight > self.view.profile.capacity {
            return Err(Refusal::NoRoom);
        }
        Ok(())
    }

    /// Whether the agent may have one more of a queue, not counting this one.
    fn check_cap(
        &self,
        conversation: ConversationId,
        claim: Option<&Claim>,
    ) -> Result<(), Refusal> {
        let Some(Claim { queue, max }) = claim else { return Ok(()) };
        let others = self.view.claimed(queue).filter(|r| r.conversation != conversation).count();
        match self.view.cap(queue, *max) {
            Some(cap) if others as u64 >= u64::from(cap) => Err(Refusal::QueueCap),
            _ => Ok(()),
        }
    }

    fn find(&self, conversation: ConversationId) -> Option<usize> {
        self.view.reservations.iter().position(|r| r.conversation == conversation)
    }

    fn put(&mut self, reservation: Reservation) {
        self.lapsed.retain(|l| l.conversation != reservation.conversation);
        let index = self.find(reservation.conversation);
        let reservations = &mut Arc::make_mut(&mut self.view).reservations;
        match index {
            Some(index) => reservations[index] = reservation,
            None => reservations.push(reservation),
        }
    }

    /// Recomputes what follows from the rest and counts the change.
    fn settle(&mut self) {
        let mut gateways: BTreeMap<&NodeId, u32> = BTreeMap::new();
        for (gateway, _) in &self.connections {
            *gateways.entry(gateway).or_default() += 1;
        }
        let view = Arc::make_mut(&mut self.view);
        view.gateways = gateways.into_iter().map(|(g, n)| (g.clone(), n)).collect();
        view.load = view.reservations.iter().map(|r| r.weight).sum();
        view.revision += 1;
    }
}
