//! The whole flow of a conversation, from both sides, through the real binary.

mod agents;
mod alarms;
mod audit;
mod backup;
mod board;
mod company;
mod configure;
mod consent;
mod figures;
mod files;
mod matching;
mod offers;
mod privacy;
mod readers;
mod signed_out;
mod supervision;
mod telemetry;
mod terminal;
mod tls;
mod traces;
mod unserved;
mod whole;

use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{AgentState, OfferClosedPush, QueuePush};
use frontdesk_tests::wire::Wire;

/// Waits until a conversation is told to be at this place of its queue.
async fn place(wire: &mut Wire, conversation: &str, position: u32) -> QueuePush {
    let what = format!("place {position} of {conversation}");
    wire.push(&what, |frame| match frame {
        Frame::Queue(place)
            if place.conversation_id == conversation && place.position == position =>
        {
            Some(place.clone())
        }
        _ => None,
    })
    .await
}

/// Waits until an agent is told to have this load.
async fn load(wire: &mut Wire, load: u32) -> AgentState {
    wire.push(&format!("load {load}"), |frame| match frame {
        Frame::AgentState(state) if state.load == load => Some(state.clone()),
        _ => None,
    })
    .await
}

/// Waits until an offer of this conversation is over.
async fn offer_closed(wire: &mut Wire, conversation: &str) -> OfferClosedPush {
    wire.push("the end of the offer", |frame| match frame {
        Frame::OfferClosed(closed) if closed.conversation_id == conversation => {
            Some(closed.clone())
        }
        _ => None,
    })
    .await
}
