//! The role that somebody wants to assume, and whether they may: its trust policy decides, and
//! across accounts the caller's own policies beside it.
//!
//! A role that doesn't exist and one that doesn't trust the caller are refused in the same words.

use std::sync::Arc;

use policy::{Attached, Delegation, Value, Values};
use service::{CallerKind, Context, Error, Facts, GlobalKeys, Resource, Target};
use wire::{AccountId, Arn, ErrorCode};

use crate::Sts;
use crate::conditions::Conditions;
use crate::sts::session_tags::SessionTags;
use crate::sts::web_identity::WebIdentity;
use crate::trust::Assumable;

/// The ARN of a role, whether or not there is one.
#[derive(Clone)]
pub(crate) struct RoleArn {
    pub(crate) text: String,
    pub(crate) partition: String,
    pub(crate) account: AccountId,
}

/// A role's session that a request asks for.
pub(crate) struct RoleSession {
    arn: RoleArn,
    role: Option<Arc<Assumable>>,
    /// The tags that it is to have.
    pub(crate) tags: SessionTags,
    /// The source identity that it is to have.
    pub(crate) source_identity: Option<String>,
    /// Whose token admits to it, where no signature does.
    pub(crate) identity: Option<WebIdentity>,
}

impl RoleArn {
    /// Reads a role's ARN.
    ///
    /// # Errors
    /// ValidationException for what is none.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let arn = Arn::parse(text).filter(|arn| {
            arn.service == "iam" && arn.region.is_empty() && arn.resource.starts_with("role/")
        });
        let arn = arn.and_then(|arn| {
            let account = AccountId::parse(arn.account).ok()?;
            let (text, partition) = (text.to_owned(), arn.partition.to_owned());
            Some(Self { text, partition, account })
        });
        arn.ok_or_else(|| Error::validation(format!("{text} is invalid")))
    }
}

impl RoleSession {
    /// Finds the role of that ARN.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn find(
        cx: &Context<'_, Sts>,
        arn: RoleArn,
        tags: SessionTags,
        source_identity: Option<String>,
        identity: Option<WebIdentity>,
    ) -> Result<Self, Error> {
        // Whoever isn't signed in is in no partition but the role's.
        let reachable = identity.is_some() || arn.partition == cx.partition();
        let role = if reachable {
            cx.service.directory.assumable(&arn.text, &arn.partition, &arn.account).await?
        } else {
            None
        };
        Ok(Self { arn, role, tags, source_identity, identity })
    }

    /// The role with its account, once the caller may assume it.
    ///
    /// # Errors
    /// A failure of ours: nobody asked whether the caller may.
    pub(crate) fn role(&self) -> Result<(&Assumable, &RoleArn), Error> {
        let role = self.role.as_deref();
        let role = role.ok_or_else(|| Error::internal("a role that nobody may assume"))?;
        Ok((role, &self.arn))
    }

    fn refusal(&self, action: &str, cx: &Context<'_, Sts>) -> Error {
        let (caller, arn) = (&cx.caller.arn, &self.arn.text);
        let message = match self.identity {
            Some(_) => format!("Not authorized to perform {action}"),
            None => {
                format!("User: {caller} is not authorized to perform: {action} on resource: {arn}")
            }
        };
        Error::new(ErrorCode::AccessDeniedException, message)
    }

    /// The condition keys that stand for what the session is to be.
    fn condition_keys(&self) -> Vec<(String, Values<'_>)> {
        let mut keys = self.tags.condition_keys();
        if let Some(source) = &self.source_identity {
            keys.push(("sts:sourceidentity".to_owned(), Values::One(Value::from(source.as_str()))));
        }
        if let Some(identity) = &self.identity {
            keys.extend(identity.condition_keys());
        }
        keys
    }
}

impl Target<Sts> for RoleSession {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Sts>) -> Result<(), Error> {
        let own = facts.actions.first().copied().unwrap_or_default();
        if cx.caller.kind == CallerKind::Root {
            return Err(Error::new(
                ErrorCode::AccessDeniedException,
                "Roles may not be assumed by root accounts.",
            ));
        }
        let role = self.role.as_deref().filter(|_| cx.caller.kind != CallerKind::FederatedUser);
        let Some(role) = role else { return Err(self.refusal(own, cx)) };
        let account = self.arn.account.as_str();
        let global = GlobalKeys::of(cx, Some(account), &role.record.tags);
        let context = Conditions { cx, global, boundary: None, more: self.condition_keys() };
        let side = policy::Resource {
            account,
            policy: Some(Attached { name: "trust policy", document: &role.trust }),
            delegation: Delegation::Needed,
            grant: None,
        };
        let tags = (!self.tags.is_empty()).then_some("sts:TagSession");
        let source = self.source_identity.as_ref().map(|_| "sts:SetSourceIdentity");
        for action in [Some(own), tags, source].into_iter().flatten() {
            let decide = |decision: policy::Decision<'_>| decision.is_allowed();
            if !cx.caller.decide(action, &self.arn.text, &context, Some(side), decide) {
                return Err(self.refusal(action, cx));
            }
        }
        Ok(())
    }

    fn check(&self, _: &Facts, _: &Context<'_, Sts>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        let resource = self.role.as_ref().map(|_| Resource {
            account: self.arn.account,
            arn: self.arn.text.as_str().into(),
            kind: "AWS::IAM::Role",
        });
        resource.into_iter().collect()
    }
}
