//! CreateGroup: makes a group without members.
//!
//! Errors, in order: EntityAlreadyExistsException, LimitExceededException (groups).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{EntityPath, Group, GroupName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{NewEntity, entity_arn};
use crate::directory::Change;
use crate::entities::{group, name_taken, path, quota};
use crate::ids::IdKind;
use crate::layout;
use crate::operations::OPERATION;
use crate::records::{Entity as _, GroupRecord, Permissions};

/// CreateGroup.
pub(crate) struct CreateGroup;

structure! {
    /// Input of CreateGroup.
    pub(crate) struct CreateGroupRequest {
        path: EntityPath = optional "Path",
        group_name: GroupName = required "GroupName",
    }

    /// Output of CreateGroup.
    pub(crate) struct CreateGroupResponse {
        group: Group = required "Group",
    }
}

impl Operation for CreateGroup {
    type Service = Iam;
    type Input = CreateGroupRequest;
    type Output = CreateGroupResponse;
    type Target = NewEntity;

    const FACTS: Facts = Facts {
        name: "CreateGroup",
        actions: &["iam:CreateGroup"],
        errors: &[
            ErrorCode::LimitExceededException,
            ErrorCode::EntityAlreadyExistsException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let path = path(input.path.as_ref());
        let arn = entity_arn(cx, GroupRecord::KIND, &path, input.group_name.as_str());
        Ok(NewEntity { arn, tag_action: None })
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, name) = (&cx.service.directory, input.group_name.as_str());
        if directory.entity::<GroupRecord>(cx.account(), name).await?.is_some() {
            return Err(name_taken(GroupRecord::KIND, name));
        }
        let mut account = directory.account(cx.account()).await?;
        account.record.groups += 1;
        if account.record.groups > directory.limits.groups {
            return Err(quota("GroupsPerAccount", directory.limits.groups));
        }
        let record = GroupRecord {
            name: name.to_owned(),
            path: path(input.path.as_ref()),
            id: IdKind::Group.draw(directory.entropy.as_ref())?,
            created: cx.now.to_the_second(),
            permissions: Permissions::default(),
        };
        let place = layout::entity(cx.account(), GroupRecord::KIND, name);
        let mut change = Change::default();
        change.create(place, &record)?.account(&account)?;
        change.note_name(layout::group_id(cx.account(), &record.id), name);
        change.commit(directory).await?;
        Ok(CreateGroupResponse { group: group(&record, cx.partition(), cx.account()) })
    }
}
