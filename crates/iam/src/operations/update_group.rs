//! UpdateGroup: gives a group another name or path. Its members and policies stay its own.
//!
//! Errors, in order: AccessDeniedException (for the old ARN, for the new one),
//! NoSuchEntityException, EntityAlreadyExistsException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{EntityPath, GroupName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::directory::Change;
use crate::layout;
use crate::operations::{Nothing, OPERATION};
use crate::records::GroupRecord;
use crate::renaming::{Renamed, put_renamed};

/// UpdateGroup.
pub(crate) struct UpdateGroup;

structure! {
    /// Input of UpdateGroup.
    pub(crate) struct UpdateGroupRequest {
        group_name: GroupName = required "GroupName",
        new_path: EntityPath = optional "NewPath",
        new_group_name: GroupName = optional "NewGroupName",
    }
}

impl Operation for UpdateGroup {
    type Service = Iam;
    type Input = UpdateGroupRequest;
    type Output = Nothing;
    type Target = Renamed<GroupRecord>;

    const FACTS: Facts = Facts {
        name: "UpdateGroup",
        actions: &["iam:UpdateGroup"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::EntityAlreadyExistsException,
            ErrorCode::LimitExceededException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let new_name = input.new_group_name.as_ref().map(GroupName::as_str);
        Renamed::find(cx, input.group_name.as_str(), new_name, input.new_path.as_ref()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let stored = target.entity.existing()?;
        let mut group = stored.record.clone();
        if let Some(path) = &input.new_path {
            path.as_str().clone_into(&mut group.path);
        }
        let mut change = Change::default();
        if let Some(name) = &input.new_group_name {
            name.as_str().clone_into(&mut group.name);
            change.note_name(layout::group_id(cx.account(), &group.id), &group.name);
        }
        put_renamed(cx, stored, &group, &mut change).await?;
        change.commit(&cx.service.directory).await?;
        Ok(Nothing {})
    }
}
