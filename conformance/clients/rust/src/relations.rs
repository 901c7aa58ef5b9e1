//! The stations of keys that have to do with others: grants, replicas, material from outside, the
//! record of the last use.
//!
//! It owns what AWS answers there. It must not know where the client comes from.

use aws_sdk_kms::Client;
use aws_sdk_kms::config::Region;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    AlgorithmSpec, GrantOperation, KeyLastUsageTrackingOperation, KeyMetadata, KeyState,
    MultiRegionKeyType, OriginType, WrappingKeySpec,
};

use crate::life::{Outcome, TEXT, refused};

/// Where replicas are made.
const AWAY: &str = "eu-west-1";

/// Goes through them all, with keys of its own.
///
/// # Errors
/// Whatever the client reports where an answer was expected.
///
/// # Panics
/// Where the server's answer isn't AWS's.
pub(crate) async fn walk(kms: &Client, account: &str) -> Outcome {
    grants(kms, account).await?;
    replicas(kms).await?;
    imports(kms).await
}

async fn grants(kms: &Client, account: &str) -> Outcome {
    let key = made(kms.create_key().send().await?.key_metadata)?;
    let root = format!("arn:aws:iam::{account}:root");
    let create = kms.create_grant().key_id(key.key_id()).grantee_principal(&root);
    let create = create.retiring_principal(&root).operations(GrantOperation::Encrypt);
    let first = create.clone().name("one").send().await?;
    assert_eq!(create.clone().name("one").send().await?.grant_id(), first.grant_id());
    let second = create.send().await?;
    let listed = kms.list_grants().key_id(key.key_id()).send().await?;
    assert_eq!(listed.grants().len(), 2);
    kms.retire_grant().set_grant_token(first.grant_token).send().await?;
    let revoke = kms.revoke_grant().key_id(key.key_id());
    revoke.set_grant_id(second.grant_id).send().await?;
    let left = kms.list_retirable_grants().retiring_principal(&root).send().await?;
    assert!(left.grants().is_empty());
    Ok(())
}

async fn replicas(kms: &Client) -> Outcome {
    let key = made(kms.create_key().multi_region(true).send().await?.key_metadata)?;
    let id = key.key_id();
    let replica = kms.replicate_key().key_id(id).replica_region(AWAY).send().await?;
    assert_eq!(made(replica.replica_key_metadata)?.key_state(), Some(&KeyState::Creating));
    let sealed = kms.encrypt().key_id(id).plaintext(Blob::new(TEXT)).send().await?;
    let last = kms.get_key_last_usage().key_id(id).send().await?;
    let operation = last.key_last_usage().and_then(|usage| usage.operation());
    assert_eq!(operation, Some(&KeyLastUsageTrackingOperation::Encrypt));
    let config = kms.config().to_builder().region(Region::new(AWAY)).build();
    let away = Client::from_conf(config);
    let blob = sealed.ciphertext_blob.ok_or("Encrypt without a blob")?;
    let opened = away.decrypt().ciphertext_blob(blob).send().await?;
    assert_eq!(opened.plaintext(), Some(&Blob::new(TEXT)));
    kms.update_primary_region().key_id(id).primary_region(AWAY).send().await?;
    let described = made(kms.describe_key().key_id(id).send().await?.key_metadata)?;
    let kind = described.multi_region_configuration().and_then(|c| c.multi_region_key_type());
    assert_eq!(kind, Some(&MultiRegionKeyType::Replica));
    Ok(())
}

async fn imports(kms: &Client) -> Outcome {
    let key = made(kms.create_key().origin(OriginType::External).send().await?.key_metadata)?;
    assert_eq!(key.key_state(), Some(&KeyState::PendingImport));
    let parameters = kms.get_parameters_for_import().key_id(key.key_id());
    let parameters = parameters.wrapping_algorithm(AlgorithmSpec::RsaesOaepSha256);
    let parameters = parameters.wrapping_key_spec(WrappingKeySpec::Rsa2048).send().await?;
    assert!(parameters.public_key().is_some() && parameters.parameters_valid_to().is_some());
    kms.delete_imported_key_material().key_id(key.key_id()).send().await?;
    let token = parameters.import_token.ok_or("no import token")?;
    // Nothing that the wrapping key opens.
    let import = kms.import_key_material().key_id(key.key_id()).import_token(token);
    let import = import.encrypted_key_material(Blob::new(vec![7; 256]));
    let expiry = aws_sdk_kms::types::ExpirationModelType::KeyMaterialDoesNotExpire;
    let outcome = import.expiration_model(expiry).send().await;
    refused(outcome, "InvalidCiphertextException", None);
    Ok(())
}

fn made(metadata: Option<KeyMetadata>) -> Outcome<KeyMetadata> {
    Ok(metadata.ok_or("an answer without metadata")?)
}
