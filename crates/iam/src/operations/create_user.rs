//! CreateUser: makes a user, who may do nothing yet.
//!
//! Errors, in order: EntityAlreadyExistsException, InvalidInputException and LimitExceededException
//! (tags), NoSuchEntityException (boundary), LimitExceededException (users).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, EntityPath, Tags, User, UserName};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::attachments::new_boundary;
use crate::authorization::{NewEntity, entity_arn};
use crate::directory::Change;
use crate::entities::{name_taken, new_tags, path, quota, whole_user};
use crate::ids::IdKind;
use crate::layout;
use crate::operations::OPERATION;
use crate::records::{Entity as _, Permissions, UserRecord};

/// CreateUser.
pub(crate) struct CreateUser;

structure! {
    /// Input of CreateUser.
    pub(crate) struct CreateUserRequest {
        path: EntityPath = optional "Path",
        user_name: UserName = required "UserName",
        permissions_boundary: ArnText = optional "PermissionsBoundary",
        tags: Tags = optional "Tags",
    }

    /// Output of CreateUser.
    pub(crate) struct CreateUserResponse {
        user: User = optional "User",
    }
}

impl Operation for CreateUser {
    type Service = Iam;
    type Input = CreateUserRequest;
    type Output = CreateUserResponse;
    type Target = NewEntity;

    const FACTS: Facts = Facts {
        name: "CreateUser",
        actions: &["iam:CreateUser"],
        errors: &[
            ErrorCode::LimitExceededException,
            ErrorCode::EntityAlreadyExistsException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::ConcurrentModificationException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let path = path(input.path.as_ref());
        let arn = entity_arn(cx, UserRecord::KIND, &path, input.user_name.as_str());
        Ok(NewEntity { arn, tag_action: input.tags.as_ref().map(|_| "iam:TagUser") })
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, name) = (&cx.service.directory, input.user_name.as_str());
        if directory.entity::<UserRecord>(cx.account(), name).await?.is_some() {
            return Err(name_taken(UserRecord::KIND, name));
        }
        let tags = new_tags(input.tags.as_ref(), directory.limits.tags)?;
        let mut change = Change::default();
        let boundary = input.permissions_boundary.as_ref();
        let boundary = new_boundary::<UserRecord>(cx, boundary, name, &mut change).await?;
        let mut account = directory.account(cx.account()).await?;
        account.record.users += 1;
        if account.record.users > directory.limits.users {
            return Err(quota("UsersPerAccount", directory.limits.users));
        }
        let user = UserRecord {
            name: name.to_owned(),
            path: path(input.path.as_ref()),
            id: IdKind::User.draw(directory.entropy.as_ref())?,
            created: cx.now.to_the_second(),
            tags,
            permissions: Permissions { boundary, ..Permissions::default() },
            groups: Vec::new(),
            access_keys: Vec::new(),
        };
        let place = layout::entity(cx.account(), UserRecord::KIND, name);
        change.create(place, &user)?.account(&account)?.commit(directory).await?;
        Ok(CreateUserResponse { user: Some(whole_user(cx, &user)) })
    }
}
