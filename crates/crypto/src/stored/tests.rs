//! Tests of stored keys: each opens under its own domain key, binding, kind and spec only.

use super::*;
use crate::KeyRejection;

type Opens = Box<dyn Fn(&DomainKey, &[u8], &[u8]) -> Result<[u8; 32], Error>>;

/// A wrapped key of every kind, its id, and what opens it and names what was opened.
fn kinds(domain: &DomainKey) -> Vec<(&'static str, Vec<u8>, [u8; 32], Opens)> {
    let rsa = RsaKey::generate(RsaSpec::Rsa2048).unwrap();
    let ec = EcKey::generate(Curve::P384).unwrap();
    let ed25519 = Ed25519Key::generate().unwrap();
    let ml_dsa = MlDsaKey::generate(MlDsaSpec::MlDsa44).unwrap();
    let ml_kem = MlKemKey::generate(MlKemSpec::MlKem768).unwrap();
    let mac = MacKey::generate(MacSpec::Hmac384).unwrap();
    let import = ImportKey::generate(RsaSpec::Rsa2048).unwrap();
    let id = b"id";
    vec![
        (
            "rsa",
            domain.wrap_rsa(&rsa, b"b").unwrap(),
            rsa.material_id(id).unwrap(),
            Box::new(|d, w, b| d.unwrap_rsa(RsaSpec::Rsa2048, w, b)?.material_id(id)),
        ),
        (
            "ec",
            domain.wrap_ec(&ec, b"b").unwrap(),
            ec.material_id(id).unwrap(),
            Box::new(|d, w, b| d.unwrap_ec(Curve::P384, w, b)?.material_id(id)),
        ),
        (
            "ed25519",
            domain.wrap_ed25519(&ed25519, b"b").unwrap(),
            ed25519.material_id(id).unwrap(),
            Box::new(|d, w, b| d.unwrap_ed25519(w, b)?.material_id(id)),
        ),
        (
            "ml-dsa",
            domain.wrap_ml_dsa(&ml_dsa, b"b").unwrap(),
            ml_dsa.material_id(id).unwrap(),
            Box::new(|d, w, b| d.unwrap_ml_dsa(MlDsaSpec::MlDsa44, w, b)?.material_id(id)),
        ),
        (
            "ml-kem",
            domain.wrap_ml_kem(&ml_kem, b"b").unwrap(),
            ml_kem.material_id(id).unwrap(),
            Box::new(|d, w, b| d.unwrap_ml_kem(MlKemSpec::MlKem768, w, b)?.material_id(id)),
        ),
        (
            "mac",
            domain.wrap_mac(&mac, b"b").unwrap(),
            mac.material_id(id).unwrap(),
            Box::new(|d, w, b| d.unwrap_mac(MacSpec::Hmac384, w, b)?.material_id(id)),
        ),
        (
            "import",
            domain.wrap_import_key(&import, b"b").unwrap(),
            import.rsa().material_id(id).unwrap(),
            Box::new(|d, w, b| d.unwrap_import_key(RsaSpec::Rsa2048, w, b)?.rsa().material_id(id)),
        ),
    ]
}

fn refused(result: &Result<[u8; 32], Error>, what: &str) {
    assert!(matches!(result, Err(Error::Unopened(_))), "{what}");
}

#[test]
fn a_key_opens_with_its_own_domain_key_binding_and_kind_only() {
    let (domain, other) = (DomainKey::generate().unwrap(), DomainKey::generate().unwrap());
    let kinds = kinds(&domain);
    for (name, wrapped, id, opens) in &kinds {
        assert_eq!(opens(&domain, wrapped, b"b").unwrap(), *id, "{name}");
        refused(&opens(&other, wrapped, b"b"), name);
        refused(&opens(&domain, wrapped, b"c"), name);
        for (foreign, foreign_wrapped, ..) in kinds.iter().filter(|kind| kind.0 != *name) {
            refused(&opens(&domain, foreign_wrapped, b"b"), &format!("{foreign} as {name}"));
        }
    }
}

#[test]
fn every_altered_byte_and_every_other_length_is_refused() {
    let domain = DomainKey::generate().unwrap();
    for (name, wrapped, _, opens) in kinds(&domain) {
        for position in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[position] ^= 1;
            refused(&opens(&domain, &altered, b"b"), name);
            refused(&opens(&domain, &wrapped[..position], b"b"), name);
        }
        refused(&opens(&domain, &[&wrapped[..], &[0]].concat(), b"b"), name);
    }
}

