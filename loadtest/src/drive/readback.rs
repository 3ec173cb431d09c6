//! After the run: a sample of conversations is read whole through the API and
//! compared with what was acknowledged.

use super::RunError;
use super::party::Outcome;
use crate::audit::{Ear, Violations};
use crate::payload::{Payload, Side};
use crate::wire::{Wire, WireError};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ClientFrame, GetHistory, History};
use std::collections::HashMap;
use std::time::Duration;

/// Conversations that are read back.
const SAMPLE: usize = 25;
/// Events of a page.
const PAGE: u32 = 200;
/// The longest a page may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Reads back up to `SAMPLE` conversations, as their visitors see them.
pub(super) async fn sample(
    outcomes: &mut [Outcome],
    told: &HashMap<(u32, Side), u32>,
    violations: &mut Violations,
) -> Result<usize, RunError> {
    let mut count = 0;
    let visitors = outcomes
        .iter_mut()
        .filter(|o| matches!(&o.lanes[..], [lane] if lane.side == Side::Visitor));
    for outcome in visitors.take(SAMPLE) {
        let (id, number) = (outcome.lanes[0].conversation.clone(), outcome.lanes[0].number);
        // What lies in the payloads names the run; the first one tells it.
        let mut ears: Option<[(Side, Ear); 2]> = None;
        let mut after = 0;
        loop {
            let page = page(&mut outcome.wire, &id, after).await?;
            for event in page.events.into_iter().filter_map(|p| p.event) {
                after = event.seq;
                let Some(Body::Message(message)) = event.body else { continue };
                let Some(payload) = Payload::decode(&message.text) else { continue };
                let ears = ears.get_or_insert_with(|| {
                    [Side::Visitor, Side::Agent].map(|s| (s, Ear::new(payload.run, number, s)))
                });
                for (_, ear) in ears.iter_mut() {
                    ear.message(&message.text, violations);
                }
            }
            if !page.more {
                break;
            }
        }
        for (side, ear) in ears.iter().flatten() {
            let acknowledged = told.get(&(number, *side)).copied().unwrap_or(0);
            ear.finish(acknowledged, violations);
        }
        count += 1;
    }
    Ok(count)
}

async fn page(wire: &mut Wire, id: &str, after_seq: u32) -> Result<History, WireError> {
    let conversation_id = id.to_owned();
    let ask = GetHistory { conversation_id, after_seq, limit: PAGE, backwards: false };
    let mut pause = Duration::from_millis(20);
    loop {
        let request = Some(Request::GetHistory(ask.clone()));
        wire.send(vec![ClientFrame { id: 1, request }]).await?;
        let answer = tokio::time::timeout(DEADLINE, answer(wire)).await;
        match answer.map_err(|_| WireError::Deadline(DEADLINE))?? {
            Ok(history) => return Ok(history),
            Err(error) if !error.retryable => return Err(WireError::Protocol(error.message)),
            Err(_) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

async fn answer(wire: &mut Wire) -> Result<Result<History, frontdesk_proto::v1::Error>, WireError> {
    loop {
        for frame in wire.next().await? {
            match frame.frame {
                Some(Frame::History(history)) => return Ok(Ok(history)),
                Some(Frame::Error(error)) if frame.id == 1 => return Ok(Err(error)),
                _ => {}
            }
        }
    }
}
