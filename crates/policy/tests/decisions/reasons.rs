//! What a decision tells beside yes and no: the statement with its Sid, AWS's words of a refusal,
//! and all statements that apply.

use policy::{
    Attached, Caller, Decision, Document, DocumentKind, Identity, Layer, Permission, Policies,
    Refusal, Request, Ruling, Source, decide,
};

const USER: Caller<'_> =
    Caller::user("111122223333", "arn:aws:iam::111122223333:user/eve", "AIDAEVE");
const REQUEST: Request<'_> =
    Request { caller: &USER, action: "kms:Encrypt", resource: "*", context: &() };

fn document() -> Document {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"other","Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Effect":"Allow","Action":"kms:*","Resource":"*"},
        {"Sid":"no","Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}"#;
    Document::parse(text, DocumentKind::Identity, &|_| true).unwrap()
}

#[test]
fn rule_27_the_reason_is_told() {
    let document = document();
    let name = "arn:aws:iam::111122223333:policy/p";
    let attached = [Attached { name, document: &document }];
    let policies = Policies {
        identity: Identity::Policies(&attached),
        boundary: None,
        session: None,
        resource: None,
    };
    let denied = decide(&REQUEST, &policies);
    let source = |statement, sid| Source { layer: Layer::Identity, policy: name, statement, sid };
    assert_eq!(denied, Decision::Deny(Refusal::Explicit(source(2, Some("no")))));
    assert!(!denied.is_allowed());
    let allowed = decide(&Request { action: "kms:Decrypt", ..REQUEST }, &policies);
    let identity = Some(Permission::Statement(source(1, None)));
    assert_eq!(allowed, Decision::Allow { identity, resource: None });
    assert!(allowed.is_allowed());
}

#[test]
fn all_that_applies_is_told() {
    let document = document();
    let applying = |action| {
        let request = Request { action, ..REQUEST };
        document.applying(&request).collect::<Vec<_>>()
    };
    let allows = (Ruling { statement: 1, sid: None }, true);
    let denies = (Ruling { statement: 2, sid: Some("no") }, false);
    assert_eq!(applying("kms:Encrypt"), [allows, denies]);
    assert_eq!(applying("kms:Decrypt"), [allows]);
    assert_eq!(applying("iam:GetUser"), []);
}

#[test]
fn rule_27_a_refusal_in_aws_words() {
    for (layer, explicit, implicit) in [
        (
            Layer::Identity,
            "with an explicit deny in an identity-based policy",
            "because no identity-based policy allows the kms:Encrypt action",
        ),
        (
            Layer::Resource,
            "with an explicit deny in a resource-based policy",
            "because no resource-based policy allows the kms:Encrypt action",
        ),
        (
            Layer::Boundary,
            "with an explicit deny in a permissions boundary",
            "because no permissions boundary allows the kms:Encrypt action",
        ),
        (
            Layer::Session,
            "with an explicit deny in a session policy",
            "because no session policy allows the kms:Encrypt action",
        ),
    ] {
        let source = Source { layer, policy: "p", statement: 0, sid: None };
        assert_eq!(Refusal::Explicit(source).clause("kms:Encrypt"), explicit);
        assert_eq!(Refusal::Implicit(layer).clause("kms:Encrypt"), implicit);
    }
}
