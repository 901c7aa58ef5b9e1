//! Documents that are good, and every way in which they can be bad.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use ciborium::Value;
use proptest::prelude::*;

use super::*;
use crate::issuing::{
    CA, CERT_SIGN, DIGITAL_SIGNATURE, Draft, Issuer, Key, NAMES, NO_CA, NOW, ca_below, cbor,
    extension, rsa_key,
};

fn refusal(issuer: &Issuer, document: &[u8]) -> Option<Refusal> {
    verify(document, &issuer.roots(), NOW).err()
}

/// The refusal of a document with these fields, signed as they are.
fn of_fields(issuer: &Issuer, fields: Vec<(Value, Value)>) -> Option<Refusal> {
    refusal(issuer, &issuer.signed(&cbor(&Value::Map(fields))))
}

/// The refusal of a document in which one field has another value, or is missing.
fn with_field(issuer: &Issuer, name: &str, value: Option<Value>) -> Option<Refusal> {
    let mut fields = issuer.fields();
    fields.retain(|(field, _)| field.as_text() != Some(name));
    fields.extend(value.map(|value| (Value::from(name), value)));
    of_fields(issuer, fields)
}

/// The refusal of a document whose chain has another certificate in one place.
fn with_certificate(at: usize, make: impl Fn(&Issuer) -> Vec<u8>) -> Option<Refusal> {
    let mut issuer = Issuer::new();
    issuer.chain[at] = make(&issuer);
    refusal(&issuer, &issuer.document())
}

fn instance(issuer: &Issuer) -> Draft {
    Draft::authority(NAMES[2], NAMES[1], &issuer.keys[2], &ca_below(0))
}

fn enclave(issuer: &Issuer) -> Draft {
    Draft::end_entity(NAMES[3], NAMES[2], &issuer.keys[3])
}

#[test]
fn a_good_document_names_its_recipient() {
    let issuer = Issuer::new();
    let document = issuer.document();
    let recipient = verify(&document, &issuer.roots(), NOW).unwrap();
    assert_eq!(recipient.source, Source::NitroEnclave);
    assert_eq!(recipient.module_id, "i-0123-enc0123");
    assert_eq!(recipient.timestamp, 1_800_000_000_000);
    assert_eq!(recipient.pcrs.len(), 16);
    assert_eq!(recipient.image_sha384(), Some(&[0; 48][..]));
    assert_eq!(recipient.public_key.len(), 294);
    let tagged = [&[0xD2], &document[..]].concat();
    assert_eq!(refusal(&issuer, &tagged), None);
    assert_eq!(verify(&document, &Roots::default(), NOW), Err(Refusal::UntrustedRoot));
    assert_eq!(verify(&document, &Roots::aws(), NOW), Err(Refusal::UntrustedRoot));
    let both = Roots::aws().and(issuer.roots());
    assert!(verify(&document, &both, NOW).is_ok());
}

#[test]
fn a_nitro_tpm_has_registers_but_no_image() {
    let issuer = Issuer::new();
    let mut fields = issuer.fields();
    fields[3].0 = "nitrotpm_pcrs".into();
    let document = issuer.signed(&cbor(&Value::Map(fields.clone())));
    let recipient = verify(&document, &issuer.roots(), NOW).unwrap();
    assert_eq!(recipient.source, Source::NitroTpm);
    assert_eq!((recipient.pcrs.len(), recipient.image_sha384()), (16, None));
    fields.push(("pcrs".into(), fields[3].1.clone()));
    assert_eq!(of_fields(&issuer, fields), Some(Refusal::Field("pcrs")));
}

#[test]
fn keys_on_p256_may_stand_in_the_chain_but_not_sign_a_document() {
    let [root, zone, instance, enclave] = [(); 4].map(|()| Key::p384());
    let mixed = Issuer::with_keys([root, Key::p256(), instance, enclave]);
    assert_eq!(refusal(&mixed, &mixed.document()), None);
    let [root, instance] = [(); 2].map(|()| Key::p384());
    let below = Issuer::with_keys([root, zone, instance, Key::p256()]);
    assert_eq!(refusal(&below, &below.document()), Some(Refusal::Signature));
}

/// Registers with these indices and lengths.
fn pcrs(entries: &[(i32, usize)]) -> Value {
    let pair =
        |(index, length): &(i32, usize)| (Value::from(*index), Value::Bytes(vec![0; *length]));
    Value::Map(entries.iter().map(pair).collect())
}