#[test]
fn a_key_of_another_spec_is_refused() {
    let domain = DomainKey::generate().unwrap();
    let rejected = |error: Option<Error>, expected: KeyRejection| {
        assert!(matches!(error, Some(Error::KeyRejected(told)) if told == expected));
    };
    let ec = domain.wrap_ec(&EcKey::generate(Curve::P256).unwrap(), b"b").unwrap();
    rejected(domain.unwrap_ec(Curve::P384, &ec, b"b").err(), KeyRejection::Algorithm);
    let ml_dsa = MlDsaKey::generate(MlDsaSpec::MlDsa44).unwrap();
    let ml_dsa = domain.wrap_ml_dsa(&ml_dsa, b"b").unwrap();
    let opened = domain.unwrap_ml_dsa(MlDsaSpec::MlDsa65, &ml_dsa, b"b");
    rejected(opened.err(), KeyRejection::Algorithm);
    let ml_kem = MlKemKey::generate(MlKemSpec::MlKem512).unwrap();
    let ml_kem = domain.wrap_ml_kem(&ml_kem, b"b").unwrap();
    let opened = domain.unwrap_ml_kem(MlKemSpec::MlKem1024, &ml_kem, b"b");
    rejected(opened.err(), KeyRejection::Algorithm);
    let mac = domain.wrap_mac(&MacKey::generate(MacSpec::Hmac256).unwrap(), b"b").unwrap();
    let opened = domain.unwrap_mac(MacSpec::Hmac512, &mac, b"b");
    assert!(matches!(opened.err(), Some(Error::Unopened(_))));
}

#[test]
fn stored_keys_have_their_documented_lengths() {
    let domain = DomainKey::generate().unwrap();
    let lengths: Vec<_> =
        kinds(&domain).into_iter().map(|(name, wrapped, ..)| (name, wrapped.len())).collect();
    let exact = |name: &str| lengths.iter().find(|kind| kind.0 == name).unwrap().1 - 45;
    assert_eq!((exact("ec"), exact("ed25519"), exact("ml-dsa")), (185, 48, 54));
    assert_eq!((exact("ml-kem"), exact("mac")), (86, 48));
}

#[test]
fn what_is_wrapped_anew_opens_under_the_new_domain_key_as_the_same() {
    const KINDS: [StoredKind; 7] = [
        StoredKind::Rsa,
        StoredKind::Ec,
        StoredKind::Ed25519,
        StoredKind::MlDsa,
        StoredKind::MlKem,
        StoredKind::Mac,
        StoredKind::Symmetric,
    ];
    let (old, new) = (DomainKey::generate().unwrap(), DomainKey::generate().unwrap());
    let symmetric = crate::SymmetricKey::generate().unwrap();
    let mut kinds = kinds(&old);
    // The key of an import is in a token, which is not stored.
    kinds.retain(|(name, ..)| *name != "import");
    kinds.push((
        "symmetric",
        old.wrap_symmetric(&symmetric, b"b").unwrap(),
        symmetric.material_id(b"id").unwrap(),
        Box::new(|d, w, b| d.unwrap_symmetric(w, b)?.material_id(b"id")),
    ));
    for ((name, wrapped, id, open), kind) in kinds.iter().zip(KINDS) {
        old.check(kind, wrapped, b"b").unwrap();
        assert!(new.check(kind, wrapped, b"b").is_err(), "{name}");
        let anew = new.rewrap(&old, kind, wrapped, b"b").unwrap();
        assert_eq!(open(&new, &anew, b"b").unwrap(), *id, "{name}");
        assert!(open(&old, &anew, b"b").is_err(), "{name}");
        assert!(new.rewrap(&new, kind, wrapped, b"b").is_err(), "{name}");
        assert!(new.rewrap(&old, kind, wrapped, b"other").is_err(), "{name}");
        for foreign in KINDS.into_iter().filter(|foreign| *foreign != kind) {
            assert!(new.rewrap(&old, foreign, wrapped, b"b").is_err(), "{name} as {foreign:?}");
            assert!(old.check(foreign, wrapped, b"b").is_err(), "{name} as {foreign:?}");
        }
    }
}
