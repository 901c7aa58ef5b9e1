//! What a seed file may say, and what is said of one that is wrong. The keys are made up for these
//! tests.

use super::*;

const ID: &str = "11111111-2222-4333-8444-555555555555";
/// A text that no message may repeat.
const SECRET: &str = "c2VjcmV0c2VjcmV0";

fn read(text: &str) -> Result<Vec<SeedKey>, Mistake> {
    let document = document::parse(text);
    document.and_then(|document| keys(document, Path::new("/nonexistent"))).map(|(keys, _)| keys)
}

/// Asserts where a mistake is found and some of what is said of it.
fn refuses(text: &str, place: (u64, u64), says: &str) {
    let Err(Mistake { at, message }) = read(text) else { panic!("accepted: {text}") };
    assert!(message.contains(says), "{message:?} instead of {says:?} for\n{text}");
    assert_eq!(at, Some(At(place.0, place.1)), "{message:?} for\n{text}");
}

#[test]
fn a_key_that_says_nothing_gets_the_defaults() {
    let keys = read(&format!("keys:\n  - id: {ID}\n")).unwrap();
    let [key] = keys.as_slice() else { panic!("one key") };
    assert_eq!((key.account.as_str(), key.region.as_str()), ("000000000000", "us-east-1"));
    assert_eq!((key.spec, key.usage), (KeySpec::SymmetricDefault, None));
    assert!(key.enabled && key.origin == OriginType::AwsKms && key.materials.is_empty());
    assert!(key.created.is_none() && key.policy.is_none() && key.tags.is_empty());
}

#[test]
fn every_field_is_read() {
    let keys = read(&format!(
        "account: 111122223333
region: eu-west-1
keys:
  - id: {}
    account: 444455556666
    region: eu-central-1
    spec: SYMMETRIC_DEFAULT
    usage: ENCRYPT_DECRYPT
    origin: AWS_KMS
    created: 2020-01-31T12:00:00Z
    description: no
    enabled: false
    tags: {{b: 1, a: yes}}
    aliases: [alias/x, alias/y]
    policy:
      Version: 2012-10-17
      Statement: [{{Effect: Allow, Principal: '*', Action: kms:*, Resource: '*'}}]
    bypass_policy_lockout_safety_check: true
    rotation: {{period_days: 90}}
    materials:
      - hex: {}
      - base64: |
          AAAAAAAAAAAAAAAAAAAA
          AAAAAAAAAAAAAAAAAAAAAAA=
  - id: {ID}
",
        ID.to_uppercase(),
        "00".repeat(32)
    ))
    .unwrap();
    let [key, other] = keys.as_slice() else { panic!("two keys") };
    assert_eq!((key.account.as_str(), key.region.as_str()), ("444455556666", "eu-central-1"));
    assert_eq!((other.account.as_str(), other.region.as_str()), ("111122223333", "eu-west-1"));
    assert_eq!(key.id.as_str(), ID);
    assert_eq!(key.created.unwrap().to_string(), "2020-01-31T12:00:00Z");
    assert_eq!((key.description.as_str(), key.enabled), ("no", false));
    let pairs: Vec<_> = key.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(pairs, ["b=1", "a=yes"]);
    assert_eq!(key.aliases, ["alias/x", "alias/y"]);
    let policy: serde_json::Value = serde_json::from_str(key.policy.as_ref().unwrap()).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    assert_eq!(policy["Statement"][0]["Action"], "kms:*");
    assert!(key.bypass_policy_lockout_safety_check);
    assert_eq!(key.rotation_period_days, Some(90));
    let lengths: Vec<_> = key.materials.iter().map(|material| material.len()).collect();
    assert_eq!(lengths, [32, 32]);
}

#[test]
fn a_policy_may_be_json_text() {
    let keys = read(&format!("keys:\n  - id: {ID}\n    policy: |\n      {{\"a\": 1}}\n")).unwrap();
    assert_eq!(keys[0].policy.as_deref().map(str::trim), Some("{\"a\": 1}"));
}

