//! CreateKey: makes a key in the caller's account and Region.
//!
//! Errors, in order: AccessDeniedException, ValidationException (spec and usage),
//! UnsupportedOperationException (what this version doesn't make), CustomKeyStoreNotFoundException
//! (there are none), TagException, LimitExceededException or MalformedPolicyDocumentException
//! (policy), ValidationException or AlreadyExistsException (an id or material that dev mode's tags
//! fix), LimitExceededException (keys).

use service::ports::{Binding, Commit, Expect};
use service::{Authorized, Context, Error, Facts, FilledIn, Operation, Resource};
use wire::enums::{CustomerMasterKeySpec, KeyManagerType, KeySpec, KeyUsageType, OriginType};
use wire::shapes::{CustomKeyStoreId, Description, KeyMetadata, PolicyText, Tags, XksKeyId};
use wire::{ErrorCode, Node, structure};
use zeroize::Zeroizing;

use crate::Kms;
use crate::ciphertext::identity;
use crate::key::{self, Key, NewKey};
use crate::key_id::KeyId;
use crate::operations::MANAGEMENT;
use crate::records::{KeyRecord, MaterialRecord, MultiRegion, encode};
use crate::spec::algorithms;
use crate::{dev_tags, key_policy, layout, tags};

/// CreateKey.
pub(crate) struct CreateKey;

structure! {
    /// Input of CreateKey.
    pub(crate) struct CreateKeyRequest {
        policy: PolicyText = optional "Policy",
        description: Description = optional "Description",
        key_usage: KeyUsageType = optional "KeyUsage",
        customer_master_key_spec: CustomerMasterKeySpec = optional "CustomerMasterKeySpec",
        key_spec: KeySpec = optional "KeySpec",
        origin: OriginType = optional "Origin",
        custom_key_store_id: CustomKeyStoreId = optional "CustomKeyStoreId",
        bypass_policy_lockout_safety_check: bool = optional "BypassPolicyLockoutSafetyCheck",
        tags: Tags = optional "Tags",
        multi_region: bool = optional "MultiRegion",
        xks_key_id: XksKeyId = optional "XksKeyId",
    }

    /// Output of CreateKey.
    pub(crate) struct CreateKeyResponse {
        key_metadata: KeyMetadata = optional "KeyMetadata",
    }
}

impl Operation for CreateKey {
    type Service = Kms;
    type Input = CreateKeyRequest;
    type Output = CreateKeyResponse;
    type Target = NewKey;

    const FILLED_IN: &'static [(&'static str, FilledIn)] = &[
        ("KeySpec", FilledIn::Like("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT")),
        ("CustomerMasterKeySpec", FilledIn::Like("KeySpec", "SYMMETRIC_DEFAULT")),
        ("KeyUsage", FilledIn::Text("ENCRYPT_DECRYPT")),
        ("Origin", FilledIn::Text("AWS_KMS")),
        ("Description", FilledIn::Text("")),
        ("BypassPolicyLockoutSafetyCheck", FilledIn::Boolean(false)),
    ];
    const FACTS: Facts = Facts {
        name: "CreateKey",
        actions: &["kms:CreateKey"],
        states: &[],
        errors: &[
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidArnException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::KMSInternalException,
            ErrorCode::LimitExceededException,
            ErrorCode::TagException,
            ErrorCode::CustomKeyStoreNotFoundException,
            ErrorCode::CustomKeyStoreInvalidStateException,
            ErrorCode::CloudHsmClusterInvalidConfigurationException,
            ErrorCode::XksKeyInvalidConfigurationException,
            ErrorCode::XksKeyAlreadyInUseException,
            ErrorCode::XksKeyNotFoundException,
        ],
        ..MANAGEMENT
    };

    fn withhold(kms: &Kms, node: &mut Node<'_>) -> Option<Zeroizing<String>> {
        if kms.dev_tags { dev_tags::withhold_material(node) } else { None }
    }

    async fn resolve(_: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let tagged = input.tags.as_ref().is_some_and(|tags| !tags.0.is_empty());
        Ok(NewKey { tagged })
    }

    async fn run(
        cx: &Context<'_, Kms>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (spec, usage) = kind(input)?;
        supported(input)?;
        let max = cx.service.limits.tags_per_key;
        let key_tags = tags::of_new_key(input.tags.as_ref(), max)?;
        let (account, region) = (cx.account(), cx.region);
        let multi_region = input.multi_region == Some(true);
        let id = match dev_tags::custom_id(cx, &key_tags, multi_region).await? {
            Some(id) => id,
            None => KeyId::draw(cx.service.entropy.as_ref(), multi_region)?,
        };
        let arn = key::arn(account, region, &id);
        let bypass = input.bypass_policy_lockout_safety_check;
        let asked = input.policy.as_ref();
        let policy = key_policy::of_new_key(cx, asked, bypass, region, &arn).await?;
        let binding = Binding {
            region: region.as_str(),
            key_arn: &arn,
            identity: identity(account, &id),
            spec,
        };
        let origin = input.origin.unwrap_or(OriginType::AwsKms);
        let materials = first_material(cx, binding, origin).await?;
        let record = KeyRecord {
            spec,
            usage,
            origin,
            manager: KeyManagerType::Customer,
            created: cx.now,
            description: input.description.as_ref().map_or("", |text| text.as_str()).to_owned(),
            enabled: true,
            deletion: None,
            policy: policy.text,
            bound: policy.bound,
            tags: key_tags,
            materials,
            rotation: None,
            multi_region: multi_region
                .then(|| MultiRegion { primary: region.clone(), replicas: Vec::new() }),
            waiting: None,
        };
        let place = layout::key(account, region, id.as_str());
        let value = encode(&record)?;
        let commit = Commit {
            preconditions: vec![(place.clone(), Expect::Absent)],
            puts: vec![(place, value)],
            deletes: Vec::new(),
        };
        let room = cx.service.room_for_key(account, region, cx.now).await?;
        let revision = cx.service.store.commit(commit).await?;
        room.took_place();
        let key = Key::of(*account, region.clone(), id, record, policy.document, revision);
        Ok(CreateKeyResponse { key_metadata: Some(key.metadata(cx.now)) })
    }

    fn made(output: &Self::Output) -> Option<Resource> {
        output.key_metadata.as_ref().and_then(key::made)
    }
}

