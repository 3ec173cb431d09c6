//! When somebody wants the run to end before its time.

use std::future::pending;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Waits for `q`, Ctrl-C, SIGINT or SIGTERM. While it lives the signals do not end
/// the process by themselves, nor do they after.
#[derive(Debug)]
pub struct Stop {
    /// How often the keys were pressed.
    presses: watch::Receiver<u32>,
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Must be called in a runtime.
    pub(crate) fn new(presses: watch::Receiver<u32>) -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { presses, interrupt, terminate })
    }

    /// Until somebody asks; call it again for the second time, when somebody is out
    /// of patience. Safe to drop: no request is lost.
    pub async fn wanted(&mut self) {
        let presses = &mut self.presses;
        let pressed = async {
            // A view that has ended has no keys any more.
            if presses.changed().await.is_err() {
                pending().await
            }
        };
        tokio::select! {
            () = pressed => {}
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn each_press_is_one_request() {
        let (keys, presses) = watch::channel(0);
        let mut stop = Stop::new(presses).unwrap();
        assert_eq!(stop.wanted().now_or_never(), None);
        keys.send_modify(|count| *count += 1);
        stop.wanted().await;
        assert_eq!(stop.wanted().now_or_never(), None);
        keys.send_modify(|count| *count += 1);
        assert_eq!(stop.wanted().now_or_never(), Some(()));
        drop(keys);
        assert_eq!(stop.wanted().now_or_never(), None, "no keys are no request");
    }
}
