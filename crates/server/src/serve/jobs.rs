//! What a production server does beside answering, from its unsealing to its end.
//!
//! Must not know how any of it is done.

use std::sync::Arc;
use std::time::Duration;

use audit::{DigestOptions, Digester, Retention};
use iam::WrappedAccessKeys;
use keystores::software::{Rewrapping, Software};
use kms::WrappedKeys;
use service::ports::{KeyStore, WrappedRecords};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Instance, Unsealed, rotation};
use crate::audit_keeping::AuditKeeping;
use crate::audit_key::AuditKeys;
use crate::config::{AuditSync, Config, SyslogAddress};
use crate::dispatch::Services;
use crate::jobs;
use crate::removal_guard::RemovalGuard;
use crate::sinks::{
    Feed, FeedOptions, HttpSink, HttpSinkOptions, InvalidSink, Sink, StdoutSink, SyslogSink,
    SyslogSinkOptions, SyslogTransport,
};
use crate::start::StartError;

/// How long the walk that wraps records anew pauses between two steps: requests come first.
const REWRAP_PAUSE: Duration = Duration::from_millis(5);
/// How often it is looked whether there is something to wrap anew, when nobody says so.
const REWRAP_PERIOD: Duration = Duration::from_mins(10);
/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// How the audit log is written.
pub(super) fn log_options(config: &Config) -> audit::Options {
    audit::Options {
        sync: match config.audit.sync {
            AuditSync::Group => audit::Sync::Group,
            AuditSync::None => audit::Sync::None,
        },
        segment_bytes: config.audit.segment_size,
        segment_age: config.audit.segment_age,
    }
}

fn digest_options(config: &Config) -> DigestOptions {
    DigestOptions {
        records: config.audit.digest_records as u64,
        period: config.audit.digest_interval,
        retention: Retention {
            max_age: config.audit.retention_age,
            max_bytes: config.audit.retention_size,
            hard_max_bytes: config.audit.undelivered_size,
            ..Retention::default()
        },
    }
}

impl Instance {
    /// Starts the jobs that need the services.
    ///
    /// # Errors
    /// [`StartError::AuditKey`], [`StartError::Sink`].
    pub(super) async fn start_jobs(
        self: &Arc<Self>,
        services: &Arc<Services>,
        key_store: &Arc<Software>,
        config: &Config,
    ) -> Result<Unsealed, StartError> {
        let sealer = Arc::clone(key_store) as Arc<dyn KeyStore>;
        let keys = AuditKeys::open(Arc::clone(&self.store), Arc::clone(&sealer)).await;
        let keys = Arc::new(keys.map_err(StartError::AuditKey)?);
        // Before the first digest: what a sink has to deliver must not be removed.
        let feeds = self.feeds(config).map_err(StartError::Sink)?;
        let stats = feeds.iter().map(|(name, feed)| (*name, feed.stats())).collect();
        let feeds = feeds.into_iter().map(|(_, feed)| feed).collect();
        let (log, clock) = (Arc::clone(&self.audit), Arc::clone(&self.clock));
        let digester = Digester::new(log, Arc::clone(&keys) as _, clock, digest_options(config));
        let keeping = AuditKeeping::new(digester, feeds);
        let wrapped: Vec<Arc<dyn WrappedRecords>> = vec![
            Arc::new(WrappedKeys::new(Arc::clone(&sealer))),
            Arc::new(WrappedAccessKeys::new(sealer)),
            Arc::clone(&keys) as _,
        ];
        let rewrapping = Arc::new(Rewrapping::new(Arc::clone(key_store), wrapped));
        let rewrap_soon = Arc::new(Notify::new());
        let mut running = jobs::start(services, RemovalGuard::new(config.removal.grace));
        keeping.start(&mut running);
        running.spawn(rewrap(
            Arc::clone(&rewrapping),
            Arc::clone(&rewrap_soon),
            Arc::clone(services),
        ));
        running.spawn(rotation::by_age(Arc::clone(self), config.clone()));
        *self.jobs.lock().await = running;
        Ok(Unsealed {
            key_store: Arc::clone(key_store),
            rewrapping,
            rewrap_soon,
            audit_keys: keys,
            services: Arc::clone(services),
            keeping,
            sinks: stats,
        })
    }

    /// Ends the jobs, and does what should be done when the last request has been answered.
    pub(super) async fn finish(&self) {
        let mut running = std::mem::replace(&mut *self.jobs.lock().await, JoinSet::new());
        running.shutdown().await;
        if let Some(unsealed) = self.unsealed() {
            jobs::finish(&unsealed.services).await;
            unsealed.keeping.finish().await;
        }
    }

    fn feeds(&self, config: &Config) -> Result<Vec<(&'static str, Feed)>, InvalidSink> {
        let mut feeds = Vec::new();
        let mut add = |name, sink: Box<dyn Sink>, options| {
            let (log, clock) = (Arc::clone(&self.audit), Arc::clone(&self.clock));
            feeds.push((name, Feed::open(&self.data, name, log, clock, sink, options)?));
            Ok(())
        };
        if config.audit_stdout.enabled {
            let sink = StdoutSink::new().map_err(|error| InvalidSink(error.to_string()))?;
            add("stdout", Box::new(sink), FeedOptions::default())?;
        }
        if let Some(address) = &config.audit_syslog.address {
            let transport = match address {
                SyslogAddress::Udp(peer) => SyslogTransport::Udp(peer.clone()),
                SyslogAddress::Tcp(peer) => SyslogTransport::Tcp(peer.clone()),
                SyslogAddress::Unix(path) => SyslogTransport::Unix(path.clone()),
            };
            let sink = SyslogSink::new(SyslogSinkOptions {
                facility: config.audit_syslog.facility,
                app_name: config.audit_syslog.app_name.clone(),
                ..SyslogSinkOptions::to(transport)
            })?;
            add("syslog", Box::new(sink), FeedOptions::default())?;
        }
        if let Some(url) = &config.audit_http.url {
            let sink = HttpSink::new(HttpSinkOptions {
                url: url.clone(),
                bearer_token_file: config.audit_http.token_file.clone(),
                ca_file: config.audit_http.ca_file.clone(),
            })?;
            let options = FeedOptions {
                batch_records: config.audit_http.batch_records,
                timeout: config.audit_http.timeout,
                ..FeedOptions::default()
            };
            add("http", Box::new(sink), options)?;
        }
        Ok(feeds)
    }
}

/// Wraps anew what older domain keys wrapped.
async fn rewrap(work: Arc<Rewrapping>, soon: Arc<Notify>, services: Arc<Services>) {
    loop {
        match work.step(services.clock.now()).await {
            Ok(progress) => {
                for place in &progress.damaged {
                    tracing::error!(place, "a record doesn't open and was not wrapped anew");
                }
                for (region, number) in &progress.destroyed {
                    tracing::info!(region, number, "a domain key that nothing needs was destroyed");
                }
                if progress.more {
                    sleep(REWRAP_PAUSE).await;
                } else {
                    let _ = timeout(REWRAP_PERIOD, soon.notified()).await;
                }
            }
            Err(error) => {
                let cause = error.cause().map_or_else(String::new, ToString::to_string);
                tracing::error!(cause, "wrapping records anew failed, it will be tried again");
                sleep(RETRY).await;
            }
        }
    }
}
