//! The bare relay: reads a frame, looks the other side up, writes. What any
//! server must do at least; it keeps nothing, checks nothing and forgets nothing
//! only as long as everybody reads.
//!
//! It runs on one thread with one task for each connection, and all that is
//! ready is read and written together.

mod frame;

pub use frame::{Frame, Seat};

use bytes::Bytes;
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_websockets::{Message, ServerBuilder, WebSocketStream};

/// Frames that may wait for a connection; one that is slower is cut off.
const MAX_WAITING: usize = 4_096;
/// Messages that are read before what they led to is written.
const MOST_IN_A_TURN: usize = 256;

/// Who sits where.
type Seats = Rc<RefCell<HashMap<Seat, mpsc::Sender<Bytes>>>>;

/// Serves until the listener fails. Must run within a `LocalSet`.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let seats = Seats::default();
    let mut connections = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await?;
        // Ends with its connection; all are dropped with the set.
        connections.spawn_local(connection(tcp, seats.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// A connection that breaks takes nothing with it but its own seats.
async fn connection(tcp: TcpStream, seats: Seats) {
    let opened = async {
        tcp.set_nodelay(true)?;
        ServerBuilder::new().accept(tcp).await
    };
    if let Ok((_, stream)) = opened.await {
        let (sender, inbox) = mpsc::channel(MAX_WAITING);
        let mut connection =
            Connection { stream, seats, sender, taken: Vec::new(), out: Vec::new() };
        let ended = connection.run(inbox).await;
        connection.leave();
        if let Err(error) = ended {
            eprintln!("relay: a connection ended: {error}");
        }
    }
}

struct Connection {
    stream: WebSocketStream<TcpStream>,
    seats: Seats,
    sender: mpsc::Sender<Bytes>,
    taken: Vec<Seat>,
    /// What goes to this connection at the end of the turn. Apart from the
    /// stream, which writes what it has before it reads.
    out: Vec<Bytes>,
}

impl Connection {
    async fn run(
        &mut self,
        mut inbox: mpsc::Receiver<Bytes>,
    ) -> Result<(), tokio_websockets::Error> {
        loop {
            tokio::select! {
                message = self.stream.next() => {
                    let Some(message) = message else { return Ok(()) };
                    self.heard(message?);
                }
                Some(frame) = inbox.recv() => self.out.push(frame),
            }
            for _ in 0..MOST_IN_A_TURN {
                let Some(message) = self.stream.next().now_or_never() else { break };
                let Some(message) = message else { return Ok(()) };
                self.heard(message?);
            }
            while let Ok(frame) = inbox.try_recv() {
                self.out.push(frame);
            }
            for frame in self.out.drain(..) {
                self.stream.feed(Message::binary(frame)).await?;
            }
            self.stream.flush().await?;
        }
    }

    /// What is no frame is passed over.
    fn heard(&mut self, message: Message) {
        let bytes = Bytes::from(message.into_payload());
        match Frame::parse(&bytes) {
            Some(Frame::Join(seat)) => {
                self.seats.borrow_mut().insert(seat, self.sender.clone());
                self.taken.push(seat);
                self.out.push(bytes);
            }
            Some(Frame::Message { from, number, .. }) => {
                let acknowledged = Frame::Acknowledged { pair: from.pair, number }.encode();
                self.deliver(from.opposite(), bytes);
                self.out.push(acknowledged.into());
            }
            Some(Frame::Acknowledged { .. }) | None => {}
        }
    }

    /// To nobody when nobody sits there or does not read.
    fn deliver(&self, to: Seat, frame: Bytes) {
        let mut seats = self.seats.borrow_mut();
        if seats.get(&to).is_some_and(|peer| peer.try_send(frame).is_err()) {
            seats.remove(&to);
        }
    }

    fn leave(&mut self) {
        let mut seats = self.seats.borrow_mut();
        for seat in self.taken.drain(..) {
            if seats.get(&seat).is_some_and(|peer| peer.same_channel(&self.sender)) {
                seats.remove(&seat);
            }
        }
    }
}