/// The material that the key begins with; that of the other origin comes in later.
async fn first_material(
    cx: &Context<'_, Kms>,
    binding: Binding<'_>,
    origin: OriginType,
) -> Result<Vec<MaterialRecord>, Error> {
    let (wrapped, opened) = match (origin, cx.withheld()) {
        (OriginType::External, Some(_)) => return Err(dev_tags::no_material_of_its_own()),
        (OriginType::External, None) => return Ok(Vec::new()),
        (_, Some(text)) => dev_tags::material(cx.service, binding, text).await?,
        (_, None) => cx.service.key_store.generate(binding).await?,
    };
    Ok(vec![MaterialRecord::new(opened.id, wrapped)])
}

/// Spec and usage of the new key.
fn kind(input: &CreateKeyRequest) -> Result<(KeySpec, KeyUsageType), Error> {
    let spec = match (input.key_spec, input.customer_master_key_spec) {
        (Some(_), Some(_)) => {
            return Err(Error::validation(
                "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
                 CustomerMasterKeySpec is deprecated.",
            ));
        }
        (Some(spec), None) => spec,
        (None, Some(spec)) => spec.into(),
        (None, None) => KeySpec::SymmetricDefault,
    };
    if spec == KeySpec::Sm2 {
        return Err(unsupported(format!("KeySpec {spec} is not supported in this Region")));
    }
    let usage = match input.key_usage {
        Some(usage) => usage,
        None if spec == KeySpec::SymmetricDefault => KeyUsageType::EncryptDecrypt,
        None => {
            return Err(Error::validation(
                "You must specify a KeyUsage value for all KMS keys except for symmetric \
                 encryption keys.",
            ));
        }
    };
    match algorithms(spec, usage) {
        Some(_) => Ok((spec, usage)),
        None => Err(Error::validation(format!(
            "KeyUsage {usage} is not compatible with KeySpec {spec}"
        ))),
    }
}

/// Refuses what a key can't be yet.
fn supported(input: &CreateKeyRequest) -> Result<(), Error> {
    match input.origin {
        None | Some(OriginType::AwsKms | OriginType::External) => {}
        Some(origin) => return Err(unsupported(format!("Origin {origin} is not supported"))),
    }
    if input.custom_key_store_id.is_some() {
        return Err(Error::bare(ErrorCode::CustomKeyStoreNotFoundException));
    }
    if input.xks_key_id.is_some() {
        return Err(unsupported("XksKeyId is not supported".to_owned()));
    }
    Ok(())
}

fn unsupported(message: String) -> Error {
    Error::new(ErrorCode::UnsupportedOperationException, message)
}
