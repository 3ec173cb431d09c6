//! A client's socket once it has begun to speak: through TLS or not, HTTP/1.1 or
//! HTTP/2. What it has said is given out once more to the parser that reads it all.

use frontdesk_cluster::tls::{ServerStream, Tls};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// See the module.
pub(crate) struct Socket<S = ServerStream> {
    stream: S,
    /// The first bytes, of which `given..heard` are still to be given out.
    first: [u8; HTTP2_PREFACE.len()],
    given: u8,
    heard: u8,
}

impl Socket {
    /// Ends TLS, if there is any, and hears the beginning. Whoever calls sets a
    /// deadline.
    pub(super) async fn open(stream: TcpStream, tls: Option<&Tls>) -> io::Result<Self> {
        let stream = match tls {
            Some(tls) => tls.accept(stream).await?,
            None => ServerStream::Plain(stream),
        };
        Self::hear(stream).await
    }
}

impl<S: AsyncRead + Unpin> Socket<S> {
    /// Waits until it is clear which version of HTTP the client speaks: the parser
    /// itself would wait without end.
    async fn hear(mut stream: S) -> io::Result<Self> {
        let mut first = [0; HTTP2_PREFACE.len()];
        let mut heard = 0;
        while heard < first.len() && first[..heard] == HTTP2_PREFACE[..heard] {
            match stream.read(&mut first[heard..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => heard += n,
            }
        }
        // At most 24.
        Ok(Self { stream, first, given: 0, heard: heard as u8 })
    }

    /// The stream alone, once a whole request was read: then nothing is left of the
    /// first bytes.
    pub(crate) fn into_stream(self) -> S {
        debug_assert_eq!(self.given, self.heard, "a request is longer than its first bytes");
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.given == self.heard {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let unread = &self.first[self.given.into()..self.heard.into()];
        let now = unread.len().min(buf.remaining());
        buf.put_slice(&unread[..now]);
        self.given += now as u8;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use tokio::io::{AsyncWriteExt as _, DuplexStream};

    const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// What a parser reads, in pieces, of what the client has said.
    async fn read(server: DuplexStream, piece: usize) -> Vec<u8> {
        let mut socket = Socket::hear(server).await.unwrap();
        let (mut read, mut piece) = (Vec::new(), vec![0; piece]);
        loop {
            match socket.read(&mut piece).await.unwrap() {
                0 => return read,
                n => read.extend_from_slice(&piece[..n]),
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_lost_or_repeated_whatever_the_pieces() {
        let http2 = [HTTP2_PREFACE.as_slice(), b"frames"].concat();
        for said in [REQUEST, &http2, b"PRI * HTTP/3", b"x"] {
            for (written, piece) in [(1, 64), (5, 7), (24, 24), (64, 1), (64, 64)] {
                let (mut client, server) = tokio::io::duplex(written);
                let saying = async {
                    client.write_all(said).await.unwrap();
                    client.shutdown().await.unwrap();
                };
                assert_eq!(tokio::join!(saying, read(server, piece)).1, said);
            }
        }
    }

    #[tokio::test]
    async fn it_waits_for_no_more_than_the_version_needs() {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(b"G").await.unwrap();
        assert!(Socket::hear(server).now_or_never().is_some());

        let (mut client, server) = tokio::io::duplex(64);
        let mut hearing = std::pin::pin!(Socket::hear(server));
        assert!(hearing.as_mut().now_or_never().is_none());
        client.write_all(&HTTP2_PREFACE[..23]).await.unwrap();
        assert!(hearing.as_mut().now_or_never().is_none());
        client.write_all(&HTTP2_PREFACE[23..]).await.unwrap();
        assert!(hearing.now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_leaves_before_has_said_nothing() {
        for said in [b"".as_slice(), &HTTP2_PREFACE[..10]] {
            let (mut client, server) = tokio::io::duplex(64);
            client.write_all(said).await.unwrap();
            drop(client);
            let error = Socket::hear(server).await.err().map(|e| e.kind());
            assert_eq!(error, Some(io::ErrorKind::UnexpectedEof));
        }
    }
}
