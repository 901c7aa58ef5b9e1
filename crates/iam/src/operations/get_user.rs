//! GetUser: tells of a user; of the caller if none is named.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, User};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::UserOrCaller;
use crate::entities::{root_user, whole_user};
use crate::operations::OPERATION;

/// GetUser.
pub(crate) struct GetUser;

structure! {
    /// Input of GetUser.
    pub(crate) struct GetUserRequest {
        user_name: ExistingUserName = optional "UserName",
    }

    /// Output of GetUser.
    pub(crate) struct GetUserResponse {
        user: User = required "User",
    }
}

impl Operation for GetUser {
    type Service = Iam;
    type Input = GetUserRequest;
    type Output = GetUserResponse;
    type Target = UserOrCaller;

    const FACTS: Facts = Facts {
        name: "GetUser",
        actions: &["iam:GetUser"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        UserOrCaller::find(cx, input.user_name.as_ref()).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let user = match &**target {
            UserOrCaller::Root(_) => root_user(cx),
            UserOrCaller::User(user) => whole_user(cx, &user.existing()?.record),
        };
        Ok(GetUserResponse { user })
    }
}
