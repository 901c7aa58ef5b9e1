//! AddUserToGroup: gives a user the permissions of a group. It does no harm where the user has them
//! already.
//!
//! Errors, in order: NoSuchEntityException (group, user), LimitExceededException (a user's
//! groups).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, GroupName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::membership::add_member;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;

/// AddUserToGroup.
pub(crate) struct AddUserToGroup;

structure! {
    /// Input of AddUserToGroup.
    pub(crate) struct AddUserToGroupRequest {
        group_name: GroupName = required "GroupName",
        user_name: ExistingUserName = required "UserName",
    }
}

impl Operation for AddUserToGroup {
    type Service = Iam;
    type Input = AddUserToGroupRequest;
    type Output = Nothing;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "AddUserToGroup",
        actions: &["iam:AddUserToGroup"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.group_name.as_str()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let group = target.existing()?;
        let user = Named::find(cx, input.user_name.as_str()).await?;
        add_member(cx, group, user.existing()?).await?;
        Ok(Nothing {})
    }
}
