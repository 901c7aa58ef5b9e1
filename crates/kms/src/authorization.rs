//! Whether a caller may do something to a key, and in which words it is refused.

use policy::{Outcome, Request};
use service::{Context, Error, Facts};
use wire::ErrorCode;

use crate::Kms;
use crate::key::Key;

/// Refuses unless the key's policy lets the caller do `action`.
///
/// The only principals so far are root users. Root has no bypass: a key policy that doesn't name
/// the account locks it out. Within the account nothing else limits root, so the key policy alone
/// decides; another account's key needs the operation to be one that crosses accounts.
pub(crate) fn permit(
    cx: &Context<'_, Kms>,
    facts: &Facts,
    key: &Key,
    action: &str,
) -> Result<(), Error> {
    let caller = cx.caller;
    let request = Request {
        principal_arn: &caller.arn,
        account: caller.account.as_str(),
        action,
        resource: &key.arn,
    };
    let own = caller.account == key.account;
    match key.policy.evaluate(&request) {
        Outcome::Allow { .. } if own || facts.cross_account => Ok(()),
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

/// Refuses unless the caller may do all that the operation needs, to that key.
pub(crate) fn permit_all(cx: &Context<'_, Kms>, facts: &Facts, key: &Key) -> Result<(), Error> {
    for action in facts.actions {
        permit(cx, facts, key, action)?;
    }
    Ok(())
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
