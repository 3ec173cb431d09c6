//! Where things to handle come from, and when they are written.

use super::{Connection, End, Event, Stage};
use crate::carriers::Carrier;
use std::task::{Context, Poll};

/// Requests of one connection that are carried out at once; no more are read
/// until some are answered.
const MAX_IN_FLIGHT: usize = 64;
/// Things handled before what has piled up is written.
const MAX_BEFORE_WRITE: u32 = 64;

impl<C: Carrier> Connection<C> {
    /// The next thing to handle. Before it waits, everything is written.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.outbox.register(cx.waker());
        if let Some(code) = self.outbox.closing() {
            return Poll::Ready(Event::End(End::Close(code, code.as_str())));
        }
        loop {
            if self.since_write < MAX_BEFORE_WRITE
                && let Poll::Ready(event) = self.poll_sources(cx)
            {
                self.since_write += 1;
                return Poll::Ready(event);
            }
            self.since_write = 0;
            match self.carrier.poll_write(&self.outbox, cx) {
                Poll::Ready(Err(_)) => return Poll::Ready(Event::End(End::Gone)),
                // Writing has made room: something may be ready now.
                Poll::Ready(Ok(true)) => self.blocked = false,
                Poll::Ready(Ok(false)) => {
                    self.blocked = false;
                    let event = self.poll_sources(cx);
                    return match event {
                        Poll::Pending if self.is_finished() => {
                            Poll::Ready(Event::End(End::Finished))
                        }
                        event => event,
                    };
                }
                Poll::Pending => {
                    self.blocked = true;
                    return self.poll_sources(cx);
                }
            }
        }
    }

    fn poll_sources(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(preparing) = &mut self.preparing
            && let Poll::Ready(ready) = preparing.as_mut().poll(cx)
        {
            self.preparing = None;
            return Poll::Ready(Event::Prepared(Box::new(ready)));
        }
        if let Poll::Ready(done) = self.in_flight.poll_next(cx) {
            return Poll::Ready(Event::Done(done));
        }
        if matches!(self.stage, Stage::Open(_)) && self.outbox.has_signals() {
            return Poll::Ready(Event::Signals);
        }
        if let Stage::Open(open) = &self.stage
            && let Poll::Ready(filled) = self.fills.poll(&open.client, cx)
        {
            return Poll::Ready(Event::Filled(filled));
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Tick);
        }
        self.poll_client(cx)
    }

    /// Requests, as long as the connection can take them.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let busy = self.preparing.is_some()
            || self.in_flight.len() >= MAX_IN_FLIGHT
            || !self.outbox.has_room();
        if busy {
            return Poll::Pending;
        }
        if !self.backlog.is_empty() {
            return Poll::Ready(Event::Request);
        }
        if self.half_closed {
            return Poll::Pending;
        }
        self.carrier.poll_receive(cx).map(Event::Received)
    }

    fn is_finished(&self) -> bool {
        self.half_closed
            && self.preparing.is_none()
            && self.in_flight.is_empty()
            && self.backlog.is_empty()
            && self.fills.is_idle()
    }
}
