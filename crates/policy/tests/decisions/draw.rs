//! Questions drawn from bytes, the same for a generated test and for a fuzzer: whoever gives the
//! bytes decides each choice. Must not know how a question is answered.

use std::rc::Rc;

use policy::{Caller, Delegation, DocumentKind, Means, Value as Actual, Values};
use serde_json::{Map, Value, json};

use crate::case::{Case, Paper, Side, Who};

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const USER: &str = "arn:aws:iam::111122223333:user/a";
const ROLE: &str = "arn:aws:iam::111122223333:role/r";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/f";
const STRANGER: &str = "arn:aws:iam::444455556666:user/a";

/// What a document may name under `AWS`.
const PRINCIPALS: [&str; 14] = [
    "*",
    HOME,
    USER,
    ROLE,
    SESSION,
    FEDERATED,
    AWAY,
    STRANGER,
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::444455556666:root",
    "AIDAUUUUUUUUUUUUUUUU",
    "AROARRRRRRRRRRRRRRRR",
    "AIDAZZZZZZZZZZZZZZZZ",
    "arn:aws:sts::444455556666:assumed-role/r/s",
];
const ACTIONS: [&str; 10] = [
    "*",
    "kms:*",
    "kms:Encrypt",
    "KMS:*crypt",
    "kms:D*",
    "kms:?ncrypt",
    "kms:*?e*",
    "s3:*",
    "sts:*",
    "sts:assumerole",
];
const RESOURCES: [&str; 12] = [
    "*",
    "arn:aws:kms:r:111122223333:key/a",
    "arn:aws:kms:*:key/a",
    "arn:aws:kms:r:*:key/${aws:username}",
    "arn:aws:kms:*:?",
    "arn:aws:kms",
    "arn:aws:s3:::a",
    "arn:${aws:Absent, 'aws'}:${kms:Absent, 'kms'}:r",
    "arn:aws:kms:r:1*:key/?",
    "arn:*b",
    "arn:aws:kms:*key*?",
    "arn:aws:*${aws:username}*",
];
const ASKED: [&str; 4] = [
    "arn:aws:kms:r:111122223333:key/a",
    "arn:aws:kms:r:111122223333:key/ab",
    "arn:aws:s3:::a",
    "*",
];
const KEYS: [&str; 6] =
    ["aws:username", "AWS:TagKeys", "kms:N", "aws:K", "kms:EncryptionContext:A b", "kms:Absent"];
const OPERATORS: [(&str, &[&str]); 26] = [
    ("StringEquals", TEXTS),
    ("StringNotEquals", TEXTS),
    ("StringEqualsIgnoreCase", TEXTS),
    ("StringNotEqualsIgnoreCase", TEXTS),
    ("StringLike", TEXTS),
    ("StringNotLike", TEXTS),
    ("NumericEquals", NUMBERS),
    ("NumericNotEquals", NUMBERS),
    ("NumericLessThan", NUMBERS),
    ("NumericLessThanEquals", NUMBERS),
    ("NumericGreaterThan", NUMBERS),
    ("NumericGreaterThanEquals", NUMBERS),
    ("DateEquals", DATES),
    ("DateNotEquals", DATES),
    ("DateLessThan", DATES),
    ("DateLessThanEquals", DATES),
    ("DateGreaterThan", DATES),
    ("DateGreaterThanEquals", DATES),
    ("Bool", &["true", "false", "True"]),
    ("BinaryEquals", &["", "AAE=", "AAI="]),
    ("IpAddress", NETWORKS),
    ("NotIpAddress", NETWORKS),
    ("ArnEquals", ARNS),
    ("ArnLike", ARNS),
    ("ArnNotEquals", ARNS),
    ("ArnNotLike", ARNS),
];
const TEXTS: &[&str] = &[
    "a",
    "B",
    "*",
    "a*",
    "*a*",
    "?",
    "${aws:username}",
    "${aws:username}*",
    "${aws:Absent, 'A'}",
    "${aws:Absent}",
    "${aws:TagKeys, 'b'}",
    "${*}",
    "${kms:n}",
    "1",
    "",
];
const NUMBERS: &[&str] = &["0", "1", "-1", "+1.0", "1.5", "-1.25", "99999999999999999999"];
const DATES: &[&str] =
    &["0", "1767225600", "2026-01-01", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:01Z"];
const NETWORKS: &[&str] = &[
    "0.0.0.0/0",
    "::/0",
    "203.0.113.7",
    "203.0.113.0/24",
    "2001:db8::/32",
    "::ffff:203.0.113.0/104",
];
const ARNS: &[&str] = &[
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:*:*:?",
    "arn:aws:iam::*:user/${aws:username}",
    "${aws:K}",
    "arn:*:${aws:Absent, 's3'}:::*",
];
/// What a request may have for a key that a text stands for.
const VALUES: [&str; 14] = [
    "a",
    "b",
    "A",
    "ab",
    "*",
    "",
    "1",
    "-1.0",
    "true",
    "AAE=",
    "203.0.113.9",
    "2026-01-01T00:00:00Z",
    "arn:aws:s3:::a",
    "arn:aws:iam::1:user/a",
];
/// Of these a text is put together that no list has.
const PIECES: [&str; 16] = [
    "a",
    "b",
    "A",
    "*",
    "?",
    ":",
    "/",
    "1",
    "é",
    "${aws:username}",
    "${*}",
    "${aws:TagKeys}",
    "${aws:K, 'a*'}",
    "${kms:N, ''}",
    "$",
    "ab",
];

/// Choices, one byte each; the first of everything once the bytes are used up.
pub(crate) struct Draw<'b>(&'b [u8]);

