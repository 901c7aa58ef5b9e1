//! GetAccessKeyInfo: the account that an access key is of, whoever's it is. An id of a session's
//! key tells that itself.
//!
//! Errors, in order: AccessDeniedException, ValidationException for an access key that isn't there.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::structure;
use wire::sts::{AccessKeyId, Account};

use crate::Sts;
use crate::ids::account_of_session_key;
use crate::sts::OPERATION;
use crate::sts::authorization::Place;

/// GetAccessKeyInfo.
pub(crate) struct GetAccessKeyInfo;

structure! {
    /// Input of GetAccessKeyInfo.
    pub(crate) struct GetAccessKeyInfoRequest {
        access_key_id: AccessKeyId = required "AccessKeyId",
    }

    /// Output of GetAccessKeyInfo.
    pub(crate) struct GetAccessKeyInfoResponse {
        account: Account = optional "Account",
    }
}

impl Operation for GetAccessKeyInfo {
    type Service = Sts;
    type Input = GetAccessKeyInfoRequest;
    type Output = GetAccessKeyInfoResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "GetAccessKeyInfo",
        actions: &["sts:GetAccessKeyInfo"],
        cross_account: true,
        read_only: true,
        errors: &[],
        ..OPERATION
    };

    async fn resolve(_: &Context<'_, Sts>, _: &Self::Input) -> Result<Place, Error> {
        Ok(Place("*".to_owned()))
    }

    async fn run(
        cx: &Context<'_, Sts>,
        _: &Authorized<Place>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let id = input.access_key_id.as_str();
        let account = match account_of_session_key(id) {
            Some(account) => Some(account),
            None => cx.service.directory.access_key(id).await?.map(|key| key.record.account),
        };
        let account = account.ok_or_else(|| {
            Error::validation(format!("The access key with the ID {id} does not exist."))
        })?;
        Ok(GetAccessKeyInfoResponse { account: Some(Account::of(account.as_str())) })
    }
}
