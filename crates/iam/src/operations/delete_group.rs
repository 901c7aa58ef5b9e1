//! DeleteGroup: deletes a group that has neither members nor policies.
//!
//! Errors, in order: NoSuchEntityException, DeleteConflictException (members, attached policies,
//! inline policies).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::GroupName;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::deletion::{delete_conflict, demand_no_policies};
use crate::directory::Change;
use crate::layout;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;

/// DeleteGroup.
pub(crate) struct DeleteGroup;

structure! {
    /// Input of DeleteGroup.
    pub(crate) struct DeleteGroupRequest {
        group_name: GroupName = required "GroupName",
    }
}

impl Operation for DeleteGroup {
    type Service = Iam;
    type Input = DeleteGroupRequest;
    type Output = Nothing;
    type Target = Named<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteGroup",
        actions: &["iam:DeleteGroup"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::DeleteConflictException,
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
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, stored) = (&cx.service.directory, target.existing()?);
        let group = &stored.record;
        if !directory.is_empty(&layout::members(cx.account(), &group.id)).await? {
            return Err(delete_conflict(
                "Cannot delete entity, must remove users from group first.",
            ));
        }
        demand_no_policies(group)?;
        let mut account = directory.account(cx.account()).await?;
        account.record.groups = account.record.groups.saturating_sub(1);
        let mut change = Change::default();
        change.delete(stored).account(&account)?;
        change.forget(layout::group_id(cx.account(), &group.id)).commit(directory).await?;
        Ok(Nothing {})
    }
}
