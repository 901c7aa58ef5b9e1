//! A second evaluator, written from the documentation's prose and not from the first: it reads the
//! JSON anew for each request, knows no compiled form, and is as slow as it likes. Generated
//! documents and requests must be decided alike by both.

use policy::{
    Attached, Caller, CallerKind, ContextEntries, Delegation, Document, DocumentKind, Identity,
    Policies, Request, Resource, Value as Actual, decide,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const KEYS: [&str; 3] =
    ["arn:aws:kms:r:111122223333:key/a", "arn:aws:kms:r:111122223333:key/b", "*"];
const ACTIONS: [&str; 3] = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"];

/// What a request has: the values of `aws:username`, `aws:TagKeys` and `kms:N`, each may be absent.
#[derive(Debug, Clone)]
struct Facts {
    username: Option<&'static str>,
    tag_keys: Option<Vec<&'static str>>,
    number: Option<i64>,
}

impl Facts {
    fn values(&self, key: &str) -> Option<Vec<String>> {
        match key.to_lowercase().as_str() {
            "aws:username" => self.username.map(|name| vec![name.to_owned()]),
            "aws:tagkeys" => {
                self.tag_keys.as_ref().map(|keys| keys.iter().map(|k| (*k).to_owned()).collect())
            }
            "kms:n" => self.number.map(|number| vec![number.to_string()]),
            _ => None,
        }
    }

    fn entries(&self) -> ContextEntries {
        let mut entries = ContextEntries::default();
        if let Some(name) = self.username {
            entries.insert("aws:UserName", Actual::from(name));
        }
        if let Some(keys) = &self.tag_keys {
            entries.insert_all("aws:TagKeys", keys.iter().map(|key| Actual::from(*key)));
        }
        if let Some(number) = self.number {
            entries.insert("kms:N", Actual::Number(number));
        }
        entries
    }
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(list).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            like(&pattern[1..], text) || (!text.is_empty() && like(pattern, &text[1..]))
        }
        (Some('?'), Some(_)) => like(&pattern[1..], &text[1..]),
        (Some(p), Some(t)) => p == t && like(&pattern[1..], &text[1..]),
        _ => false,
    }
}

/// The generated documents have one variable. None where the request has no value for it.
fn replaced(text: &str, facts: &Facts) -> Option<String> {
    if !text.contains("${aws:username}") {
        return Some(text.to_owned());
    }
    Some(text.replace("${aws:username}", facts.username?))
}

fn replaced_all(value: &Value, facts: &Facts) -> Option<Vec<String>> {
    list(value).iter().map(|text| replaced(text, facts)).collect()
}

fn number(text: &str) -> i64 {
    text.parse().unwrap()
}

fn condition_holds(name: &str, key: &str, expected: &Value, facts: &Facts) -> bool {
    let actual = facts.values(key).filter(|values| !values.is_empty());
    if name == "Null" {
        return list(expected).contains(&actual.is_none().to_string());
    }
    let (set, name) = name.split_once(':').map_or(("", name), |(set, name)| (set, name));
    let (name, if_exists) = match name.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (name, false),
    };
    if actual.is_none() && if_exists {
        return true;
    }
    let Some(expected) = replaced_all(expected, facts) else { return false };
    let negated = name.contains("Not");
    let one = |value: &String| {
        let fits = expected.iter().any(|wanted| match name.replace("Not", "").as_str() {
            "StringEquals" => wanted == value,
            "StringEqualsIgnoreCase" => wanted.to_lowercase() == value.to_lowercase(),
            "StringLike" => like(wanted, value),
            "NumericEquals" => number(wanted) == number(value),
            "NumericLessThan" => number(value) < number(wanted),
            "NumericGreaterThanEquals" => number(value) >= number(wanted),
            other => panic!("{other}"),
        });
        fits != negated
    };
    match (set, actual) {
        ("ForAllValues", None) => true,
        ("ForAnyValue", None) => false,
        (_, None) => negated,
        ("ForAllValues", Some(values)) => values.iter().all(one),
        ("ForAnyValue", Some(values)) => values.iter().any(one),
        (_, Some(values)) if negated => values.iter().all(one),
        (_, Some(values)) => values.iter().any(one),
    }
}

/// Names by which a caller is known: "AWS might validate the account first, then the role, and then
/// the assumed-role user".
fn names<'a>(caller: &Caller<'a>) -> Vec<&'a str> {
    match caller.kind {
        CallerKind::Root => vec![caller.account],
        CallerKind::User => vec![caller.account, caller.arn],
        _ => vec![caller.account, caller.identity_arn, caller.arn],
    }
}

