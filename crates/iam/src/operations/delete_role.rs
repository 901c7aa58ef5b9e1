//! DeleteRole: removes a role that has no policies any more. Its sessions end with it.
//!
//! Errors, in order: NoSuchEntityException, UnmodifiableEntityException (linked to a service),
//! DeleteConflictException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::RoleName;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::deletion::demand_no_policies;
use crate::directory::Change;
use crate::inline::modifiable;
use crate::operations::{Nothing, OPERATION};
use crate::records::RoleRecord;
use crate::roles::remove;

/// DeleteRole.
pub(crate) struct DeleteRole;

structure! {
    /// Input of DeleteRole.
    pub(crate) struct DeleteRoleRequest {
        role_name: RoleName = required "RoleName",
    }
}

impl Operation for DeleteRole {
    type Service = Iam;
    type Input = DeleteRoleRequest;
    type Output = Nothing;
    type Target = Named<RoleRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteRole",
        actions: &["iam:DeleteRole"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::DeleteConflictException,
            ErrorCode::LimitExceededException,
            ErrorCode::UnmodifiableEntityException,
            ErrorCode::ConcurrentModificationException,
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
        let (directory, stored) = (&cx.service.directory, modifiable(target)?);
        demand_no_policies(&stored.record)?;
        let mut change = Change::default();
        remove(cx, stored, &mut change).await?;
        change.commit(directory).await?;
        Ok(Nothing {})
    }
}
