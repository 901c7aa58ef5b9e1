//! Any text through the policy parser, and what it makes of it through the evaluator: both end in
//! time, what holds for every document holds, and the naive evaluator decides alike. The first byte
//! says what kind of document it is.
#![no_main]

#[path = "../../../crates/policy/tests/decisions/case.rs"]
mod case;
#[path = "../../../crates/policy/tests/decisions/naive/mod.rs"]
mod naive;

use std::rc::Rc;

use case::{Case, Paper, Side};

use libfuzzer_sys::fuzz_target;
use policy::{
    Caller, ContextEntries, Delegation, Document, DocumentKind, Outcome, Request, Value, Values,
};

const KINDS: [DocumentKind; 4] =
    [DocumentKind::Identity, DocumentKind::Managed, DocumentKind::Resource, DocumentKind::Trust];

const ACCOUNT: &str = "111122223333";

fn callers() -> [Caller<'static>; 4] {
    let user = "arn:aws:iam::111122223333:user/eve";
    let role = "arn:aws:iam::111122223333:role/r";
    let session = "arn:aws:sts::111122223333:assumed-role/r/s";
    [
        Caller::root(ACCOUNT, "arn:aws:iam::111122223333:root"),
        Caller::user(ACCOUNT, user, "AIDAUUUUUUUUUUUUUUUU"),
        Caller::assumed_role(ACCOUNT, session, role, "AROARRRRRRRRRRRRRRRR"),
        Caller::anonymous(),
    ]
}

/// What the naive evaluator reads again for each request: no more than this.
const COMPARED_BYTES: usize = 4096;

fn entries() -> Vec<(String, Values<'static>)> {
    let one = |key: &str, value| (key.to_owned(), Values::One(value));
    vec![
        one("aws:username", Value::from("eve")),
        one("aws:SecureTransport", Value::Bool(true)),
        one("aws:CurrentTime", Value::Time(1_767_225_600_000)),
        one("aws:SourceIp", Value::Address([203, 0, 113, 9].into())),
        one("aws:SourceArn", Value::from("arn:aws:s3:::bucket")),
        one("kms:GrantOperations", Value::Number(7)),
        ("aws:TagKeys".to_owned(), Values::Many(["a", "b"].map(Value::from).into())),
    ]
}

fn context() -> ContextEntries {
    let mut context = ContextEntries::default();
    for (key, values) in entries() {
        match values {
            Values::Absent => {}
            Values::One(value) => context.insert(&key, value),
            Values::Many(values) => context.insert_all(&key, values),
        }
    }
    context.insert("kms:EncryptionContext:long", Value::from("a".repeat(4096)));
    context
}

/// The document as the only one there is, in its place.
fn compare(text: &str, kind: DocumentKind) {
    let saved =
        [("arn:aws:iam::111122223333:user/eve".to_owned(), "AIDAOTHEROTHEROTHER".to_owned())];
    let paper = Paper::read("p", kind, text).expect("it was understood before").bind(&saved);
    let paper = Rc::new(paper);
    let attached = matches!(kind, DocumentKind::Identity | DocumentKind::Managed);
    for caller in callers() {
        for (action, context) in [("kms:Encrypt", entries()), ("sts:AssumeRole", Vec::new())] {
            let mut case = Case {
                who: caller.into(),
                action: action.to_owned(),
                resource: "arn:aws:kms:us-east-1:111122223333:key/eve".to_owned(),
                context,
                identity: Vec::new(),
                boundary: None,
                session: None,
                side: None,
            };
            if attached {
                case.identity.push(Rc::clone(&paper));
            } else {
                case.side = Some(Side {
                    account: ACCOUNT.to_owned(),
                    policy: Some(Rc::clone(&paper)),
                    delegation: Delegation::Needed,
                    grant: None,
                });
            }
            assert_eq!(case.decided(), naive::decides(&case));
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    let document = match Document::parse_stored(text, kind) {
        Ok(document) => document,
        // A refusal may quote the document, but an answer must not outgrow it.
        Err(malformed) => {
            assert!(malformed.0.len() <= 1024 + 2 * text.len());
            return;
        }
    };
    let denies = text.contains("Deny") || text.contains('\\');
    let allows = text.contains("Allow") || text.contains('\\');
    for caller in &callers() {
        for context in [&() as &dyn policy::Context, &context()] {
            for action in ["kms:Encrypt", "sts:AssumeRole"] {
                let resource = "arn:aws:kms:us-east-1:111122223333:key/eve";
                let request = Request { caller, action, resource, context };
                let outcome = document.evaluate(&request);
                let applying: Vec<_> = document.applying(&request).collect();
                match outcome {
                    Outcome::Deny(ruling) => {
                        assert!(denies && applying.contains(&(ruling, false)));
                    }
                    Outcome::Allow { by, .. } => {
                        assert!(allows && applying.contains(&(by, true)));
                        assert!(applying.iter().all(|(_, allows)| *allows));
                    }
                    Outcome::Silent => assert!(applying.is_empty()),
                }
            }
        }
    }
    // Keys that nobody knows are refused, and nothing else is.
    let keys = document.condition_keys().count();
    assert_eq!(Document::parse(text, kind, &|_| false).is_ok(), keys == 0);
    assert!(Document::parse(text, kind, &|_| true).is_ok());
    if text.len() <= COMPARED_BYTES {
        compare(text, kind);
    }
});
