//! Any text through the policy parser, and what it makes of it through the evaluator: both end in
//! time, and what holds for every document holds. The first byte says what kind of document it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Caller, ContextEntries, Document, DocumentKind, Outcome, Request, Value};

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

fn context() -> ContextEntries {
    let mut context = ContextEntries::default();
    context.insert("aws:username", Value::from("eve"));
    context.insert("aws:SecureTransport", Value::Bool(true));
    context.insert("aws:CurrentTime", Value::Time(1_767_225_600_000));
    context.insert("aws:SourceIp", Value::Address([203, 0, 113, 9].into()));
    context.insert("aws:SourceArn", Value::from("arn:aws:s3:::bucket"));
    context.insert("kms:GrantOperations", Value::Number(7));
    context.insert_all("aws:TagKeys", ["a", "b"].map(Value::from));
    context.insert("kms:EncryptionContext:long", Value::from("a".repeat(4096)));
    context
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
});
