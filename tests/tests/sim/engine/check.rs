//! The promises, held against what people saw and what the journal has. Each line
//! begins with the promise that was broken.

use super::journal::{Applied, MAX_WAITING, Store};
use super::ledger::{Entries, Heard};
use super::run::Outcome;
use frontdesk_core::conversation::{Body, Event};
use frontdesk_core::ids::{AgentId, ConversationId, Epoch, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::convert::decode_event;
use frontdesk_store::journal::Record;
use std::collections::{BTreeMap, HashSet};

/// Everything that was broken; empty when all is well.
pub(crate) fn wrongs(outcome: &Outcome) -> Vec<String> {
    let (entries, store) = (outcome.ledger.entries(), outcome.journal.store());
    let mut wrongs = entries.wrongs.clone();
    wrongs.extend(acknowledged_is_kept(&entries, &store));
    wrongs.extend(one_order(&entries, &store));
    wrongs.extend(said_once(&store));
    wrongs.extend(nothing_missed(&entries, &store));
    wrongs.extend(one_owner(&store.history));
    wrongs.extend(one_agent(&store.history, outcome.plan.capacity));
    wrongs.extend(nobody_forgotten(&entries, &store));
    wrongs.extend(no_error_shown(&entries));
    if store.longest_queue > MAX_WAITING {
        wrongs.push(format!("P8: {} appends waited at once", store.longest_queue));
    }
    wrongs
}

fn event(record: &Record) -> Event {
    decode_event(&record.payload, record.prev_public).expect("what was written can be read")
}

fn text(record: &Record) -> Option<String> {
    match event(record).body {
        Body::Message { text, .. } => Some(text.to_string()),
        _ => None,
    }
}

fn records<'s>(store: &'s Store, conversation: &str) -> &'s [Record] {
    let id: Option<ConversationId> = conversation.parse().ok();
    id.and_then(|id| store.records.get(&id)).map_or(&[], Vec::as_slice)
}

/// P1: what was acknowledged stands where it was said to stand.
fn acknowledged_is_kept(entries: &Entries, store: &Store) -> Vec<String> {
    let mut wrongs = Vec::new();
    for ((who, key), said) in &entries.said {
        let Some((seq, _)) = said.acked else { continue };
        let kept = records(store, &said.conversation).get(seq as usize - 1);
        let is_it = |r: &Record| {
            r.dedup.as_ref().is_some_and(|d| *d.client_msg_id == **key)
                && text(r).as_ref() == Some(&said.text)
        };
        if !kept.is_some_and(is_it) {
            wrongs.push(format!("P1: {who}'s {key} was acknowledged as {seq} and is not there"));
        }
    }
    wrongs
}

/// P2: 1, 2, 3 … in the journal, and every reader saw it rise.
fn one_order(entries: &Entries, store: &Store) -> Vec<String> {
    let mut wrongs = Vec::new();
    for (conversation, records) in &store.records {
        let mut public = Seq::ZERO;
        for (record, seq) in records.iter().zip(1_u32..) {
            if record.seq.get() != seq || record.prev_public != public {
                wrongs.push(format!("P2: {conversation} has {:?} at {seq}", record.seq));
            }
            if record.audience == Audience::Public {
                public = record.seq;
            }
        }
    }
    for ((who, conversation), heard) in &entries.heard {
        let records = records(store, conversation);
        if heard.windows(2).any(|pair| pair[0].seq >= pair[1].seq) {
            wrongs.push(format!("P2: {who} did not see {conversation} rise"));
        }
        let differs =
            |h: &&Heard| records.get(h.seq as usize - 1).map(text) != Some(h.text.clone());
        if let Some(other) = heard.iter().find(differs) {
            wrongs.push(format!("P2: {who} saw {other:?} in {conversation}"));
        }
    }
    wrongs
}

/// P3: no id of a sender stands twice.
fn said_once(store: &Store) -> Vec<String> {
    let mut wrongs = Vec::new();
    for (conversation, records) in &store.records {
        let mut seen = HashSet::new();
        for key in records.iter().filter_map(|r| r.dedup.as_ref()) {
            if !seen.insert(key) {
                wrongs.push(format!("P3: {conversation} has {} twice", key.client_msg_id));
            }
        }
    }
    wrongs
}

/// P4: the visitor, and the visitor's second tab, have seen every public event.
fn nothing_missed(entries: &Entries, store: &Store) -> Vec<String> {
    let mut wrongs = Vec::new();
    for (visitor, (conversation, _)) in &entries.begun {
        let public = records(store, conversation).iter().filter(|r| r.audience == Audience::Public);
        let all: Vec<u32> = public.map(|r| r.seq.get()).collect();
        for who in [visitor.clone(), format!("{visitor}-again")] {
            let heard = entries.heard.get(&(who.clone(), conversation.clone()));
            let heard: Vec<u32> = heard.into_iter().flatten().map(|h| h.seq).collect();
            if heard != all {
                let missing: Vec<&u32> = all.iter().filter(|seq| !heard.contains(seq)).collect();
                let of = all.len();
                wrongs.push(format!("P4: {who} has missed {missing:?} of {of} events"));
            }
        }
    }
    wrongs
}

