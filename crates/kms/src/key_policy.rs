//! Key policies: the default one, and what a new one must be.

use std::cell::Cell;

use policy::{Caller, ContextEntries, Document, DocumentKind, Outcome, Principal, Request};
use service::{Context, Error};
use wire::shapes::{PolicyName, PolicyText};
use wire::{AccountId, ErrorCode, Region};

use crate::{Kms, conditions};

/// The name of the policy that every key has.
pub(crate) const DEFAULT_NAME: &str = "default";

/// The policy of a key that was created without one: it lets the account's own policies decide.
pub(crate) fn default_policy(account: &AccountId, region: &str) -> String {
    let partition = wire::partition(region);
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{partition}:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// Checks a policy that a caller wants a key to have.
///
/// # Errors
/// In this order: LimitExceededException for one that is too long, MalformedPolicyDocumentException
/// for one that isn't understood, names principals that don't exist, or would keep the caller from
/// calling PutKeyPolicy again (unless the check is bypassed).
pub(crate) fn check(
    cx: &Context<'_, Kms>,
    policy: &PolicyText,
    bypass_lockout_check: bool,
    key_arn: &str,
) -> Result<(), Error> {
    let author = Author { arn: &cx.caller.arn, account: cx.caller.account.as_str() };
    check_by(author, policy.as_str(), bypass_lockout_check, key_arn, cx.service.limits.policy_bytes)
}

/// The policy of a key that a caller makes in that Region: the one that was asked for, or the
/// default one.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn of_new_key(
    cx: &Context<'_, Kms>,
    asked: Option<&PolicyText>,
    bypass_lockout_check: Option<bool>,
    region: &Region,
    key_arn: &str,
) -> Result<String, Error> {
    let Some(policy) = asked else { return Ok(default_policy(cx.account(), region.as_str())) };
    check(cx, policy, bypass_lockout_check == Some(true), key_arn)?;
    Ok(policy.as_str().to_owned())
}

/// Whoever writes a policy, and must not lock himself out by it.
#[derive(Clone, Copy)]
pub(crate) struct Author<'a> {
    pub(crate) arn: &'a str,
    pub(crate) account: &'a str,
}

const FORBIDDEN_KEYS: &str = "These condition keys are not permitted in a key policy: \
    aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases";

/// Checks a policy of at most `length_max` bytes that its author wants a key to have.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn check_by(
    author: Author<'_>,
    policy: &str,
    bypass_lockout_check: bool,
    key_arn: &str,
    length_max: usize,
) -> Result<(), Error> {
    let malformed =
        |message: String| Error::new(ErrorCode::MalformedPolicyDocumentException, message);
    if policy.len() > length_max {
        return Err(Error::new(
            ErrorCode::LimitExceededException,
            format!("The policy exceeds the maximum length of {length_max} bytes"),
        ));
    }
    let forbidden = Cell::new(false);
    let is_known = |key: &str| {
        forbidden.set(forbidden.get() || conditions::is_forbidden(key));
        conditions::is_known(key)
    };
    let document = Document::parse(policy, DocumentKind::Resource, &is_known);
    let document = document.map_err(|reason| {
        malformed(if forbidden.get() { FORBIDDEN_KEYS.to_owned() } else { reason.0 })
    })?;
    // AWS takes none such since August 2025, when it told its customers; those that are there stay.
    if !document.names_resources() {
        return Err(malformed("Policy contains a statement with no resource.".to_owned()));
    }
    // Accounts are namespaces that need no making; users, roles and providers don't exist yet.
    let exists = |principal: &Principal| {
        matches!(principal, Principal::Everyone | Principal::Account(_) | Principal::Service(_))
    };
    if !document.principals().all(exists) {
        return Err(malformed(
            "Policy contains a statement with one or more invalid principals.".to_owned(),
        ));
    }
    let caller = Caller::root(author.account, author.arn);
    // Of a later request nobody knows more than who makes it: what hangs on more may fail then.
    let mut known = ContextEntries::default();
    known.insert("kms:CallerAccount", author.account.to_owned().into());
    known.insert("aws:PrincipalAccount", author.account.to_owned().into());
    known.insert("aws:PrincipalArn", author.arn.to_owned().into());
    let action = "kms:PutKeyPolicy";
    let request = Request { caller: &caller, action, resource: key_arn, context: &known };
    let keeps = matches!(document.evaluate(&request), Outcome::Allow { .. });
    if !keeps && !bypass_lockout_check {
        return Err(malformed(
            "The new key policy will not allow you to update the key policy in the future."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Accepts the name of the policy that every key has, which is also meant by no name.
///
/// # Errors
/// NotFoundException for every other name.
pub(crate) fn named(name: Option<&PolicyName>) -> Result<(), Error> {
    match name.map(PolicyName::as_str) {
        None | Some(DEFAULT_NAME) => Ok(()),
        Some(_) => Err(Error::new(ErrorCode::NotFoundException, "No such policy exists")),
    }
}
