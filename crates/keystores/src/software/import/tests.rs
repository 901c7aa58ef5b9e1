//! Tests of imports: what comes in under an import key is that key's alone.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
    PublicEncryptingKey,
};
use crypto::RootKey;
use service::ports::KeyStore as _;
use wire::enums::{EncryptionAlgorithmSpec, KeySpec, MacAlgorithmSpec};

use super::*;

const SPEC: WrappingKeySpec = WrappingKeySpec::Rsa2048;

fn software() -> Software {
    Software::new(Arc::new(storage::Memory::new()), RootKey::generate().unwrap())
}

fn binding(spec: KeySpec) -> Binding<'static> {
    Binding { region: "us-east-1", key_arn: "arn:key", identity: [7; 25], spec }
}

/// What the material's owner does with the public key.
fn encrypted(key: &ImportKey, padding: &'static OaepAlgorithm, material: &[u8]) -> Vec<u8> {
    let public_key = PublicEncryptingKey::from_der(&key.public_key).unwrap();
    let public_key = OaepPublicEncryptingKey::new(public_key).unwrap();
    let mut out = vec![0; public_key.ciphertext_size()];
    public_key.encrypt(padding, material, &mut out, None).unwrap();
    out
}

fn import<'a>(key: &'a ImportKey, encrypted: &'a [u8]) -> Import<'a> {
    let algorithm = AlgorithmSpec::RsaesOaepSha256;
    Import { spec: SPEC, wrapped: &key.wrapped, algorithm, encrypted }
}

#[tokio::test]
async fn what_comes_in_twice_is_the_same_material() {
    let software = software();
    let binding = binding(KeySpec::Hmac256);
    let algorithm = MacAlgorithmSpec::HmacSha256;
    let mut macs = Vec::new();
    let mut ids = Vec::new();
    for (name, padding) in [
        (AlgorithmSpec::RsaesOaepSha256, &OAEP_SHA256_MGF1SHA256),
        (AlgorithmSpec::RsaesOaepSha1, &OAEP_SHA1_MGF1SHA1),
    ] {
        let key = software.import_key(binding, SPEC).await.unwrap();
        let encrypted = encrypted(&key, padding, &[7; 32]);
        let import = Import { algorithm: name, ..import(&key, &encrypted) };
        let (wrapped, opened) = software.import(binding, import).await.unwrap();
        macs.push(opened.material.mac(algorithm, b"message").await.unwrap());
        let stored = software.open(binding, opened.id, &wrapped).await.unwrap();
        macs.push(stored.mac(algorithm, b"message").await.unwrap());
        ids.push(opened.id);
    }
    assert!(macs.iter().all(|mac| *mac == macs[0]));
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_import_key_is_one_keys_alone() {
    let software = software();
    let own = binding(KeySpec::SymmetricDefault);
    let key = software.import_key(own, SPEC).await.unwrap();
    let encrypted = encrypted(&key, &OAEP_SHA256_MGF1SHA256, &[7; 32]);
    for other in [
        Binding { key_arn: "arn:other", ..own },
        Binding { spec: KeySpec::Hmac256, ..own },
        Binding { region: "eu-west-1", ..own },
    ] {
        let taken = software.import(other, import(&key, &encrypted)).await;
        assert!(matches!(taken, Err(ImportError::KeyStore(KeyStoreError::Damaged))));
    }
    let longer = Import { spec: WrappingKeySpec::Rsa3072, ..import(&key, &encrypted) };
    let taken = software.import(own, longer).await;
    assert!(matches!(taken, Err(ImportError::KeyStore(KeyStoreError::Damaged))));
    for at in 0..key.wrapped.len() {
        let mut altered = key.wrapped.clone();
        altered[at] ^= 1;
        let import = Import { wrapped: &altered, ..import(&key, &encrypted) };
        assert!(software.import(own, import).await.is_err(), "byte {at}");
    }
    assert!(software.import(own, import(&key, &encrypted)).await.is_ok());
}

#[tokio::test]
async fn what_does_not_open_is_told_from_what_does_not_fit() {
    let software = software();
    let binding = binding(KeySpec::SymmetricDefault);
    let key = software.import_key(binding, SPEC).await.unwrap();
    for length in [0, 31, 33] {
        let encrypted = encrypted(&key, &OAEP_SHA256_MGF1SHA256, &vec![7; length]);
        let taken = software.import(binding, import(&key, &encrypted)).await;
        assert!(matches!(taken, Err(ImportError::Rejected(_))), "{length}");
    }
    let other = encrypted(&key, &OAEP_SHA1_MGF1SHA1, &[7; 32]);
    for wrong in [&other[..], &other[1..], &[], &[0; 6145]] {
        let taken = software.import(binding, import(&key, wrong)).await;
        assert!(matches!(taken, Err(ImportError::Unopened)), "{}", wrong.len());
    }
}

#[tokio::test]
async fn a_private_key_comes_in_as_its_spec() {
    let software = software();
    let binding = binding(KeySpec::EccNistP256);
    let pair = crypto::DataKeyPair::generate(crypto::DataKeyPairSpec::Ec(crypto::Curve::P256));
    let pair = pair.unwrap();
    let key = software.import_key(binding, SPEC).await.unwrap();
    let encrypted = encrypted(&key, &OAEP_SHA256_MGF1SHA256, &pair.private_key);
    let (_, opened) = software.import(binding, import(&key, &encrypted)).await.unwrap();
    assert_eq!(opened.material.public_key().await.unwrap(), pair.public_key);
    let algorithm = EncryptionAlgorithmSpec::RsaesOaepSha256;
    assert!(opened.material.encrypt(algorithm, b"m").await.is_err());
}

#[tokio::test]
async fn what_aws_has_in_china_alone_is_unsupported() {
    let software = software();
    let binding = binding(KeySpec::SymmetricDefault);
    let sm2 = software.import_key(binding, WrappingKeySpec::Sm2).await;
    assert!(matches!(sm2, Err(KeyStoreError::Unsupported)));
    let key = software.import_key(binding, SPEC).await.unwrap();
    for algorithm in [AlgorithmSpec::RsaesPkcs1V15, AlgorithmSpec::Sm2Pke] {
        let import = Import { algorithm, ..import(&key, &[0; 256]) };
        let taken = software.import(binding, import).await;
        assert!(matches!(taken, Err(ImportError::KeyStore(KeyStoreError::Unsupported))));
    }
}