/// The question that the bytes make.
pub(crate) fn case(bytes: &[u8]) -> Case {
    Draw(bytes).case()
}

impl Draw<'_> {
    fn below(&mut self, end: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % end
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Yes, once in so many times.
    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    fn case(&mut self) -> Case {
        let kind =
            self.pick(&[DocumentKind::Resource, DocumentKind::Resource, DocumentKind::Trust]);
        let trust = kind == DocumentKind::Trust;
        let who = self.who();
        let action =
            if trust { "sts:AssumeRole" } else { self.pick(&["kms:Encrypt", "kms:Decrypt"]) };
        let resource = if trust { ROLE } else { self.pick(&ASKED) };
        let context = self.context();
        let mut identity = Vec::new();
        for index in 0..self.below(3) {
            identity.push(self.paper(&format!("i{index}"), DocumentKind::Identity));
        }
        let bounded = self.one_in(3);
        let boundary = if bounded { Some(self.paper("b", DocumentKind::Managed)) } else { None };
        let passed = self.one_in(3);
        let session =
            if passed { Some(vec![self.paper("s", DocumentKind::Identity)]) } else { None };
        let side = if self.one_in(8) { None } else { Some(self.side(kind)) };
        let (action, resource) = (action.to_owned(), resource.to_owned());
        Case { who, action, resource, context, identity, boundary, session, side }
    }

    fn who(&mut self) -> Who {
        let (user, role) = ("AIDAUUUUUUUUUUUUUUUU", "AROARRRRRRRRRRRRRRRR");
        let mut who = Who::from(self.pick(&[
            Caller::user(HOME, USER, user),
            Caller::assumed_role(HOME, SESSION, ROLE, role),
            Caller::root(HOME, "arn:aws:iam::111122223333:root"),
            Caller::federated_user(HOME, FEDERATED, USER, user),
            Caller::federated_user(HOME, FEDERATED, "", ""),
            // It was made again.
            Caller::user(HOME, USER, "AIDAZZZZZZZZZZZZZZZZ"),
            Caller::user(AWAY, STRANGER, "AIDAZZZZZZZZZZZZZZZZ"),
            Caller::assumed_role(
                AWAY,
                "arn:aws:sts::444455556666:assumed-role/r/s",
                "arn:aws:iam::444455556666:role/r",
                "AROAZZZZZZZZZZZZZZZZ",
            ),
            Caller::root(AWAY, "arn:aws:iam::444455556666:root"),
            Caller::service("s3.amazonaws.com"),
            Caller::federated("issuer.example"),
            Caller::federated("s3.amazonaws.com"),
            Caller::service("issuer.example"),
            Caller::anonymous(),
        ]));
        if self.one_in(4) {
            who.canonical_user = Some("c".to_owned());
        }
        who
    }

    fn side(&mut self, kind: DocumentKind) -> Side {
        let policy = if self.one_in(6) { None } else { Some(self.paper("r", kind)) };
        Side {
            account: HOME.to_owned(),
            policy,
            delegation: self.pick(&[Delegation::Needed, Delegation::Assumed]),
            grant: self.pick(&[
                None,
                None,
                None,
                Some(Means::Account),
                Some(Means::Identity),
                Some(Means::Itself),
            ]),
        }
    }

    fn context(&mut self) -> Vec<(String, Values<'static>)> {
        let mut context = Vec::new();
        for key in KEYS {
            let values = match self.below(4) {
                0 => Values::One(self.value()),
                1 => Values::One(Actual::from(self.pick(&["a", "b", "ab"]))),
                2 => Values::Many((0..self.below(4)).map(|_| self.value()).collect()),
                _ => continue,
            };
            if key != "kms:Absent" {
                context.push((key.to_owned(), values));
            }
        }
        context
    }

    fn value(&mut self) -> Actual<'static> {
        match self.below(8) {
            0 => Actual::Number(self.pick(&[0, 1, -1, 2, i64::MAX])),
            1 => Actual::Bool(self.one_in(2)),
            2 => Actual::Time(self.pick(&[0, 1_767_225_600_000, 1_767_225_601_999, i64::MAX])),
            3 => Actual::Address(
                self.pick(&[[203, 0, 113, 7].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()]),
            ),
            4 => Actual::Binary(self.pick(&[vec![], vec![0, 1]]).into()),
            5 => Actual::from(self.text()),
            _ => Actual::from(self.pick(&VALUES)),
        }
    }

    /// A text of up to seven pieces.
    fn text(&mut self) -> String {
        (0..self.below(8)).map(|_| self.pick(&PIECES)).collect()
    }

    /// A policy of the statements that are understood: a text that is put together may be out of
    /// form. Where none is, it says nothing of what is asked.
    fn paper(&mut self, name: &str, kind: DocumentKind) -> Rc<Paper> {
        let old = kind != DocumentKind::Managed && self.one_in(5);
        let version = if old { "2008-10-17" } else { "2012-10-17" };
        let document = |statements: &[Value]| {
            let json = json!({"Version": version, "Statement": statements});
            Paper::read(name, kind, &json.to_string())
        };
        let mut statements = Vec::new();
        for _ in 0..=self.below(3) {
            let statement = self.statement(kind);
            if document(std::slice::from_ref(&statement)).is_ok() {
                statements.push(statement);
            }
        }
        let paper = document(&statements).unwrap_or_else(|_| Self::silent(name, kind));
        let bound = [(USER.to_owned(), "AIDAUUUUUUUUUUUUUUUU".to_owned())];
        Rc::new(if self.one_in(3) { paper.bind(&bound) } else { paper })
    }

    fn silent(name: &str, kind: DocumentKind) -> Paper {
        let mut statement = json!({"Effect": "Deny", "Action": "sts:Nothing"});
        if matches!(kind, DocumentKind::Resource | DocumentKind::Trust) {
            statement["Principal"] = json!("*");
        }
        if kind != DocumentKind::Trust {
            statement["Resource"] = json!("*");
        }
        let json = json!({"Version": "2012-10-17", "Statement": statement});
        Paper::read(name, kind, &json.to_string()).expect("a document that is written out above")
    }

    fn statement(&mut self, kind: DocumentKind) -> Value {
        let mut statement = Map::new();
        let effect = if self.one_in(4) { "Deny" } else { "Allow" };
        statement.insert("Effect".to_owned(), json!(effect));
        if matches!(kind, DocumentKind::Resource | DocumentKind::Trust) {
            let name = self.element("Principal", 5);
            statement.insert(name, self.principal());
        }
        let actions: Vec<String> = (0..=self.below(2)).map(|_| self.action(kind)).collect();
        let name = self.element("Action", 6);
        statement.insert(name, json!(actions));
        // A statement without one is legal in a resource's policy.
        if kind != DocumentKind::Trust && !(kind == DocumentKind::Resource && self.one_in(12)) {
            let resources: Vec<String> = (0..=self.below(2)).map(|_| self.resource()).collect();
            let name = self.element("Resource", 6);
            statement.insert(name, json!(resources));
        }
        let mut conditions = Map::new();
        for _ in 0..self.below(3) {
            let (operator, key, values) = self.condition();
            conditions.insert(operator, json!({key: values}));
        }
        statement.insert("Condition".to_owned(), Value::Object(conditions));
        Value::Object(statement)
    }

    /// The element, or once in so many times its negation.
    fn element(&mut self, name: &str, times: usize) -> String {
        if self.one_in(times) { format!("Not{name}") } else { name.to_owned() }
    }

    fn action(&mut self, kind: DocumentKind) -> String {
        match (kind, self.below(8)) {
            (DocumentKind::Trust, _) => self.pick(&["sts:*", "sts:AssumeRole", "sts:Tag?ession"]),
            (_, 7) => return format!("kms:{}", self.text()),
            _ => self.pick(&ACTIONS),
        }
        .to_owned()
    }

    fn resource(&mut self) -> String {
        if self.one_in(5) {
            format!("arn:{}", self.text())
        } else {
            self.pick(&RESOURCES).to_owned()
        }
    }

    fn principal(&mut self) -> Value {
        match self.below(8) {
            0 => json!("*"),
            1 => json!({"Service": ["s3.amazonaws.com", "ec2.amazonaws.com"]}),
            2 => json!({"Federated": "issuer.example", "AWS": self.pick(&PRINCIPALS)}),
            3 => json!({"CanonicalUser": "c", "AWS": [self.pick(&PRINCIPALS)]}),
            _ => {
                let listed: Vec<_> = (0..=self.below(4)).map(|_| self.pick(&PRINCIPALS)).collect();
                json!({ "AWS": listed })
            }
        }
    }

    fn condition(&mut self) -> (String, &'static str, Vec<String>) {
        let key = self.pick(&KEYS);
        if self.one_in(12) {
            return ("Null".to_owned(), key, vec![self.pick(&["true", "false"]).to_owned()]);
        }
        let set = self.pick(&["", "", "ForAllValues:", "ForAnyValue:"]);
        let suffix = self.pick(&["", "", "IfExists"]);
        let (operator, values) = self.pick(&OPERATORS);
        let text = operator.starts_with("String");
        let values = (0..=self.below(3))
            .map(
                |_| if text && self.one_in(4) { self.text() } else { self.pick(values).to_owned() },
            )
            .collect();
        (format!("{set}{operator}{suffix}"), key, values)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::naive;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn both_evaluators_decide_alike(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let case = case(&bytes);
            prop_assert_eq!(case.decided(), naive::decides(&case), "{:#?}", case);
        }
    }

    /// A comparison of nothing but refusals would show nothing.
    #[test]
    fn every_kind_of_decision_is_drawn() {
        let mut state = 1_u64;
        let mut found: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..3000 {
            let bytes: Vec<u8> = (0..400)
                .map(|_| {
                    // An ordinary generator (Knuth's), so that the same are drawn each time.
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state.to_be_bytes()[0]
                })
                .collect();
            let words = case(&bytes).decided();
            let words = words.split(' ').take(3).collect::<Vec<_>>().join(" ");
            *found.entry(words).or_default() += 1;
        }
        for words in [
            "allow by identity",
            "allow by resource",
            "allow by root",
            "allow by grant",
            "deny explicit identity",
            "deny explicit resource",
            "deny explicit boundary",
            "deny explicit session",
            "deny implicit identity",
            "deny implicit resource",
            "deny implicit boundary",
            "deny implicit session",
        ] {
            assert!(found[words] >= 10, "{words}: {found:?}");
        }
    }
}
