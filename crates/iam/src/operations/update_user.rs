//! UpdateUser: gives a user another name or path. Its access keys, groups and policies stay.
//!
//! Errors, in order: AccessDeniedException (for the old ARN, for the new one),
//! NoSuchEntityException, EntityAlreadyExistsException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{EntityPath, ExistingUserName, UserName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::directory::{Change, Stored};
use crate::layout;
use crate::operations::{Nothing, OPERATION};
use crate::records::{AccessKeyRecord, UserRecord};
use crate::renaming::{Renamed, put_renamed};

/// UpdateUser.
pub(crate) struct UpdateUser;

structure! {
    /// Input of UpdateUser.
    pub(crate) struct UpdateUserRequest {
        user_name: ExistingUserName = required "UserName",
        new_path: EntityPath = optional "NewPath",
        new_user_name: UserName = optional "NewUserName",
    }
}

impl Operation for UpdateUser {
    type Service = Iam;
    type Input = UpdateUserRequest;
    type Output = Nothing;
    type Target = Renamed<UserRecord>;

    const FACTS: Facts = Facts {
        name: "UpdateUser",
        actions: &["iam:UpdateUser"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::EntityAlreadyExistsException,
            ErrorCode::EntityTemporarilyUnmodifiableException,
            ErrorCode::ConcurrentModificationException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let new_name = input.new_user_name.as_ref().map(UserName::as_str);
        Renamed::find(cx, input.user_name.as_str(), new_name, input.new_path.as_ref()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let stored = target.entity.existing()?;
        let mut user = stored.record.clone();
        if let Some(path) = &input.new_path {
            path.as_str().clone_into(&mut user.path);
        }
        let mut change = Change::default();
        if let Some(name) = &input.new_user_name {
            name.as_str().clone_into(&mut user.name);
            rename_elsewhere(cx, stored, &user, &mut change).await?;
        }
        put_renamed(cx, stored, &user, &mut change).await?;
        change.commit(&cx.service.directory).await?;
        Ok(Nothing {})
    }
}

/// Gives a user's new name to its access keys and to the lists of its groups' members.
async fn rename_elsewhere(
    cx: &Context<'_, Iam>,
    stored: &Stored<UserRecord>,
    user: &UserRecord,
    change: &mut Change,
) -> Result<(), Error> {
    for id in &user.access_keys {
        let place = layout::access_key(id);
        let key = cx.service.directory.stored::<AccessKeyRecord>(place).await?;
        // One that is gone changed the user as well: the commit will find a conflict.
        let Some(key) = key else { return Err(Error::conflict()) };
        let record = AccessKeyRecord { user: Some(user.name.clone()), ..key.record.clone() };
        change.replace(&key, &record)?;
    }
    for group in &user.groups {
        let old = layout::member(cx.account(), group, &stored.record.name);
        let new = layout::member(cx.account(), group, &user.name);
        if old != new {
            change.forget(old).note(new);
        }
    }
    Ok(())
}