/// 0: not at all, 1: by the account, 2: by role or user behind the session, 3: itself.
fn strength(statement: &Value, caller: &Caller<'_>, bounded: bool) -> u8 {
    let names = names(caller);
    let is = |listed: &[String], name: &str| listed.iter().any(|text| text == name);
    if let Some(not) = statement.get("NotPrincipal") {
        let listed = list(&not["AWS"]);
        let applies = if statement["Effect"] == "Allow" {
            !names.iter().any(|name| is(&listed, name))
        } else {
            bounded || !names.iter().all(|name| is(&listed, name))
        };
        return if applies { 3 } else { 0 };
    }
    let Some(principal) = statement.get("Principal") else { return 3 };
    if principal == "*" {
        return 3;
    }
    let listed = list(&principal["AWS"]);
    let is_session = caller.kind == CallerKind::AssumedRole;
    if caller.kind != CallerKind::Root && is(&listed, caller.arn) {
        3
    } else if is_session && is(&listed, caller.identity_arn) {
        2
    } else {
        u8::from(is(&listed, caller.account))
    }
}

fn statement_applies(statement: &Value, action: &str, resource: &str, facts: &Facts) -> bool {
    let any = |value: &Value, text: &str| list(value).iter().any(|pattern| like(pattern, text));
    let lower =
        |value: &Value| json!(list(value).iter().map(|a| a.to_lowercase()).collect::<Vec<_>>());
    let action = action.to_lowercase();
    let by_action = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => any(&lower(actions), &action),
        (_, Some(actions)) => !any(&lower(actions), &action),
        _ => panic!(),
    };
    // "If you specify an incomplete ARN, AWS completes it by adding wildcards to all missing
    // fields."
    let covers = |patterns: Vec<String>| {
        patterns.iter().any(|pattern| {
            let missing = 5usize.saturating_sub(pattern.matches(':').count());
            let completed = format!("{pattern}{}", ":*".repeat(missing));
            like(pattern, resource) || (pattern != "*" && like(&completed, resource))
        })
    };
    let by_resource = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(r), _) => replaced_all(r, facts).is_some_and(covers),
        (_, Some(r)) => replaced_all(r, facts).is_some_and(|r| !covers(r)),
        _ => false,
    };
    let conditions = statement["Condition"].as_object().cloned().unwrap_or_default();
    by_action
        && by_resource
        && conditions.iter().all(|(name, keys)| {
            let keys = keys.as_object().unwrap();
            keys.iter().all(|(key, expected)| condition_holds(name, key, expected, facts))
        })
}

struct Case<'a> {
    caller: &'a Caller<'a>,
    action: &'a str,
    resource: &'a str,
    facts: &'a Facts,
    bounded: bool,
}

impl Case<'_> {
    /// Whether some statement denies, and how strongly one allows.
    fn says(&self, documents: &[Value]) -> (bool, u8) {
        let mut found = (false, 0);
        for statement in documents.iter().flat_map(|d| d["Statement"].as_array().unwrap()) {
            let strength = strength(statement, self.caller, self.bounded);
            if strength == 0
                || !statement_applies(statement, self.action, self.resource, self.facts)
            {
                continue;
            }
            if statement["Effect"] == "Deny" {
                found.0 = true;
            } else {
                found.1 = found.1.max(strength);
            }
        }
        found
    }

    fn is_allowed(&self, world: &World) -> bool {
        // No policy can be attached to the root user.
        let root = self.caller.kind == CallerKind::Root;
        let (identity_denies, identity) =
            if root { (false, 3) } else { self.says(&world.identity) };
        let (boundary_denies, boundary) = self.says(world.boundary.as_slice());
        let (session_denies, session) = self.says(world.session.as_slice());
        let (key_denies, key) = self.says(std::slice::from_ref(&world.key));
        if identity_denies || boundary_denies || session_denies || key_denies {
            return false;
        }
        let identity = identity > 0;
        let within =
            (world.boundary.is_none() || boundary > 0) && (world.session.is_none() || session > 0);
        if self.caller.account != HOME {
            return key > 0 && identity && within;
        }
        key == 3 || (key == 2 && within) || (key == 1 && identity && within)
    }
}

#[derive(Debug, Clone)]
struct World {
    identity: Vec<Value>,
    boundary: Option<Value>,
    session: Option<Value>,
    key: Value,
}

fn callers() -> [Caller<'static>; 5] {
    [
        Caller::root(HOME, "arn:aws:iam::111122223333:root"),
        Caller::user(HOME, "arn:aws:iam::111122223333:user/a", "AIDAA"),
        Caller::assumed_role(
            HOME,
            "arn:aws:sts::111122223333:assumed-role/r/s",
            "arn:aws:iam::111122223333:role/r",
            "AROAR",
        ),
        Caller::user(AWAY, "arn:aws:iam::444455556666:user/a", "AIDAZ"),
        Caller::root(AWAY, "arn:aws:iam::444455556666:root"),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let set = prop_oneof![Just(""), Just("ForAllValues:"), Just("ForAnyValue:")];
    let suffix = prop_oneof![Just(""), Just("IfExists")];
    let text = prop::sample::select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
    ]);
    let number = prop::sample::select(vec![
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericGreaterThanEquals",
    ]);
    let texts = prop::sample::subsequence(vec!["a", "B", "a*", "${aws:username}", "?"], 1..3);
    let keys = prop::sample::select(vec!["aws:username", "AWS:TagKeys", "kms:absent"]);
    prop_oneof![
        3 => Just(json!({})),
        3 => (set.clone(), text, suffix.clone(), keys, texts)
            .prop_map(|(set, name, suffix, key, v)| {
                json!({format!("{set}{name}{suffix}"): {key: v}})
            }),
        2 => (set, number, suffix, -1i64..3)
            .prop_map(|(set, name, suffix, v)| {
                json!({format!("{set}{name}{suffix}"): {"kms:N": v}})
            }),
        1 => (any::<bool>(), prop::sample::select(vec!["aws:username", "aws:TagKeys"]))
            .prop_map(|(wanted, key)| json!({"Null": {key: wanted}})),
    ]
}

