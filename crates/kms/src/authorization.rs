//! Whether a caller may do something to a key, and in which words it is refused.

use policy::{Attached, Decision, Delegation, Grant, Layer, Means, Refusal, Resource};
use service::{CallerKind, Context, Error, Facts};
use wire::ErrorCode;

use crate::Kms;
use crate::conditions::Conditions;
use crate::grants::Circumstances;
use crate::grants::account_arn;
use crate::key::Key;
use crate::key_policy::DEFAULT_NAME;

/// Refuses unless policies let the caller do `action` to the key, or are silent and a grant does.
///
/// Root has no bypass: a key policy that doesn't name the account locks it out. Another account's
/// key needs the operation to be one that crosses accounts, whatever its policy says.
pub(crate) async fn permit(
    cx: &Context<'_, Kms>,
    facts: &Facts,
    key: &Key,
    action: &str,
    request: &Circumstances,
) -> Result<(), Error> {
    if cx.caller.account != key.account && !facts.cross_account {
        return Err(unreachable_key(cx, action));
    }
    let mut conditions = Conditions::of(cx, key, action, request);
    let mut refused = decide(cx, key, &conditions, None);
    if conditions.lack_aliases() {
        conditions.learn_aliases(cx.service.aliases_of(key).await?);
        refused = decide(cx, key, &conditions, None);
    }
    let Err(refused) = refused else { return Ok(()) };
    // No grant overrides a denial.
    if !refused.silent || !facts.grantable {
        return Err(refused.error);
    }
    let Some(means) = granted(cx, key, action, request).await? else { return Err(refused.error) };
    let grant = Grant { id: "", means };
    decide(cx, key, &conditions, Some(grant)).map_err(|refused| refused.error)
}

/// Why policies don't let a caller do something.
struct Refused {
    /// Whether nothing denies it, so that a grant may allow it.
    silent: bool,
    error: Error,
}

/// What the caller's policies and the key's say, and a grant beside them.
fn decide(
    cx: &Context<'_, Kms>,
    key: &Key,
    conditions: &Conditions<'_>,
    grant: Option<Grant<'_>>,
) -> Result<(), Refused> {
    let (caller, action) = (cx.caller, conditions.action);
    let side = Resource {
        account: key.account.as_str(),
        policy: Some(Attached { name: DEFAULT_NAME, document: &key.policy }),
        delegation: Delegation::Needed,
        grant,
    };
    caller.decide(action, &key.arn, conditions, Some(side), |decision| {
        let Decision::Deny(refusal) = decision else { return Ok(()) };
        let (silent, layer) = match refusal {
            Refusal::Explicit(source) => (false, source.layer),
            Refusal::Implicit(layer) => (true, layer),
        };
        // Another account's caller learns nothing of the policy, nor whether there is such a key.
        let error = if layer == Layer::Resource && caller.account != key.account {
            unreachable_key(cx, action)
        } else {
            caller.denied(action, &key.arn, &refusal.clause(action))
        };
        Err(Refused { silent, error })
    })
}

/// Refuses unless the caller may retire a grant on the key: as a party to whom the grant gives that
/// (`party`), or by its own policies where the grant leaves it to the account (`delegated`). The
/// key's policy has no say in it (developer guide, "Retiring and revoking grants").
///
/// # Errors
/// AccessDeniedException.
pub(crate) fn permit_retiring(
    cx: &Context<'_, Kms>,
    key: &Key,
    action: &str,
    party: bool,
    delegated: bool,
) -> Result<(), Error> {
    let request = Circumstances::default();
    let conditions = Conditions::of(cx, key, action, &request);
    let caller = cx.caller;
    caller.decide(action, &key.arn, &conditions, None, |decision| match decision {
        Decision::Deny(Refusal::Explicit(source)) => {
            let clause = Refusal::Explicit(source).clause(action);
            Err(caller.denied(action, &key.arn, &clause))
        }
        _ if party => Ok(()),
        Decision::Allow { .. } if delegated => Ok(()),
        Decision::Deny(refusal) if caller.account == key.account => {
            Err(caller.denied(action, &key.arn, &refusal.clause(action)))
        }
        _ => Err(unreachable_key(cx, action)),
    })
}

/// Refuses unless the caller's own policies let it do `action` to what has no policy itself: an
/// alias, or no resource at all (`*`).
///
/// # Errors
/// AccessDeniedException.
pub(crate) fn permit_by_identity(
    cx: &Context<'_, Kms>,
    action: &str,
    resource: &str,
) -> Result<(), Error> {
    let request = Circumstances::default();
    cx.caller.permit(action, resource, &Conditions::of_account(cx, action, &request))
}

/// Refuses unless the caller's own policies let it make a key in the account: a new one, or the
/// replica of that one; with tags, which takes another permission.
///
/// # Errors
/// AccessDeniedException.
pub(crate) fn permit_new_key(
    cx: &Context<'_, Kms>,
    primary: Option<&Key>,
    tagged: bool,
) -> Result<(), Error> {
    let request = Circumstances::default();
    let actions = ["kms:CreateKey", "kms:TagResource"];
    actions[..=usize::from(tagged)].iter().try_for_each(|action| {
        let conditions = match primary {
            Some(primary) => Conditions::of(cx, primary, action, &request),
            None => Conditions::of_account(cx, action, &request),
        };
        cx.caller.permit(action, "*", &conditions)
    })
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

/// The principals whose grants the caller may use, by the names that grants have for them, and what
/// a grant to each is worth to it: users and roles by their unique ids, all else by ARN.
pub(crate) fn grantees(cx: &Context<'_, Kms>) -> Vec<(String, Means)> {
    let caller = cx.caller;
    let account = account_arn(&caller.account, cx.region);
    if caller.kind == CallerKind::Root {
        return vec![(account, Means::Itself)];
    }
    let mut names = Vec::with_capacity(3);
    let own = caller.principal.as_deref().map(|principal| principal.unique_id.clone());
    if caller.kind == CallerKind::User {
        names.extend(own.map(|id| (id, Means::Itself)));
    } else {
        names.push((caller.arn.clone(), Means::Itself));
        names.extend(own.map(|id| (id, Means::Identity)));
    }
    names.push((account, Means::Account));
    names
}

/// By the strongest of which names a grant on the key allows the caller the action, if one does.
async fn granted(
    cx: &Context<'_, Kms>,
    key: &Key,
    action: &str,
    request: &Circumstances,
) -> Result<Option<Means>, Error> {
    for (principal, means) in grantees(cx) {
        if cx.service.is_granted(key, &principal, action, request).await? {
            return Ok(Some(means));
        }
    }
    Ok(None)
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

/// The refusal of what only services, or another account's principals, may ask for.
pub(crate) fn no_service(cx: &Context<'_, Kms>, action: &str, resource: &str) -> Error {
    let reason = Refusal::Implicit(Layer::Identity).clause(action);
    cx.caller.denied(action, resource, &reason)
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
