//! DeleteAccessKey: deletes an access key of a user; of the caller if none is named. It is refused
//! from the answer on.
//!
//! Errors: NoSuchEntityException (user, access key).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{AccessKeyId, ExistingUserName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::UserOrCaller;
use crate::directory::Change;
use crate::key_holder::KeyHolder;
use crate::layout;
use crate::operations::{Nothing, OPERATION};

/// DeleteAccessKey.
pub(crate) struct DeleteAccessKey;

structure! {
    /// Input of DeleteAccessKey.
    pub(crate) struct DeleteAccessKeyRequest {
        user_name: ExistingUserName = optional "UserName",
        access_key_id: AccessKeyId = required "AccessKeyId",
    }
}

impl Operation for DeleteAccessKey {
    type Service = Iam;
    type Input = DeleteAccessKeyRequest;
    type Output = Nothing;
    type Target = UserOrCaller;

    const FACTS: Facts = Facts {
        name: "DeleteAccessKey",
        actions: &["iam:DeleteAccessKey"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::ServiceFailureException,
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
        let (directory, id) = (&cx.service.directory, input.access_key_id.as_str());
        let holder = KeyHolder::of(cx, target).await?;
        let stored = holder.access_key(cx, &input.access_key_id).await?;
        let others = holder.access_keys().iter().filter(|known| *known != id);
        let others = others.cloned().collect();
        let mut change = Change::default();
        change.delete(&stored).forget(layout::last_use(id));
        holder.set(others, &mut change)?.commit(directory).await?;
        directory.forget_last_use(id);
        Ok(Nothing {})
    }
}
