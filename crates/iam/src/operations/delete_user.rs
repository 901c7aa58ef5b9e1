//! DeleteUser: deletes a user that has nothing any more.
//!
//! Errors, in order: NoSuchEntityException, DeleteConflictException (access keys, attached
//! policies, inline policies, groups).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::ExistingUserName;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments::remove_boundary;
use crate::authorization::Named;
use crate::deletion::{delete_conflict, demand_no_policies};
use crate::directory::Change;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;

/// DeleteUser.
pub(crate) struct DeleteUser;

structure! {
    /// Input of DeleteUser.
    pub(crate) struct DeleteUserRequest {
        user_name: ExistingUserName = required "UserName",
    }
}

impl Operation for DeleteUser {
    type Service = Iam;
    type Input = DeleteUserRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteUser",
        actions: &["iam:DeleteUser"],
        errors: &[
            ErrorCode::LimitExceededException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::DeleteConflictException,
            ErrorCode::ConcurrentModificationException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.user_name.as_str()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, stored) = (&cx.service.directory, target.existing()?);
        let user = &stored.record;
        if !user.access_keys.is_empty() {
            return Err(delete_conflict("Cannot delete entity, must delete access keys first."));
        }
        demand_no_policies(user)?;
        if !user.groups.is_empty() {
            return Err(delete_conflict(
                "Cannot delete entity, must remove users from group first.",
            ));
        }
        let mut account = directory.account(cx.account()).await?;
        account.record.users = account.record.users.saturating_sub(1);
        let mut change = Change::default();
        remove_boundary(cx, stored, &mut change).await?;
        change.delete(stored).account(&account)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
