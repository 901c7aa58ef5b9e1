//! TagUser: sets tags of a user; a key that is there gets the new value.
//!
//! Errors, in order: NoSuchEntityException, InvalidInputException, LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ExistingUserName, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::UserRecord;
use crate::tagging::tag;

/// TagUser.
pub(crate) struct TagUser;

structure! {
    /// Input of TagUser.
    pub(crate) struct TagUserRequest {
        user_name: ExistingUserName = required "UserName",
        tags: Tags = required "Tags",
    }
}

impl Operation for TagUser {
    type Service = Iam;
    type Input = TagUserRequest;
    type Output = Nothing;
    type Target = Named<UserRecord>;

    const FACTS: Facts = Facts {
        name: "TagUser",
        actions: &["iam:TagUser"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
            ErrorCode::InvalidInputException,
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
        tag(cx, target.existing()?, &input.tags).await?;
        Ok(Nothing {})
    }
}
