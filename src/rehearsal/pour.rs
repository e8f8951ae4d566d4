//! Bodies on their way to disk: while one piece is written, off the threads that serve connections,
//! the next one comes in.

use std::io;
use std::mem;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::answer::{Answer, Refusal};

/// How many bytes are gathered before they are written.
const GATHERED: usize = 1024 * 1024;

/// Hands a body of at most `limit` bytes to `write`, piece by piece and in order; returns the state
/// that it worked on, and how many bytes came.
pub(super) async fn pour<S: Send + 'static>(
    body: Body,
    limit: u64,
    state: S,
    write: fn(&mut S, &[Bytes]) -> io::Result<()>,
) -> Answer<(S, u64)> {
    let hand_over = |mut state: S, pieces: Vec<Bytes>| {
        tokio::task::spawn_blocking(move || write(&mut state, &pieces).map(|()| state))
    };
    let mut stream = body.into_data_stream();
    let (mut gathered, mut held, mut size) = (Vec::new(), 0, 0);
    let mut writing = hand_over(state, Vec::new());
    while let Some(piece) = stream.next().await {
        let piece = piece
            .map_err(|error| Refusal::bad_request(format!("the upload broke off: {error}")))?;
        size += piece.len() as u64;
        if size > limit {
            let why = format!("the upload is longer than the {limit} bytes announced");
            return Err(Refusal::bad_request(why));
        }
        held += piece.len();
        gathered.push(piece);
        if held >= GATHERED {
            let state = writing.await.map_err(io::Error::other)??;
            writing = hand_over(state, mem::take(&mut gathered));
            held = 0;
        }
    }
    let state = writing.await.map_err(io::Error::other)??;
    let state = hand_over(state, gathered).await.map_err(io::Error::other)??;
    Ok((state, size))
}
