//! Whether a caller may do something to a key, and in which words it is refused.

use policy::{
    Attached, Caller, Decision, Delegation, Identity, Policies, Refusal, Request, Resource, decide,
};
use service::{CallerKind, Context, Error, Facts};
use wire::ErrorCode;

use crate::Kms;
use crate::conditions::Conditions;
use crate::grants::Circumstances;
use crate::key::Key;
use crate::key_policy::DEFAULT_NAME;

/// Refuses unless the key's policy lets the caller do `action`, or is silent and a grant does.
///
/// The only principals so far are root users. Root has no bypass: a key policy that doesn't name
/// the account locks it out. Within the account nothing else limits root, so the key policy and
/// grants alone decide; another account's key needs the operation to be one that crosses accounts.
pub(crate) async fn permit(
    cx: &Context<'_, Kms>,
    facts: &Facts,
    key: &Key,
    action: &str,
    request: &Circumstances,
) -> Result<(), Error> {
    let own = cx.caller.account == key.account;
    let within_reach = own || facts.cross_account;
    let refused = match by_policy(cx, key, action, request) {
        Ok(()) if within_reach => return Ok(()),
        Ok(()) => return Err(unreachable_key(cx, action)),
        Err(refused) => refused,
    };
    // No grant overrides a denial.
    let grantable = refused.silent && within_reach && facts.grantable;
    if grantable && is_granted(cx, key, action, request).await? {
        return Ok(());
    }
    if own {
        return Err(denied(cx, action, &key.arn, &refused.reason));
    }
    // Another account's caller learns nothing of the policy, nor whether there is such a key.
    Err(unreachable_key(cx, action))
}

/// Why policies don't let a caller do something.
struct Refused {
    /// Whether nothing denies it, so that a grant may allow it.
    silent: bool,
    /// In AWS's words.
    reason: String,
}

/// What the key's policy says.
fn by_policy(
    cx: &Context<'_, Kms>,
    key: &Key,
    action: &str,
    request: &Circumstances,
) -> Result<(), Refused> {
    let caller = Caller::root(cx.caller.account.as_str(), &cx.caller.arn);
    let context = Conditions { cx, key, action, request };
    let asked = Request { caller: &caller, action, resource: &key.arn, context: &context };
    let policies = Policies {
        identity: Identity::Root,
        boundary: None,
        session: None,
        resource: Some(Resource {
            account: key.account.as_str(),
            policy: Some(Attached { name: DEFAULT_NAME, document: &key.policy }),
            delegation: Delegation::Needed,
            grant: None,
        }),
    };
    match decide(&asked, &policies) {
        Decision::Allow { .. } => Ok(()),
        Decision::Deny(refusal) => Err(Refused {
            silent: matches!(refusal, Refusal::Implicit(_)),
            reason: refusal.clause(action),
        }),
    }
}

/// Refuses unless the caller may do all that the operation needs, to that key. For operations that
/// no grant can allow.
pub(crate) async fn permit_all(
    cx: &Context<'_, Kms>,
    facts: &Facts,
    key: &Key,
) -> Result<(), Error> {
    for action in facts.actions {
        permit(cx, facts, key, action, &Circumstances::default()).await?;
    }
    Ok(())
}

/// The principals whose grants the caller may use, by the names that grants have for them.
pub(crate) fn grantees(caller: &service::Caller) -> impl Iterator<Item = &str> {
    match caller.kind {
        CallerKind::Root => std::iter::once(caller.arn.as_str()),
    }
}

async fn is_granted(
    cx: &Context<'_, Kms>,
    key: &Key,
    action: &str,
    request: &Circumstances,
) -> Result<bool, Error> {
    for principal in grantees(cx.caller) {
        if cx.service.is_granted(key, principal, action, request).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn denied(cx: &Context<'_, Kms>, action: &str, resource: &str, reason: &str) -> Error {
    Error::new(
        ErrorCode::AccessDeniedException,
        format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} {reason}",
            cx.caller.arn
        ),
    )
}

const NO_WAY: &str = "because the resource does not exist in this Region, no resource-based \
    policies allow access, or a resource-based policy explicitly denies access";

/// The refusal for a key of another account: the same whether it exists or not.
pub(crate) fn unreachable_key(cx: &Context<'_, Kms>, action: &str) -> Error {
    Error::new(
        ErrorCode::AccessDeniedException,
        format!(
            "User: {} is not authorized to perform: {action} on this resource {NO_WAY}",
            cx.caller.arn
        ),
    )
}

/// The refusal that names what only identity policies decide on.
pub(crate) fn no_identity_policy(cx: &Context<'_, Kms>, action: &str, resource: &str) -> Error {
    denied(
        cx,
        action,
        resource,
        &format!("because no identity-based policy allows the {action} action"),
    )
}

/// The refusal for a key that only a ciphertext names.
pub(crate) fn unreachable_by_ciphertext(cx: &Context<'_, Kms>, action: &str) -> Error {
    Error::new(
        ErrorCode::AccessDeniedException,
        format!(
            "User: {} is not authorized to perform: {action} on the resource associated with this \
             ciphertext {NO_WAY}",
            cx.caller.arn
        ),
    )
}
