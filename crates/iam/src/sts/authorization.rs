//! What operations of STS act on that isn't a role, and whether a caller may: its own policies
//! decide.

use service::{CallerKind, Context, Error, Facts, GlobalKeys, Resource, Target};
use wire::ErrorCode;

use crate::Sts;
use crate::conditions::Conditions;
use crate::sts::session_tags::SessionTags;

/// What a request names by an ARN alone, or `*`.
pub(crate) struct Place(pub(crate) String);

/// A federated user's session that a request asks for.
pub(crate) struct FederatedSession {
    pub(crate) arn: String,
    pub(crate) tags: SessionTags,
}

/// Refuses sessions that may only assume roles: those of users and of federated users (IAM User
/// Guide, "Compare AWS STS credentials").
///
/// # Errors
/// AccessDeniedException.
fn unless_barred(cx: &Context<'_, Sts>, facts: &Facts) -> Result<(), Error> {
    match (&cx.caller.session, cx.caller.kind) {
        (None, _) | (Some(_), CallerKind::AssumedRole) => Ok(()),
        _ => Err(session_credentials(facts.name)),
    }
}

/// The refusal of an operation that takes long-term credentials only.
pub(crate) fn session_credentials(operation: &str) -> Error {
    Error::new(
        ErrorCode::AccessDeniedException,
        format!("Cannot call {operation} with session credentials"),
    )
}

fn permit(
    cx: &Context<'_, Sts>,
    mut actions: impl Iterator<Item = &'static str>,
    arn: &str,
    tags: &SessionTags,
) -> Result<(), Error> {
    let global = GlobalKeys::of(cx, Some(cx.account().as_str()), &[]);
    let context = Conditions { cx, global, boundary: None, more: tags.condition_keys() };
    actions.try_for_each(|action| cx.caller.permit(action, arn, &context))
}

impl Target<Sts> for Place {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Sts>) -> Result<(), Error> {
        unless_barred(cx, facts)?;
        permit(cx, facts.actions.iter().copied(), &self.0, &SessionTags::default())
    }

    fn check(&self, _: &Facts, _: &Context<'_, Sts>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

impl Target<Sts> for FederatedSession {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Sts>) -> Result<(), Error> {
        if cx.caller.session.is_some() {
            return Err(session_credentials(facts.name));
        }
        let tag = (!self.tags.is_empty()).then_some("sts:TagSession");
        permit(cx, facts.actions.iter().copied().chain(tag), &self.arn, &self.tags)
    }

    fn check(&self, _: &Facts, _: &Context<'_, Sts>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}
