//! The software key store over a real store.

use wire::enums::{
    EncryptionAlgorithmSpec, KeySpec, MacAlgorithmSpec, SigningAlgorithmSpec as Signing,
};

use super::*;
use service::ports::{MaterialError, Message};

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn binding(region: &'static str) -> Binding<'static> {
    Binding { region, key_arn: ARN, identity: [7; 25], spec: KeySpec::SymmetricDefault }
}

fn key_store(store: &Arc<storage::Memory>) -> Software {
    Software::new(Arc::clone(store) as _, RootKey::generate().unwrap())
}

/// Makes material of that spec and opens it again: the handle as made and the one as stored.
async fn twice(key_store: &Software, spec: KeySpec) -> [Arc<dyn Material>; 2] {
    let binding = Binding { spec, ..binding("us-east-1") };
    let (wrapped, made) = key_store.generate(binding).await.unwrap();
    let opened = key_store.open(binding, made.id, &wrapped).await.unwrap();
    [made.material, opened]
}

#[tokio::test]
async fn material_opens_again_under_its_binding_only() {
    let store = Arc::new(storage::Memory::new());
    let key_store = key_store(&store);
    let (wrapped, made) = key_store.generate(binding("us-east-1")).await.unwrap();
    let mut sealed = Vec::new();
    made.material.seal(b"header", b"context", b"plaintext", &mut sealed).await.unwrap();
    let opened = key_store.open(binding("us-east-1"), made.id, &wrapped).await.unwrap();
    let plaintext = opened.open(b"header", b"context", &sealed).await.unwrap();
    assert_eq!(plaintext.as_slice(), b"plaintext");

    let other_arn = Binding { key_arn: "arn:x", ..binding("us-east-1") };
    let other_spec = Binding { spec: KeySpec::Hmac256, ..binding("us-east-1") };
    let refused = [
        key_store.open(other_arn, made.id, &wrapped).await,
        key_store.open(other_spec, made.id, &wrapped).await,
        key_store.open(binding("us-east-1"), MaterialId([0; 32]), &wrapped).await,
        key_store.open(binding("us-east-1"), made.id, b"").await,
        key_store.open(binding("us-east-1"), made.id, &wrapped[..wrapped.len() - 1]).await,
        key_store.open(binding("eu-west-1"), made.id, &wrapped).await,
    ];
    for (index, result) in refused.into_iter().enumerate() {
        assert!(matches!(result, Err(KeyStoreError::Damaged)), "{index}");
    }
    for at in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[at] ^= 1;
        let result = key_store.open(binding("us-east-1"), made.id, &altered).await;
        assert!(result.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn another_root_key_opens_nothing() {
    let store = Arc::new(storage::Memory::new());
    let first = key_store(&store);
    first.verify().await.unwrap();
    first.generate(binding("us-east-1")).await.unwrap();
    first.verify().await.unwrap();
    let second = key_store(&store);
    assert!(matches!(second.verify().await, Err(KeyStoreError::Damaged)));
    assert!(matches!(second.generate(binding("us-east-1")).await, Err(KeyStoreError::Damaged)));
}

#[tokio::test]
async fn every_signing_spec_signs_and_verifies() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    for (spec, algorithm, digest) in [
        (KeySpec::Rsa2048, Signing::RsassaPssSha256, Some(32)),
        (KeySpec::Rsa2048, Signing::RsassaPkcs1V15Sha512, Some(64)),
        (KeySpec::EccNistP256, Signing::EcdsaSha256, Some(32)),
        (KeySpec::EccNistP384, Signing::EcdsaSha384, Some(48)),
        (KeySpec::EccNistP521, Signing::EcdsaSha512, Some(64)),
        (KeySpec::EccSecgP256K1, Signing::EcdsaSha256, Some(32)),
        (KeySpec::EccNistEdwards25519, Signing::Ed25519Sha512, None),
        (KeySpec::EccNistEdwards25519, Signing::Ed25519PhSha512, Some(64)),
        (KeySpec::MlDsa44, Signing::MlDsaShake256, None),
        (KeySpec::MlDsa65, Signing::MlDsaShake256, None),
        (KeySpec::MlDsa87, Signing::MlDsaShake256, None),
    ] {
        let [made, opened] = twice(&key_store, spec).await;
        assert_eq!(made.public_key().await.unwrap(), opened.public_key().await.unwrap());
        let bytes = [7; 64];
        let mut messages = Vec::new();
        if algorithm != Signing::Ed25519PhSha512 {
            messages.push(Message::Raw(b"message"));
        }
        messages.extend(digest.map(|length| Message::Digest(&bytes[..length])));
        if algorithm == Signing::MlDsaShake256 {
            messages.push(Message::ExternalMu(&bytes));
        }
        for message in messages {
            let signature = made.sign(algorithm, message).await.unwrap();
            assert!(opened.verify(algorithm, message, &signature).await.unwrap(), "{spec}");
            let other = Message::Raw(b"another");
            if algorithm != Signing::Ed25519PhSha512 {
                assert!(!opened.verify(algorithm, other, &signature).await.unwrap(), "{spec}");
            }
            let mut altered = signature.clone();
            altered[signature.len() / 2] ^= 1;
            assert!(!opened.verify(algorithm, message, &altered).await.unwrap(), "{spec}");
            assert!(!opened.verify(algorithm, message, b"x").await.unwrap(), "{spec}");
        }
    }
}

#[tokio::test]
async fn macs_secrets_and_rsa_ciphertexts_survive_storing() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    for (spec, algorithm, length) in [
        (KeySpec::Hmac224, MacAlgorithmSpec::HmacSha224, 28),
        (KeySpec::Hmac256, MacAlgorithmSpec::HmacSha256, 32),
        (KeySpec::Hmac384, MacAlgorithmSpec::HmacSha384, 48),
        (KeySpec::Hmac512, MacAlgorithmSpec::HmacSha512, 64),
    ] {
        let [made, opened] = twice(&key_store, spec).await;
        let mac = made.mac(algorithm, b"message").await.unwrap();
        assert_eq!(mac.len(), length);
        assert!(opened.verify_mac(algorithm, b"message", &mac).await.unwrap());
        assert!(!opened.verify_mac(algorithm, b"another", &mac).await.unwrap());
    }
    for spec in [KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024] {
        let [made, opened] = twice(&key_store, spec).await;
        let encapsulated = made.encapsulate().await.unwrap();
        let secret = opened.decapsulate(&encapsulated.ciphertext).await.unwrap();
        assert_eq!(*secret, *encapsulated.secret);
        assert!(matches!(opened.decapsulate(b"short").await, Err(MaterialError::Input)));
    }
    for spec in [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521] {
        let [ours, ours_again] = twice(&key_store, spec).await;
        let [theirs, _] = twice(&key_store, spec).await;
        let one = ours_again.agree(&theirs.public_key().await.unwrap()).await.unwrap();
        let other = theirs.agree(&ours.public_key().await.unwrap()).await.unwrap();
        assert_eq!(*one, *other);
        assert!(matches!(ours.agree(b"no key").await, Err(MaterialError::Input)));
    }
    let [made, opened] = twice(&key_store, KeySpec::Rsa2048).await;
    let algorithm = EncryptionAlgorithmSpec::RsaesOaepSha256;
    let ciphertext = made.encrypt(algorithm, b"plaintext").await.unwrap();
    assert_eq!(opened.decrypt(algorithm, &ciphertext).await.unwrap().as_slice(), b"plaintext");
    let other = EncryptionAlgorithmSpec::RsaesOaepSha1;
    assert!(opened.decrypt(other, &ciphertext).await.is_err());
}

#[tokio::test]
async fn what_a_material_can_not_do_is_refused() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    let [symmetric, _] = twice(&key_store, KeySpec::SymmetricDefault).await;
    assert!(matches!(symmetric.public_key().await, Err(KeyStoreError::Unsupported)));
    assert!(symmetric.sign(Signing::EcdsaSha256, Message::Raw(b"m")).await.is_err());
    assert!(symmetric.agree(b"key").await.is_err());
    let [mac, _] = twice(&key_store, KeySpec::Hmac256).await;
    assert!(mac.seal(b"", b"", b"", &mut Vec::new()).await.is_err());
    assert!(mac.open(b"", b"", b"").await.is_err());
    let sm2 = Binding { spec: KeySpec::Sm2, ..binding("us-east-1") };
    assert!(matches!(key_store.generate(sm2).await, Err(KeyStoreError::Unsupported)));
}

