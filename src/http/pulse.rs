//! Whether anything moves: a server that takes a large body in answers late, and is not silent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::Instant;

/// Bodies up to this go as they are: they can be sent again when the server redirects.
const SMALL: usize = 1024 * 1024;
/// Bytes handed on at once: each is a sign of life.
const PIECE: usize = 256 * 1024;

/// When a request's body last moved.
pub(super) struct Pulse(watch::Receiver<Instant>);

impl Pulse {
    /// Of a request, whose body tells from now on.
    pub(super) fn of(request: &mut reqwest::Request) -> Self {
        let (beat, pulse) = watch::channel(Instant::now());
        let body = request.body_mut();
        if let Some(inner) = body.take() {
            let small = inner.as_bytes().is_some_and(|bytes| bytes.len() <= SMALL);
            *body = Some(if small {
                inner
            } else {
                reqwest::Body::wrap(Beating { inner, rest: Bytes::new(), beat })
            });
        }
        Self(pulse)
    }

    /// Ends when nothing has moved for so long.
    pub(super) async fn silence(&self, longest: Duration) {
        loop {
            let end = *self.0.borrow() + longest;
            if end <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

/// A body that tells of every piece that is taken from it.
struct Beating {
    inner: reqwest::Body,
    /// Of a frame that is larger than a piece.
    rest: Bytes,
    beat: watch::Sender<Instant>,
}

impl Body for Beating {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        self.beat.send_replace(Instant::now());
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut both = SizeHint::new();
        both.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            both.set_upper(upper + rest);
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::http::{Again, Client, ClientOptions, HttpError};

    /// A server that takes 1 MiB every 100 ms, and answers or does not. What the system's own buffers
    /// hold is gone well before a silence has passed.
    fn slow(answers: bool) -> String {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(64 * 1024).expect("a small buffer");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let listener = socket.listen(8).expect("listens");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut piece = vec![0; 1024 * 1024];
                    for _ in 0..TOTAL / piece.len() {
                        if stream.read_exact(&mut piece).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    if answers {
                        let _ =
                            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
                    }
                    std::future::pending::<()>().await;
                });
            }
        });
        url
    }

    const TOTAL: usize = 48 * 1024 * 1024;

    #[tokio::test]
    async fn only_silence_ends_a_request() {
        let client = |deadline| {
            let answer_timeout = Duration::from_secs(3);
            Client::new(ClientOptions { deadline, answer_timeout, ..ClientOptions::default() })
                .expect("a client")
        };
        let url = slow(true);
        let started = Instant::now();
        let pieces = || stream::iter(vec![Ok::<_, std::io::Error>(Bytes::from(vec![7; TOTAL]))]);
        let patient = client(Duration::from_mins(1));
        for streamed in [false, true] {
            let build = |client: &reqwest::Client| {
                let request = client.put(&url).header("content-length", TOTAL);
                if streamed {
                    request.body(reqwest::Body::wrap_stream(pieces()))
                } else {
                    request.body(vec![7; TOTAL])
                }
            };
            patient.send(Again::IfNotDone, build).await.expect("slow and not silent");
        }
        assert!(started.elapsed() > Duration::from_secs(8), "each took longer than a silence may");

        let url = slow(false);
        let impatient = client(Duration::from_mins(1));
        let build = |client: &reqwest::Client| client.put(&url).body(vec![7; TOTAL]);
        let error = impatient.send(Again::IfNotDone, build).await.expect_err("silent");
        assert!(matches!(error, HttpError::Silent { .. }), "{error}");
        assert!(error.maybe_done());
    }
}
