//! What a command prints, to either of its outputs: the first of it is kept, and
//! all of it is read, so that a command never waits for a reader.

use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// What is kept of it, in bytes.
const MOST_KEPT: usize = 4_096;
/// Stands behind what is not all of it.
const MORE: &str = " …";

/// The reading end of both outputs.
#[derive(Debug)]
pub(super) struct Output {
    pipe: Receiver,
    kept: Vec<u8>,
    more: bool,
}

impl Output {
    /// A pipe with its writing end, for the command's standard output and error.
    pub(super) fn pipe() -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((Self { pipe, kept: Vec::new(), more: false }, writer))
    }

    /// Reads until everybody has closed it. Safe to drop and to call again.
    pub(super) async fn read_to_end(&mut self) {
        let mut piece = [0; 1_024];
        // A pipe that cannot be read has nothing more to say.
        while let Ok(length @ 1..) = self.pipe.read(&mut piece).await {
            let room = MOST_KEPT - self.kept.len();
            self.more |= length > room;
            self.kept.extend_from_slice(&piece[..length.min(room)]);
        }
    }

    /// The first 4 KiB, without line breaks at its end; what is no UTF-8 is replaced.
    pub(super) fn into_text(self) -> String {
        let mut text = String::from_utf8_lossy(&self.kept).trim_end().to_owned();
        if self.more {
            text.push_str(MORE);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn the_first_is_kept_and_all_is_read() {
        let (mut output, mut writer) = Output::pipe().unwrap();
        // More than a pipe holds: the writer ends only because all is read.
        let writing = tokio::task::spawn_blocking(move || writer.write_all(&[b'x'; 200_000]));
        output.read_to_end().await;
        writing.await.unwrap().unwrap();
        assert_eq!(output.into_text(), format!("{}{MORE}", "x".repeat(MOST_KEPT)));
    }

    #[tokio::test]
    async fn exactly_what_fits_is_all_of_it() {
        let (mut output, mut writer) = Output::pipe().unwrap();
        writer.write_all(&[b'x'; MOST_KEPT]).unwrap();
        drop(writer);
        output.read_to_end().await;
        assert_eq!(output.into_text().len(), MOST_KEPT);
    }
}
