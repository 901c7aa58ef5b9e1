//! Where the pipeline counts requests against quotas, and the refusal of one that is too many.
//!
//! Must not know how much is too many.

use wire::{AccountId, ErrorCode, Region};

use crate::error::Error;
use crate::operation::{Protocol, Service};
use crate::ports::{Admission, Claim, Quotas, Uses};

/// A claim that is decided when it is known what the request uses.
pub(crate) struct Deferred<'a> {
    quotas: &'a dyn Quotas,
    operation: usize,
    protocol: Protocol,
}

/// Asks the quotas for a request of which only the sender and the operation are known.
pub(crate) fn admit<'a, S: Service>(
    quotas: Option<&'a dyn Quotas>,
    account: &AccountId,
    region: &Region,
    operation: usize,
) -> Result<Option<Deferred<'a>>, Error> {
    let Some(quotas) = quotas else { return Ok(None) };
    match quotas.admit(&Claim { account, region, operation, uses: None }) {
        Admission::Admitted => Ok(None),
        Admission::Throttled => Err(throttled(S::PROTOCOL)),
        Admission::Deferred => Ok(Some(Deferred { quotas, operation, protocol: S::PROTOCOL })),
    }
}

impl Deferred<'_> {
    /// Asks again, now that it is known what the request uses.
    pub(crate) fn settle(
        self,
        account: &AccountId,
        region: &Region,
        uses: &Uses,
    ) -> Result<(), Error> {
        let claim = Claim { account, region, operation: self.operation, uses: Some(uses) };
        match self.quotas.admit(&claim) {
            Admission::Admitted => Ok(()),
            Admission::Throttled => Err(throttled(self.protocol)),
            Admission::Deferred => Err(Error::internal("quotas that can't decide")),
        }
    }
}

/// AWS's words: of KMS in the developer guide's "Throttling AWS KMS requests"; of IAM and STS as
/// the re:Post article "How do I resolve API throttling or 'Rate exceeded' errors" has them.
fn throttled(protocol: Protocol) -> Error {
    let message = match protocol {
        Protocol::Json => {
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your \
             calls."
        }
        Protocol::Query { .. } => "Rate exceeded",
    };
    Error::new(ErrorCode::ThrottlingException, message)
}
