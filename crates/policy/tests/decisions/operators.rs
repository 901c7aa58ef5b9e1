//! Each condition operator as a table: values of the document, values of the request, whether the
//! condition is met (IAM User Guide, "IAM JSON policy elements: Condition operators").

use std::net::IpAddr;

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

fn met(operator: &str, expected: &str, actual: Option<Value<'static>>) -> bool {
    let mut context = ContextEntries::default();
    context.insert("aws:username", Value::from("eve"));
    if let Some(value) = actual {
        context.insert("aws:k", value);
    }
    applies("Allow", &format!(r#""{operator}":{{"aws:K":{expected}}}"#), &context)
}

#[track_caller]
fn table(rows: &[(&str, &str, Value<'static>, bool)]) {
    for (operator, expected, actual, is_met) in rows {
        assert_eq!(
            met(operator, expected, Some(actual.clone())),
            *is_met,
            "{operator} {expected} {actual:?}"
        );
    }
}

fn text(text: &'static str) -> Value<'static> {
    Value::from(text)
}

#[test]
fn strings() {
    table(&[
        ("StringEquals", r#""a""#, text("a"), true),
        ("StringEquals", r#""a""#, text("A"), false),
        ("StringEquals", r#"["b","a"]"#, text("a"), true),
        ("StringEquals", r#""a*""#, text("ab"), false),
        ("StringEquals", r#""a*""#, text("a*"), true),
        ("StringEquals", r#""""#, text(""), true),
        ("StringEquals", r#""${aws:username}""#, text("eve"), true),
        ("StringEquals", r#""7""#, Value::Number(7), true),
        ("StringEquals", r#""true""#, Value::Bool(true), true),
        ("StringEquals", r#""2026-01-01T00:00:00Z""#, Value::Time(1_767_225_600_000), true),
        ("StringNotEquals", r#""a""#, text("a"), false),
        ("StringNotEquals", r#""a""#, text("b"), true),
        ("StringNotEquals", r#"["b","a"]"#, text("a"), false),
        ("StringEqualsIgnoreCase", r#""Straße É""#, text("STRAßE é"), true),
        ("StringEqualsIgnoreCase", r#""a""#, text("b"), false),
        ("StringEqualsIgnoreCase", r#""${aws:UserName}s""#, text("EVES"), true),
        ("StringNotEqualsIgnoreCase", r#""a""#, text("A"), false),
        ("StringNotEqualsIgnoreCase", r#""a""#, text("b"), true),
        ("StringLike", r#""a*c?""#, text("abbcd"), true),
        ("StringLike", r#""a*c?""#, text("abbc"), false),
        ("StringLike", r#""A*""#, text("ab"), false),
        ("StringLike", r#""a${*}""#, text("ab"), false),
        ("StringLike", r#""${aws:username}*""#, text("everyone"), true),
        ("StringNotLike", r#""a*""#, text("ab"), false),
        ("StringNotLike", r#""a*""#, text("b"), true),
    ]);
}

#[test]
fn numbers() {
    let number = Value::Number;
    table(&[
        ("NumericEquals", r#""10.0""#, number(10), true),
        ("NumericEquals", "[9,10]", number(10), true),
        ("NumericEquals", "10", text("10.000"), true),
        ("NumericEquals", "10", number(11), false),
        ("NumericEquals", "9007199254740993", number(9_007_199_254_740_992), false),
        ("NumericNotEquals", "10", number(11), true),
        ("NumericNotEquals", "10", number(10), false),
        ("NumericLessThan", "10", number(9), true),
        ("NumericLessThan", "10", number(10), false),
        ("NumericLessThanEquals", "10", number(10), true),
        ("NumericLessThanEquals", "10", number(11), false),
        ("NumericGreaterThan", "-1.5", number(-1), true),
        ("NumericGreaterThan", "10", number(10), false),
        ("NumericGreaterThanEquals", "10", number(10), true),
        ("NumericGreaterThanEquals", "10", number(9), false),
    ]);
}

#[test]
fn dates() {
    let noon = r#""2026-01-01T12:00:00Z""#;
    let at = |hour: i64| Value::Time((1_767_225_600 + hour * 3600) * 1000);
    table(&[
        ("DateEquals", noon, at(12), true),
        ("DateEquals", "1767268800", at(12), true),
        ("DateEquals", noon, Value::Number(1_767_268_800), true),
        ("DateEquals", noon, text("2026-01-01T13:00:00+01:00"), true),
        ("DateEquals", noon, at(11), false),
        ("DateNotEquals", noon, at(12), false),
        ("DateNotEquals", noon, at(11), true),
        ("DateLessThan", noon, at(11), true),
        ("DateLessThan", noon, at(12), false),
        ("DateLessThanEquals", noon, at(12), true),
        ("DateLessThanEquals", noon, at(13), false),
        ("DateGreaterThan", noon, at(13), true),
        ("DateGreaterThan", noon, at(12), false),
        ("DateGreaterThanEquals", noon, at(12), true),
        ("DateGreaterThanEquals", noon, at(11), false),
    ]);
}

#[test]
fn truth_bytes_and_addresses() {
    let address = |text: &str| Value::Address(text.parse::<IpAddr>().unwrap());
    let bytes = |bytes: &'static [u8]| Value::Binary(bytes.into());
    table(&[
        ("Bool", "true", Value::Bool(true), true),
        ("Bool", r#""True""#, text("TRUE"), true),
        ("Bool", r#""false""#, Value::Bool(true), false),
        ("Bool", r#"["false","true"]"#, Value::Bool(true), true),
        ("BinaryEquals", r#""AAE=""#, bytes(&[0, 1]), true),
        ("BinaryEquals", r#""AAE=""#, bytes(&[0, 2]), false),
        ("BinaryEquals", r#""AAE=""#, text("AAE="), true),
        ("IpAddress", r#""203.0.113.0/24""#, address("203.0.113.9"), true),
        ("IpAddress", r#""203.0.113.0/24""#, text("203.0.113.9"), true),
        ("IpAddress", r#""203.0.113.0/24""#, address("203.0.114.9"), false),
        ("IpAddress", r#"["203.0.113.0/24","2001:db8::/32"]"#, address("2001:db8::1"), true),
        ("NotIpAddress", r#""203.0.113.0/24""#, address("203.0.113.9"), false),
        ("NotIpAddress", r#""203.0.113.0/24""#, address("203.0.114.9"), true),
        ("NotIpAddress", r#""203.0.113.0/24""#, address("::ffff:203.0.113.9"), false),
    ]);
}

#[test]
fn arns() {
    let pattern = r#""arn:aws:someservice:*:111122223333:finance/*""#;
    let spread =
        text("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/d");
    for (like, not_like) in [("ArnLike", "ArnNotLike"), ("ArnEquals", "ArnNotEquals")] {
        for (expected, actual, is_met) in [
            (pattern, text("arn:aws:someservice:eu-west-1:111122223333:finance/x:y/z"), true),
            (pattern, spread.clone(), false),
            (r#""arn:aws:iam::1:a:${aws:username}:c""#, text("arn:aws:iam::1:a:eve:c"), true),
            (r#""arn:aws:iam::1:a:b""#, text("arn:aws:iam::1:a:b:c"), false),
            (pattern, text("arn:aws:someservice:eu-west-1:111122223333:Finance/x"), false),
            (r#""*""#, text("arn:aws:iam::111122223333:user/x"), true),
            (r#""arn:aws:iam::*:user/${aws:username}""#, text("arn:aws:iam::1:user/eve"), true),
            (r#""arn:aws:iam::*:user/${aws:username}""#, text("arn:aws:iam::1:user/ev"), false),
            (r#""${aws:k}""#, text("arn:aws:iam::1:user/eve"), true),
        ] {
            assert_eq!(met(like, expected, Some(actual.clone())), is_met, "{like} {expected}");
            assert_eq!(met(not_like, expected, Some(actual)), !is_met, "{not_like} {expected}");
        }
    }
    assert!(met("StringLike", pattern, Some(spread)));
}

#[test]
fn null_asks_for_presence() {
    for (expected, actual, is_met) in [
        ("true", None, true),
        (r#""false""#, None, false),
        ("true", Some("x"), false),
        (r#""false""#, Some("x"), true),
        (r#""false""#, Some(""), true),
        ("[true,false]", None, true),
    ] {
        assert_eq!(met("Null", expected, actual.map(text)), is_met, "{expected} {actual:?}");
    }
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

#[test]
fn several_values() {
    let with = |values: &[&'static str]| {
        let mut context = ContextEntries::default();
        context.insert_all("aws:TagKeys", values.iter().map(|v| Value::from(*v)));
        context
    };
    for (operator, actual, is_met) in [
        ("ForAllValues:StringEquals", &["a", "b"][..], true),
        ("ForAllValues:StringEquals", &["a", "x"], false),
        ("ForAllValues:StringNotEquals", &["x", "y"], true),
        ("ForAllValues:StringNotEquals", &["x", "a"], false),
        ("ForAnyValue:StringEquals", &["x", "a"], true),
        ("ForAnyValue:StringEquals", &["x", "y"], false),
        ("ForAnyValue:StringNotEquals", &["a", "x"], true),
        ("ForAnyValue:StringNotEquals", &["a", "b"], false),
        ("ForAnyValue:StringLike", &["x", "b"], true),
        // Without a qualifier one value must fit, and none where the operator is negated.
        ("StringEquals", &["x", "a"], true),
        ("StringEquals", &["x", "y"], false),
        ("StringNotEquals", &["x", "a"], false),
        ("StringNotEquals", &["x", "y"], true),
    ] {
        let condition = format!(r#""{operator}":{{"aws:TagKeys":["a","b"]}}"#);
        assert_eq!(applies("Allow", &condition, &with(actual)), is_met, "{operator} {actual:?}");
    }
    let null = |wanted: &str| format!(r#""Null":{{"aws:TagKeys":{wanted}}}"#);
    assert!(applies("Allow", &null("true"), &with(&[])));
    assert!(applies("Allow", &null("false"), &with(&["a"])));
}

#[test]
fn all_conditions_must_hold() {
    let mut context = ContextEntries::default();
    context.insert("aws:a", Value::from("1"));
    context.insert("aws:b", Value::from("2"));
    for (condition, is_met) in [
        (r#""StringEquals":{"aws:a":"1","aws:b":"2"}"#, true),
        (r#""StringEquals":{"aws:a":"1","aws:b":"1"}"#, false),
        (r#""StringEquals":{"aws:a":"1"},"NumericEquals":{"aws:b":2}"#, true),
        (r#""StringEquals":{"aws:a":"1"},"NumericEquals":{"aws:b":3}"#, false),
    ] {
        assert_eq!(applies("Allow", condition, &context), is_met, "{condition}");
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

/// Six components alone don't make an ARN.
#[test]
fn what_only_looks_like_an_arn_never_helps() {
    let mut context = ContextEntries::default();
    context.insert("aws:k", text("a:b:c:d:e:f"));
    for operator in ["ArnLike", "ArnNotLike"] {
        let condition = format!(r#""{operator}":{{"aws:k":"*:b:*:*:*:*"}}"#);
        assert!(!applies("Allow", &condition, &context), "{operator}");
        assert!(applies("Deny", &condition, &context), "{operator}");
    }
}

/// Rule 17: an absent variable makes the statement not match, also where it is negated.
#[test]
fn rule_17_absent_variables() {
    let mut context = ContextEntries::default();
    context.insert("aws:k", Value::from("x"));
    context.insert_all("aws:TagKeys", [Value::from("x")]);
    for (condition, is_met) in [
        (r#""StringEquals":{"aws:k":"${aws:userid}"}"#, false),
        (r#""StringNotEquals":{"aws:k":"${aws:userid}"}"#, false),
        (r#""StringNotEquals":{"aws:absent":"${aws:userid}"}"#, false),
        (r#""StringEquals":{"aws:k":["x","${aws:userid}"]}"#, false),
        (r#""StringNotLike":{"aws:k":"${aws:TagKeys}"}"#, false),
        (r#""StringEquals":{"aws:k":["${aws:userid, 'x'}"]}"#, true),
        (r#""StringNotEquals":{"aws:k":["${aws:userid, 'y'}"]}"#, true),
        (r#""StringEqualsIfExists":{"aws:absent":"${aws:userid}"}"#, true),
        (r#""StringEqualsIfExists":{"aws:k":"${aws:userid}"}"#, false),
        (r#""ArnNotLike":{"aws:k":"${aws:userid}"}"#, false),
    ] {
        assert_eq!(applies("Allow", condition, &context), is_met, "{condition}");
    }
}
