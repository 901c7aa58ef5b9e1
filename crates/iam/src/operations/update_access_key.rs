//! UpdateAccessKey: has an access key admit its holder, or not. An inactive one is refused from the
//! answer on.
//!
//! Errors, in order: NoSuchEntityException (user, access key), InvalidInputException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{AccessKeyId, ExistingUserName, Status};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::UserOrCaller;
use crate::directory::Change;
use crate::entities::invalid;
use crate::key_holder::KeyHolder;
use crate::operations::{Nothing, OPERATION};
use crate::records::AccessKeyRecord;

/// UpdateAccessKey.
pub(crate) struct UpdateAccessKey;

structure! {
    /// Input of UpdateAccessKey.
    pub(crate) struct UpdateAccessKeyRequest {
        user_name: ExistingUserName = optional "UserName",
        access_key_id: AccessKeyId = required "AccessKeyId",
        status: Status = required "Status",
    }
}

impl Operation for UpdateAccessKey {
    type Service = Iam;
    type Input = UpdateAccessKeyRequest;
    type Output = Nothing;
    type Target = UserOrCaller;

    const FACTS: Facts = Facts {
        name: "UpdateAccessKey",
        actions: &["iam:UpdateAccessKey"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::ServiceFailureException,
            ErrorCode::InvalidInputException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        UserOrCaller::find(cx, input.user_name.as_ref()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let holder = KeyHolder::of(cx, target).await?;
        let stored = holder.access_key(cx, &input.access_key_id).await?;
        let active = match input.status {
            Status::Active => true,
            Status::Inactive => false,
            Status::Expired => {
                return Err(invalid("The status of an access key can be Active or Inactive."));
            }
        };
        let record = AccessKeyRecord { active, ..stored.record.clone() };
        Change::default().replace(&stored, &record)?.commit(&cx.service.directory).await?;
        Ok(Nothing {})
    }
}
