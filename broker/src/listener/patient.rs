//! A stream that gives up on a peer who does not take what is written.
//!
//! The HTTP server has a time for reading a request but none for writing an answer; without this, a client
//! that asks and asks and never reads would keep its place for ever. It also gives back the octet by which HTTP
//! was told from rawsocket.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

pub(super) struct Patient<S> {
    stream: S,
    /// Was read already; it comes first.
    first: Option<u8>,
    patience: Duration,
    /// Set while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, first: Option<u8>, patience: Duration) -> Self {
        Self { stream, first, patience, stalled: None }
    }

    /// The stream. What it was told to give first has been read by then, as the head of a request.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// Passes a result on, unless it has been pending for too long.
    fn watch<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let Some(first) = self.first.take() else { return Pin::new(&mut self.stream).poll_read(cx, buffer) };
        buffer.put_slice(&[first]);
        // What follows is mostly there: one look at the whole head instead of two.
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Pending => Poll::Ready(Ok(())),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.watch(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// REQ-LIM-005
    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut patient = Patient::new(ours, None, Duration::from_secs(10));
        let slow = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                let mut four = [0; 4];
                tokio::io::AsyncReadExt::read_exact(&mut theirs, &mut four).await.expect("four bytes");
            }
        };
        let (written, ()) = tokio::join!(patient.write_all(b"0123456789abcdef"), slow);
        written.expect("a slow peer is waited for");
        let error = patient.write_all(b"more").await.expect_err("nobody reads any more");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn the_octet_that_was_read_comes_first_alone_or_with_what_follows() {
        for rest in ["", "ET / HTTP/1.1"] {
            let (ours, mut theirs) = tokio::io::duplex(64);
            let mut patient = Patient::new(ours, Some(b'G'), Duration::from_secs(10));
            theirs.write_all(rest.as_bytes()).await.expect("room");
            let mut read = Vec::new();
            tokio::io::AsyncReadExt::read_buf(&mut patient, &mut read).await.expect("something to read");
            assert_eq!(read, [b"G", rest.as_bytes()].concat());
        }
    }
}
