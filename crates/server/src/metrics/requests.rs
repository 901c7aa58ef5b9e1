//! What became of requests, counted as pipelines tell of them.
//!
//! A request costs a few atomic additions: everything is found by the places of operations in their
//! registry and of errors in their table, nothing is hashed but the account's number, and names are
//! put to the numbers when they are read. Must not know how they are written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use iam::{Iam, Sts};
use kms::Kms;
use service::ports::{Outcome, RequestObserver};
use service::{Protocol, Service};
use wire::ErrorCode;

use super::accounts::{Accounts, Seen};
use super::histogram::Histogram;

/// Of how many accounts requests are told apart unless it is said otherwise: each is a time series
/// for every operation that it uses.
pub const ACCOUNTS_TOLD_APART: usize = 32;

/// The label of an operation that doesn't exist. Its name is the client's, and may be anything.
const UNKNOWN: &str = "unknown";
/// The label of a request that was answered.
const OK: &str = "OK";
/// The places of an operation's counters: that for answers, then one for each code.
const CODES: usize = 1 + ErrorCode::ALL.len();

/// The requests of all services.
pub struct Requests {
    accounts: Arc<Accounts>,
    services: [Arc<ServiceRequests>; 3],
    started: Instant,
}

impl Requests {
    /// Counters at zero, which tell that many accounts apart.
    pub fn new(accounts: usize) -> Self {
        let started = Instant::now();
        let accounts = Arc::new(Accounts::new(accounts));
        let services = [
            ServiceRequests::of::<Kms>(&accounts, started),
            ServiceRequests::of::<Iam>(&accounts, started),
            ServiceRequests::of::<Sts>(&accounts, started),
        ];
        Self { accounts, services: services.map(Arc::new), started }
    }

    /// What the pipeline of that service tells.
    pub fn observer<S: Service>(&self) -> Option<Arc<dyn RequestObserver>> {
        let service = self.services.iter().find(|service| service.name == S::SIGNING_NAME)?;
        Some(Arc::clone(service) as _)
    }

    /// How long ago a request was refused because the audit log couldn't take its record, the last
    /// of them.
    pub fn last_unrecorded(&self) -> Option<Duration> {
        let last = |service: &Arc<ServiceRequests>| service.unrecorded_at.load(Ordering::Acquire);
        let at = self.services.iter().map(last).max().filter(|at| *at > 0)?;
        Some(self.started.elapsed().saturating_sub(Duration::from_millis(at)))
    }

    pub(super) fn services(&self) -> impl Iterator<Item = &ServiceRequests> {
        self.services.iter().map(AsRef::as_ref)
    }

    /// The accounts that are told apart, by their places.
    pub(super) fn account(&self, place: usize) -> String {
        self.accounts.label(place)
    }
}

/// The requests of one service.
pub(super) struct ServiceRequests {
    pub(super) name: &'static str,
    /// The names of the operations by their places in the registry, and [`UNKNOWN`].
    pub(super) operations: Vec<&'static str>,
    codes: [&'static str; CODES],
    accounts: Arc<Accounts>,
    /// By account; in a row first by operation, then by code.
    counts: Seen,
    /// By operation.
    pub(super) durations: Vec<Histogram>,
    pub(super) in_flight: AtomicI64,
    pub(super) unrecorded: AtomicU64,
    /// When the last of those was, in milliseconds since the start; zero if there was none.
    unrecorded_at: AtomicU64,
    started: Instant,
}

/// How many requests of one account and operation ended in the same way.
pub(super) struct Count {
    pub(super) operation: &'static str,
    pub(super) code: &'static str,
    pub(super) account: usize,
    pub(super) requests: u64,
}

impl ServiceRequests {
    fn of<S: Service>(accounts: &Arc<Accounts>, started: Instant) -> Self {
        let names = S::registry().iter().map(|operation| operation.facts().name);
        let operations: Vec<_> = names.chain([UNKNOWN]).collect();
        let mut codes = [OK; CODES];
        for (place, code) in codes[1..].iter_mut().zip(ErrorCode::ALL) {
            *place = match S::PROTOCOL {
                Protocol::Json => code.as_str(),
                Protocol::Query { .. } => code.query().0,
            };
        }
        Self {
            name: S::SIGNING_NAME,
            codes,
            accounts: Arc::clone(accounts),
            counts: accounts.rows(operations.len() * CODES),
            durations: operations.iter().map(|_| Histogram::default()).collect(),
            operations,
            in_flight: AtomicI64::new(0),
            unrecorded: AtomicU64::new(0),
            unrecorded_at: AtomicU64::new(0),
            started,
        }
    }

