//! Whether a caller may do something to a key, and in which words it is refused.

use policy::{Outcome, Request};
use service::{Caller, CallerKind, Context, Error, Facts};
use wire::ErrorCode;

use crate::Kms;
use crate::grants::Circumstances;
use crate::key::Key;

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
    let caller = cx.caller;
    let own = caller.account == key.account;
    let within_reach = own || facts.cross_account;
    let outcome = key.policy.evaluate(&Request {
        principal_arn: &caller.arn,
        account: caller.account.as_str(),
        action,
        resource: &key.arn,
    });
    let permitted = within_reach
        && match outcome {
            Outcome::Allow { .. } => true,
            // No grant overrides a denial.
            Outcome::Deny { .. } => false,
            Outcome::Silent => facts.grantable && is_granted(cx, key, action, request).await?,
        };
    match outcome {
        _ if permitted => Ok(()),
        // Another account's caller learns nothing of the policy, nor whether there is such a key.
        _ if !own => Err(unreachable_key(cx, action)),
        Outcome::Deny { .. } => Err(denied(cx, action, &key.arn, EXPLICIT_DENY)),
        Outcome::Allow { .. } | Outcome::Silent => Err(denied(
            cx,
            action,
            &key.arn,
            &format!("because no resource-based policy allows the {action} action"),
        )),
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
pub(crate) fn grantees(caller: &Caller) -> impl Iterator<Item = &str> {
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

const EXPLICIT_DENY: &str = "with an explicit deny in a resource-based policy";

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