/// Registers of every index from 0 up to `end`.
fn pcrs_below(end: i32) -> Value {
    pcrs(&(0..end).map(|index| (index, 48)).collect::<Vec<_>>())
}

fn bytes(length: usize) -> Value {
    Value::Bytes(vec![1; length])
}

#[test]
fn every_field_has_its_bounds() {
    let issuer = Issuer::new();
    let text = |text: &str| Value::from(text);
    let text_index = Value::Map(vec![(text("0"), bytes(48))]);
    let bundle = |entry: Value, times| Value::Array(vec![entry; times]);
    let bad: Vec<(&str, Vec<Value>)> = vec![
        ("module_id", vec![text(""), bytes(5), Value::Null]),
        ("digest", vec![text("SHA256"), text("sha384"), bytes(6)]),
        (
            "timestamp",
            vec![0.into(), (-1).into(), text("1"), 1.0.into(), Value::Tag(1, Box::new(1.into()))],
        ),
        (
            "pcrs",
            vec![
                bytes(48),
                pcrs(&[]),
                pcrs_below(33),
                pcrs(&[(32, 48)]),
                pcrs(&[(-1, 48)]),
                pcrs(&[(0, 0)]),
                pcrs(&[(0, 47)]),
                pcrs(&[(0, 49)]),
                pcrs(&[(0, 96)]),
                pcrs(&[(0, 48), (0, 48)]),
                text_index,
            ],
        ),
        ("certificate", vec![bytes(0), bytes(1025), Value::Null]),
        (
            "cabundle",
            vec![
                bytes(9),
                bundle(Value::Null, 0),
                bundle(Value::Null, 1),
                bundle(bytes(0), 1),
                bundle(bytes(1025), 1),
                bundle(bytes(9), 9),
            ],
        ),
        ("public_key", vec![bytes(0), bytes(1025), text("key")]),
        ("user_data", vec![bytes(1025), text("")]),
        ("nonce", vec![bytes(1025), 1.into()]),
    ];
    for (name, values) in bad {
        for value in values {
            let told = format!("{name} {value:?}");
            let refused = with_field(&issuer, name, Some(value));
            assert_eq!(refused, Some(Refusal::Field(name)), "{told}");
        }
    }
    for name in ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"] {
        assert_eq!(with_field(&issuer, name, None), Some(Refusal::Field(name)));
    }
    let good = [
        ("pcrs", vec![pcrs_below(32), pcrs(&[(31, 32), (0, 64)])]),
        ("user_data", vec![bytes(0), bytes(1024)]),
        ("nonce", vec![Value::Null, bytes(1024)]),
    ];
    for (name, values) in good {
        for value in values {
            assert_eq!(with_field(&issuer, name, Some(value)), None, "{name}");
        }
        assert_eq!(with_field(&issuer, name, None).is_some(), name == "pcrs");
    }
}

#[test]
fn no_field_is_unknown_or_there_twice() {
    let issuer = Issuer::new();
    assert_eq!(with_field(&issuer, "extra", Some(bytes(1))), Some(Refusal::UnknownField));
    let mut fields = issuer.fields();
    fields.push((1.into(), 1.into()));
    assert_eq!(of_fields(&issuer, fields), Some(Refusal::UnknownField));
    for index in 0..9 {
        let mut fields = issuer.fields();
        fields.push(fields[index].clone());
        assert_eq!(of_fields(&issuer, fields), Some(Refusal::Payload), "{index} twice");
    }
}

#[test]
fn a_public_key_is_one_rsa_key_of_a_size_that_is_taken() {
    let issuer = Issuer::new();
    let refused = |key: Option<Vec<u8>>| with_field(&issuer, "public_key", key.map(Value::Bytes));
    for size in [KeySize::Rsa2048, KeySize::Rsa3072, KeySize::Rsa4096] {
        assert_eq!(refused(Some(rsa_key(size))), None);
    }
    let good = rsa_key(KeySize::Rsa2048);
    let ec = aws_lc_rs::signature::EcdsaKeyPair::generate(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING,
    );
    let ec = aws_lc_rs::signature::KeyPair::public_key(&ec.unwrap()).as_der().unwrap();
    let ec: &aws_lc_rs::encoding::PublicKeyX509Der<'_> = &ec;
    let mut pss = good.clone();
    // rsaEncryption ends in .1, id-RSASSA-PSS in .10.
    pss[16] = 0x0A;
    let bad = [
        None,
        Some(b"dummy".to_vec()),
        Some([&good[..], &[0]].concat()),
        Some(good[..good.len() - 1].to_vec()),
        Some(rsa_key(KeySize::Rsa8192)[..1024].to_vec()),
        Some(good[24..].to_vec()),
        Some(ec.as_ref().to_vec()),
        Some(pss),
    ];
    for (index, key) in bad.into_iter().enumerate() {
        assert_eq!(refused(key), Some(Refusal::PublicKey), "{index}");
    }
    assert_eq!(with_field(&issuer, "public_key", Some(Value::Null)), Some(Refusal::PublicKey));
}

