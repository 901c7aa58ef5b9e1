//! CreateAccessKey: makes an access key for a user; for the caller if none is named. Its secret is
//! told once: what is stored of it is sealed.
//!
//! Errors, in order: NoSuchEntityException, LimitExceededException (access keys).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{AccessKey, AccessKeyId, ExistingUserName, SecretAccessKey, Status};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::UserOrCaller;
use crate::directory::Change;
use crate::entities::quota;
use crate::ids::{IdKind, draw_secret};
use crate::key_holder::KeyHolder;
use crate::layout;
use crate::operations::OPERATION;
use crate::records::AccessKeyRecord;

/// CreateAccessKey.
pub(crate) struct CreateAccessKey;

structure! {
    /// Input of CreateAccessKey.
    pub(crate) struct CreateAccessKeyRequest {
        user_name: ExistingUserName = optional "UserName",
    }

    /// Output of CreateAccessKey.
    pub(crate) struct CreateAccessKeyResponse {
        access_key: AccessKey = required "AccessKey",
    }
}

impl Operation for CreateAccessKey {
    type Service = Iam;
    type Input = CreateAccessKeyRequest;
    type Output = CreateAccessKeyResponse;
    type Target = UserOrCaller;

    const FACTS: Facts = Facts {
        name: "CreateAccessKey",
        actions: &["iam:CreateAccessKey"],
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
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let directory = &cx.service.directory;
        let holder = KeyHolder::of(cx, target).await?;
        let max = directory.limits.access_keys_per_user;
        if holder.access_keys().len() >= max {
            return Err(quota("AccessKeysPerUser", max));
        }
        let id = IdKind::AccessKey.draw(directory.entropy.as_ref())?;
        let secret = draw_secret(directory.entropy.as_ref())?;
        let record = AccessKeyRecord {
            account: *cx.account(),
            user: holder.user().map(str::to_owned),
            active: true,
            created: cx.now.to_the_second(),
            sealed_secret: directory.seal_secret(&id, &secret).await?,
        };
        let access_key = AccessKey {
            user_name: holder.name(),
            access_key_id: AccessKeyId::of(&id),
            status: Status::Active,
            secret_access_key: SecretAccessKey::of(secret),
            create_date: Some(record.created),
        };
        let ids = holder.access_keys().iter().cloned().chain([id.clone()]).collect();
        let mut change = Change::default();
        change.create(layout::access_key(&id), &record)?;
        holder.set(ids, &mut change)?.commit(directory).await?;
        Ok(CreateAccessKeyResponse { access_key })
    }
}
