//! What is a document and what is refused, in which words.

use super::*;

const ALLOW: &str = r#""Effect":"Allow","Action":"kms:*""#;

fn any(_: &str) -> bool {
    true
}

fn resource(members: &str) -> Result<Document, Malformed> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#);
    Document::parse(&text, DocumentKind::Resource, &any)
}

fn identity(members: &str) -> Result<Document, Malformed> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{{{members}}}}}"#);
    Document::parse(&text, DocumentKind::Identity, &any)
}

fn trust(members: &str) -> Result<Document, Malformed> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{{{members}}}}}"#);
    Document::parse(&text, DocumentKind::Trust, &any)
}

fn message(found: Result<Document, Malformed>) -> String {
    found.map_or_else(|malformed| malformed.0, |_| "understood".to_owned())
}

#[test]
fn the_default_key_policy_is_understood() {
    let document = Document::parse(
        r#"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"x",
        "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
        "Action":"kms:*","Resource":"*"}]}"#,
        DocumentKind::Resource,
        &any,
    )
    .unwrap();
    let principals: Vec<_> = document.principals().cloned().collect();
    assert_eq!(principals, [Principal::Account("111122223333".to_owned())]);
}

#[test]
fn what_is_legal_is_understood() {
    let everyone = r#""Principal":"*""#;
    for members in [
        format!(r"{ALLOW},{everyone}"),
        format!(r#"{ALLOW},{everyone},"Resource":"*","Condition":{{}}"#),
        format!(r#"{ALLOW},{everyone},"Resource":"*","Condition":{{"StringEquals":{{}}}}"#),
        format!(r#"{ALLOW},{everyone},"NotResource":["arn:aws:kms:*:*:key/x","*"]"#),
        format!(r#"{ALLOW},{everyone},"Sid":"With spaces, ümläuts","Resource":"arn:aws:kms""#),
        format!(
            r#"{ALLOW},"NotPrincipal":{{"AWS":["111122223333","arn:aws:iam::111122223333:role/a/b"],
            "Service":"s3.amazonaws.com","Federated":["cognito-identity.amazonaws.com"],
            "CanonicalUser":"79a59df900b949e5"}}"#
        ),
        format!(
            r#"{ALLOW},{everyone},"Condition":{{"Bool":{{"aws:SecureTransport":true}},
            "NumericLessThan":{{"kms:X":[7,-1.5,"8"]}},"DateGreaterThan":{{"aws:CurrentTime":0}},
            "ForAllValues:StringLikeIfExists":{{"kms:EncryptionContext:a b":["x*"]}}}}"#
        ),
        format!(r#"{ALLOW},{everyone},"Resource":"*:key/x""#),
        r#""Effect":"Deny","NotAction":["kms:Get?ey*","*"],"Principal":{"AWS":"*"}"#.to_owned(),
    ] {
        assert_eq!(message(resource(&members)), "understood", "{members}");
    }
    let old = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${"}}"#;
    assert!(Document::parse(old, DocumentKind::Identity, &any).is_ok());
    let actions = r#""Effect":"Allow","Action":["aws-portal:*","a.b:*"],"Resource":"*""#;
    assert_eq!(message(identity(actions)), "understood");
}

#[test]
fn rule_21_what_is_not_understood_is_refused() {
    let good = r#""Effect":"Allow","Principal":"*","Action":"kms:*""#;
    let statement = |s: &str| format!(r#"{{"Statement":[{{{s}}}]}}"#);
    for text in [
        String::new(),
        "not json".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"Statement":[]}"#.to_owned(),
        r#"{"Statement":"x"}"#.to_owned(),
        r#"{"Version":"2020-01-01","Statement":[]}"#.to_owned(),
        // A list of the members' values is no object.
        format!(r#"["2012-10-17","id",[{{{good}}}]]"#),
        r#"{"Statement":[["sid","Allow","*",null,"kms:*",null,"*",null,{}]]}"#.to_owned(),
        format!(r#"{{"Versio":"2012-10-17","Statement":[{{{good}}}]}}"#),
        format!(r#"{{"statement":[{{{good}}}]}}"#),
        format!(r#"{{"Version":null,"Statement":[{{{good}}}]}}"#),
        format!(r#"{{"Statement":[{{{good}}}],"Statement":[{{{good}}}]}}"#),
        format!(r#"{{"Statement":[{{{good}}}]}} x"#),
        format!("\u{feff}{}", statement(good)),
        statement(&format!(r#"{good},"Action":"kms:*""#)),
        statement(&format!(r#"{good},"NotAction":"kms:*""#)),
        statement(&format!(r#"{good},"NotPrincipal":"*""#)),
        statement(&format!(r#"{good},"Resource":"*","NotResource":"*""#)),
        statement(&format!(r#"{good},"Resource":[]"#)),
        statement(&format!(r#"{good},"Resource":[""]"#)),
        statement(&format!(r#"{good},"Resource":"kms""#)),
        statement(&format!(r#"{good},"Resource":"arn:""#)),
        statement(&format!(r#"{good},"Resource":["*",7]"#)),
        statement(&format!(r#"{good},"Sid":7"#)),
        statement(&format!(r#"{good},"Condition":null"#)),
        statement(&format!(r#"{good},"Condition":[]"#)),
        statement(r#""Effect":"allow","Principal":"*","Action":"kms:*""#),
        statement(r#""Principal":"*","Action":"kms:*""#),
        statement(r#""Effect":"Allow","Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":{},"Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":{"AWS":[]},"Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":"bob","Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":{"aws":"*"},"Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":{"AWS":"*","AWS":"*"},"Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":{"AWS":"bob"},"Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":{"Service":"*"},"Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":{"Federated":""},"Action":"kms:*""#),
        statement(r#""Effect":"Allow","Principal":"*""#),
        statement(r#""Effect":"Allow","Principal":"*","Action":[]"#),
        statement(r#""Effect":"Allow","Principal":"*","Action":"""#),
        statement(r#""Effect":"Allow","Principal":"*","Action":"kms""#),
        statement(r#""Effect":"Allow","Principal":"*","Action":"kms:""#),
        statement(r#""Effect":"Allow","Principal":"*","Action":"k*s:Encrypt""#),
        statement(r#""Effect":"Allow","Principal":"*","Action":"kms:a:b""#),
        statement(r#""Effect":"Allow","Principal":"*","Action":":Encrypt""#),
    ] {
        assert!(Document::parse(&text, DocumentKind::Resource, &any).is_err(), "{text}");
    }
}

#[test]
fn conditions_that_are_not_understood_are_refused() {
    for condition in [
        r#""StringEqual":{"aws:a":"b"}"#,
        r#""stringEquals":{"aws:a":"b"}"#,
        r#""ForEachValue:StringEquals":{"aws:a":"b"}"#,
        r#""ForAllValues:ForAnyValue:StringEquals":{"aws:a":"b"}"#,
        r#""StringEqualsIfExistsIfExists":{"aws:a":"b"}"#,
        r#""NullIfExists":{"aws:a":"true"}"#,
        r#""ForAnyValue:Null":{"aws:a":"true"}"#,
        r#""BoolNotEquals":{"aws:a":"true"}"#,
        r#""StringEquals":{"aws:a":"b"},"StringEquals":{"aws:a":"c"}"#,
        r#""StringEquals":{"aws:a":"b","aws:a":"c"}"#,
        r#""StringEquals":{"username":"b"}"#,
        r#""StringEquals":{"aws:":"b"}"#,
        r#""StringEquals":{"${aws:a}":"b"}"#,
        r#""StringEquals":{"aws:a":[]}"#,
        r#""StringEquals":{"aws:a":null}"#,
        r#""StringEquals":{"aws:a":["b",["c"]]}"#,
        r#""StringEquals":{"aws:a":{"b":"c"}}"#,
        r#""StringEquals":"aws:a""#,
        r#""StringEquals":{"aws:a":"${aws:b"}"#,
        r#""NumericEquals":{"aws:a":"seven"}"#,
        r#""NumericEquals":{"aws:a":"${aws:b}"}"#,
        r#""DateLessThan":{"aws:a":"tomorrow"}"#,
        r#""Bool":{"aws:a":"yes"}"#,
        r#""Null":{"aws:a":"maybe"}"#,
        r#""BinaryEquals":{"aws:a":"?"}"#,
        r#""IpAddress":{"aws:a":"1.2.3.0/33"}"#,
        r#""IpAddress":{"aws:a":["1.2.3.4","example.com"]}"#,
        r#""ArnLike":{"aws:a":"arn:aws:s3:*"}"#,
        r#""ArnLike":{"aws:a":"bucket"}"#,
        r#""ArnLike":{"aws:a":"${aws:b}/x"}"#,
    ] {
        let members = format!(r#"{ALLOW},"Principal":"*","Condition":{{{condition}}}"#);
        assert!(resource(&members).is_err(), "{condition}");
    }
}

#[test]
fn aws_says_it_in_these_words() {
    let managed = |text: &str| message(Document::parse(text, DocumentKind::Managed, &any));
    let version = "Policy document must be version 2012-10-17 or greater.";
    let old = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    assert_eq!(managed(old), version);
    assert_eq!(managed(&old.replacen('{', r#"{"Version":"2008-10-17","#, 1)), version);
    assert_eq!(managed(&old.replacen('{', r#"{"Version":"2012-10-17","#, 1)), "understood");
    assert_eq!(managed("This is not a json document"), "Syntax errors in policy.");

    let everything = r#""Effect":"Allow","Action":"*","Resource":"*""#;
    let twice =
        format!(r#"{{"Statement":[{{"Sid":"a",{everything}}},{{"Sid":"a",{everything}}}]}}"#);
    assert_eq!(
        message(Document::parse(&twice, DocumentKind::Identity, &any)),
        "Statement IDs (SID) in a single policy must be unique."
    );
    for (members, expected) in [
        (r#""Effect":"Allow","Resource":"*""#, "Policy statement must contain actions."),
        (
            r#""Effect":"Allow","Resource":"*","Action":[]"#,
            "Policy statement must contain actions.",
        ),
        (r#""Effect":"Allow","Action":"s3:x""#, "Policy statement must contain resources."),
        (r#""Effect":"Maybe","Action":"s3:x","Resource":"*""#, "Syntax errors in policy."),
        (
            r#""Effect":"Allow","Action":"s3:x","Resource":"*","Principal":"*""#,
            "Policy document should not specify a principal.",
        ),
        (
            r#""Effect":"Allow","Action":"invalid","Resource":"*""#,
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            r#""Effect":"Allow","Action":"a:b:c","Resource":"*""#,
            "Actions/Condition can contain only one colon.",
        ),
        (r#""Effect":"Allow","Action":"a a:b","Resource":"*""#, "Vendor a a is not valid"),
        (
            r#""Effect":"Allow","Action":"s3:x","Resource":"bucket""#,
            "Resource bucket must be in ARN format or \"*\".",
        ),
        (
            r#""Effect":"Allow","Action":"s3:x","Resource":"**""#,
            "Resource ** must be in ARN format or \"*\".",
        ),
        (
            r#""Effect":"Allow","Action":"s3:x","Resource":"*",
            "Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}"#,
            "The policy failed legacy parsing",
        ),
    ] {
        assert_eq!(message(identity(members)), expected, "{members}");
    }
}

#[test]
fn aws_says_it_of_trust_and_key_policies_in_these_words() {
    for (members, expected) in [
        (r#""Effect":"Allow","Action":"sts:AssumeRole","Principal":"*""#, "understood"),
        (
            r#""Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*""#,
            "Has prohibited field Resource",
        ),
        (
            r#""Effect":"Allow","Action":"s3:GetObject","Principal":"*""#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            r#""Effect":"Allow","Action":"sts:AssumeRole""#,
            "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The \
             passed in policy has a statement with no principals!",
        ),
    ] {
        assert_eq!(message(trust(members)), expected, "{members}");
    }
    assert_eq!(message(resource(ALLOW)), "Policy contains a statement with no principal.");
    assert_eq!(
        message(resource(r#""Effect":"Allow","Action":"kms:*","Principal":{"AWS":"x"}"#)),
        "Policy contains a statement with one or more invalid principals."
    );
}

/// Of a resource's policy it is said what belongs where something else stands.
#[test]
fn a_syntax_error_says_what_is_expected() {
    for (members, expected) in [
        (r#""Principal":7"#, "expected \"*\" or principals by their kind"),
        (r#""Principal":{"AWS":null}"#, "expected a value or a list"),
        (r#""Principal":"*","Condition":7"#, "expected an object"),
        (
            r#""Principal":"*","Condition":{"Bool":{"aws:a":[[]]}}"#,
            "expected a text, a number or a boolean",
        ),
    ] {
        let found = message(resource(&format!("{ALLOW},{members}")));
        assert!(found.starts_with("Syntax errors in policy: "), "{found}");
        assert!(found.contains(expected), "{found}");
    }
    let list = r#"{"Statement":[[]]}"#;
    let found = message(Document::parse(list, DocumentKind::Resource, &any));
    assert!(found.contains("expected an object"), "{found}");
}

#[test]
fn a_document_says_whether_its_statements_name_resources() {
    let (with, without) = (
        format!(r#"{ALLOW},"Principal":"*","Resource":"*""#),
        format!(r#"{ALLOW},"Principal":"*""#),
    );
    assert!(resource(&with).unwrap().names_resources());
    assert!(!resource(&without).unwrap().names_resources());
    assert!(!resource(&format!("{with}}},{{{without}")).unwrap().names_resources());
    let not = format!(r#"{ALLOW},"Principal":"*","NotResource":"*""#);
    assert!(resource(&not).unwrap().names_resources());
}

#[test]
fn an_unknown_condition_key_is_refused_when_written_and_obeyed_when_stored() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*",
        "Resource":"arn:aws:kms:*:*:key/${aws:UserName}",
        "Condition":{"StringNotEquals":{"kms:ViaServce":"${aws:PrincipalTag/Team, 'x'}"}}}}"#;
    let known = ["aws:username", "aws:principaltag/team"];
    let refused =
        Document::parse(text, DocumentKind::Identity, &|key| known.contains(&key)).unwrap_err();
    assert_eq!(refused.0, "Policy has an invalid condition key: kms:viaservce");
    let stored = Document::parse_stored(text, DocumentKind::Identity).unwrap();
    let keys: Vec<_> = stored.condition_keys().collect();
    assert_eq!(keys, ["aws:username", "kms:viaservce", "aws:principaltag/team"]);
}

#[test]
fn limits_hold() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let of = |count| format!(r#"{{"Statement":[{}]}}"#, vec![statement; count].join(","));
    let parse = |text: &str| Document::parse(text, DocumentKind::Identity, &any);
    assert!(parse(&of(STATEMENTS_MAX)).is_ok());
    assert!(parse(&of(STATEMENTS_MAX + 1)).is_err());
    let around = r#"{"Id":"","Statement":}"#.len() + statement.len();
    let long = |length: usize| {
        format!(r#"{{"Id":"{}","Statement":{statement}}}"#, "x".repeat(length - around))
    };
    assert!(parse(&long(TEXT_MAX)).is_ok());
    let refused = parse(&long(TEXT_MAX + 1)).unwrap_err();
    assert_eq!(refused.to_string(), "The policy exceeds the maximum length of 131072 bytes");
    assert!(parse(&"[".repeat(TEXT_MAX)).is_err());
    assert!(parse(&r#"{"Statement":"#.repeat(9_000)).is_err());
}