#[test]
fn an_envelope_is_exactly_what_cose_says() {
    let issuer = Issuer::new();
    let document = issuer.document();
    let Some(Value::Array(parts)) = envelope::only_value(&document, 3) else { panic!() };
    let changed = |at: usize, value: Value| {
        let mut parts = parts.clone();
        parts[at] = value;
        refusal(&issuer, &cbor(&Value::Array(parts)))
    };
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let bad = [
        (0, bytes(&[])),
        (0, bytes(&[0xA1, 0x01, 0x26])),
        (0, bytes(&[0xA1, 0x01, 0x38, 0x23])),
        (0, bytes(&[0xA2, 0x01, 0x38, 0x22, 0x02, 0x40])),
        (0, Value::Map(vec![])),
        // Nested deeper than a stack is: it must not be parsed.
        (0, bytes(&[0x81; 9000])),
        (1, Value::Map(vec![(1.into(), (-35).into())])),
        (1, Value::Array(vec![])),
        (1, Value::Null),
        (2, Value::Null),
        (2, bytes(&[])),
        (2, bytes(&vec![0; 16_385])),
        (2, Value::Map(vec![])),
        (3, bytes(&[])),
        (3, bytes(&[0; 95])),
        (3, bytes(&[0; 97])),
        (3, Value::Null),
    ];
    for (index, (at, value)) in bad.into_iter().enumerate() {
        assert_eq!(changed(at, value), Some(Refusal::Envelope), "{index}");
    }
    assert_eq!(changed(3, bytes(&[0; 96])), Some(Refusal::Signature));
    let bad: [Vec<u8>; 8] = [
        vec![],
        vec![0x84],
        b"plaintext".to_vec(),
        cbor(&Value::Array(parts[..3].to_vec())),
        cbor(&Value::Tag(98, Box::new(Value::Array(parts.clone())))),
        cbor(&Value::Tag(18, Box::new(Value::Tag(18, Box::new(Value::Array(parts.clone())))))),
        [&document[..], &[0]].concat(),
        vec![0x81; 9000],
    ];
    for (index, document) in bad.iter().enumerate() {
        assert_eq!(refusal(&issuer, document), Some(Refusal::Envelope), "{index}");
    }
    assert_eq!(refusal(&issuer, &vec![0; LONGEST + 1]), Some(Refusal::TooLong));
    assert_eq!(refusal(&issuer, &vec![0x81; 262_144]), Some(Refusal::TooLong));
}

#[test]
fn a_payload_is_one_map() {
    let issuer = Issuer::new();
    let payload = cbor(&Value::Map(issuer.fields()));
    let nested = [&[0xA1, 0x61, b'a'][..], &[0x81; 9000]].concat();
    let bad = [vec![0x80], vec![0xF6], [&payload[..], &[0xF6]].concat(), vec![0xBF], nested];
    for (index, payload) in bad.iter().enumerate() {
        assert_eq!(refusal(&issuer, &issuer.signed(payload)), Some(Refusal::Payload), "{index}");
    }
    // The modules write maps of indefinite length as well.
    let open = [&[0xBF], &payload[1..], &[0xFF]].concat();
    assert_eq!(refusal(&issuer, &issuer.signed(&open)), None);
}

#[test]
fn no_altered_and_no_cut_document_is_taken() {
    let issuer = Issuer::new();
    let roots = issuer.roots();
    let document = issuer.document();
    for at in 0..document.len() {
        let mut altered = document.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(verify(&altered, &roots, NOW).is_err(), "byte {at}");
        assert!(verify(&document[..at], &roots, NOW).is_err(), "cut to {at}");
    }
    assert!(verify(&document, &roots, NOW).is_ok());
}

