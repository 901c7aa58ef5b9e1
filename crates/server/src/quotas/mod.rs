//! Request quotas: AWS's rates for an account, a Region and a class of operations, and others that
//! the operator sets.
//!
//! Which class a request counts towards follows from its operation ([`classes`]); for some also
//! from the kind of key, which the pipeline tells when it has found the key. What a class leaves
//! room for is kept in [`rows`], bounded in number. `docs/quotas.md` is made of the table.
//!
//! Must not know: a request, what an operation does.

mod classes;
#[cfg(test)]
mod page;
mod rows;
mod rules;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use service::Service;
use service::ports::{Admission, Claim, Quotas};
use wire::{AccountId, Region};

pub use settings::{InvalidQuota, QuotaSettings};

use classes::{CLASSES, Scope};
use rows::{Place, Row};
use rules::{Charge, Rule};

/// Of how many pairs of an account and a Region it is known what they have used: some 2 KiB each.
/// The one that was used least lately makes room, and begins anew with a full second's worth.
const ROWS_MAX: usize = 4096;

/// What all accounts have used of their quotas.
pub struct RequestQuotas {
    rows: Cache<Place, Arc<Row>>,
    settings: Mutex<Arc<QuotaSettings>>,
    /// Which settings a row must have been made by to count.
    generation: AtomicU64,
    /// Whether any rate is set.
    active: AtomicBool,
    started: Instant,
}

impl RequestQuotas {
    /// The quotas of those settings, of which nothing has been used.
    pub fn new(settings: QuotaSettings) -> Self {
        Self {
            rows: Cache::new(ROWS_MAX),
            active: AtomicBool::new(settings.limits_anything()),
            settings: Mutex::new(Arc::new(settings)),
            generation: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    /// Goes on with other settings. What was used is forgotten.
    pub fn set(&self, settings: QuotaSettings) {
        let mut current = self.settings.lock();
        self.active.store(settings.limits_anything(), Ordering::Release);
        *current = Arc::new(settings);
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.rows.clear();
    }

    /// The quotas as the pipeline of one service asks for them.
    pub fn of<S: Service>(self: &Arc<Self>) -> Arc<dyn Quotas> {
        let names = S::registry().iter().map(|operation| operation.facts().name);
        let rules = names.map(|name| Rule::of(S::SIGNING_NAME, name)).collect();
        Arc::new(ServiceQuotas { quotas: Arc::clone(self), rules })
    }

    /// What an account has used in a Region, or of what has no Region.
    fn row(&self, account: &AccountId, region: Option<&Region>) -> Arc<Row> {
        let place = Place::of(account, region);
        if let Some(row) = self.rows.get(&place)
            && row.generation == self.generation.load(Ordering::Acquire)
        {
            return row;
        }
        self.make_row(place, account, region)
    }

    /// Two requests may both make a row; one of the two counts then, which one request more than
    /// the quota gets through by.
    #[cold]
    fn make_row(&self, place: Place, account: &AccountId, region: Option<&Region>) -> Arc<Row> {
        let (settings, generation) = {
            let settings = self.settings.lock();
            (Arc::clone(&settings), self.generation.load(Ordering::Acquire))
        };
        let row = Arc::new(Row::new(generation, |class| settings.rate(class, account, region)));
        self.rows.insert(place, Arc::clone(&row));
        row
    }

    /// Nanoseconds since the start, which is all that a row knows of time.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Takes all charges, or none.
    fn take(&self, account: &AccountId, charges: &[Charge<'_>]) -> Admission {
        let now = self.now();
        for (taken, charge) in charges.iter().enumerate() {
            if !self.charged_row(account, charge).take(charge.class, charge.times, now) {
                for charge in &charges[..taken] {
                    self.charged_row(account, charge).give_back(charge.class, charge.times);
                }
                return Admission::Throttled;
            }
        }
        Admission::Admitted
    }

    fn charged_row(&self, account: &AccountId, charge: &Charge<'_>) -> Arc<Row> {
        match CLASSES[charge.class].scope {
            Scope::Region => self.row(account, Some(charge.region)),
            Scope::Account => self.row(account, None),
        }
    }
}

/// The quotas of one service.
struct ServiceQuotas {
    quotas: Arc<RequestQuotas>,
    /// By the places of the operations in the registry.
    rules: Box<[Rule]>,
}

impl Quotas for ServiceQuotas {
    fn admit(&self, claim: &Claim<'_>) -> Admission {
        if !self.quotas.active.load(Ordering::Acquire) {
            return Admission::Admitted;
        }
        let rule = self.rules.get(claim.operation).unwrap_or(&Rule::Free);
        let Some(charges) = rule.charges(claim) else { return Admission::Deferred };
        self.quotas.take(claim.account, charges.as_slice())
    }
}

#[cfg(test)]
mod tests;
