//! The unsigned endpoints below `/_strongroom/`: `health`, and in dev mode `reset` and `clock`.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::ORIGIN;
use hyper::{Method, Response};
use serde::Deserialize;
use service::ports::Commit;
use service::{Error, Ids};

use crate::clock::MovableClock;
use crate::dispatch::Services;
use crate::inbound::Inbound;
use crate::outbound;

/// How many records one commit of a reset removes (a store takes at most 128 at once).
const RESET_BATCH: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

impl Services {
    /// Answers a request to one of these endpoints.
    pub(crate) async fn unsigned(
        &self,
        endpoint: &str,
        inbound: &Inbound,
        ids: &Ids,
    ) -> Response<Full<Bytes>> {
        // A web page in the developer's browser can send requests here; what it sends names its
        // origin, and no test does.
        if inbound.head.headers.contains_key(ORIGIN) {
            return failed(403, "requests from web pages are refused", ids);
        }
        match (&inbound.head.method, endpoint, &self.movable_clock) {
            (&Method::GET, "health", _) => outbound::plain(200, health("ok"), ids),
            (&Method::GET, "clock", Some(_)) => self.clock(ids),
            (&Method::POST, "clock", Some(clock)) => {
                self.advance(clock, inbound.body.as_bytes(), ids).await
            }
            (&Method::POST, "reset", Some(clock)) => match self.reset(clock).await {
                Ok(()) => outbound::plain(200, "{}".to_owned(), ids),
                Err(error) => failed(500, &error.to_string(), ids),
            },
            (_, "health", _) | (_, "clock" | "reset", Some(_)) => {
                failed(405, "method not allowed", ids)
            }
            (_, _, Some(_)) => {
                failed(404, "no such endpoint: there are health, reset and clock", ids)
            }
            (_, _, None) => failed(404, "no such endpoint: there is health", ids),
        }
    }

    fn clock(&self, ids: &Ids) -> Response<Full<Bytes>> {
        let millis = self.clock.now().millis();
        let (seconds, fraction) = (millis / 1000, millis % 1000);
        outbound::plain(200, format!(r#"{{"now":{seconds}.{fraction:03}}}"#), ids)
    }

    async fn advance(&self, clock: &MovableClock, body: &[u8], ids: &Ids) -> Response<Full<Bytes>> {
        let usage = r#"expected {"advance_seconds": N}, N from 0 to 4294967295"#;
        let Ok(advance) = serde_json::from_slice::<Advance>(body) else {
            return failed(400, usage, ids);
        };
        if !clock.advance(i64::from(advance.advance_seconds) * 1000) {
            return failed(400, "the clock can be moved a hundred years at most", ids);
        }
        let (kms, now) = (self.kms.service(), self.clock.now());
        let removed = match kms.remove_due(now).await {
            Ok(_) => kms.remove_expired(now).await,
            failed => failed,
        };
        match removed {
            Ok(_) => self.clock(ids),
            Err(error) => failed(500, &error.to_string(), ids),
        }
    }

    /// Removes all that the services keep and sets the clock back. Requests that run meanwhile may
    /// leave something behind.
    async fn reset(&self, clock: &MovableClock) -> Result<(), Error> {
        // Nothing is stored meanwhile of what is to be forgotten.
        let mut usage = self.usage.lock().await;
        for prefix in [kms::PREFIX, iam::PREFIX] {
            self.remove_all(prefix).await?;
        }
        self.credentials.directory().forget_last_uses();
        usage.reset(self.kms.service()).await?;
        self.kms.service().forget_counts();
        clock.reset();
        Ok(())
    }

    async fn remove_all(&self, prefix: &str) -> Result<(), Error> {
        loop {
            let page = self.store.range(prefix, "", RESET_BATCH).await?;
            if page.items.is_empty() {
                return Ok(());
            }
            let deletes = page.items.into_iter().map(|item| item.key).collect();
            self.store.commit(Commit { deletes, ..Commit::default() }).await?;
        }
    }
}

/// What a health check is told.
pub(crate) fn health(status: &str) -> String {
    format!(r#"{{"status":"{status}","version":"{}"}}"#, env!("CARGO_PKG_VERSION"))
}

fn failed(status: u16, message: &str, ids: &Ids) -> Response<Full<Bytes>> {
    let json = serde_json::json!({ "message": message }).to_string();
    outbound::plain(status, json, ids)
}
