//! IAM and STS in this process, over real parts, with a caller who needs no signature.

use std::sync::Arc;

use crypto::RootKey;
use iam::{Directory, Iam, Sts};
use keystores::software::{Software, SystemEntropy};
use serde_json::Value;
use service::ports::{Clock, IssuerKeys, IssuerKeysError, Pending, Store};
use service::{Ids, Inbound, Origin, Pipeline, Service};

use super::{Evidence, FixedClock, Log};

/// One account's IAM and STS.
pub(crate) struct Identities {
    runtime: tokio::runtime::Runtime,
    iam: Pipeline<Iam>,
    sts: Pipeline<Sts>,
    log: Arc<Log>,
}

/// Nobody's keys are known.
struct NoIssuers;

impl IssuerKeys for NoIssuers {
    fn key_set<'a>(&'a self, _: &'a str) -> Pending<'a, Result<String, IssuerKeysError>> {
        Box::pin(std::future::ready(Err(IssuerKeysError::Unknown)))
    }
}

impl Identities {
    pub(crate) fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(storage::Memory::new());
        let root_key = RootKey::generate().unwrap();
        let sealer = Arc::new(Software::new(Arc::clone(&store), root_key));
        let directory = Directory::new(store, sealer, Arc::new(SystemEntropy), |_| true).unwrap();
        let directory = Arc::new(directory);
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(1_700_000_000_000));
        let log = Arc::<Log>::default();
        let iam = Iam { directory: Arc::clone(&directory) };
        let sts = Sts { directory, issuer_keys: Arc::new(NoIssuers) };
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            iam: Pipeline::new(iam, Arc::clone(&clock), Arc::clone(&log) as _),
            sts: Pipeline::new(sts, clock, Arc::clone(&log) as _),
            log,
        }
    }

    pub(crate) fn iam(&self, account: &str, operation: &str, form: &str) -> (u16, String) {
        self.call(&self.iam, account, operation, form)
    }

    pub(crate) fn sts(&self, account: &str, operation: &str, form: &str) -> (u16, String) {
        self.call(&self.sts, account, operation, form)
    }

    /// Calls as the root user of that account; gives status and answer.
    fn call<S: Service>(
        &self,
        pipeline: &Pipeline<S>,
        account: &str,
        operation: &str,
        form: &str,
    ) -> (u16, String) {
        let ids = Ids::draw(&SystemEntropy).unwrap();
        let origin = Origin { ids: &ids, source_ip: "127.0.0.1", user_agent: "test", tls: None };
        let (body, evidence) = (form.as_bytes(), &Evidence(Some(account)));
        let inbound = Inbound { operation, body, evidence, origin };
        let answer = self.runtime.block_on(pipeline.serve(inbound));
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        self.log.all()
    }

    pub(crate) fn last_record(&self) -> Value {
        self.records().pop().unwrap()
    }
}
