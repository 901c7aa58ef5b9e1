//! What operations of IAM act on, and whether a caller may.
//!
//! A caller's own policies decide, within the account: IAM's resources have no policies of their
//! own. Permission is asked before it is told whether the resource exists.

use service::{CallerKind, Context, Error, Facts, GlobalKeys, Resource, Target};
use wire::ErrorCode;
use wire::iam::ExistingUserName;

use crate::Iam;
use crate::conditions::Conditions;
use crate::directory::Stored;
use crate::records::{Entity, UserRecord};

/// The entity that a request names, whether or not it exists.
pub(crate) struct Named<R> {
    /// Its ARN; without the path if it doesn't exist.
    pub(crate) arn: String,
    /// Its name, as the request has it.
    pub(crate) name: String,
    pub(crate) stored: Option<Stored<R>>,
}

/// Something that a request names by its ARN alone: a whole kind of entities, or `*`.
pub(crate) struct Place(pub(crate) String);

/// What a request is to make.
pub(crate) struct NewEntity {
    pub(crate) arn: String,
    /// The permission that its tags take, if it gets any.
    pub(crate) tag_action: Option<&'static str>,
}

/// The user that a request names, or else the caller.
pub(crate) enum UserOrCaller {
    /// A user.
    User(Box<Named<UserRecord>>),
    /// The root user of the caller's account, by its ARN.
    Root(String),
}

impl UserOrCaller {
    /// The user of that name; without a name the user, or the root user, who calls.
    ///
    /// # Errors
    /// ValidationException where no user calls.
    pub(crate) async fn find(
        cx: &Context<'_, Iam>,
        name: Option<&ExistingUserName>,
    ) -> Result<Self, Error> {
        let name = match (name, cx.caller.kind, &cx.caller.principal) {
            (Some(name), ..) => name.as_str(),
            (None, CallerKind::Root, _) => return Ok(Self::Root(cx.caller.arn.clone())),
            (None, CallerKind::User, Some(user)) => &user.name,
            _ => {
                return Err(Error::validation(
                    "Must specify userName when calling with non-User credentials",
                ));
            }
        };
        Named::find(cx, name).await.map(Box::new).map(Self::User)
    }
}

impl<R: Entity> Named<R> {
    /// The entity of that name in the caller's account.
    pub(crate) async fn find(cx: &Context<'_, Iam>, name: &str) -> Result<Self, Error> {
        let stored = cx.service.directory.entity::<R>(cx.account(), name).await?;
        let arn = match &stored {
            Some(stored) => stored.record.arn(cx.partition(), cx.account()),
            None => entity_arn(cx, R::KIND, "/", name),
        };
        Ok(Self { arn, name: name.to_owned(), stored })
    }

    /// The entity, which must exist.
    ///
    /// # Errors
    /// NoSuchEntityException.
    pub(crate) fn existing(&self) -> Result<&Stored<R>, Error> {
        self.stored.as_ref().ok_or_else(|| no_such(R::KIND, &self.name))
    }
}

/// The refusal of a name that nothing has.
pub(crate) fn no_such(kind: &str, name: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntityException,
        format!("The {kind} with name {name} cannot be found."),
    )
}

/// The ARN of an entity of the caller's account.
pub(crate) fn entity_arn(cx: &Context<'_, Iam>, kind: &str, path: &str, name: &str) -> String {
    format!("arn:{}:iam::{}:{kind}{path}{name}", cx.partition(), cx.account())
}

impl<R: Entity> Target<Iam> for Named<R> {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        let record = self.stored.as_ref().map(|stored| &stored.record);
        let tags = record.map_or(&[][..], |record| record.tags());
        let boundary = record.and_then(|record| record.boundary());
        facts.actions.iter().try_for_each(|action| permit(cx, action, &self.arn, tags, boundary))
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

impl Target<Iam> for Place {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        facts.actions.iter().try_for_each(|action| permit(cx, action, &self.0, &[], None))
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

impl Target<Iam> for NewEntity {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        let mut actions = facts.actions.iter().chain(&self.tag_action);
        actions.try_for_each(|action| permit(cx, action, &self.arn, &[], None))
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

impl Target<Iam> for UserOrCaller {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        match self {
            Self::User(user) => user.authorize(facts, cx).await,
            Self::Root(arn) => {
                facts.actions.iter().try_for_each(|action| permit(cx, action, arn, &[], None))
            }
        }
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// Refuses unless the caller may do that to what has this ARN, these tags and this boundary.
///
/// # Errors
/// AccessDeniedException. Sessions of GetSessionToken and GetFederationToken can't call IAM at all
/// (IAM User Guide, "Compare AWS STS credentials"), as no second factor stands behind them:
/// UnrecognizedClientException.
pub(crate) fn permit(
    cx: &Context<'_, Iam>,
    action: &str,
    arn: &str,
    tags: &[(String, String)],
    boundary: Option<&str>,
) -> Result<(), Error> {
    let caller = cx.caller;
    if caller.session.is_some() && caller.kind != CallerKind::AssumedRole {
        return Err(Error::new(
            ErrorCode::UnrecognizedClientException,
            "The security token included in the request is invalid",
        ));
    }
    let global = GlobalKeys::of(cx, Some(cx.account().as_str()), tags);
    let context = Conditions { cx, global, boundary, more: Vec::new() };
    caller.permit(action, arn, &context)
}
