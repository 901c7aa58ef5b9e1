//! A second evaluator, written from the documentation's prose and not from the first: it reads the
//! JSON anew for each request, knows no compiled form, and is as slow as it likes. Whatever the
//! question, both must answer the same, reason included.

mod condition;
mod text;

use policy::{CallerKind, Delegation, DocumentKind, Means};
use serde_json::Value;

use crate::case::{Case, Paper, Who};
use condition::holds;
use text::{Facts, like, list, written};

/// By which of its names a statement means the caller, the weakest first: its account, the role or
/// user behind its session, itself.
const ACCOUNT: u8 = 1;
const BEHIND: u8 = 2;
const ITSELF: u8 = 3;

/// What the policies of one kind say.
#[derive(Default)]
struct Said {
    /// The first statement that denies.
    denies: Option<String>,
    /// How strongly one allows, and which: the first of the strongest.
    allows: Option<(u8, String)>,
}

/// The decision, in the words of the table.
pub(crate) fn decides(case: &Case) -> String {
    let said = |layer: &str, papers: &mut dyn Iterator<Item = &Paper>| says(case, layer, papers);
    // "You can't attach identity-based policies to the root user."
    let root = case.who.kind == CallerKind::Root;
    let side = case.side.as_ref();
    let identity = if root {
        Said { denies: None, allows: Some((ITSELF, "root".to_owned())) }
    } else {
        said("identity", &mut case.identity.iter().map(AsRef::as_ref))
    };
    let resource = said("resource", &mut side.and_then(|side| side.policy.as_deref()).into_iter());
    let boundary = said("boundary", &mut case.boundary.as_deref().into_iter());
    let session = said("session", &mut case.session.iter().flatten().map(AsRef::as_ref));

    // "Deny evaluation: … a single explicit deny in any applicable policy" ends it.
    for said in [&identity, &resource, &boundary, &session] {
        if let Some(statement) = &said.denies {
            return format!("deny explicit {statement}");
        }
    }
    let identity = identity.allows.map(|(_, by)| by);
    // A grant counts as a statement of the key's policy would.
    let grant = side.and_then(|side| side.grant).map(|means| match means {
        Means::Account => (ACCOUNT, "grant".to_owned()),
        Means::Identity => (BEHIND, "grant".to_owned()),
        Means::Itself => (ITSELF, "grant".to_owned()),
    });
    let resource = match (resource.allows, grant) {
        (Some(policy), Some(grant)) if policy.0 < grant.0 => Some(grant),
        (None, grant) => grant,
        (policy, _) => policy,
    };
    let beyond = if case.boundary.is_some() && boundary.allows.is_none() {
        Some("deny implicit boundary")
    } else {
        // "If there is no session policy … role session: allowed. Otherwise … implicitly denied."
        let missing = match case.session {
            Some(_) => session.allows.is_none(),
            None => case.who.kind == CallerKind::FederatedUser,
        };
        missing.then_some("deny implicit session")
    };
    settle(case, identity, resource, beyond)
}

/// The decision where nothing denies. `beyond` is what boundary and session policies say where they
/// don't allow.
fn settle(
    case: &Case,
    identity: Option<String>,
    resource: Option<(u8, String)>,
    beyond: Option<&str>,
) -> String {
    let refused = |reason: &str| reason.to_owned();
    let side = case.side.as_ref();
    let strength = resource.as_ref().map_or(0, |(strength, _)| *strength);
    let by_resource = resource.map(|(_, by)| by);
    let who = &case.who;
    if who.account.is_empty() {
        return match by_resource {
            Some(by) if strength == ITSELF => format!("allow by {by}"),
            _ => refused("deny implicit resource"),
        };
    }
    let at_home = side.is_none_or(|side| side.account == who.account);
    let both = |identity: &str| match &by_resource {
        Some(by) => format!("allow by {identity} and {by}"),
        None => format!("allow by {identity}"),
    };
    // "For cross-account access … the resource-based policy and the identity-based policy must both
    // allow."
    let decided_by_identity = if at_home {
        match strength {
            ITSELF => return format!("allow by {}", by_resource.unwrap_or_default()),
            BEHIND => false,
            ACCOUNT => true,
            // "Unless the key policy explicitly allows it, you cannot use IAM policies to allow
            // access to a KMS key."
            _ => match side {
                Some(side) if side.delegation == Delegation::Needed => {
                    return refused("deny implicit resource");
                }
                _ => true,
            },
        }
    } else if strength == 0 {
        return refused("deny implicit resource");
    } else {
        true
    };
    match (decided_by_identity, identity, beyond) {
        (true, None, _) => refused("deny implicit identity"),
        (_, _, Some(refusal)) => refused(refusal),
        (true, Some(identity), None) => both(&identity),
        (false, _, None) => format!("allow by {}", by_resource.unwrap_or_default()),
    }
}

fn says(case: &Case, layer: &str, papers: &mut dyn Iterator<Item = &Paper>) -> Said {
    let mut said = Said::default();
    for paper in papers {
        for (index, statement) in statements(&paper.json).into_iter().enumerate() {
            let strength = strength(paper, statement, case);
            if strength == 0 || !applies(paper, statement, case) {
                continue;
            }
            let by = format!("{layer} {}#{index}", paper.name);
            if statement["Effect"] == "Deny" {
                said.denies.get_or_insert(by);
            } else if said.allows.as_ref().is_none_or(|(known, _)| *known < strength) {
                said.allows = Some((strength, by));
            }
        }
    }
    said
}

fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        one => vec![one],
    }
}

/// By which of its names a listed principal is the caller; 0 where it isn't.
fn named(paper: &Paper, kind: &str, listed: &str, who: &Who) -> u8 {
    let session = matches!(who.kind, CallerKind::AssumedRole | CallerKind::FederatedUser);
    let by = |is: bool, strength: u8| if is { strength } else { 0 };
    let identity = if session { BEHIND } else { ITSELF };
    match kind {
        "Service" => by(who.kind == CallerKind::Service && listed == who.arn, ITSELF),
        "Federated" => by(who.kind == CallerKind::Federated && listed == who.arn, ITSELF),
        "CanonicalUser" => by(who.canonical_user.as_deref() == Some(listed), ACCOUNT),
        _ if listed == "*" => ITSELF,
        _ if listed == who.account || is_root_of(listed, &who.account) => {
            by(!who.account.is_empty(), ACCOUNT)
        }
        _ if session && listed == who.arn => ITSELF,
        // "When you save the policy, AWS transforms the ARN to the principal's unique ID."
        _ => {
            let saved = paper.bound.iter().find(|(arn, _)| arn == listed);
            let is = saved.map_or_else(
                || !listed.is_empty() && (listed == who.identity_arn || listed == who.identity_id),
                |(_, id)| *id == who.identity_id,
            );
            by(is, identity)
        }
    }
}

fn is_root_of(arn: &str, account: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    matches!(parts[..], ["arn", _, "iam", "", a, "root"] if a == account)
}

fn strength(paper: &Paper, statement: &Value, case: &Case) -> u8 {
    let who = &case.who;
    let strengths = |principals: &Value| -> Vec<u8> {
        match principals {
            Value::Object(kinds) => kinds
                .iter()
                .flat_map(|(kind, listed)| {
                    list(listed).into_iter().map(|name| named(paper, kind, &name, who))
                })
                .collect(),
            everybody => vec![named(paper, "AWS", everybody.as_str().unwrap_or_default(), who)],
        }
    };
    if let Some(not) = statement.get("NotPrincipal") {
        let listed = strengths(not);
        let applies = if statement["Effect"] == "Allow" {
            listed.iter().all(|strength| *strength == 0)
        } else {
            // "… always deny any IAM principal with a permissions boundary policy attached."
            case.boundary.is_some() || !is_spared(not, &listed, who)
        };
        return if applies { ITSELF } else { 0 };
    }
    match statement.get("Principal") {
        None => ITSELF,
        Some(principals) => strengths(principals).into_iter().max().unwrap_or(0),
    }
}

/// "AWS might validate the account first, then the role, and then the assumed-role user": the deny
/// spares whom all of these names spare.
fn is_spared(not: &Value, listed: &[u8], who: &Who) -> bool {
    let everybody = |value: &Value| list(value).iter().any(|name| name == "*");
    if not == "*" || not.get("AWS").is_some_and(everybody) {
        return true;
    }
    let names = match who.kind {
        CallerKind::Root => vec![ACCOUNT],
        CallerKind::User => vec![ACCOUNT, ITSELF],
        // The root user may have opened the session: there is nobody behind it.
        _ if who.account.is_empty() => vec![ITSELF],
        _ if who.identity_arn.is_empty() => vec![ACCOUNT, ITSELF],
        _ => vec![ACCOUNT, BEHIND, ITSELF],
    };
    names.iter().all(|name| listed.contains(name))
}

fn applies(paper: &Paper, statement: &Value, case: &Case) -> bool {
    let variables = paper.json["Version"] == "2012-10-17";
    let facts = Facts { context: &case.context, variables };
    let element = |name: &str| {
        let plain = statement.get(name).map(|value| (list(value), true));
        let not = statement.get(format!("Not{name}")).map(|value| (list(value), false));
        plain.or(not)
    };
    let Some((actions, wanted)) = element("Action") else { return false };
    let action = case.action.to_ascii_lowercase();
    let fits = |pattern: &String| like(&written(&pattern.to_ascii_lowercase()), &action);
    if actions.iter().any(fits) != wanted {
        return false;
    }
    let by_resource = match element("Resource") {
        // The role is the resource of its trust policy.
        None => paper.kind == DocumentKind::Trust,
        Some((resources, wanted)) => facts
            .patterns(
                &resources.iter().flat_map(|text| completed(text, variables)).collect::<Vec<_>>(),
            )
            .is_some_and(|patterns| patterns.iter().any(|p| like(p, &case.resource)) == wanted),
    };
    let conditions = statement["Condition"].as_object();
    let allows = statement["Effect"] == "Allow";
    by_resource
        && conditions.into_iter().flatten().all(|(operator, keys)| {
            let mut keys = keys.as_object().into_iter().flatten();
            keys.all(|(key, expected)| holds(operator, key, expected, &facts, allows))
        })
}

/// "If you specify an incomplete ARN …, AWS completes the ARN by adding wildcard characters to all
/// missing fields." A star may stand for several fields already, so that it is read both ways.
fn completed(text: &str, variables: bool) -> Vec<String> {
    let fields = text::fields(text, variables).len();
    let missing = if text.starts_with("arn:") { 6_usize.saturating_sub(fields) } else { 0 };
    vec![text.to_owned(), format!("{text}{}", ":*".repeat(missing))]
}
