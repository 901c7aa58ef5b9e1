//! DeleteServiceLinkedRole: removes a role that is linked to a service, at once.
//!
//! Errors: NoSuchEntityException, also for a role that is linked to no service.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{DeletionTaskId, RoleName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Named, no_such};
use crate::directory::Change;
use crate::layout;
use crate::operations::OPERATION;
use crate::records::{Entity as _, RoleRecord};
use crate::roles::remove;
use crate::service_linked::DeletionTask;

/// DeleteServiceLinkedRole.
pub(crate) struct DeleteServiceLinkedRole;

structure! {
    /// Input of DeleteServiceLinkedRole.
    pub(crate) struct DeleteServiceLinkedRoleRequest {
        role_name: RoleName = required "RoleName",
    }

    /// Output of DeleteServiceLinkedRole.
    pub(crate) struct DeleteServiceLinkedRoleResponse {
        deletion_task_id: DeletionTaskId = required "DeletionTaskId",
    }
}

impl Operation for DeleteServiceLinkedRole {
    type Service = Iam;
    type Input = DeleteServiceLinkedRoleRequest;
    type Output = DeleteServiceLinkedRoleResponse;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteServiceLinkedRole",
        actions: &["iam:DeleteServiceLinkedRole"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        Named::find(cx, input.role_name.as_str()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, stored) = (&cx.service.directory, target.existing()?);
        let role = &stored.record;
        let principal = role.linked_service.as_deref();
        let principal = principal.ok_or_else(|| no_such(RoleRecord::KIND, &role.name))?;
        let task = DeletionTask::draw(principal, &role.name, directory.entropy.as_ref())?;
        let mut change = Change::default();
        remove(cx, stored, &mut change).await?;
        change.note_name(layout::deletion_task(cx.account(), &role.name), &task);
        change.commit(directory).await?;
        Ok(DeleteServiceLinkedRoleResponse { deletion_task_id: DeletionTaskId::of(task) })
    }
}
