//! What holds of all condition operators alike, of each by itself (IAM User Guide, "IAM JSON policy
//! elements: Condition operators"). What each one compares is in the table.

use policy::{Caller, Context, ContextEntries, Document, DocumentKind, Outcome, Request, Value};

/// Whether a statement of that effect with that condition applies to a request with that context.
fn applies(effect: &str, condition: &str, context: &dyn Context) -> bool {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"kms:*",
        "Resource":"*","Condition":{{{condition}}}}}}}"#
    );
    let document = Document::parse(&text, DocumentKind::Identity, &|_| true)
        .unwrap_or_else(|malformed| panic!("{condition}: {malformed}"));
    let caller = Caller::user("111122223333", "arn:aws:iam::111122223333:user/u", "AIDAU");
    let request = Request { caller: &caller, action: "kms:Encrypt", resource: "*", context };
    document.evaluate(&request) != Outcome::Silent
}

const SAMPLES: [(&str, &str); 26] = [
    ("StringEquals", r#""a""#),
    ("StringNotEquals", r#""a""#),
    ("StringEqualsIgnoreCase", r#""a""#),
    ("StringNotEqualsIgnoreCase", r#""a""#),
    ("StringLike", r#""*""#),
    ("StringNotLike", r#""*""#),
    ("NumericEquals", "1"),
    ("NumericNotEquals", "1"),
    ("NumericLessThan", "1"),
    ("NumericLessThanEquals", "1"),
    ("NumericGreaterThan", "1"),
    ("NumericGreaterThanEquals", "1"),
    ("DateEquals", "1"),
    ("DateNotEquals", "1"),
    ("DateLessThan", "1"),
    ("DateLessThanEquals", "1"),
    ("DateGreaterThan", "1"),
    ("DateGreaterThanEquals", "1"),
    ("Bool", "false"),
    ("BinaryEquals", r#""""#),
    ("IpAddress", r#""0.0.0.0/0""#),
    ("NotIpAddress", r#""0.0.0.0/0""#),
    ("ArnEquals", r#""*""#),
    ("ArnLike", r#""*""#),
    ("ArnNotEquals", r#""*""#),
    ("ArnNotLike", r#""*""#),
];

#[test]
fn rule_13_absent_keys() {
    let mut empty = ContextEntries::default();
    empty.insert_all("aws:k", []);
    let mut blank = ContextEntries::default();
    blank.insert("aws:k", Value::from(""));
    for (operator, expected) in SAMPLES {
        let negated = operator.contains("Not");
        for context in [&() as &dyn Context, &empty] {
            let holds = |prefix: &str, suffix: &str| {
                let condition = format!(r#""{prefix}{operator}{suffix}":{{"aws:k":{expected}}}"#);
                let allows = applies("Allow", &condition, context);
                assert_eq!(allows, applies("Deny", &condition, context), "{condition}");
                allows
            };
            assert_eq!(holds("", ""), negated, "{operator}");
            assert!(holds("", "IfExists"), "{operator}");
            assert!(holds("ForAllValues:", ""), "{operator}");
            assert!(!holds("ForAnyValue:", ""), "{operator}");
            assert!(holds("ForAllValues:", "IfExists"), "{operator}");
            assert!(holds("ForAnyValue:", "IfExists"), "{operator}");
        }
        for (set, is_met) in [("ForAllValues", true), ("ForAnyValue", false)] {
            let condition = format!(r#""{set}:{operator}":{{"aws:k":{expected}}}"#);
            assert_eq!(applies("Allow", &condition, &blank), is_met, "{condition}");
        }
    }
}

/// A value that isn't of the operator's type counts against the request, whatever the operator.
#[test]
fn what_cannot_be_compared_never_helps() {
    let mut context = ContextEntries::default();
    context.insert("aws:k", Value::from("nothing of the kind"));
    for (operator, expected) in SAMPLES.iter().filter(|(o, _)| !o.starts_with("String")) {
        for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
            for suffix in ["", "IfExists"] {
                let condition = format!(r#""{prefix}{operator}{suffix}":{{"aws:k":{expected}}}"#);
                assert!(!applies("Allow", &condition, &context), "{condition}");
                assert!(applies("Deny", &condition, &context), "{condition}");
            }
        }
    }
}