    /// Every count that isn't zero. Codes of the same name are one count.
    pub(super) fn counts(&self) -> Vec<Count> {
        let mut found: Vec<Count> = Vec::new();
        for (account, row) in self.counts.iter() {
            for (operation, of_operation) in self.operations.iter().zip(row.chunks(CODES)) {
                let first = found.len();
                for (code, count) in self.codes.iter().zip(of_operation) {
                    let requests = count.load(Ordering::Relaxed);
                    match found[first..].iter_mut().find(|known| known.code == *code) {
                        _ if requests == 0 => {}
                        Some(known) => known.requests += requests,
                        None => found.push(Count { operation, code, account, requests }),
                    }
                }
            }
        }
        found
    }
}

impl RequestObserver for ServiceRequests {
    fn began(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    fn answered(&self, outcome: &Outcome<'_>) {
        let last = self.operations.len() - 1;
        let operation = outcome.operation.unwrap_or(last).min(last);
        // The code's place in the table is its discriminant.
        let code = outcome.error.map_or(0, |code| 1 + code as usize);
        let account = self.accounts.place(outcome.account);
        if let Some(count) = self.counts.row(account).get(operation * CODES + code) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.durations[operation].record(outcome.duration);
        if outcome.unrecorded {
            let at = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.unrecorded_at.fetch_max(at.max(1), Ordering::AcqRel);
            self.unrecorded.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn ended(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use wire::AccountId;

    use super::*;

    fn outcome(account: Option<&AccountId>, error: Option<ErrorCode>) -> Outcome<'_> {
        let duration = Duration::from_micros(200);
        Outcome { operation: Some(0), account, error, unrecorded: false, duration }
    }

    #[test]
    fn codes_are_told_apart_and_two_of_a_name_are_one() {
        let requests = Requests::new(4);
        let account = AccountId::parse("111122223333").unwrap();
        let observer = requests.observer::<Kms>().unwrap();
        for error in [
            None,
            None,
            Some(ErrorCode::ThrottlingException),
            Some(ErrorCode::ExpiredTokenException),
            Some(ErrorCode::ExpiredSessionToken),
        ] {
            observer.began();
            observer.answered(&outcome(Some(&account), error));
        }
        observer.ended();
        let kms = requests.services().next().unwrap();
        assert_eq!(kms.in_flight.load(Ordering::Relaxed), 4);
        let counts: Vec<_> = kms.counts().iter().map(|c| (c.code, c.requests)).collect();
        assert_eq!(counts, [("OK", 2), ("ExpiredTokenException", 2), ("ThrottlingException", 1)]);
        assert_eq!(kms.counts()[0].operation, "CancelKeyDeletion");
        assert_eq!(requests.account(kms.counts()[0].account), "111122223333");
        assert_eq!(kms.durations[0].read().count, 5);
    }

    #[test]
    fn the_query_protocol_has_its_own_words() {
        let requests = Requests::new(4);
        let observer = requests.observer::<Iam>().unwrap();
        observer.answered(&outcome(None, Some(ErrorCode::ThrottlingException)));
        let iam = requests.services().find(|service| service.name == "iam").unwrap();
        assert_eq!(iam.counts()[0].code, "Throttling");
        assert_eq!(requests.account(iam.counts()[0].account), "unknown");
    }

    #[test]
    fn every_code_is_where_it_is_looked_for() {
        for (place, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(*code as usize, place);
        }
    }

    #[test]
    fn an_operation_that_does_not_exist_has_no_name_of_its_own() {
        let requests = Requests::new(4);
        let observer = requests.observer::<Sts>().unwrap();
        observer.answered(&Outcome { operation: None, ..outcome(None, None) });
        let sts = requests.services().find(|service| service.name == "sts").unwrap();
        assert_eq!(sts.counts()[0].operation, UNKNOWN);
    }

    #[test]
    fn what_could_not_be_recorded_is_remembered() {
        let requests = Requests::new(4);
        assert_eq!(requests.last_unrecorded(), None);
        let observer = requests.observer::<Kms>().unwrap();
        observer.answered(&Outcome { unrecorded: true, ..outcome(None, None) });
        assert!(requests.last_unrecorded().unwrap() < Duration::from_secs(10));
    }

    /// What it costs: `cargo test -p server --release -- --ignored --nocapture telling_costs`.
    #[test]
    #[ignore = "a measurement"]
    fn telling_costs() {
        const REQUESTS: u32 = 5_000_000;
        let requests = Requests::new(ACCOUNTS_TOLD_APART);
        let observer = requests.observer::<Kms>().unwrap();
        let account = AccountId::parse("111122223333").unwrap();
        let tell = || {
            for _ in 0..REQUESTS {
                observer.began();
                let began = Instant::now();
                observer.answered(&Outcome {
                    duration: began.elapsed(),
                    ..outcome(Some(&account), None)
                });
                observer.ended();
            }
        };
        for threads in [1, 2] {
            let began = Instant::now();
            std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(tell))));
            println!("{threads} threads: {:?} a request", began.elapsed() / REQUESTS);
        }
    }
}
