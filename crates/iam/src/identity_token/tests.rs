//! Tokens that hold, and every way in which one doesn't.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

/// An issuer with one key.
struct Issuer(EncodingKey);

impl Issuer {
    fn new() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        Self(EncodingKey::from_ec_der(key.as_ref()))
    }

    /// Its key set, the key changed in those members; null takes one away.
    fn key_set(&self, changes: &Value) -> String {
        let key = Jwk::from_encoding_key(&self.0, Algorithm::ES256).unwrap();
        let mut key = serde_json::to_value(key).unwrap();
        key["kid"] = "k1".into();
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        // A key that nobody understands stands in nobody's way.
        json!({ "keys": [{ "kty": "new" }, 7, key] }).to_string()
    }

    /// A token of its, signed under that key id.
    fn token(&self, kid: Option<&str>, claims: &Value) -> String {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &self.0).unwrap()
    }
}

fn claims() -> Value {
    json!({ "iss": "https://idp.example", "aud": "app", "sub": "me", "iat": NOW, "exp": NOW + 60 })
}

/// The claims, changed in those members; null takes one away.
fn changed(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn is_invalid(result: &Result<impl Sized, Error>) -> bool {
    let code = result.as_ref().err().map(Error::code);
    code == Some(ErrorCode::InvalidIdentityTokenException)
}

/// A token that claims this, signed by nobody in particular.
fn anybodys(claims: &Value) -> String {
    Issuer::new().token(None, claims)
}

#[test]
fn signatures_are_held_against_the_key_that_is_named() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let token = issuer.token(Some("k1"), &claims());
    let verify = |set: &str| IdentityToken::verify(&token, set);
    verify(&issuer.key_set(&json!({}))).unwrap();
    verify(&issuer.key_set(&json!({ "use": "sig", "key_ops": ["verify"], "alg": null }))).unwrap();
    for wrong in [
        other.key_set(&json!({})),
        issuer.key_set(&json!({ "kid": "k2" })),
        issuer.key_set(&json!({ "use": "enc" })),
        issuer.key_set(&json!({ "key_ops": ["sign"] })),
        issuer.key_set(&json!({ "alg": "ES384" })),
        issuer.key_set(&json!({ "x": "AAAA" })),
        json!({ "keys": [] }).to_string(),
        "{}".to_owned(),
        String::new(),
    ] {
        assert!(is_invalid(&verify(&wrong)), "{wrong}");
    }
    // A token that names no key is held against those that fit.
    let unnamed = issuer.token(None, &claims());
    IdentityToken::verify(&unnamed, &issuer.key_set(&json!({ "kid": null }))).unwrap();
}

#[test]
fn an_altered_token_is_none() {
    let issuer = Issuer::new();
    let set = issuer.key_set(&json!({}));
    let token = issuer.token(Some("k1"), &claims());
    let other = issuer.token(Some("k1"), &changed(&json!({ "sub": "you" })));
    let part = |token: &str, place: usize| token.split('.').nth(place).unwrap().to_owned();
    let spliced = format!("{}.{}.{}", part(&token, 0), part(&other, 1), part(&token, 2));
    assert!(is_invalid(&IdentityToken::verify(&spliced, &set)));
    let bare = format!("{}.{}.", part(&token, 0), part(&token, 1));
    assert!(is_invalid(&IdentityToken::verify(&bare, &set)));
}

#[test]
fn only_signatures_of_issuers_count() {
    let issuer = Issuer::new();
    let set = issuer.key_set(&json!({}));
    let part = |token: &str, place: usize| token.split('.').nth(place).unwrap().to_owned();
    let signed = issuer.token(Some("k1"), &claims());
    // {"alg":"none"}, with and without the signature.
    for end in ["", &part(&signed, 2)] {
        let none = format!("eyJhbGciOiJub25lIn0.{}.{end}", part(&signed, 1));
        assert!(is_invalid(&IdentityToken::verify(&none, &set)));
    }
    // Keyed with what everybody knows: the key set itself.
    for secret in [set.as_bytes(), b""] {
        let key = EncodingKey::from_secret(secret);
        let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
        let keyed = encode(&header, &claims(), &key).unwrap();
        assert!(is_invalid(&IdentityToken::verify(&keyed, &set)));
    }
    let crit = Some(vec!["exp".to_owned()]);
    let header = Header { crit, ..Header::new(Algorithm::ES256) };
    let critical = encode(&header, &claims(), &issuer.0).unwrap();
    assert!(is_invalid(&IdentityToken::verify(&critical, &set)));
}

#[test]
fn what_every_token_has() {
    let read = |claims: &Value| IdentityToken::claimed(&anybodys(claims));
    let token = read(&claims()).unwrap();
    assert_eq!((&*token.issuer, &*token.subject), ("idp.example", "me"));
    for without in [
        json!({ "iss": null }),
        json!({ "iss": "http://idp.example" }),
        json!({ "iss": 7 }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": 7 }),
        json!({ "azp": 7 }),
        json!({ "iat": null }),
        json!({ "exp": null }),
        json!({ "exp": "soon" }),
        json!({ "exp": 1e300 }),
        json!({ "nbf": "now" }),
    ] {
        assert!(is_invalid(&read(&changed(&without))), "{without}");
    }
    for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", "e30.W10."] {
        assert!(is_invalid(&IdentityToken::claimed(text)), "{text}");
    }
}

#[test]
fn an_authorized_party_stands_for_the_audience() {
    let audiences = |changes: &Value| -> Vec<String> {
        let token = IdentityToken::claimed(&anybodys(&changed(changes))).unwrap();
        token.audiences().map(str::to_owned).collect()
    };
    assert_eq!(audiences(&json!({})), ["app"]);
    assert_eq!(audiences(&json!({ "aud": ["a", "b", 7] })), ["a", "b"]);
    assert_eq!(audiences(&json!({ "aud": ["a", "b"], "azp": "c" })), ["c"]);
}

#[test]
fn tokens_are_in_force_for_a_while() {
    let check = |changes: &Value, now: i64| {
        let token = IdentityToken::claimed(&anybodys(&changed(changes))).unwrap();
        token.check_time(Timestamp::from_millis(now * 1000)).err().map(|error| error.code())
    };
    let expired = Some(ErrorCode::ExpiredTokenException);
    let early = Some(ErrorCode::InvalidIdentityTokenException);
    assert_eq!(check(&json!({}), NOW), None);
    assert_eq!(check(&json!({}), NOW + 59), None);
    assert_eq!(check(&json!({}), NOW + 60), expired);
    assert_eq!(check(&json!({ "exp": f64::from(1_800_000_060_i32) + 0.5 }), NOW + 59), None);
    assert_eq!(check(&json!({}), NOW - SKEW), None);
    assert_eq!(check(&json!({}), NOW - SKEW - 1), early);
    assert_eq!(check(&json!({ "nbf": NOW + SKEW + 1 }), NOW), early);
}
