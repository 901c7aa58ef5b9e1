//! Every combination of what decides a request: who calls, what each policy says, and whom the
//! resource's policy and a grant mean. Both evaluators must decide each alike, and what must hold
//! of all of them holds.

use std::rc::Rc;

use policy::{Caller, CallerKind, Delegation, DocumentKind, Means};
use serde_json::{Value, json};

use crate::case::{Case, Paper, Side, Who};
use crate::naive;

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const USER: &str = "arn:aws:iam::111122223333:user/eve";
const ROLE: &str = "arn:aws:iam::111122223333:role/app";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/one";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/laptop";
const STRANGER: &str = "arn:aws:iam::444455556666:user/zoe";
const STRANGE_ROLE: &str = "arn:aws:iam::444455556666:role/app";
const STRANGE_SESSION: &str = "arn:aws:sts::444455556666:assumed-role/app/one";

fn callers() -> Vec<Who> {
    [
        Caller::root(HOME, "arn:aws:iam::111122223333:root"),
        Caller::user(HOME, USER, "AIDAEVEEVEEVEEVEEVE"),
        Caller::assumed_role(HOME, SESSION, ROLE, "AROAAPPAPPAPPAPPAPP"),
        Caller::federated_user(HOME, FEDERATED, USER, "AIDAEVEEVEEVEEVEEVE"),
        Caller::federated_user(HOME, FEDERATED, "", ""),
        Caller::root(AWAY, "arn:aws:iam::444455556666:root"),
        Caller::user(AWAY, STRANGER, "AIDAZOEZOEZOEZOEZOE"),
        Caller::assumed_role(AWAY, STRANGE_SESSION, STRANGE_ROLE, "AROAZOEZOEZOEZOEZOE"),
        Caller::service("s3.amazonaws.com"),
        Caller::federated("issuer.example"),
        Caller::anonymous(),
    ]
    .map(Who::from)
    .to_vec()
}

fn paper(name: &str, kind: DocumentKind, statements: &[Value]) -> Rc<Paper> {
    let json = json!({"Version": "2012-10-17", "Statement": statements});
    Rc::new(Paper::read(name, kind, &json.to_string()).unwrap())
}

/// A policy without principals that says nothing of the request, allows it, denies it, or does
/// both.
fn says(name: &str, kind: DocumentKind) -> [Rc<Paper>; 4] {
    let statement = |effect: &str, action: &str| -> Value {
        json!({"Effect": effect, "Action": action, "Resource": "*"})
    };
    let other = statement("Allow", "s3:*");
    let allow = statement("Allow", "kms:*");
    let deny = statement("Deny", "kms:Encrypt");
    [
        paper(name, kind, std::slice::from_ref(&other)),
        paper(name, kind, &[other, allow.clone()]),
        paper(name, kind, std::slice::from_ref(&deny)),
        paper(name, kind, &[allow, deny]),
    ]
}

fn key_policies() -> Vec<Option<Rc<Paper>>> {
    let to = |effect: &str, principal: &Value| -> Value {
        json!({"Effect": effect, "Principal": principal, "Action": "kms:*", "Resource": "*"})
    };
    let accounts = json!({"AWS": [HOME, AWAY]});
    let behind = json!({"AWS": [USER, ROLE, STRANGER, STRANGE_ROLE]});
    let itself = json!({"AWS": [SESSION, FEDERATED, STRANGE_SESSION],
        "Service": "s3.amazonaws.com", "Federated": "issuer.example"});
    let nobody = json!({"AWS": "arn:aws:iam::111122223333:user/gone"});
    let everybody = json!("*");
    let spared = json!({"AWS": [HOME, USER, ROLE, SESSION]});
    let but = |effect: &str| -> Value {
        json!({"Effect": effect, "NotPrincipal": spared, "Action": "kms:*", "Resource": "*"})
    };
    let policies = [
        vec![to("Allow", &nobody)],
        vec![to("Allow", &accounts)],
        vec![to("Allow", &behind)],
        vec![to("Allow", &itself)],
        vec![to("Allow", &everybody)],
        vec![to("Allow", &accounts), to("Allow", &behind), to("Allow", &itself)],
        vec![to("Deny", &everybody)],
        vec![to("Allow", &everybody), to("Deny", &accounts)],
        vec![to("Allow", &everybody), to("Deny", &itself)],
        vec![to("Allow", &everybody), but("Deny")],
        vec![to("Deny", &nobody), but("Allow")],
    ];
    let papers = policies.map(|statements| Some(paper("r", DocumentKind::Resource, &statements)));
    [None].into_iter().chain(papers).collect()
}

