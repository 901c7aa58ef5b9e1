//! The stations of a key's life, each with what AWS answers there.
//!
//! It owns the order and the expectations. It must not know where the client comes from.

use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, KeyMetadata, KeySpec, KeyState, KeyUsageType, Tag};
use std::collections::HashSet;
use std::error::Error;
use std::fmt::Debug;

/// What a station comes to.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const ALIAS: &str = "alias/rust";
/// What is encrypted and signed.
pub(crate) const TEXT: &[u8] = b"attack at dawn";

/// Goes through the whole life, in an account that nothing has been created in.
///
/// # Errors
/// Whatever the client reports where an answer was expected.
///
/// # Panics
/// Where the server's answer isn't AWS's.
pub(crate) async fn walk(kms: &Client, account: &str) -> Outcome {
    let key = creation(kms, account).await?;
    let other = plain_key(kms).await?;
    encryption(kms, &key, &other).await?;
    data_keys(kms, &key).await?;
    management(kms, &key, &other, account).await?;
    states(kms, &key).await?;
    paging(kms, &[&key, &other, &plain_key(kms).await?]).await
}

/// The outcome must be a refusal with this code and, where AWS gives one, this message.
pub(crate) fn refused<T: Debug, E, R>(
    outcome: Result<T, SdkError<E, R>>,
    code: &str,
    message: Option<&str>,
) where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug,
{
    let error = match outcome {
        Err(error) => error,
        Ok(answer) => panic!("{code} was expected, not {answer:?}"),
    };
    assert_eq!(error.code(), Some(code), "{error:?}");
    assert_eq!(error.message(), message, "{error:?}");
}

async fn plain_key(kms: &Client) -> Outcome<KeyMetadata> {
    Ok(kms.create_key().send().await?.key_metadata.ok_or("CreateKey without metadata")?)
}

async fn described(kms: &Client, name: &str) -> Outcome<KeyMetadata> {
    let answer = kms.describe_key().key_id(name).send().await?;
    Ok(answer.key_metadata.ok_or("DescribeKey without metadata")?)
}

/// The key's ARN.
pub(crate) fn arn(key: &KeyMetadata) -> &str {
    key.arn().unwrap_or("a key without an ARN")
}

fn tag(key: &str, value: &str) -> Outcome<Tag> {
    Ok(Tag::builder().tag_key(key).tag_value(value).build()?)
}

async fn creation(kms: &Client, account: &str) -> Outcome<KeyMetadata> {
    let answer = kms.create_key().description("ключ").tags(tag("a", "1")?).send().await?;
    let key = answer.key_metadata.ok_or("CreateKey without metadata")?;
    assert_eq!(key.aws_account_id(), Some(account));
    assert_eq!(arn(&key), format!("arn:aws:kms:us-east-1:{account}:key/{}", key.key_id()));
    assert_eq!(key.description(), Some("ключ"));
    assert_eq!(key.key_spec(), Some(&KeySpec::SymmetricDefault));
    assert_eq!(key.key_usage(), Some(&KeyUsageType::EncryptDecrypt));
    assert_eq!(key.key_state(), Some(&KeyState::Enabled));
    assert_eq!((key.enabled(), key.multi_region()), (true, Some(false)));
    assert_eq!(key.current_key_material_id().map(str::len), Some(64));
    kms.create_alias().alias_name(ALIAS).target_key_id(key.key_id()).send().await?;
    for name in [key.key_id(), arn(&key), ALIAS] {
        assert_eq!(described(kms, name).await?, key);
    }
    Ok(key)
}

async fn encryption(kms: &Client, key: &KeyMetadata, other: &KeyMetadata) -> Outcome {
    let sealed = kms
        .encrypt()
        .key_id(ALIAS)
        .plaintext(Blob::new(TEXT))
        .encryption_context("tenant", "a")
        .send()
        .await?;
    assert_eq!(sealed.key_id(), Some(arn(key)));
    let blob = sealed.ciphertext_blob.ok_or("Encrypt without a blob")?;
    let decrypt = || kms.decrypt().ciphertext_blob(blob.clone());

    let opened = decrypt().encryption_context("tenant", "a").send().await?;
    assert_eq!(opened.plaintext(), Some(&Blob::new(TEXT)));
    assert_eq!(
        (opened.key_id(), opened.key_material_id()),
        (Some(arn(key)), key.current_key_material_id())
    );
    refused(decrypt().send().await, "InvalidCiphertextException", None);
    let wrong = decrypt().encryption_context("tenant", "b").send().await;
    refused(wrong, "InvalidCiphertextException", None);
    let wrong = decrypt().encryption_context("tenant", "a").key_id(other.key_id()).send().await;
    let said = "The key ID in the request does not identify a CMK that can perform this operation.";
    refused(wrong, "IncorrectKeyException", Some(said));

    let moved = kms
        .re_encrypt()
        .ciphertext_blob(blob.clone())
        .source_encryption_context("tenant", "a")
        .destination_key_id(other.key_id())
        .send()
        .await?;
    assert_eq!((moved.source_key_id(), moved.key_id()), (Some(arn(key)), Some(arn(other))));
    let blob = moved.ciphertext_blob.ok_or("ReEncrypt without a blob")?;
    let opened = kms.decrypt().ciphertext_blob(blob).send().await?;
    assert_eq!(opened.plaintext(), Some(&Blob::new(TEXT)));
    Ok(())
}

