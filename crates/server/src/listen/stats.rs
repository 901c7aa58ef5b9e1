//! Counts of what happened to connections, for metrics.
//!
//! Must not know how they are shown.

use std::sync::atomic::{AtomicU64, Ordering};

/// What happened to connections since the start. Every number only grows, but those of what is
/// open.
#[derive(Debug, Default)]
pub struct Stats {
    accepted: AtomicU64,
    ended: AtomicU64,
    crowded_out: AtomicU64,
    handshakes_failed: AtomicU64,
    let_go: AtomicU64,
    requests_begun: AtomicU64,
    requests_ended: AtomicU64,
}

impl Stats {
    /// Connections that were accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections that are open.
    pub fn open(&self) -> u64 {
        // Ended is read first, so that one that ends meanwhile can't make the difference negative.
        let ended = self.ended.load(Ordering::Relaxed);
        self.accepted().saturating_sub(ended)
    }

    /// Connections that were closed unread, since their address had too many.
    pub fn crowded_out(&self) -> u64 {
        self.crowded_out.load(Ordering::Relaxed)
    }

    /// TLS handshakes that failed or took too long.
    pub fn handshakes_failed(&self) -> u64 {
        self.handshakes_failed.load(Ordering::Relaxed)
    }

    /// Connections that were ended because their client sent, took or wanted nothing for too long.
    pub fn let_go(&self) -> u64 {
        self.let_go.load(Ordering::Relaxed)
    }

    /// Requests whose head was read.
    pub fn requests(&self) -> u64 {
        self.requests_begun.load(Ordering::Relaxed)
    }

    /// Requests that are being read or answered.
    pub fn requests_under_way(&self) -> u64 {
        let ended = self.requests_ended.load(Ordering::Relaxed);
        self.requests().saturating_sub(ended)
    }

    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_ended(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_crowded_out(&self) {
        self.crowded_out.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_let_go(&self) {
        self.let_go.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_request_begun(&self) {
        self.requests_begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_request_ended(&self) {
        self.requests_ended.fetch_add(1, Ordering::Relaxed);
    }
}