fn statement(principals: bool) -> impl Strategy<Value = Value> {
    let listed = vec![
        HOME,
        AWAY,
        "arn:aws:iam::111122223333:user/a",
        "arn:aws:iam::111122223333:role/r",
        "arn:aws:sts::111122223333:assumed-role/r/s",
        "arn:aws:iam::444455556666:user/a",
    ];
    let principal = prop_oneof![
        1 => Just(json!({"Principal": "*"})),
        5 => prop::sample::subsequence(listed.clone(), 1..3)
            .prop_map(|arns| json!({"Principal": {"AWS": arns}})),
        1 => prop::sample::subsequence(listed, 1..6)
            .prop_map(|arns| json!({"NotPrincipal": {"AWS": arns}})),
    ];
    let actions = prop::sample::subsequence(
        vec!["kms:Encrypt", "KMS:*crypt", "*", "kms:D*", "s3:*", "kms:?escribeKey"],
        1..3,
    );
    let resources = prop::sample::subsequence(
        vec!["*", "arn:aws:kms:*:key/a", "arn:aws:kms:r:*:key/${aws:username}", "arn:aws:kms:*:?"],
        1..3,
    );
    let not =
        |negated: bool, name: &str| if negated { format!("Not{name}") } else { name.to_owned() };
    let rarely = || prop::bool::weighted(0.2);
    (prop::bool::weighted(0.7), principal, rarely(), actions, rarely(), resources, condition())
        .prop_map(
            move |(allow, principal, not_action, actions, not_resource, resources, condition)| {
                let mut statement = json!({
                    "Effect": if allow { "Allow" } else { "Deny" },
                    not(not_action, "Action"): actions,
                    not(not_resource, "Resource"): resources,
                    "Condition": condition,
                });
                if principals {
                    statement
                        .as_object_mut()
                        .unwrap()
                        .extend(principal.as_object().unwrap().clone());
                }
                statement
            },
        )
}

fn document(principals: bool) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(principals), 1..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

fn world() -> impl Strategy<Value = World> {
    (
        prop::collection::vec(document(false), 0..3),
        prop::option::weighted(0.4, document(false)),
        prop::option::weighted(0.4, document(false)),
        document(true),
    )
        .prop_map(|(identity, boundary, session, key)| World {
            identity,
            boundary,
            session,
            key,
        })
}

fn facts() -> impl Strategy<Value = Facts> {
    let tags = prop::sample::subsequence(vec!["a", "b", "ab"], 0..=3);
    (
        prop::option::of(prop::sample::select(vec!["a", "b"])),
        prop::option::of(tags),
        prop::option::of(-1i64..3),
    )
        .prop_map(|(username, tag_keys, number)| Facts { username, tag_keys, number })
}

fn compiled(document: &Value, kind: DocumentKind) -> Document {
    Document::parse(&document.to_string(), kind, &|_| true)
        .unwrap_or_else(|malformed| panic!("{malformed}: {document}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn both_evaluators_decide_alike(
        world in world(),
        facts in facts(),
        caller in 0..5usize,
        key in 0..3usize,
        action in 0..3usize,
    ) {
        let caller = &callers()[caller];
        let (action, resource) = (ACTIONS[action], KEYS[key]);
        let bounded = world.boundary.is_some();
        let expected = Case { caller, action, resource, facts: &facts, bounded }.is_allowed(&world);

        let identity: Vec<_> =
            world.identity.iter().map(|d| compiled(d, DocumentKind::Identity)).collect();
        let boundary = world.boundary.as_ref().map(|d| compiled(d, DocumentKind::Managed));
        let session = world.session.as_ref().map(|d| compiled(d, DocumentKind::Identity));
        let key = compiled(&world.key, DocumentKind::Resource);
        let identity: Vec<_> =
            identity.iter().map(|document| Attached { name: "i", document }).collect();
        let session = session.as_ref().map(|document| [Attached { name: "s", document }]);
        let root = caller.kind == CallerKind::Root;
        let policies = Policies {
            identity: if root { Identity::Root } else { Identity::Policies(&identity) },
            boundary: boundary.as_ref().map(|document| Attached { name: "b", document }),
            session: session.as_ref().map(|s| &s[..]),
            resource: Some(Resource {
                account: HOME,
                policy: Some(Attached { name: "k", document: &key }),
                delegation: Delegation::Needed,
                grant: None,
            }),
        };
        let entries = facts.entries();
        let request = Request { caller, action, resource, context: &entries };
        prop_assert_eq!(decide(&request, &policies).is_allowed(), expected);
    }
}