#[test]
fn every_certificate_is_valid_at_the_moment_itself() {
    let issuer = Issuer::new();
    let (document, roots) = (issuer.document(), issuer.roots());
    for (now, expected) in [
        (NOW - 3600, None),
        (NOW + 3600, None),
        (NOW - 3601, Some(Refusal::Validity)),
        (NOW + 3601, Some(Refusal::Validity)),
        (0, Some(Refusal::Validity)),
        (-NOW, Some(Refusal::Validity)),
        (i64::MAX, Some(Refusal::Validity)),
        (i64::MIN, Some(Refusal::Validity)),
    ] {
        assert_eq!(verify(&document, &roots, now).err(), expected, "{now}");
    }
    // Each place in the chain counts, the root's too.
    for at in 0..4 {
        let mut issuer = Issuer::new();
        let early = Key::p384();
        let past = Draft::authority(NAMES[at], NAMES[at.saturating_sub(1)], &early, CA);
        let mut draft = match at {
            3 => enclave(&issuer),
            _ => Draft::authority(
                NAMES[at],
                NAMES[at.saturating_sub(1)],
                &issuer.keys[at],
                &ca_below(5),
            ),
        };
        draft.body.validity.not_after = past.body.validity.not_before;
        issuer.chain[at] = draft.signed_by(&issuer.keys[at.saturating_sub(1)]);
        assert_eq!(refusal(&issuer, &issuer.document()), Some(Refusal::Validity), "{at}");
    }
}

#[test]
fn a_chain_begins_with_a_trusted_root_and_is_in_order() {
    let issuer = Issuer::new();
    let foreign = Issuer::new();
    assert_eq!(refusal(&issuer, &foreign.document()), Some(Refusal::UntrustedRoot));
    // The trusted root put before another's chain: names fit, signatures don't.
    let mut posing = Issuer::new();
    posing.chain[0] = issuer.chain[0].clone();
    assert_eq!(refusal(&issuer, &posing.document()), Some(Refusal::Issuer));
    let orders: [(&[usize], Refusal); 5] = [
        (&[1, 0, 2, 3], Refusal::UntrustedRoot),
        (&[0, 2, 1, 3], Refusal::Usage),
        (&[0, 2, 3], Refusal::Issuer),
        (&[0, 1, 3], Refusal::Issuer),
        (&[0, 3], Refusal::Issuer),
    ];
    for (order, expected) in orders {
        let mut other = Issuer::new();
        other.chain = order.iter().map(|at| issuer.chain[*at].clone()).collect();
        assert_eq!(refusal(&issuer, &other.document()), Some(expected), "{order:?}");
    }
    // A genuine chain under a document that its signer didn't sign.
    let mut thief = Issuer::new();
    thief.chain.clone_from(&issuer.chain);
    assert_eq!(refusal(&issuer, &thief.document()), Some(Refusal::Signature));
}

#[test]
fn authorities_are_made_for_it_and_end_entities_are_not() {
    let authority = |constraints: &'static [u8], critical: bool, usage: &'static [u8]| {
        with_certificate(2, move |issuer| {
            let extensions = vec![
                extension("2.5.29.19", critical, constraints),
                extension("2.5.29.15", true, usage),
            ];
            let draft = Draft::new(NAMES[2], NAMES[1], &issuer.keys[2], extensions);
            draft.signed_by(&issuer.keys[1])
        })
    };
    assert_eq!(authority(CA, true, CERT_SIGN), None);
    assert_eq!(authority(NO_CA, true, CERT_SIGN), Some(Refusal::Usage));
    assert_eq!(authority(CA, false, CERT_SIGN), Some(Refusal::Usage));
    assert_eq!(authority(CA, true, DIGITAL_SIGNATURE), Some(Refusal::Usage));
    let without = |id: &'static str, at: usize| {
        with_certificate(at, move |issuer| {
            let mut draft = if at == 2 { instance(issuer) } else { enclave(issuer) };
            draft.extensions().retain(|extension| extension.extn_id != id.parse().unwrap());
            draft.signed_by(&issuer.keys[at - 1])
        })
    };
    assert_eq!(without("2.5.29.19", 2), Some(Refusal::Usage));
    assert_eq!(without("2.5.29.15", 2), Some(Refusal::Certificate));
    assert_eq!(without("2.5.29.19", 3), None);
    assert_eq!(without("2.5.29.15", 3), Some(Refusal::Certificate));
    let end_entity = |constraints: Vec<u8>, usage: &'static [u8]| {
        with_certificate(3, move |issuer| {
            let mut draft = enclave(issuer);
            *draft.extensions() = vec![
                extension("2.5.29.19", true, &constraints),
                extension("2.5.29.15", true, usage),
            ];
            draft.signed_by(&issuer.keys[2])
        })
    };
    assert_eq!(end_entity(CA.to_vec(), DIGITAL_SIGNATURE), Some(Refusal::Usage));
    assert_eq!(end_entity(NO_CA.to_vec(), CERT_SIGN), Some(Refusal::Usage));
    assert_eq!(end_entity(vec![0x30, 3, 2, 1, 0], DIGITAL_SIGNATURE), Some(Refusal::Usage));
}

