//! What is done for the audit log beside answering: signing digests, removing what retention lets
//! go, feeding sinks.
//!
//! Must not know how any of it is done.

use std::sync::Arc;
use std::time::Duration;

use audit::Digester;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::sinks::Feed;

/// How often it is looked whether a digest is due.
const DIGEST_PERIOD: Duration = Duration::from_secs(1);
/// How long sinks may take for the last records when the server stops. What is left comes first at
/// the next start.
const FINISH: Duration = Duration::from_secs(5);

/// The digester and the sinks of one log.
pub(crate) struct AuditKeeping {
    digester: Arc<Mutex<Digester>>,
    feeds: Vec<Arc<Mutex<Feed>>>,
}

impl AuditKeeping {
    /// The feeds must have been opened before the digester's first turn, so that nothing is removed
    /// that they have to deliver.
    pub(crate) fn new(digester: Digester, feeds: Vec<Feed>) -> Self {
        let feeds = feeds.into_iter().map(|feed| Arc::new(Mutex::new(feed))).collect();
        Self { digester: Arc::new(Mutex::new(digester)), feeds }
    }

    /// Starts the jobs, which end when the set is dropped.
    pub(crate) fn start(&self, jobs: &mut JoinSet<()>) {
        jobs.spawn(sign(Arc::clone(&self.digester)));
        for feed in &self.feeds {
            let feed = Arc::clone(feed);
            jobs.spawn(async move { feed.lock().await.run().await });
        }
    }

    /// Signs and delivers what is left, when the last request has been answered and the jobs have
    /// ended.
    pub(crate) async fn finish(&self) {
        if let Err(error) = self.digester.lock().await.finish().await {
            tracing::warn!(%error, "the last audit records are not signed, the next start does it");
        }
        for feed in &self.feeds {
            let mut feed = feed.lock().await;
            if timeout(FINISH, feed.finish()).await.is_err() {
                tracing::warn!(
                    "a sink has not taken the last audit records, the next start goes on"
                );
            }
        }
    }
}

async fn sign(digester: Arc<Mutex<Digester>>) {
    let mut failing = false;
    loop {
        sleep(DIGEST_PERIOD).await;
        let turn = digester.lock().await.turn().await;
        // Said once, not each second.
        if let (Err(error), false) = (&turn, failing) {
            tracing::error!(%error, "the audit log is not signed, it will be tried again");
        }
        failing = turn.is_err();
    }
}