fn sides() -> Vec<Option<Side>> {
    let mut sides = vec![None];
    for policy in key_policies() {
        for delegation in [Delegation::Needed, Delegation::Assumed] {
            for grant in [None, Some(Means::Account), Some(Means::Identity), Some(Means::Itself)] {
                let (account, policy) = (HOME.to_owned(), policy.clone());
                sides.push(Some(Side { account, policy, delegation, grant }));
            }
        }
    }
    sides
}

/// None, and each of these.
fn perhaps<T: Clone>(of: &[T]) -> Vec<Option<T>> {
    [None].into_iter().chain(of.iter().cloned().map(Some)).collect()
}

fn cases() -> impl Iterator<Item = Case> {
    let identity = says("i", DocumentKind::Identity).map(|paper| vec![paper]);
    let identities = perhaps(&identity);
    let boundaries = perhaps(&says("b", DocumentKind::Managed)[..3]);
    let sessions = perhaps(&says("s", DocumentKind::Identity).map(|paper| vec![paper])[..3]);
    let mut cases = Vec::new();
    for (who, side) in callers().iter().flat_map(|who| sides().into_iter().map(move |s| (who, s))) {
        for identity in &identities {
            for boundary in &boundaries {
                for session in &sessions {
                    cases.push(Case {
                        who: who.clone(),
                        action: "kms:Encrypt".to_owned(),
                        resource: "arn:aws:kms:r:111122223333:key/a".to_owned(),
                        context: Vec::new(),
                        identity: identity.clone().unwrap_or_default(),
                        boundary: boundary.clone(),
                        session: session.clone(),
                        side: side.clone(),
                    });
                }
            }
        }
    }
    cases.into_iter()
}

fn has(papers: &[&Rc<Paper>], effect: &str) -> bool {
    let statements = papers.iter().filter_map(|paper| paper.json["Statement"].as_array()).flatten();
    statements.into_iter().any(|s| s["Effect"] == effect && s["Action"] != "s3:*")
}

/// What holds whoever decides: a denial on the caller's side is the end, a key of which no policy
/// and no grant speaks is nobody's, and who comes from another account needs its leave too.
fn check(case: &Case, words: &str) {
    let allowed = words.starts_with("allow ");
    let root = case.who.kind == CallerKind::Root;
    let own: Vec<_> = if root { Vec::new() } else { case.identity.iter().collect() };
    let bounds: Vec<_> = case.boundary.iter().chain(case.session.iter().flatten()).collect();
    if has(&own, "Deny") || has(&bounds, "Deny") {
        assert!(words.starts_with("deny explicit "), "{words}: {case:#?}");
    }
    let Some(side) = &case.side else { return };
    if side.delegation == Delegation::Needed && side.policy.is_none() && side.grant.is_none() {
        assert!(!allowed, "{words}: {case:#?}");
    }
    if case.who.account == AWAY && !root && !has(&own, "Allow") {
        assert!(!allowed, "{words}: {case:#?}");
    }
    if case.who.account != HOME && side.policy.is_none() && side.grant.is_none() {
        assert!(!allowed, "{words}: {case:#?}");
    }
}

#[test]
fn every_combination_is_decided_alike() {
    let mut count = 0;
    for case in cases() {
        let words = case.decided();
        assert_eq!(words, naive::decides(&case), "{case:#?}");
        check(&case, &words);
        count += 1;
    }
    assert_eq!(count, 11 * 97 * 5 * 4 * 4);
}