#[test]
fn mistakes_are_found_where_they_stand() {
    refuses("keys:\n  - spec: RSA_2048\n", (2, 5), "id");
    refuses(&format!("keys:\n  - id: {ID}\n    colour: red\n"), (3, 5), "colour");
    refuses(&format!("aliases: []\nkeys:\n  - id: {ID}\n"), (1, 1), "aliases");
    refuses("account: 111122223333\n", (1, 1), "keys");
    refuses("account: 11112222333\nkeys: []\n", (1, 10), "twelve digits");
    refuses("region: Mars!\nkeys: []\n", (1, 9), "Region");
    refuses("keys:\n  - id: my-key\n", (2, 9), "a UUID is expected, not \"my-key\"");
    for (line, column, says) in [
        ("spec: RSA_1024", 11, "\"RSA_1024\" is no spec; there are RSA_2048, "),
        ("usage: SIGN", 12, "\"SIGN\" is no usage; there are SIGN_VERIFY, "),
        ("origin: HERE", 13, "there are AWS_KMS, EXTERNAL"),
        ("created: yesterday", 14, "a date such as"),
        ("enabled: maybe", 14, "boolean"),
        ("tags: [a]", 11, "mapping"),
        ("aliases: alias/x", 14, "sequence"),
        ("policy: [1]", 13, "a policy is a mapping"),
        ("rotation: {period_days: soon}", 29, "i32"),
        ("rotation: {days: 90}", 16, "days"),
        ("material: {}", 15, "exactly one of hex, base64, pem and file"),
        ("material: {hex: 0}", 21, "hex digits"),
        ("material: {hex: 0g}", 21, "hex digits"),
        ("material: {base64: '?'}", 24, "base64 is expected"),
        ("material: {hex: 00, base64: AA==}", 15, "exactly one of"),
        ("material: {file: absent.pem}", 22, "/nonexistent/absent.pem: No such file"),
        ("material: {pem: nothing}", 21, "a private key in PEM is expected"),
        ("id: again", 5, "id"),
    ] {
        refuses(&format!("keys:\n  - id: {ID}\n    {line}\n"), (3, column), says);
    }
    let both = format!("keys:\n  - id: {ID}\n    material: {{hex: 00}}\n    materials: []\n");
    refuses(&both, (3, 15), "not both");
}

#[test]
fn other_pem_says_how_to_convert_it() {
    let pem = |label: &str| {
        let indent = " ".repeat(8);
        let body = format!("-----BEGIN {label}-----\n{indent}AAAA\n{indent}-----END {label}-----");
        format!("keys:\n  - id: {ID}\n    material:\n      pem: |\n{indent}{body}\n")
    };
    let convert = "openssl pkey -in KEY.pem -out KEY-pkcs8.pem";
    for label in ["EC PRIVATE KEY", "RSA PRIVATE KEY", "EC PARAMETERS", "ENCRYPTED PRIVATE KEY"] {
        refuses(&pem(label), (5, 9), convert);
        refuses(&pem(label), (5, 9), &format!("this {label} is "));
    }
    refuses(&pem("OPENSSH PRIVATE KEY"), (5, 9), "ssh-keygen");
    refuses(&pem("PUBLIC KEY"), (5, 9), "not a PUBLIC KEY");
    refuses(&pem("CERTIFICATE"), (5, 9), "not a CERTIFICATE");
    assert_eq!(read(&pem("PRIVATE KEY")).unwrap()[0].materials[0].len(), 3);
}

#[test]
fn no_message_tells_of_a_material() {
    for material in [
        format!("material: {SECRET}"),
        format!("material: [{SECRET}]"),
        format!("material: {{hex: {SECRET}}}"),
        format!("material: {{base64: '{SECRET}?'}}"),
        format!("material: {{base64: [{SECRET}]}}"),
        format!("material: {{base64: {{x: {SECRET}}}}}"),
        format!("material: {{pem: {SECRET}}}"),
        format!("material: {{pem: \"-----BEGIN {SECRET}-----\\nAA\\n-----END {SECRET}-----\"}}"),
        format!("material: {{pem: \"-----BEGIN PRIVATE KEY-----\\n{SECRET}\"}}"),
        format!("material: {{base64: {SECRET}, hex: {SECRET}}}"),
        format!("material: {{base64: {SECRET}, base64: {SECRET}}}"),
        format!("material: {{base64: \"{SECRET}"),
        format!("material: {{base64: {SECRET}"),
        format!("material:\n      pem: |\n    {SECRET}\n"),
        format!("materials: {SECRET}"),
        format!("material: !!binary {SECRET}"),
    ] {
        let Err(Mistake { message, .. }) = read(&format!("keys:\n  - id: {ID}\n    {material}\n"))
        else {
            panic!("accepted: {material}")
        };
        assert!(!message.contains(&SECRET[..6]), "{message}");
    }
}

#[test]
fn documents_that_would_cost_too_much_are_refused() {
    let mut bomb = vec!["      a: &a [x, x, x, x, x, x, x, x, x, x]".to_owned()];
    for (outer, inner) in "bcdefghi".chars().zip("abcdefgh".chars()) {
        let aliases = vec![format!("*{inner}"); 10].join(", ");
        bomb.push(format!("      {outer}: &{outer} [{aliases}]"));
    }
    let policy = bomb.join("\n");
    let Err(Mistake { message, .. }) = read(&format!("keys:\n  - id: {ID}\n    policy:\n{policy}"))
    else {
        panic!("a bomb was accepted")
    };
    assert!(message.contains("too large or too complex"), "{message}");
    let deep = format!("keys:\n  - id: {ID}\n    policy: {{a: {}}}\n", "[".repeat(200));
    assert!(read(&deep).is_err());
    assert!(read(&format!("keys:\n  - id: {ID}\n---\nkeys: []\n")).is_err());
}
