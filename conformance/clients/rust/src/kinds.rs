//! The stations of a key's life that not every kind of key comes to: signatures, MACs, agreement,
//! encapsulation, data key pairs, rotation.
//!
//! It owns what AWS answers there. It must not know where the client comes from.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    DataKeyPairSpec, EncapsulationAlgorithmSpec, KeyAgreementAlgorithmSpec, KeyMetadata, KeySpec,
    KeyUsageType, MacAlgorithmSpec, MessageType, RotationType, SigningAlgorithmSpec,
};

use crate::life::{Outcome, TEXT, arn, refused};

/// Goes through them all, with keys of its own.
///
/// # Errors
/// Whatever the client reports where an answer was expected.
///
/// # Panics
/// Where the server's answer isn't AWS's.
pub(crate) async fn walk(kms: &Client) -> Outcome {
    let signer = key(kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await?;
    signatures(kms, &signer).await?;
    macs(kms, &key(kms, KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await?).await?;
    let pair = [
        key(kms, KeySpec::EccNistP384, KeyUsageType::KeyAgreement).await?,
        key(kms, KeySpec::EccNistP384, KeyUsageType::KeyAgreement).await?,
    ];
    agreement(kms, &pair).await?;
    let usage = KeyUsageType::EncapsulateDecapsulate;
    encapsulation(kms, &key(kms, KeySpec::MlKem512, usage).await?).await?;
    let symmetric = key(kms, KeySpec::SymmetricDefault, KeyUsageType::EncryptDecrypt).await?;
    data_key_pairs(kms, &symmetric).await?;
    rotation(kms, &symmetric).await
}

async fn key(kms: &Client, spec: KeySpec, usage: KeyUsageType) -> Outcome<KeyMetadata> {
    let answer = kms.create_key().key_spec(spec).key_usage(usage).send().await?;
    Ok(answer.key_metadata.ok_or("CreateKey without metadata")?)
}

async fn public_key(kms: &Client, key: &KeyMetadata) -> Outcome<Blob> {
    let answer = kms.get_public_key().key_id(key.key_id()).send().await?;
    assert_eq!((answer.key_id(), answer.key_spec()), (Some(arn(key)), key.key_spec()));
    Ok(answer.public_key.ok_or("GetPublicKey without a key")?)
}

async fn signatures(kms: &Client, key: &KeyMetadata) -> Outcome {
    let algorithm = SigningAlgorithmSpec::EcdsaSha256;
    let sign = kms.sign().key_id(key.key_id()).signing_algorithm(algorithm.clone());
    let signed = sign.message(Blob::new(TEXT)).send().await?;
    assert_eq!((signed.key_id(), signed.signing_algorithm()), (Some(arn(key)), Some(&algorithm)));
    let signature = signed.signature.ok_or("Sign without a signature")?;

    let verify = kms.verify().key_id(key.key_id()).signing_algorithm(algorithm);
    let verify = verify.signature(signature);
    let verified = verify.clone().message(Blob::new(TEXT)).send().await?;
    assert!(verified.signature_valid());
    // Of a digest of zeros, which is signed by nobody.
    let digest = verify.message(Blob::new([0; 32])).message_type(MessageType::Digest);
    refused(digest.send().await, "KMSInvalidSignatureException", None);
    Ok(())
}

async fn macs(kms: &Client, key: &KeyMetadata) -> Outcome {
    let algorithm = MacAlgorithmSpec::HmacSha256;
    let made = kms.generate_mac().key_id(key.key_id()).mac_algorithm(algorithm.clone());
    let mac = made.message(Blob::new(TEXT)).send().await?.mac.ok_or("a MAC without bytes")?;
    assert_eq!(mac.as_ref().len(), 32);
    let verify = kms.verify_mac().key_id(key.key_id()).mac_algorithm(algorithm).mac(mac);
    assert!(verify.clone().message(Blob::new(TEXT)).send().await?.mac_valid());
    let altered = verify.message(Blob::new(&TEXT[1..]));
    refused(altered.send().await, "KMSInvalidMacException", None);
    Ok(())
}

/// Each of two keys derives with the other's public half.
async fn agreement(kms: &Client, pair: &[KeyMetadata; 2]) -> Outcome {
    let [left, right] = pair;
    let mut secrets = Vec::new();
    for (mine, theirs) in [(left, right), (right, left)] {
        let derive = kms.derive_shared_secret().key_id(mine.key_id());
        let derive = derive.key_agreement_algorithm(KeyAgreementAlgorithmSpec::Ecdh);
        let derived = derive.public_key(public_key(kms, theirs).await?).send().await?;
        assert_eq!(derived.key_id(), Some(arn(mine)));
        secrets.push(derived.shared_secret.ok_or("DeriveSharedSecret without a secret")?);
    }
    assert_eq!(secrets[0].as_ref().len(), 48);
    assert_eq!(secrets[0], secrets[1]);
    Ok(())
}

async fn encapsulation(kms: &Client, key: &KeyMetadata) -> Outcome {
    let algorithm = EncapsulationAlgorithmSpec::MlKem;
    let made = kms.encapsulate().key_id(key.key_id());
    let made = made.encapsulation_algorithm(algorithm.clone()).send().await?;
    assert_eq!(made.shared_secret().map(|secret| secret.as_ref().len()), Some(32));
    let opened = kms
        .decapsulate()
        .key_id(key.key_id())
        .encapsulation_algorithm(algorithm)
        .set_shared_secret_ciphertext_blob(made.shared_secret_ciphertext_blob)
        .send()
        .await?;
    assert_eq!(opened.shared_secret, made.shared_secret);
    Ok(())
}

async fn data_key_pairs(kms: &Client, key: &KeyMetadata) -> Outcome {
    let spec = DataKeyPairSpec::EccNistP256;
    let made = kms.generate_data_key_pair().key_id(key.key_id());
    let made = made.key_pair_spec(spec.clone()).send().await?;
    assert_eq!((made.key_id(), made.key_pair_spec()), (Some(arn(key)), Some(&spec)));
    let blob = made.private_key_ciphertext_blob.ok_or("a data key pair without a blob")?;
    let opened = kms.decrypt().ciphertext_blob(blob).send().await?;
    assert_eq!(opened.plaintext, made.private_key_plaintext);

    let hidden = kms.generate_data_key_pair_without_plaintext().key_id(key.key_id());
    let hidden = hidden.key_pair_spec(spec).send().await?;
    assert_ne!(hidden.public_key, made.public_key);
    let blob = hidden.private_key_ciphertext_blob.ok_or("a data key pair without a blob")?;
    let opened = kms.decrypt().ciphertext_blob(blob).send().await?;
    assert_eq!(opened.key_id(), Some(arn(key)));
    Ok(())
}

async fn rotation(kms: &Client, key: &KeyMetadata) -> Outcome {
    let id = key.key_id();
    let sealed = kms.encrypt().key_id(id).plaintext(Blob::new(TEXT)).send().await?;
    kms.enable_key_rotation().key_id(id).rotation_period_in_days(180).send().await?;
    let status = kms.get_key_rotation_status().key_id(id).send().await?;
    assert_eq!(
        (status.key_rotation_enabled(), status.rotation_period_in_days()),
        (true, Some(180))
    );
    assert!(status.next_rotation_date().is_some());
    kms.disable_key_rotation().key_id(id).send().await?;
    assert!(!kms.get_key_rotation_status().key_id(id).send().await?.key_rotation_enabled());

    assert_eq!(kms.rotate_key_on_demand().key_id(id).send().await?.key_id(), Some(arn(key)));
    let listed = kms.list_key_rotations().key_id(id).send().await?;
    let kinds: Vec<_> = listed.rotations().iter().map(|one| one.rotation_type()).collect();
    assert_eq!(kinds, [Some(&RotationType::OnDemand)]);
    let blob = sealed.ciphertext_blob.ok_or("Encrypt without a blob")?;
    let opened = kms.decrypt().ciphertext_blob(blob).send().await?;
    assert_eq!(opened.plaintext(), Some(&Blob::new(TEXT)));
    assert_eq!(opened.key_material_id(), key.current_key_material_id());
    Ok(())
}
