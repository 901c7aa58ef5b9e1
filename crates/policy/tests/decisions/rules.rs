//! The rules of decision that are easily got wrong, each with its number in the project's list and
//! the sentence of AWS's documentation that it comes from.

use policy::{
    Attached, Caller, ContextEntries, Decision, Delegation, Document, DocumentKind, Grant,
    Identity, Means, Permission, Policies, Refusal, Request, Resource, Value, decide,
};

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

const ROOT: Caller<'_> = Caller::root(HOME, "arn:aws:iam::111122223333:root");
const USER: Caller<'_> = Caller::user(HOME, "arn:aws:iam::111122223333:user/eve", "AIDAEVE");
const SESSION: Caller<'_> = Caller::assumed_role(
    HOME,
    "arn:aws:sts::111122223333:assumed-role/r/s",
    "arn:aws:iam::111122223333:role/r",
    "AROAR",
);
const FEDERATED: Caller<'_> = Caller::federated_user(
    HOME,
    "arn:aws:sts::111122223333:federated-user/f",
    "arn:aws:iam::111122223333:user/eve",
    "AIDAEVE",
);
const STRANGER: Caller<'_> = Caller::user(AWAY, "arn:aws:iam::444455556666:user/zoe", "AIDAZOE");
const STRANGE_SESSION: Caller<'_> = Caller::assumed_role(
    AWAY,
    "arn:aws:sts::444455556666:assumed-role/r/s",
    "arn:aws:iam::444455556666:role/r",
    "AROAZ",
);
const STRANGE_ROOT: Caller<'_> = Caller::root(AWAY, "arn:aws:iam::444455556666:root");

const ALLOW: &str = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
const DENY: &str = r#"{"Sid":"no","Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}"#;
const OTHER: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

/// A statement of a key's policy for that principal.
fn key(effect: &str, principal: &str) -> String {
    format!(r#"{{"Sid":"key","Effect":"{effect}",{principal},"Action":"kms:*","Resource":"*"}}"#)
}

fn aws(arn: &str) -> String {
    format!(r#""Principal":{{"AWS":"{arn}"}}"#)
}

#[derive(Default, Clone)]
struct Setup {
    identity: Vec<String>,
    boundary: Option<String>,
    session: Option<Vec<String>>,
    key: Option<String>,
    delegation_assumed: bool,
    grant: Option<Means>,
}

fn setup() -> Setup {
    Setup::default()
}

impl Setup {
    fn may(mut self, statement: &str) -> Self {
        self.identity.push(statement.to_owned());
        self
    }

    fn bounded(self, statement: &str) -> Self {
        Self { boundary: Some(statement.to_owned()), ..self }
    }

    fn session(self, statement: &str) -> Self {
        Self { session: Some(vec![statement.to_owned()]), ..self }
    }

    fn key(self, statements: &str) -> Self {
        Self { key: Some(statements.to_owned()), ..self }
    }

    fn granted(self, means: Means) -> Self {
        Self { grant: Some(means), ..self }
    }

    /// The decision in words: what allowed on the caller's side and on the resource's, or the
    /// clause of AWS's message.
    fn asks(&self, caller: &Caller<'_>, action: &str) -> String {
        let identity = documents(&self.identity, DocumentKind::Identity);
        let boundary = documents(self.boundary.as_slice(), DocumentKind::Managed);
        let session = self.session.as_ref().map(|s| documents(s, DocumentKind::Identity));
        let key = documents(self.key.as_slice(), DocumentKind::Resource);
        let (identity, session) =
            (attached("mine", &identity), session.as_ref().map(|s| attached("passed", s)));
        let root = caller.kind == policy::CallerKind::Root;
        let resource = Resource {
            account: HOME,
            policy: attached("default", &key).pop(),
            delegation: if self.delegation_assumed {
                Delegation::Assumed
            } else {
                Delegation::Needed
            },
            grant: self.grant.map(|means| Grant { id: "g-1", means }),
        };
        let policies = Policies {
            identity: if root { Identity::Root } else { Identity::Policies(&identity) },
            boundary: attached("bound", &boundary).pop(),
            session: session.as_deref(),
            resource: (self.key.is_some() || self.grant.is_some()).then_some(resource),
        };
        let mut context = ContextEntries::default();
        context.insert("aws:username", Value::from("eve"));
        let request = Request { caller, action, resource: KEY, context: &context };
        words(&decide(&request, &policies), action)
    }
}

fn attached<'a>(name: &'a str, documents: &'a [Document]) -> Vec<Attached<'a>> {
    documents.iter().map(|document| Attached { name, document }).collect()
}

fn documents(statements: &[String], kind: DocumentKind) -> Vec<Document> {
    statements
        .iter()
        .map(|s| {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{s}]}}"#);
            Document::parse(&text, kind, &|_| true).unwrap()
        })
        .collect()
}