#[test]
fn a_path_is_as_long_as_each_authority_allows() {
    let zone = |most| {
        with_certificate(1, move |issuer| {
            let draft = Draft::authority(NAMES[1], NAMES[0], &issuer.keys[1], &ca_below(most));
            draft.signed_by(&issuer.keys[0])
        })
    };
    assert_eq!((zone(0), zone(1), zone(2)), (Some(Refusal::Usage), None, None));
}

#[test]
fn a_certificate_is_of_the_one_kind_that_is_known() {
    let refused = |change: &dyn Fn(&mut Draft)| {
        with_certificate(2, |issuer| {
            let mut draft = instance(issuer);
            change(&mut draft);
            draft.signed_by(&issuer.keys[1])
        })
    };
    let crl = || extension("2.5.29.31", false, &[0x30, 0]);
    assert_eq!(refused(&|draft| draft.extensions().push(crl())), None);
    let unknown: [&dyn Fn(&mut Draft); 6] = [
        &|draft| draft.extensions().push(extension("2.5.29.30", true, &[0x30, 0])),
        &|draft| draft.extensions().extend([crl(), crl()]),
        &|draft| draft.extensions().push(extension("2.5.29.19", true, CA)),
        &|draft| draft.body.version = x509_cert::Version::V1,
        &|draft| draft.body.extensions = None,
        &|draft| draft.body.subject_public_key_info.algorithm.parameters = None,
    ];
    for (index, change) in unknown.into_iter().enumerate() {
        assert_eq!(refused(change), Some(Refusal::Certificate), "{index}");
    }
    // The algorithm outside says what it is; the one inside, which is signed, says another.
    let contradicts = with_certificate(2, |issuer| {
        let mut draft = instance(issuer);
        draft.body.signature.oid = "1.2.840.10045.4.3.2".parse().unwrap();
        draft.signed_as_it_is_by(&issuer.keys[1])
    });
    assert_eq!(contradicts, Some(Refusal::Certificate));
    let trailing = with_certificate(2, |issuer| [&issuer.chain[2][..], &[0]].concat());
    assert_eq!(trailing, Some(Refusal::Certificate));
    let other_issuer = with_certificate(2, |issuer| {
        let name = "CN=another";
        let draft = Draft::authority(NAMES[2], name, &issuer.keys[2], CA);
        draft.signed_by(&issuer.keys[1])
    });
    assert_eq!(other_issuer, Some(Refusal::Issuer));
    let other_key = with_certificate(2, |issuer| instance(issuer).signed_by(&Key::p384()));
    assert_eq!(other_key, Some(Refusal::Issuer));
    let other_curve = with_certificate(2, |issuer| instance(issuer).signed_by(&Key::p256()));
    assert_eq!(other_curve, Some(Refusal::Issuer));
}

#[test]
fn a_root_that_may_not_issue_is_none() {
    let mut issuer = Issuer::new();
    issuer.chain[0] = issuer.chain[3].clone();
    let rejected = Roots::from_pem(&issuer.root_pem()).err();
    assert_eq!(rejected, Some(RootsRejected::NoAuthority(1)));
}

#[test]
fn refusals_say_what_is_wrong() {
    let texts = [Refusal::TooLong, Refusal::Envelope, Refusal::Field("pcrs"), Refusal::Validity];
    let texts = texts.map(|refusal| refusal.to_string());
    assert_eq!(texts[0], "it is longer than 16640 bytes");
    assert_eq!(texts[2], "its field pcrs is missing, doubled or out of bounds");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        prop_assert!(parse_everything(&bytes).is_err());
        prop_assert!(verify(&bytes, &Roots::aws(), NOW).is_err());
    }
}
