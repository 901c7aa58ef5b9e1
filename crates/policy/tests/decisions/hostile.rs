//! Documents and requests that somebody made to do harm: they are refused, or decided in a number
//! of steps that the document's length bounds.

use std::cell::Cell;

use policy::{
    Caller, Context, ContextEntries, Document, DocumentKind, Outcome, Request, Value, Values,
};
use serde_json::json;

/// KMS's limit of a key policy.
const LONGEST: usize = 32_768;

const USER: Caller<'_> =
    Caller::user("111122223333", "arn:aws:iam::111122223333:user/eve", "AIDAEVE");

fn applies(document: &Document, action: &str, resource: &str, context: &dyn Context) -> bool {
    let request = Request { caller: &USER, action, resource, context };
    document.evaluate(&request) != Outcome::Silent
}

/// As many different patterns as fit into the longest document, none of which `aaa…` fits, and all
/// of which `aaa…b` does.
fn patterns(prefix: &str, piece: &str) -> Vec<String> {
    let stars = |count: usize| format!("{prefix}{}b", piece.repeat(count));
    let mut patterns = Vec::new();
    let mut length = 400;
    for count in (1..400).rev() {
        let pattern = stars(count);
        length += pattern.len() + 3;
        if length > LONGEST {
            break;
        }
        patterns.push(pattern);
    }
    patterns
}

/// A matcher that goes back to where it was for every star would need more steps than there will
/// ever be for these.
#[test]
fn wildcards_of_32_kb_are_searched_to_their_end() {
    let document = |statement: &serde_json::Value| {
        let text = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        assert!(text.len() <= LONGEST, "{}", text.len());
        Document::parse(&text, DocumentKind::Identity, &|_| true).unwrap()
    };
    let long = "a".repeat(4096);
    let end = format!("{long}b");
    for piece in ["*a", "*a?", "?*a", "**", "*a*", "*aa?a*a"] {
        let actions = json!({"Effect": "Deny", "Action": patterns("kms:", piece), "Resource": "*"});
        let actions = document(&actions);
        assert!(!applies(&actions, &format!("kms:{long}"), "*", &()), "{piece}");
        assert!(applies(&actions, &format!("kms:{end}"), "*", &()), "{piece}");

        let resources =
            json!({"Effect": "Deny", "Action": "*", "Resource": patterns("arn:", piece)});
        let resources = document(&resources);
        assert!(!applies(&resources, "kms:Encrypt", &format!("arn:{long}"), &()), "{piece}");
        assert!(applies(&resources, "kms:Encrypt", &format!("arn:{end}"), &()), "{piece}");

        for (operator, prefix) in [("StringLike", ""), ("ArnLike", "arn:*:*:*:*:")] {
            let condition = json!({operator: {"aws:k": patterns(prefix, piece)}});
            let statement =
                json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition});
            let conditions = document(&statement);
            for (value, expected) in [(&long, false), (&end, true)] {
                let mut context = ContextEntries::default();
                let prefix = prefix.replace('*', "x");
                context.insert("aws:k", Value::from(format!("{prefix}{value}")));
                let found = applies(&conditions, "kms:Encrypt", "*", &context);
                assert_eq!(found, expected, "{operator} {piece}");
            }
        }
    }
}

/// What a caller calls itself is no pattern, however it looks and however often it stands.
#[test]
fn a_hostile_value_of_a_variable_is_a_text() {
    let text = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
        "Resource": format!("arn:{}b", "*${aws:username}".repeat(100))}});
    let text = text.to_string();
    let document = Document::parse(&text, DocumentKind::Identity, &|_| true).unwrap();
    let name = "*a".repeat(32);
    let mut context = ContextEntries::default();
    context.insert("aws:username", Value::from(name.clone()));
    let resource = |times: usize, end: &str| format!("arn:{}{end}", name.repeat(times));
    assert!(applies(&document, "kms:Encrypt", &resource(100, "b"), &context));
    assert!(!applies(&document, "kms:Encrypt", &resource(99, "b"), &context));
    assert!(!applies(&document, "kms:Encrypt", &resource(100, "c"), &context));
}

/// Counts how often it is asked.
struct Counting(Cell<usize>);

