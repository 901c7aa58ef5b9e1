//! A backup, sent while it is being made.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use crypto::RootKey;
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::mpsc;

use super::{Body, Call, Refused, sealed};
use crate::backup::Moment;

/// How many pieces wait for the operator to take them.
const PIECES: usize = 8;
/// How large a piece is.
const PIECE: usize = 128 << 10;

impl Call<'_> {
    pub(super) async fn backup(&self) -> Result<Response<Body>, Refused> {
        if !self.instance.is_unsealed() {
            return Err(sealed());
        }
        self.tell("CreateBackup", json!({}), None).await?;
        let (root_key, moment) = self.moment().await?;
        let (sender, pieces) = mpsc::channel(PIECES);
        let now = self.instance.clock.now();
        // Nobody waits for its end here; the answer's body ends with it.
        tokio::spawn(background::run(move || {
            let mut out = Pieces { sender: sender.clone(), waiting: Vec::with_capacity(PIECE) };
            let made = moment.write(&root_key, now, &mut out);
            match made {
                Ok(contents) => tracing::info!(
                    records = contents.records,
                    files = contents.files,
                    bytes = contents.bytes,
                    "a backup was made"
                ),
                Err(error) => {
                    tracing::error!(%error, "a backup failed");
                    // An answer that breaks off is no backup, and the operator's program says so.
                    let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
                }
            }
        }));
        Ok(Response::new(Made(pieces).boxed()))
    }

    /// What there is to be backed up, and the root key that its seals open: no rotation comes
    /// between the two.
    async fn moment(&self) -> Result<(RootKey, Moment), Refused> {
        let _one_at_a_time = self.instance.root_key_changes.lock().await;
        let root_key = self.instance.seals.root_key().await.map_err(Refused::state)?;
        let data = self.instance.data.clone();
        let taken = tokio::task::spawn_blocking(move || Moment::of(&data)).await;
        let moment = taken.map_err(Refused::failed)?.map_err(Refused::failed)?;
        Ok((root_key, moment))
    }
}

/// An answer's body that is still being made.
struct Made(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Made {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// Gives what is written on, piece by piece, and waits while nobody takes them.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        let sent = self.sender.blocking_send(Ok(Bytes::from(piece)));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes the backup"))
    }
}
