//! RemoveUserFromGroup: takes the permissions of a group from a user. It does no harm where the
//! user doesn't have them.
//!
//! Errors: NoSuchEntityException (group, user).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, GroupName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::membership::remove_member;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;

/// RemoveUserFromGroup.
pub(crate) struct RemoveUserFromGroup;

structure! {
    /// Input of RemoveUserFromGroup.
    pub(crate) struct RemoveUserFromGroupRequest {
        group_name: GroupName = required "GroupName",
        user_name: ExistingUserName = required "UserName",
    }
}

impl Operation for RemoveUserFromGroup {
    type Service = Iam;
    type Input = RemoveUserFromGroupRequest;
    type Output = Nothing;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "RemoveUserFromGroup",
        actions: &["iam:RemoveUserFromGroup"],
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
        remove_member(cx, group, user.existing()?).await?;
        Ok(Nothing {})
    }
}