impl Context for Counting {
    fn values(&self, _key: &str) -> Values<'_> {
        self.0.set(self.0.get() + 1);
        Values::One(Value::from("x"))
    }
}

/// The most statements that there may be, and of each what it reads is asked for once.
#[test]
fn a_thousand_statements_are_read_once() {
    let statement = |index: usize| {
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition":
            {"StringEquals": {"aws:k": format!("{index}")}, "Null": {"aws:n": true}}})
    };
    let mut statements: Vec<_> = (0..999).map(statement).collect();
    statements.push(json!({"Sid": "last", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:k": "x"}}}));
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let document = Document::parse(&text, DocumentKind::Identity, &|_| true).unwrap();
    let context = Counting(Cell::new(0));
    let request =
        Request { caller: &USER, action: "kms:Encrypt", resource: "*", context: &context };
    let Outcome::Deny(ruling) = document.evaluate(&request) else { panic!("it is denied") };
    assert_eq!((ruling.statement, ruling.sid), (999, Some("last")));
    assert!(context.0.get() <= 2 * 1000, "{}", context.0.get());
}

/// A variable is looked up for each place where it stands, twice: whether it is there, and its
/// value.
#[test]
fn variables_are_looked_up_as_often_as_they_stand() {
    let patterns: Vec<String> =
        (0..500).map(|index| format!("{index}${{aws:a}}${{aws:b}}")).collect();
    let text = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
        "Resource": "*", "Condition": {"StringLike": {"aws:k": patterns}}}});
    let document = Document::parse(&text.to_string(), DocumentKind::Identity, &|_| true).unwrap();
    let context = Counting(Cell::new(0));
    assert!(!applies(&document, "kms:Encrypt", "*", &context));
    assert!(context.0.get() <= 1 + 2 * 2 * 500, "{}", context.0.get());
}

/// What JSON could say in two ways, or not at all.
#[test]
fn hostile_json_is_refused() {
    let statement = r#""Effect":"Allow","Action":"*","Resource":"*""#;
    let parse = |text: &str| Document::parse(text, DocumentKind::Identity, &|_| true);
    assert!(parse(&format!(r#"{{"Statement":{{{statement}}}}}"#)).is_ok());
    for text in [
        // The same member, once with an escape in its name.
        format!(r#"{{"Statement":{{{statement},"\u0041ction":"s3:x"}}}}"#),
        format!(r#"{{"Statement":{{{statement},"\u0045ffect":"Deny"}}}}"#),
        format!(r#"{{"Statement":{{{statement}}},"St\u0061tement":{{{statement}}}}}"#),
        format!(
            r#"{{"Statement":{{{statement},"Condition":{{"Bool":{{"aws:a":true}},
            "\u0042ool":{{"aws:b":true}}}}}}}}"#
        ),
        // Half of a character that takes two, alone.
        format!(r#"{{"Statement":{{{statement},"Sid":"\ud800"}}}}"#),
        format!(r#"{{"Statement":{{{statement},"Sid":"\udc00\ud800"}}}}"#),
        // Control characters, and other liberties.
        format!("{{\"Statement\":{{{statement},\"Sid\":\"a\nb\"}}}}"),
        format!("{{\"Statement\":{{{statement},}}}}"),
        format!("{{\"Statement\":{{{statement}}}}} // more"),
        format!("/* less */ {{\"Statement\":{{{statement}}}}}"),
        format!("{{'Statement':{{{statement}}}}}"),
        format!("{{\"Statement\":{{{statement}}}}}\u{0}"),
        format!(
            r#"{{"Statement":{{{statement},"Condition":{{"NumericEquals":{{"aws:a":1e999}}}}}}}}"#
        ),
        format!(
            r#"{{"Statement":{{{statement},"Condition":{{"NumericEquals":{{"aws:a":NaN}}}}}}}}"#
        ),
        format!(r#"{{"Statement":{{{statement},"Condition":{{"Bool":{{"aws:a":TRUE}}}}}}}}"#),
    ] {
        assert!(parse(&text).is_err(), "{text}");
    }
    // Within a member's value an escape is what it stands for.
    let text = r#"{"Statement":{"Effect":"D\u0065ny","Action":"\u002a","Resource":"\u002A"}}"#;
    assert!(applies(&parse(text).unwrap(), "kms:Encrypt", "*", &()));
}