/// P5: nobody writes below an epoch that had claimed the shard.
fn one_owner(history: &[Applied]) -> Vec<String> {
    let mut highest: BTreeMap<ShardId, Epoch> = BTreeMap::new();
    let mut wrongs = Vec::new();
    for applied in history {
        let before = highest.entry(applied.shard).or_default();
        *before = (*before).max(applied.epoch).max(applied.claimed);
        if applied.epoch < *before {
            wrongs.push(format!(
                "P5: at {} ms epoch {} wrote to {:?}, which {} had",
                applied.at_ms,
                applied.epoch.get(),
                applied.shard,
                before.get()
            ));
        }
    }
    wrongs
}

/// P6: one agent at a time, and none above its capacity.
fn one_agent(history: &[Applied], capacity: u32) -> Vec<String> {
    let mut holders: BTreeMap<ConversationId, AgentId> = BTreeMap::new();
    let mut wrongs = Vec::new();
    for applied in history {
        for record in &applied.records {
            match event(record).body {
                Body::Assigned { agent } => {
                    let Some(agent) = agent.agent_id() else { continue };
                    if holders.insert(applied.conversation, agent).is_some() {
                        wrongs.push(format!("P6: {} was assigned twice", applied.conversation));
                    }
                    let load = holders.values().filter(|holder| **holder == agent).count();
                    if load > capacity as usize {
                        let at = applied.at_ms;
                        wrongs.push(format!("P6: at {at} ms {agent} had {load} of {capacity}"));
                    }
                }
                Body::Released { .. } | Body::Transferred { .. } | Body::Closed { .. } => {
                    holders.remove(&applied.conversation);
                }
                _ => {}
            }
        }
    }
    wrongs
}

/// P6: whoever came is with an agent in the end: there is room for all.
fn nobody_forgotten(entries: &Entries, store: &Store) -> Vec<String> {
    let mut wrongs = Vec::new();
    for (visitor, (conversation, begun)) in &entries.begun {
        let last = records(store, conversation).iter().rev().find_map(|r| match event(r).body {
            Body::Assigned { .. } => Some(true),
            Body::Queued { .. } | Body::Released { .. } => Some(false),
            _ => None,
        });
        if last != Some(true) {
            wrongs.push(format!("P6: {visitor}, who came at {begun} ms, waits for ever"));
        }
    }
    wrongs
}

/// P7: every message of a visitor was taken in the end, and everybody was
/// answered.
fn no_error_shown(entries: &Entries) -> Vec<String> {
    let mut wrongs = Vec::new();
    for ((who, key), said) in &entries.said {
        match (&said.refused, said.acked) {
            (Some(why), _) if who.starts_with("visitor") => {
                wrongs.push(format!("P7: {who}'s {key} was refused: {why}"));
            }
            (None, None) => wrongs.push(format!("P7: {who}'s {key} was never answered")),
            _ => {}
        }
    }
    wrongs
}

impl Outcome {
    /// The longest that a message said from `from` to before `to` waited for its
    /// acknowledgement; milliseconds.
    pub(crate) fn slowest(&self, from: u64, to: u64) -> u64 {
        self.slowest_of(|_| true, from, to)
    }

    /// The same, for some of the people.
    pub(crate) fn slowest_of(&self, whose: impl Fn(&str) -> bool, from: u64, to: u64) -> u64 {
        let entries = self.ledger.entries();
        let said = entries.said.iter().filter(|((who, _), _)| whose(who)).map(|(_, said)| said);
        let said = said.filter(|said| (from..to).contains(&said.at_ms));
        let waits = said.filter_map(|said| Some(said.acked?.1 - said.at_ms));
        waits.max().unwrap_or(0)
    }

    /// Messages that were acknowledged from `from` to before `to`.
    pub(crate) fn acknowledged(&self, from: u64, to: u64) -> usize {
        let entries = self.ledger.entries();
        let acked = entries.said.values().filter_map(|said| said.acked);
        acked.filter(|(_, at)| (from..to).contains(at)).count()
    }

    /// Messages of visitors, said from `from` to before `to`, that no agent has
    /// heard within `ms` of their acknowledgement.
    pub(crate) fn late(&self, from: u64, to: u64, ms: u64) -> Vec<String> {
        let entries = self.ledger.entries();
        let said = entries.said.iter().filter(|((who, _), _)| who.starts_with("visitor"));
        let mut late = Vec::new();
        for ((who, key), said) in said.filter(|(_, said)| (from..to).contains(&said.at_ms)) {
            let Some((seq, acked)) = said.acked else { continue };
            let agents = entries.heard.iter().filter(|((by, conversation), _)| {
                by.starts_with("agent") && *conversation == said.conversation
            });
            let heard = agents.flat_map(|(_, heard)| heard).filter(|h| h.seq == seq);
            if !heard.map(|h| h.at_ms).any(|at| at <= acked + ms) {
                late.push(format!("{who}'s {key} was not heard within {ms} ms"));
            }
        }
        late
    }

    /// When each conversation was begun and when first taken; milliseconds.
    pub(crate) fn assigned(&self) -> Vec<(u64, u64)> {
        let entries = self.ledger.entries();
        let taken = |(conversation, begun): &(String, u64)| {
            entries.assigned.get(conversation).map(|at| (*begun, *at))
        };
        entries.begun.values().filter_map(taken).collect()
    }
}