#[tokio::test]
async fn data_key_pairs_are_of_their_spec() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    for spec in DataKeyPairSpec::ALL {
        let pair = key_store.data_key_pair(*spec).await;
        if *spec == DataKeyPairSpec::Sm2 {
            assert!(matches!(pair, Err(KeyStoreError::Unsupported)));
            continue;
        }
        // PKCS#8 and SubjectPublicKeyInfo both begin with a DER sequence.
        let pair = pair.unwrap();
        assert_eq!((pair.private_key[0], pair.public_key[0]), (0x30, 0x30), "{spec}");
    }
}

#[tokio::test]
async fn a_replicas_material_is_the_primarys() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    let (from, to) = (binding("us-east-1"), Binding { key_arn: "arn:x", ..binding("eu-west-1") });
    let (wrapped, made) = key_store.generate(from).await.unwrap();
    let rebound = key_store.rebind(from, made.id, &wrapped, to).await.unwrap();
    let opened = key_store.open(to, made.id, &rebound).await.unwrap();
    let mut sealed = Vec::new();
    made.material.seal(b"h", b"c", b"plaintext", &mut sealed).await.unwrap();
    assert_eq!(opened.open(b"h", b"c", &sealed).await.unwrap().as_slice(), b"plaintext");
    assert!(key_store.open(from, made.id, &rebound).await.is_err());
}

