//! Key policies: the default one, and what a new one must be.

use std::cell::Cell;

use policy::{ContextEntries, Document, DocumentKind, Outcome, Principal, Request};
use service::ports::{Known, Principals};
use service::{Caller, Context, Error};
use wire::shapes::{PolicyName, PolicyText};
use wire::{AccountId, ErrorCode, Region};

use crate::key::Key;
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
pub(crate) async fn check(
    cx: &Context<'_, Kms>,
    policy: &PolicyText,
    bypass_lockout_check: bool,
    key_arn: &str,
) -> Result<KeyPolicy, Error> {
    let document = understood(policy.as_str(), cx.service.limits.policy_bytes)?;
    let bound = bind(&document, cx.service.principals.as_ref()).await?;
    not_locked_out(cx.caller, &document, bypass_lockout_check, key_arn)?;
    Ok(KeyPolicy { text: policy.as_str().to_owned(), document, bound })
}

/// A policy that a key may have.
pub(crate) struct KeyPolicy {
    /// As it was given.
    pub(crate) text: String,
    /// The same, compiled, and bound to nobody yet.
    pub(crate) document: Document,
    /// The ARNs of users and roles in it, each with its unique id.
    pub(crate) bound: Vec<(String, String)>,
}

/// The policy of a key that a caller makes in that Region: the one that was asked for, or the
/// default one.
///
/// # Errors
/// Those of [`check`].
pub(crate) async fn of_new_key(
    cx: &Context<'_, Kms>,
    asked: Option<&PolicyText>,
    bypass_lockout_check: Option<bool>,
    region: &Region,
    key_arn: &str,
) -> Result<KeyPolicy, Error> {
    if let Some(policy) = asked {
        return check(cx, policy, bypass_lockout_check == Some(true), key_arn).await;
    }
    let text = default_policy(cx.account(), region.as_str());
    let document = Document::parse_stored(&text, DocumentKind::Resource)
        .map_err(|reason| Error::internal(format!("the default policy: {reason}")))?;
    Ok(KeyPolicy { text, document, bound: Vec::new() })
}

const FORBIDDEN_KEYS: &str = "These condition keys are not permitted in a key policy: \
    aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases";

/// A policy of at most `length_max` bytes that a key may have, as far as it can be told without
/// knowing which principals exist.
fn understood(policy: &str, length_max: usize) -> Result<Document, Error> {
    if policy.len() > length_max {
        return Err(Error::new(
            ErrorCode::LimitExceededException,
            format!("The policy exceeds the maximum length of {length_max} bytes"),
        ));
    }
    let forbidden = Cell::new(false);
    let is_known = |key: &str| {
        forbidden.set(forbidden.get() || conditions::is_forbidden(key));
        !forbidden.get() && conditions::is_known(key)
    };
    let document = Document::parse(policy, DocumentKind::Resource, &is_known);
    let document = document.map_err(|reason| {
        malformed(if forbidden.get() { FORBIDDEN_KEYS.to_owned() } else { reason.0 })
    })?;
    // AWS takes none such since August 2025, when it told its customers; those that are there stay.
    if !document.names_resources() {
        return Err(malformed("Policy contains a statement with no resource.".to_owned()));
    }
    Ok(document)
}

/// Checks the policy of a key that is planted by its account's root user, before there are any
/// users or roles.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn check_planted(
    root: &Caller,
    policy: &str,
    bypass_lockout_check: bool,
    key_arn: &str,
    length_max: usize,
) -> Result<(), Error> {
    let document = understood(policy, length_max)?;
    if !document.principals().all(needs_no_making) {
        return Err(invalid_principals());
    }
    not_locked_out(root, &document, bypass_lockout_check, key_arn)
}

/// Whether such a principal is there without having been made.
fn needs_no_making(principal: &Principal) -> bool {
    matches!(principal, Principal::Everyone | Principal::Account(_) | Principal::Service(_))
}

fn invalid_principals() -> Error {
    malformed("Policy contains a statement with one or more invalid principals.".to_owned())
}

fn not_locked_out(
    author: &Caller,
    document: &Document,
    bypass_lockout_check: bool,
    key_arn: &str,
) -> Result<(), Error> {
    if bypass_lockout_check || keeps(author, document, key_arn) {
        return Ok(());
    }
    Err(malformed(
        "The new key policy will not allow you to update the key policy in the future.".to_owned(),
    ))
}

/// The unique ids of the users and roles that the document names.
///
/// # Errors
/// MalformedPolicyDocumentException where one doesn't exist, or can't be a principal here.
async fn bind(
    document: &Document,
    principals: &dyn Principals,
) -> Result<Vec<(String, String)>, Error> {
    let mut bound = Vec::new();
    for principal in document.principals() {
        if needs_no_making(principal) {
            continue;
        }
        // Identity providers and canonical users are no principals of keys, and a unique id is what
        // is left of one that is gone.
        let Principal::Arn { arn, .. } = principal else { return Err(invalid_principals()) };
        match principals.principal(arn).await? {
            Some(Known::ById(id)) => bound.push((arn.clone(), id)),
            Some(Known::ByName) => {}
            None => return Err(invalid_principals()),
        }
    }
    bound.sort();
    bound.dedup();
    Ok(bound)
}

/// Whether a policy lets its author call PutKeyPolicy again, by itself or by what it leaves to the
/// account's own policies.
fn keeps(author: &Caller, document: &Document, key_arn: &str) -> bool {
    let (caller, account) = (author.as_principal(), author.account.as_str());
    let role = author.principal.as_deref().map_or(&author.arn, |principal| &principal.arn);
    // Of a later request nobody knows more than who makes it: what hangs on more may fail then.
    let mut known = ContextEntries::default();
    known.insert("kms:CallerAccount", account.to_owned().into());
    known.insert("aws:PrincipalAccount", account.to_owned().into());
    known.insert("aws:PrincipalArn", role.clone().into());
    let action = "kms:PutKeyPolicy";
    let request = Request { caller: &caller, action, resource: key_arn, context: &known };
    matches!(document.evaluate(&request), Outcome::Allow { .. })
}

fn malformed(message: String) -> Error {
    Error::new(ErrorCode::MalformedPolicyDocumentException, message)
}

impl Kms {
    /// A key's policy as it is shown: a user or role that is gone, or another one by now, stands
    /// there by its unique id.
    ///
    /// # Errors
    /// Those of the principals.
    pub(crate) async fn shown_policy(&self, key: &Key) -> Result<String, Error> {
        let mut text = key.record.policy.clone();
        for (arn, id) in &key.record.bound {
            if self.principals.principal(arn).await? != Some(Known::ById(id.clone())) {
                text = text.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
            }
        }
        Ok(text)
    }
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
