//! UntagUser: removes tags of a user; those that aren't there need no removing.
//!
//! Errors: NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, TagKeys};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;
use crate::tagging::untag;

/// UntagUser.
pub(crate) struct UntagUser;

structure! {
    /// Input of UntagUser.
    pub(crate) struct UntagUserRequest {
        user_name: ExistingUserName = required "UserName",
        tag_keys: TagKeys = required "TagKeys",
    }
}

impl Operation for UntagUser {
    type Service = Iam;
    type Input = UntagUserRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "UntagUser",
        actions: &["iam:UntagUser"],
        errors: &[
            ErrorCode::NoSuchEntityException,
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
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        untag(cx, target.existing()?, &input.tag_keys).await?;
        Ok(Nothing {})
    }
}
