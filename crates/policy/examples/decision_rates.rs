//! Prints what a decision costs: nanoseconds and allocations, for policies from the plainest to the
//! most hostile: `cargo run --release -p policy --example decision_rates`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use policy::{
    Attached, Caller, ContextEntries, Delegation, Document, DocumentKind, Identity, Malformed,
    Policies, Request, Resource, Value, decide,
};

const TURN: Duration = Duration::from_millis(300);
const BATCH: u32 = 100;
const ACCOUNT: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

const DELEGATING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}}"#;

/// A policy of 20 statements, each with two conditions, of which the last one decides.
fn twenty_statements() -> String {
    let statements: Vec<String> = (0..20)
        .map(|n| {
            format!(
                r#"{{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey*"],
                "Resource":"arn:aws:kms:us-east-1:111122223333:key/*","Condition":{{
                "StringEquals":{{"kms:EncryptionContext:tenant":"t{n}"}},
                "IpAddress":{{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}}}}}}"#
            )
        })
        .collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

const VARIABLES: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*",
    "Resource":"*","Condition":{"StringLike":{
    "kms:EncryptionContext:tenant":"*${aws:PrincipalTag/tenant}*"}}}}"#;

/// 32 KB of patterns that a backtracking matcher would never be done with.
fn hostile(pattern: &str) -> String {
    let pattern = format!("arn:{pattern}b");
    let count = 32_000 / (pattern.len() + 3);
    let patterns = vec![format!("\"{pattern}\""); count].join(",");
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*",
        "Resource":[{patterns}]}}}}"#
    )
}

fn measure(name: &str, request: &Request<'_>, policies: &Policies<'_>, allowed: bool) {
    let decision = || {
        assert_eq!(decide(black_box(request), black_box(policies)).is_allowed(), allowed);
    };
    let allocations = allocation_counter::measure(decision).count_total;
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < TURN {
        // Reading the clock may cost as much as a decision.
        for _ in 0..BATCH {
            decision();
        }
        count += BATCH;
    }
    let each = start.elapsed() / count;
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    println!("{name:42} {rate:12.0}/s {each:>10.0?} {allocations:4} allocations");
}

fn policies<'a>(identity: Identity<'a>, key: &'a Document) -> Policies<'a> {
    let resource = Resource {
        account: ACCOUNT,
        policy: Some(Attached { name: "default", document: key }),
        delegation: Delegation::Needed,
        grant: None,
    };
    Policies { identity, boundary: None, session: None, resource: Some(resource) }
}

fn main() -> Result<(), Malformed> {
    let key = Document::parse(DELEGATING, DocumentKind::Resource, &|_| true)?;
    let mut context = ContextEntries::default();
    context.insert("kms:EncryptionContext:tenant", Value::from("t19"));
    context.insert("aws:PrincipalTag/tenant", Value::from("t19"));
    context.insert("aws:SourceIp", Value::Address([203, 0, 113, 9].into()));
    let user = Caller::user(ACCOUNT, "arn:aws:iam::111122223333:user/u", "AIDAUUUUUUUUUUUUUUUU");
    let root = Caller::root(ACCOUNT, "arn:aws:iam::111122223333:root");
    let action = "kms:GenerateDataKey";
    let request = Request { caller: &root, action, resource: KEY, context: &context };
    measure("root, default key policy", &request, &policies(Identity::Root, &key), true);

    let request = Request { caller: &user, ..request };
    let long = format!("arn:{}", "a".repeat(2044));
    let hostile_request = Request { resource: &long, ..request };
    let everything = r#"{"Version":"2012-10-17",
        "Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    for (name, text, request, allowed) in [
        ("user, one statement", everything.to_owned(), &request, true),
        ("user, 20 statements with conditions", twenty_statements(), &request, true),
        ("user, a variable between stars", VARIABLES.to_owned(), &request, true),
        (
            "32 KB of *a*a*a…b, resource of 2 KB",
            hostile(&"*a".repeat(400)),
            &hostile_request,
            false,
        ),
        (
            "32 KB of *a?*a?…b, resource of 2 KB",
            hostile(&"*a?".repeat(300)),
            &hostile_request,
            false,
        ),
        (
            "32 KB of *aaa…b*, resource of 2 KB",
            hostile(&format!("*{}b*", "a".repeat(900))),
            &hostile_request,
            false,
        ),
    ] {
        let identity = Document::parse(&text, DocumentKind::Identity, &|_| true)?;
        let attached = [Attached { name: "inline", document: &identity }];
        measure(name, request, &policies(Identity::Policies(&attached), &key), allowed);
    }

    let text = twenty_statements();
    let start = Instant::now();
    let rounds = 1000;
    for _ in 0..rounds {
        black_box(Document::parse(black_box(&text), DocumentKind::Identity, &|_| true)?);
    }
    println!("{:42} {:>10.0?}", "parsing the 20 statements", start.elapsed() / rounds);
    Ok(())
}
