//! GetServiceLinkedRoleDeletionStatus: whether the deletion of a service-linked role has been done,
//! which it always has. The last deletion of each role is known.
//!
//! Errors, in order: InvalidInputException for what is no task's id, NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{DeletionTaskFailureReason, DeletionTaskId, DeletionTaskStatus};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Place, entity_arn};
use crate::operations::OPERATION;
use crate::records::{Entity as _, RoleRecord};
use crate::service_linked::{DeletionTask, path};

/// GetServiceLinkedRoleDeletionStatus.
pub(crate) struct GetServiceLinkedRoleDeletionStatus;

structure! {
    /// Input of GetServiceLinkedRoleDeletionStatus.
    pub(crate) struct GetServiceLinkedRoleDeletionStatusRequest {
        deletion_task_id: DeletionTaskId = required "DeletionTaskId",
    }

    /// Output of GetServiceLinkedRoleDeletionStatus.
    pub(crate) struct GetServiceLinkedRoleDeletionStatusResponse {
        status: DeletionTaskStatus = required "Status",
        reason: DeletionTaskFailureReason = optional "Reason",
    }
}

impl Operation for GetServiceLinkedRoleDeletionStatus {
    type Service = Iam;
    type Input = GetServiceLinkedRoleDeletionStatusRequest;
    type Output = GetServiceLinkedRoleDeletionStatusResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "GetServiceLinkedRoleDeletionStatus",
        actions: &["iam:GetServiceLinkedRoleDeletionStatus"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let task = DeletionTask::parse(input.deletion_task_id.as_str())?;
        Ok(Place(entity_arn(cx, RoleRecord::KIND, &path(task.principal), task.role)))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, id) = (&cx.service.directory, input.deletion_task_id.as_str());
        let task = DeletionTask::parse(id)?;
        if directory.last_deletion(cx.account(), task.role).await?.as_deref() != Some(id) {
            return Err(Error::new(
                ErrorCode::NoSuchEntityException,
                format!("The deletion task with id {id} cannot be found."),
            ));
        }
        let status = DeletionTaskStatus::Succeeded;
        Ok(GetServiceLinkedRoleDeletionStatusResponse { status, reason: None })
    }
}
