//! GetAccessKeyLastUsed: when an access key of the account was last used, by whom and for what.
//!
//! Errors: AccessDeniedException, in the same words for a key that isn't the account's as for one
//! that the caller may not ask about.

use service::{Authorized, Context, Error, Facts, Operation, Resource, Target};
use wire::iam::{AccessKeyId, AccessKeyLastUsed, AnyText, ExistingUserName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Named, UserOrCaller};
use crate::layout;
use crate::operations::OPERATION;
use crate::records::{AccessKeyRecord, LastUseRecord};

/// What answers say of a key that was never used, in place of a service and a Region.
const NEVER: &str = "N/A";

/// GetAccessKeyLastUsed.
pub(crate) struct GetAccessKeyLastUsed;

structure! {
    /// Input of GetAccessKeyLastUsed.
    pub(crate) struct GetAccessKeyLastUsedRequest {
        access_key_id: AccessKeyId = required "AccessKeyId",
    }

    /// Output of GetAccessKeyLastUsed.
    pub(crate) struct GetAccessKeyLastUsedResponse {
        user_name: ExistingUserName = optional "UserName",
        access_key_last_used: AccessKeyLastUsed = optional "AccessKeyLastUsed",
    }
}

impl Operation for GetAccessKeyLastUsed {
    type Service = Iam;
    type Input = GetAccessKeyLastUsedRequest;
    type Output = GetAccessKeyLastUsedResponse;
    type Target = KeyOfAccount;

    const FACTS: Facts = Facts {
        name: "GetAccessKeyLastUsed",
        actions: &["iam:GetAccessKeyLastUsed"],
        read_only: true,
        errors: &[],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let id = input.access_key_id.as_str();
        let stored = cx.service.directory.stored::<AccessKeyRecord>(layout::access_key(id)).await?;
        let record = stored.map(|s| s.record).filter(|record| record.account == *cx.account());
        let holder = match record.map(|record| record.user) {
            None => None,
            Some(Some(user)) => Some(UserOrCaller::User(Box::new(Named::find(cx, &user).await?))),
            Some(None) => {
                let arn = format!("arn:{}:iam::{}:root", cx.partition(), cx.account());
                Some(UserOrCaller::Root(arn))
            }
        };
        Ok(KeyOfAccount { id: id.to_owned(), holder })
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let user = match &target.holder {
            Some(UserOrCaller::User(user)) => Some(&user.existing()?.record.name),
            _ => None,
        };
        let last_use = cx.service.directory.last_use(&target.id).await?;
        let LastUseRecord { at, service, region } = last_use.unwrap_or_else(|| LastUseRecord {
            at: None,
            service: NEVER.to_owned(),
            region: NEVER.to_owned(),
        });
        Ok(GetAccessKeyLastUsedResponse {
            user_name: user.map(ExistingUserName::of),
            access_key_last_used: Some(AccessKeyLastUsed {
                last_used_date: at,
                service_name: AnyText::of(service),
                region: AnyText::of(region),
            }),
        })
    }
}

/// An access key that a request asks about.
pub(crate) struct KeyOfAccount {
    id: String,
    /// Whose it is; nobody's if the account has no such key.
    holder: Option<UserOrCaller>,
}

impl Target<Iam> for KeyOfAccount {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        let result = match &self.holder {
            Some(holder) => holder.authorize(facts, cx).await,
            None => Err(Error::bare(ErrorCode::AccessDeniedException)),
        };
        result.map_err(|error| match error.code() {
            ErrorCode::AccessDeniedException => Error::new(
                ErrorCode::AccessDeniedException,
                format!(
                    "User: {} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: \
                     access key {}",
                    cx.caller.arn, self.id
                ),
            ),
            _ => error,
        })
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}