#[tokio::test]
async fn tokens_open_in_their_region_kind_and_context_only() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    let kind = TokenKind::Grant;
    let token = key_store.seal_token("us-east-1", kind, b"inside", b"context").await.unwrap();
    let opened = key_store.open_token("us-east-1", kind, &token, b"context").await;
    assert_eq!(opened.unwrap().as_slice(), b"inside");
    key_store.seal_token("eu-west-1", kind, b"", b"").await.unwrap();
    for (region, kind, context) in [
        ("eu-west-1", kind, &b"context"[..]),
        ("ap-south-1", kind, b"context"),
        ("us-east-1", TokenKind::Import, b"context"),
        ("us-east-1", kind, b"other"),
    ] {
        let opened = key_store.open_token(region, kind, &token, context).await;
        assert!(matches!(opened, Err(TokenError::Unopened)), "{region}");
    }
    for at in 0..token.len() {
        let mut altered = token.clone();
        altered[at] ^= 1;
        let opened = key_store.open_token("us-east-1", kind, &altered, b"context").await;
        assert!(matches!(opened, Err(TokenError::Unopened)), "byte {at}");
    }
}

#[tokio::test]
async fn material_from_outside_becomes_the_same_key() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    let hmac = Binding { spec: KeySpec::Hmac256, ..binding("us-east-1") };
    let material = || Zeroizing::new(vec![7; 32]);
    let (_, one) = key_store.take(hmac, material()).await.unwrap();
    let (wrapped, two) = key_store.take(hmac, material()).await.unwrap();
    assert_eq!(one.id, two.id);
    let opened = key_store.open(hmac, two.id, &wrapped).await.unwrap();
    let algorithm = MacAlgorithmSpec::HmacSha256;
    let macs = [one.material.mac(algorithm, b"m").await, opened.mac(algorithm, b"m").await];
    assert_eq!(macs[0].as_ref().unwrap(), macs[1].as_ref().unwrap());
    let short = key_store.take(hmac, Zeroizing::new(vec![7; 31])).await;
    assert!(matches!(short, Err(ImportError::Rejected(_))));
    let symmetric = key_store.take(binding("us-east-1"), Zeroizing::new(vec![7; 33])).await;
    assert!(matches!(symmetric, Err(ImportError::Rejected(_))));
}

#[tokio::test]
async fn a_recipient_is_the_holder_of_an_rsa_key() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    let [rsa, ec] = [DataKeyPairSpec::Rsa2048, DataKeyPairSpec::EccNistP256];
    let rsa = key_store.data_key_pair(rsa).await.unwrap();
    let sealed = key_store.seal_for_recipient(&rsa.public_key, b"plaintext").unwrap();
    assert!(!sealed.windows(9).any(|part| part == b"plaintext"));
    let ec = key_store.data_key_pair(ec).await.unwrap();
    for key in [&ec.public_key, &rsa.public_key[1..]] {
        let refused = key_store.seal_for_recipient(key, b"plaintext");
        assert!(matches!(refused, Err(MaterialError::Input)));
    }
}