fn words(decision: &Decision<'_>, action: &str) -> String {
    let side = |permission: &Option<Permission<'_>>| match permission {
        None => "-".to_owned(),
        Some(Permission::Root) => "root".to_owned(),
        Some(Permission::Grant(id)) => (*id).to_owned(),
        Some(Permission::Statement(s)) => format!("{}#{}", s.policy, s.statement),
    };
    match decision {
        Decision::Allow { identity, resource } => {
            format!("allowed by {} and {}", side(identity), side(resource))
        }
        Decision::Deny(refusal) => refusal.clause(action),
    }
}

const NO_IDENTITY: &str = "because no identity-based policy allows the kms:Encrypt action";
const NO_RESOURCE: &str = "because no resource-based policy allows the kms:Encrypt action";
const NO_BOUNDARY: &str = "because no permissions boundary allows the kms:Encrypt action";
const NO_SESSION: &str = "because no session policy allows the kms:Encrypt action";

#[track_caller]
fn expect(setup: &Setup, caller: &Caller<'_>, expected: &str) {
    assert_eq!(setup.asks(caller, "kms:Encrypt"), expected, "{caller:?}");
}

/// "A key policy that doesn't name the account locks root out too."
#[test]
fn rule_1_root_has_no_bypass() {
    expect(&setup().key(&key("Allow", &aws(HOME))), &ROOT, "allowed by root and default#0");
    expect(&setup().key(&key("Allow", &aws(USER.arn))), &ROOT, NO_RESOURCE);
    let denied = format!("{},{}", key("Allow", &aws(HOME)), key("Deny", r#""Principal":"*""#));
    expect(&setup().key(&denied), &ROOT, "with an explicit deny in a resource-based policy");
}

/// "The account principal in a key policy only delegates."
#[test]
fn rule_2_the_account_principal_delegates() {
    let delegating = setup().key(&key("Allow", &aws(HOME)));
    expect(&delegating, &USER, NO_IDENTITY);
    expect(&delegating.clone().may(ALLOW), &USER, "allowed by mine#0 and default#0");
    expect(&delegating.clone().may(OTHER), &USER, NO_IDENTITY);
    expect(&delegating.clone().may(OTHER).may(ALLOW), &SESSION, "allowed by mine#0 and default#0");
    let silent = setup().key(&key("Allow", &aws(AWAY)));
    expect(&silent.clone().may(ALLOW), &USER, NO_RESOURCE);
    expect(&silent.may(DENY), &USER, "with an explicit deny in an identity-based policy");
    // Other resources than keys and roles trust the account's policies anyhow.
    let assumed = Setup { delegation_assumed: true, ..setup().key(&key("Allow", &aws(AWAY))) };
    expect(&assumed.clone().may(ALLOW), &USER, "allowed by mine#0 and -");
    expect(&assumed, &USER, NO_IDENTITY);
}

/// "Resource-based policies that grant permissions to an IAM user ARN (that is not a federated user
/// session) are not limited by an implicit deny in an identity-based policy or permissions
/// boundary."
#[test]
fn rule_3_a_user_arn_grants_directly() {
    let named = setup().key(&key("Allow", &aws(USER.arn)));
    expect(&named, &USER, "allowed by - and default#0");
    expect(&named.clone().bounded(OTHER), &USER, "allowed by - and default#0");
    expect(&named.clone().bounded(DENY), &USER, "with an explicit deny in a permissions boundary");
    expect(&named.clone().may(ALLOW), &STRANGER, NO_RESOURCE);
    // "If a resource-based policy grants permission to the ARN of the IAM user who federated, then
    // requests made by the federated user are limited."
    expect(&named, &FEDERATED, NO_SESSION);
    expect(&named.clone().session(ALLOW), &FEDERATED, "allowed by - and default#0");
    expect(&named.session(ALLOW).bounded(OTHER), &FEDERATED, NO_BOUNDARY);
}

/// "Resource-based policies that grant permissions to an IAM role ARN are limited by an implicit
/// deny in a permissions boundary or session policy."
#[test]
fn rule_3_a_role_arn_is_held_back() {
    let named = setup().key(&key("Allow", &aws(SESSION.identity_arn)));
    expect(&named, &SESSION, "allowed by - and default#0");
    expect(&named.clone().bounded(OTHER), &SESSION, NO_BOUNDARY);
    expect(&named.clone().bounded(ALLOW), &SESSION, "allowed by - and default#0");
    expect(&named.clone().session(OTHER), &SESSION, NO_SESSION);
    expect(&named.clone().session(ALLOW).bounded(OTHER), &SESSION, NO_BOUNDARY);
    expect(&named.session(DENY), &SESSION, "with an explicit deny in a session policy");
}

/// "Permissions granted directly to a session are not limited by an implicit deny in an
/// identity-based policy, a permissions boundary, or session policy."
#[test]
fn rule_3_a_session_arn_is_not_held_back() {
    for caller in [SESSION, FEDERATED] {
        let named = setup().key(&key("Allow", &aws(caller.arn))).bounded(OTHER).session(OTHER);
        expect(&named, &caller, "allowed by - and default#0");
        expect(&named.session(DENY), &caller, "with an explicit deny in a session policy");
    }
    // Nor is what is granted to everybody ("Identity-based policy types, such as permissions
    // boundaries or session policies, do not limit permissions granted using the aws:PrincipalArn
    // condition key with a wildcard in the Principal element").
    let everyone = setup().key(&key("Allow", r#""Principal":"*""#)).bounded(OTHER).session(OTHER);
    expect(&everyone, &SESSION, "allowed by - and default#0");
    // The strongest of the statements that allow is what counts.
    let both = [SESSION.identity_arn, SESSION.arn].map(|arn| key("Allow", &aws(arn))).join(",");
    expect(&setup().key(&both).bounded(OTHER), &SESSION, "allowed by - and default#1");
}

/// "An explicit deny in any policy overrides any allows."
#[test]
fn rule_4_an_explicit_deny_wins_wherever_it_stands() {
    let open = setup().key(&key("Allow", &aws(USER.arn))).may(ALLOW).granted(Means::Itself);
    expect(&open, &USER, "allowed by - and default#0");
    let bounded = open.clone().bounded(DENY);
    expect(&bounded, &USER, "with an explicit deny in a permissions boundary");
    expect(&open.clone().session(DENY), &USER, "with an explicit deny in a session policy");
    expect(&open.clone().may(DENY), &USER, "with an explicit deny in an identity-based policy");
    let key = [key("Allow", &aws(USER.arn)), key("Deny", &aws(HOME))].join(",");
    expect(&open.key(&key), &USER, "with an explicit deny in a resource-based policy");
}

/// ListKeys, CreateKey and their like have no key: identity policies alone.
#[test]
fn rule_5_without_a_resource_identity_policies_decide() {
    expect(&setup().may(ALLOW), &USER, "allowed by mine#0 and -");
    expect(&setup().may(OTHER), &USER, NO_IDENTITY);
    expect(&setup(), &ROOT, "allowed by root and -");
    expect(&setup().may(ALLOW).bounded(OTHER), &USER, NO_BOUNDARY);
    expect(&setup().may(ALLOW).session(OTHER), &SESSION, NO_SESSION);
    expect(&setup().may(ALLOW).session(ALLOW), &FEDERATED, "allowed by mine#0 and -");
    // "If there is no session policy … If the principal is a role session, then the request is
    // Allowed. Otherwise, the request is implicitly denied."
    expect(&setup().may(ALLOW), &SESSION, "allowed by mine#0 and -");
    expect(&setup().may(ALLOW), &FEDERATED, NO_SESSION);
}

/// Cross-account: "the key policy (or a grant) must allow, and the caller's own identity policy".
#[test]
fn rule_8_across_accounts_both_sides_must_allow() {
    for principal in [AWAY, STRANGER.arn, "*"] {
        let open = setup().key(&key("Allow", &aws(principal)));
        expect(&open, &STRANGER, NO_IDENTITY);
        expect(&open.clone().may(ALLOW), &STRANGER, "allowed by mine#0 and default#0");
        expect(&open.clone().may(ALLOW).bounded(OTHER), &STRANGER, NO_BOUNDARY);
        expect(&open.clone().may(ALLOW).session(OTHER), &STRANGER, NO_SESSION);
        let denied = "with an explicit deny in an identity-based policy";
        expect(&open.may(ALLOW).may(DENY), &STRANGER, denied);
    }
    expect(&setup().key(&key("Allow", &aws(HOME))).may(ALLOW), &STRANGER, NO_RESOURCE);
    // A role's ARN is no more than a user's there.
    let named = setup().key(&key("Allow", &aws(STRANGE_SESSION.identity_arn)));
    expect(&named, &STRANGE_SESSION, NO_IDENTITY);
    expect(&named.may(ALLOW), &STRANGE_SESSION, "allowed by mine#0 and default#0");
    let named = setup().key(&key("Allow", &aws(STRANGE_SESSION.arn)));
    expect(&named.clone().session(ALLOW), &STRANGE_SESSION, NO_IDENTITY);
    expect(&named.may(ALLOW).session(OTHER), &STRANGE_SESSION, NO_SESSION);
    let root = setup().key(&key("Allow", &aws(AWAY)));
    expect(&root, &STRANGE_ROOT, "allowed by root and default#0");
    // Trust in the account's policies ends at the account.
    let assumed = Setup { delegation_assumed: true, ..setup().key(&key("Allow", &aws(HOME))) };
    expect(&assumed.may(ALLOW), &STRANGER, NO_RESOURCE);
    let granted = setup().granted(Means::Itself);
    expect(&granted, &STRANGER, NO_IDENTITY);
    expect(&granted.may(ALLOW), &STRANGER, "allowed by mine#0 and g-1");
}

/// "A re-created user of the same name doesn't match."
#[test]
fn rule_10_principals_are_bound_to_their_unique_ids() {
    let text = format!(
        r#"{{"Statement":[{},{}]}}"#,
        key("Allow", &aws(USER.arn)),
        key("Allow", &aws(SESSION.arn))
    );
    let mut document = Document::parse_stored(&text, DocumentKind::Resource).unwrap();
    document.bind(|arn| (arn == USER.arn).then(|| USER.identity_id.to_owned()));
    let allows = |caller: &Caller<'_>| {
        let request = Request { caller, action: "kms:Encrypt", resource: KEY, context: &() };
        matches!(document.evaluate(&request), policy::Outcome::Allow { .. })
    };
    assert!(allows(&USER));
    assert!(!allows(&Caller { identity_id: "AIDAOTHER", ..USER }));
    assert!(allows(&SESSION));
}

/// `"Principal": "*"` and `{"AWS": "*"}` mean everybody.
#[test]
fn rule_11_everybody() {
    for principal in [r#""Principal":"*""#, r#""Principal":{"AWS":"*"}"#] {
        let open = setup().key(&key("Allow", principal));
        for caller in [ROOT, USER, SESSION, FEDERATED, Caller::anonymous()] {
            expect(&open, &caller, "allowed by - and default#0");
        }
        expect(&open, &STRANGER, NO_IDENTITY);
    }
}

/// NotPrincipal with Deny spares whom it names with the account; with a permissions boundary, no
/// one; with Allow it gives to all others.
#[test]
fn rule_12_not_principal() {
    let not = |effect: &str, arns: &str| {
        format!(
            "{},{}",
            key("Allow", &aws("*")),
            key(effect, &format!(r#""NotPrincipal":{{"AWS":{arns}}}"#))
        )
    };
    let both = format!(r#"["{HOME}","{}"]"#, USER.arn);
    let denied = "with an explicit deny in a resource-based policy";
    expect(&setup().key(&not("Deny", &both)), &USER, "allowed by - and default#0");
    expect(&setup().key(&not("Deny", &both)), &SESSION, denied);
    expect(&setup().key(&not("Deny", &both)).bounded(ALLOW), &USER, denied);
    expect(&setup().key(&not("Deny", &format!(r#""{}""#, USER.arn))), &USER, denied);
    let alone = key("Allow", &format!(r#""NotPrincipal":{{"AWS":"{}"}}"#, USER.arn));
    expect(&setup().key(&alone), &SESSION, "allowed by - and default#0");
    expect(&setup().key(&alone), &USER, NO_RESOURCE);
}

/// Variables work in Resource, in documents of version 2012-10-17 only; an absent one makes the
/// statement not match, a NotResource included.
#[test]
fn rule_17_variables_in_resources() {
    let evaluates = |version: &str, members: &str, resource: &str| {
        let text = format!(
            r#"{{"Version":"{version}","Statement":{{"Effect":"Allow","Action":"*",{members}}}}}"#
        );
        let document = Document::parse(&text, DocumentKind::Identity, &|_| true).unwrap();
        let mut context = ContextEntries::default();
        context.insert("aws:username", Value::from("eve"));
        let request = Request { caller: &USER, action: "kms:Encrypt", resource, context: &context };
        matches!(document.evaluate(&request), policy::Outcome::Allow { .. })
    };
    let (own, other) = ("arn:aws:kms:r:1:alias/eve", "arn:aws:kms:r:1:alias/bob");
    for (version, members, resource, expected) in [
        ("2012-10-17", r#""Resource":"arn:aws:kms:*:*:alias/${aws:username}""#, own, true),
        ("2012-10-17", r#""Resource":"arn:aws:kms:*:*:alias/${aws:username}""#, other, false),
        ("2012-10-17", r#""NotResource":"arn:aws:kms:*:*:alias/${aws:username}""#, other, true),
        ("2012-10-17", r#""Resource":"arn:aws:kms:*:*:alias/${aws:userid}""#, own, false),
        ("2012-10-17", r#""NotResource":"arn:aws:kms:*:*:alias/${aws:userid}""#, own, false),
        ("2012-10-17", r#""NotResource":["arn:x","arn:${aws:userid, 'z'}"]"#, own, true),
        ("2008-10-17", r#""Resource":"arn:aws:kms:*:*:alias/${aws:username}""#, own, false),
        ("2008-10-17", r#""NotResource":"arn:aws:kms:*:*:alias/${aws:username}""#, own, true),
        ("2012-10-17", r#""Resource":"arn:aws:kms""#, own, true),
        ("2012-10-17", r#""Resource":"arn:aws:kms:r:1""#, own, true),
        ("2012-10-17", r#""Resource":"arn:aws:s3""#, own, false),
    ] {
        assert_eq!(evaluates(version, members, resource), expected, "{version} {members}");
    }
}

/// "Action matching ignores case and knows * and ?. A Deny with NotAction is common."
#[test]
fn rule_18_actions() {
    for (statement, action, allowed) in [
        (r#"{"Effect":"Allow","Action":"KMS:enc*","Resource":"*"}"#, "kms:Encrypt", true),
        (r#"{"Effect":"Allow","Action":"kms:?ncrypt","Resource":"*"}"#, "kms:Encrypt", true),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#, "kms:Encrypt", true),
        (r#"{"Effect":"Allow","NotAction":"kms:*","Resource":"*"}"#, "kms:Encrypt", false),
        (r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#, "kms:Encrypt", true),
    ] {
        let found = setup().may(statement).asks(&USER, action);
        assert_eq!(found.starts_with("allowed"), allowed, "{statement}: {found}");
    }
    let all_but = r#"{"Effect":"Deny","NotAction":"kms:Decrypt","Resource":"*"}"#;
    let denied = "with an explicit deny in an identity-based policy";
    let policies = setup().may(ALLOW).may(all_but);
    assert_eq!(policies.asks(&USER, "kms:Encrypt"), denied);
    assert_eq!(policies.asks(&USER, "kms:Decrypt"), "allowed by mine#0 and -");
}

/// "A statement without Resource is accepted and matches nothing."
#[test]
fn rule_19_a_key_statement_without_resource_matches_nothing() {
    let bare = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*"}"#;
    expect(&setup().key(bare), &USER, NO_RESOURCE);
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"kms:*"}"#;
    let beside = format!("{},{deny}", key("Allow", &aws(USER.arn)));
    expect(&setup().key(&beside), &USER, "allowed by - and default#0");
}

/// A grant is as good as a statement of the key's policy for its grantee.
#[test]
fn rule_22_grants() {
    let delegating = setup().key(&key("Allow", &aws(HOME)));
    expect(&delegating.clone().granted(Means::Itself), &USER, "allowed by - and g-1");
    expect(&setup().granted(Means::Itself), &USER, "allowed by - and g-1");
    let role = setup().key(&key("Allow", &aws(AWAY))).granted(Means::Identity);
    expect(&role, &SESSION, "allowed by - and g-1");
    expect(&role.bounded(OTHER), &SESSION, NO_BOUNDARY);
    // To the account a grant is no more than delegation.
    expect(&setup().granted(Means::Account), &USER, NO_IDENTITY);
}

/// A role's trust policy: the role is the resource, and the account principal delegates as it does
/// for keys.
#[test]
fn trust_policies_speak_of_their_role() {
    let text = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":
        ["{}","{AWAY}"]}}}}]}}"#,
        USER.arn
    );
    let trust = Document::parse(&text, DocumentKind::Trust, &|_| true).unwrap();
    let allow = r#"{"Effect":"Allow","Action":"sts:*","Resource":"*"}"#.to_owned();
    let identity = documents(&[allow], DocumentKind::Identity);
    let asks = |caller: &Caller<'_>, policies: &[Attached<'_>]| {
        let policies = Policies {
            identity: Identity::Policies(policies),
            boundary: None,
            session: None,
            resource: Some(Resource {
                account: HOME,
                policy: Some(Attached { name: "trust", document: &trust }),
                delegation: Delegation::Needed,
                grant: None,
            }),
        };
        let resource = SESSION.identity_arn;
        let request = Request { caller, action: "sts:AssumeRole", resource, context: &() };
        decide(&request, &policies).is_allowed()
    };
    let with = attached("i", &identity);
    assert!(asks(&USER, &[]));
    assert!(!asks(&STRANGER, &[]));
    assert!(asks(&STRANGER, &with));
    assert!(!asks(&SESSION, &with));
}

/// Services, and those on the way to a role, have no identity policies: the resource's alone.
#[test]
fn callers_without_an_account_need_the_resource_policy_alone() {
    let trusting = |principal: &str| setup().key(&key("Allow", principal));
    let service = Caller::service("s3.amazonaws.com");
    let named = trusting(r#""Principal":{"Service":["ec2.amazonaws.com","s3.amazonaws.com"]}"#);
    expect(&named, &service, "allowed by - and default#0");
    expect(&named.may(ALLOW), &Caller::service("sns.amazonaws.com"), NO_RESOURCE);
    let provider = "arn:aws:iam::111122223333:oidc-provider/issuer.example";
    let named = trusting(&format!(r#""Principal":{{"Federated":"{provider}"}}"#));
    expect(&named, &Caller::federated(provider), "allowed by - and default#0");
    expect(&named, &Caller::federated("issuer.example"), NO_RESOURCE);
    expect(&trusting(&aws(HOME)).may(ALLOW), &Caller::anonymous(), NO_RESOURCE);
    expect(&trusting(&aws(HOME)).granted(Means::Account), &service, NO_RESOURCE);
}

/// The reason names the statement, the policy and the layer.
#[test]
fn rule_27_the_reason_is_told() {
    let denying = documents(&[format!("{OTHER},{DENY}")], DocumentKind::Identity);
    let attached = [Attached { name: "arn:aws:iam::111122223333:policy/p", document: &denying[0] }];
    let policies = Policies {
        identity: Identity::Policies(&attached),
        boundary: None,
        session: None,
        resource: None,
    };
    let request = Request { caller: &USER, action: "kms:Encrypt", resource: "*", context: &() };
    let Decision::Deny(Refusal::Explicit(source)) = decide(&request, &policies) else { panic!() };
    assert_eq!(
        (source.layer, source.policy, source.statement, source.sid),
        (policy::Layer::Identity, "arn:aws:iam::111122223333:policy/p", 1, Some("no"))
    );
    let applying: Vec<_> = denying[0].applying(&request).collect();
    assert_eq!(applying, [(policy::Ruling { statement: 1, sid: Some("no") }, false)]);
}