async fn data_keys(kms: &Client, key: &KeyMetadata) -> Outcome {
    let request = kms.generate_data_key().key_id(key.key_id());
    let made = request.clone().key_spec(DataKeySpec::Aes256).send().await?;
    assert_eq!(made.key_id(), Some(arn(key)));
    assert_eq!(made.plaintext().map(|bytes| bytes.as_ref().len()), Some(32));
    let blob = made.ciphertext_blob.ok_or("GenerateDataKey without a blob")?;
    let opened = kms.decrypt().ciphertext_blob(blob).send().await?;
    assert_eq!(opened.plaintext, made.plaintext);
    let said = "Please specify either number of bytes or key spec.";
    refused(request.send().await, "ValidationException", Some(said));

    let hidden = kms.generate_data_key_without_plaintext().key_id(key.key_id());
    let hidden = hidden.number_of_bytes(1024).send().await?;
    let blob = hidden.ciphertext_blob.ok_or("a data key without a blob")?;
    let opened = kms.decrypt().ciphertext_blob(blob).send().await?;
    assert_eq!(opened.plaintext().map(|bytes| bytes.as_ref().len()), Some(1024));

    let drawn = kms.generate_random().number_of_bytes(77).send().await?;
    assert_eq!(drawn.plaintext().map(|bytes| bytes.as_ref().len()), Some(77));
    Ok(())
}

async fn management(
    kms: &Client,
    key: &KeyMetadata,
    other: &KeyMetadata,
    account: &str,
) -> Outcome {
    let id = key.key_id();
    kms.update_key_description().key_id(id).description("second").send().await?;
    assert_eq!(described(kms, id).await?.description(), Some("second"));
    kms.tag_resource().key_id(id).tags(tag("b", "2")?).send().await?;
    kms.untag_resource().key_id(id).tag_keys("a").send().await?;
    assert_eq!(kms.list_resource_tags().key_id(id).send().await?.tags(), [tag("b", "2")?]);
    let policy = kms.get_key_policy().key_id(id).send().await?.policy.ok_or("no policy")?;
    assert!(policy.contains("key-default-1"));
    kms.put_key_policy().key_id(id).policy(policy).send().await?;
    let policies = kms.list_key_policies().key_id(id).send().await?;
    assert_eq!(policies.policy_names(), ["default"]);

    kms.update_alias().alias_name(ALIAS).target_key_id(other.key_id()).send().await?;
    let listed = kms.list_aliases().key_id(other.key_id()).send().await?;
    let names: Vec<_> = listed.aliases().iter().filter_map(|alias| alias.alias_name()).collect();
    assert_eq!(names, [ALIAS]);
    kms.delete_alias().alias_name(ALIAS).send().await?;
    let said = format!("Alias arn:aws:kms:us-east-1:{account}:{ALIAS} is not found.");
    let gone = kms.describe_key().key_id(ALIAS).send().await;
    refused(gone, "NotFoundException", Some(&said));
    Ok(())
}

async fn states(kms: &Client, key: &KeyMetadata) -> Outcome {
    let id = key.key_id();
    let encrypt = || kms.encrypt().key_id(id).plaintext(Blob::new(TEXT)).send();
    kms.disable_key().key_id(id).send().await?;
    refused(encrypt().await, "DisabledException", Some(&format!("{} is disabled.", arn(key))));
    kms.enable_key().key_id(id).send().await?;
    encrypt().await?;

    let deletion = kms.schedule_key_deletion().key_id(id).pending_window_in_days(7);
    let pending = deletion.send().await?;
    assert_eq!(pending.key_id(), Some(arn(key)));
    assert_eq!(pending.key_state(), Some(&KeyState::PendingDeletion));
    let said = format!("{} is pending deletion.", arn(key));
    refused(encrypt().await, "KMSInvalidStateException", Some(&said));
    assert_eq!(kms.cancel_key_deletion().key_id(id).send().await?.key_id(), Some(arn(key)));
    let cancelled = described(kms, id).await?;
    assert_eq!(cancelled.key_state(), Some(&KeyState::Disabled));
    assert_eq!(cancelled.deletion_date(), None);
    kms.enable_key().key_id(id).send().await?;
    encrypt().await?;
    Ok(())
}

async fn paging(kms: &Client, made: &[&KeyMetadata]) -> Outcome {
    let mut pages = kms.list_keys().into_paginator().page_size(2).send();
    let mut seen = HashSet::new();
    let mut lengths = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        lengths.push(page.keys().len());
        seen.extend(page.keys().iter().filter_map(|key| key.key_id().map(str::to_owned)));
    }
    assert_eq!(lengths, [2, 1]);
    assert_eq!(seen, made.iter().map(|key| key.key_id().to_owned()).collect());
    Ok(())
}
