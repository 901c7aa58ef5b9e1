//! The bounded leaf shapes of KMS, one a line, as in its service model (2014-11-01).
//!
//! A type's name is the Rust name of the thing; the string is the shape's name in the model.

use std::sync::Arc;

use crate::declare::{blob, integer, list, text};
use crate::leaf::{Map, Shape, ShapeInfo, ShapeKind, Write, read_map};
use crate::node::Node;
use crate::path::Path;
use crate::reader::Reader;
use crate::writer::Writer;

/// The model sets no bound; the limit on a body does.
pub(crate) const UNBOUNDED: usize = usize::MAX;

pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_word(c) || matches!(c, ':' | '/' | '-'))
}

fn is_lower_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn is_policy(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}'))
}

fn is_material_description(text: &str) -> bool {
    let is_space = |c| matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
    !text.is_empty()
        && text.chars().all(|c| is_word(c) || is_space(c) || matches!(c, ':' | '/' | '.' | '-'))
}

fn is_region(text: &str) -> bool {
    // ^([a-z]+-){2,3}\d+$
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    (2..=3).contains(&parts.len())
        && parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

text! {
    /// A key id, key ARN, alias or alias ARN, as a request names it.
    KeyId = "KeyIdType", 1..=2048;
    /// An alias with its prefix, `alias/x`.
    AliasName = "AliasNameType", 1..=256, pattern "^[a-zA-Z0-9:/_-]+$" by is_name;
    /// An ARN in an answer.
    ArnText = "ArnType", 20..=2048;
    /// An account id in an answer.
    AccountIdText = "AWSAccountIdType", 0..=UNBOUNDED;
    /// The id of a key material: 64 hex digits.
    KeyMaterialId = "BackingKeyIdType", 64..=64, pattern "^[a-f0-9]+$" by is_lower_hex;
    /// The id of a key material that was deleted.
    DeletedKeyMaterialId = "BackingKeyIdResponseType", 0..=64,
        pattern "^[a-f0-9]+$" by is_lower_hex;
    /// A description of a key material.
    KeyMaterialDescription = "KeyMaterialDescriptionType", 0..=256,
        pattern "^[a-zA-Z0-9:/_\\s.-]+$" by is_material_description;
    /// The id of an audit record.
    CloudTrailEventId = "CloudTrailEventIdType", 0..=UNBOUNDED;
    /// The id of a request.
    KmsRequestId = "KmsRequestIdType", 0..=UNBOUNDED;
    /// The cluster behind a CloudHSM key store.
    CloudHsmClusterId = "CloudHsmClusterIdType", 19..=24,
        pattern "cluster-[2-7a-zA-Z]{11,16}" by is_cluster_id;
    /// The id of a custom key store.
    CustomKeyStoreId = "CustomKeyStoreIdType", 1..=64;
    /// A key's description.
    Description = "DescriptionType", 0..=8192;
    /// A grant token.
    GrantToken = "GrantTokenType", 1..=8192;
    /// Where a list goes on.
    Marker = "MarkerType", 1..=1024,
        pattern "[\\u0020-\\u00FF]*" by
        |text| text.chars().all(|c| matches!(c, '\u{20}'..='\u{ff}'));
    /// A key policy's name.
    PolicyName = "PolicyNameType", 1..=128,
        pattern "[\\w]+" by |text| !text.is_empty() && text.chars().all(is_word);
    /// A key policy document.
    PolicyText = "PolicyType", 1..=131_072,
        pattern "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" by is_policy;
    /// A Region's name in an answer or request.
    RegionText = "RegionType", 1..=32, pattern "^([a-z]+-){2,3}\\d+$" by is_region;
    /// A tag's key.
    TagKey = "TagKeyType", 1..=128;
    /// A tag's value.
    TagValue = "TagValueType", 0..=256;
    /// The id of a key in an external key store.
    XksKeyId = "XksKeyIdType", 1..=128, pattern "^[a-zA-Z0-9-_.]+$" by
        |text| !text.is_empty() && text.chars().all(|c| is_word(c) || matches!(c, '-' | '.'));
}

fn is_cluster_id(text: &str) -> bool {
    text.strip_prefix("cluster-").is_some_and(|id| {
        (11..=16).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'2'..=b'7'))
    })
}

blob! {
    /// An attestation document (CBOR in COSE).
    AttestationDocument = "AttestationDocumentType", 1..=262_144, sensitive: false;
    /// Ciphertext that KMS made.
    Ciphertext = "CiphertextType", 1..=6144, sensitive: false;
    /// A public key: SubjectPublicKeyInfo in DER (RFC 5280).
    PublicKey = "PublicKeyType", 1..=8192, sensitive: false;
    /// Plaintext.
    Plaintext = "PlaintextType", 1..=4096, sensitive: true;
}

integer! {
    /// How many items a page of a list may hold at most.
    Limit = "LimitType", 1..=1000;
    /// A number of random bytes.
    NumberOfBytes = "NumberOfBytesType", 1..=1024;
    /// The time between automatic rotations, in days.
    RotationPeriodInDays = "RotationPeriodInDaysType", 90..=2560;
    /// The waiting period of a deletion, in days.
    PendingWindowInDays = "PendingWindowInDaysType", 1..=365;
}

list! {
    /// Grant tokens of a request.
    GrantTokens = "GrantTokenList" of GrantToken, 0..=10;
    /// Keys of tags to remove.
    TagKeys = "TagKeyList" of TagKey, 0..=UNBOUNDED;
    /// Names of a key's policies.
    PolicyNames = "PolicyNameList" of PolicyName, 0..=UNBOUNDED;
    /// Tags.
    Tags = "TagList" of Tag, 0..=UNBOUNDED;
    /// Keys of a page.
    Keys = "KeyList" of KeyListEntry, 0..=UNBOUNDED;
    /// Aliases of a page.
    Aliases = "AliasList" of AliasListEntry, 0..=UNBOUNDED;
    /// Keys related to a multi-Region key.
    MultiRegionKeys = "MultiRegionKeyList" of MultiRegionKey, 0..=UNBOUNDED;
    /// Rotations of a page.
    Rotations = "RotationsList" of RotationsListEntry, 0..=UNBOUNDED;
    /// What a dry run leaves out.
    DryRunModifiers = "DryRunModifierList" of crate::enums::DryRunModifierType, 0..=UNBOUNDED;
    /// Whose keys to list.
    ResourceOwners = "ResourceOwnersList" of crate::enums::ResourceOwnerType, 1..=2;
    /// Encryption algorithms of a key.
    EncryptionAlgorithms = "EncryptionAlgorithmSpecList" of crate::enums::EncryptionAlgorithmSpec,
        0..=UNBOUNDED;
    /// Signing algorithms of a key.
    SigningAlgorithms = "SigningAlgorithmSpecList" of crate::enums::SigningAlgorithmSpec,
        0..=UNBOUNDED;
    /// MAC algorithms of a key.
    MacAlgorithms = "MacAlgorithmSpecList" of crate::enums::MacAlgorithmSpec, 0..=UNBOUNDED;
    /// Key agreement algorithms of a key.
    KeyAgreementAlgorithms = "KeyAgreementAlgorithmSpecList" of
        crate::enums::KeyAgreementAlgorithmSpec, 0..=UNBOUNDED;
    /// Encapsulation algorithms of a key.
    EncapsulationAlgorithms = "EncapsulationAlgorithmSpecList" of
        crate::enums::EncapsulationAlgorithmSpec, 0..=UNBOUNDED;
}

/// A string of a map; the model names it but sets no bounds.
const fn unbounded_text(name: &'static str) -> ShapeInfo {
    ShapeInfo {
        name,
        kind: ShapeKind::Text { min: 0, max: UNBOUNDED, pattern: None },
        sensitive: false,
    }
}

/// An encryption context: pairs that a ciphertext is bound to, sorted by key. Shared, since what a
/// request acts on holds it beside the request's input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncryptionContext(pub Arc<Map>);

impl Shape for EncryptionContext {
    const INFO: &'static ShapeInfo = &ShapeInfo {
        name: "EncryptionContextType",
        kind: ShapeKind::Map {
            key: &unbounded_text("EncryptionContextKey"),
            value: &unbounded_text("EncryptionContextValue"),
        },
        sensitive: false,
    };

    fn read(node: &Node<'_>, _: &Path<'_>, reader: &mut Reader) -> Option<Self> {
        read_map(node, reader).map(|map| Self(Arc::new(map)))
    }
}

impl Write for EncryptionContext {
    fn write<W: Writer>(&self, out: &mut W) {
        out.map(&self.0);
    }
}

crate::structure! {
    /// A tag.
    pub struct Tag {
        tag_key: TagKey = required "TagKey",
        tag_value: TagValue = required "TagValue",
    }

    /// An entry of ListKeys.
    pub struct KeyListEntry {
        key_id: KeyId = optional "KeyId",
        key_arn: ArnText = optional "KeyArn",
    }

    /// An entry of ListAliases.
    pub struct AliasListEntry {
        alias_name: AliasName = optional "AliasName",
        alias_arn: ArnText = optional "AliasArn",
        target_key_id: KeyId = optional "TargetKeyId",
        creation_date: crate::Timestamp = optional "CreationDate",
        last_updated_date: crate::Timestamp = optional "LastUpdatedDate",
    }

    /// An entry of ListKeyRotations.
    pub struct RotationsListEntry {
        key_id: KeyId = optional "KeyId",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
        key_material_description: KeyMaterialDescription = optional "KeyMaterialDescription",
        import_state: crate::enums::ImportState = optional "ImportState",
        key_material_state: crate::enums::KeyMaterialState = optional "KeyMaterialState",
        expiration_model: crate::enums::ExpirationModelType = optional "ExpirationModel",
        valid_to: crate::Timestamp = optional "ValidTo",
        rotation_date: crate::Timestamp = optional "RotationDate",
        rotation_type: crate::enums::RotationType = optional "RotationType",
    }

    /// The last use of a key; without members for a key that was never used.
    pub struct KeyLastUsageData {
        operation: crate::enums::KeyLastUsageTrackingOperation = optional "Operation",
        timestamp: crate::Timestamp = optional "Timestamp",
        cloud_trail_event_id: CloudTrailEventId = optional "CloudTrailEventId",
        kms_request_id: KmsRequestId = optional "KmsRequestId",
    }

    /// One of a set of related multi-Region keys.
    pub struct MultiRegionKey {
        arn: ArnText = optional "Arn",
        region: RegionText = optional "Region",
    }

    /// How a multi-Region key relates to others.
    pub struct MultiRegionConfiguration {
        multi_region_key_type: crate::enums::MultiRegionKeyType = optional "MultiRegionKeyType",
        primary_key: MultiRegionKey = optional "PrimaryKey",
        replica_keys: MultiRegionKeys = optional "ReplicaKeys",
    }

    /// The external key behind a key of an external key store.
    pub struct XksKeyConfiguration = "XksKeyConfigurationType" {
        id: XksKeyId = optional "Id",
    }

    /// The attested environment that an answer is encrypted for.
    pub struct RecipientInfo {
        key_encryption_algorithm: crate::enums::KeyEncryptionMechanism =
            optional "KeyEncryptionAlgorithm",
        attestation_document: AttestationDocument = optional "AttestationDocument",
    }

    /// All that an answer tells about a key.
    pub struct KeyMetadata {
        aws_account_id: AccountIdText = optional "AWSAccountId",
        key_id: KeyId = required "KeyId",
        arn: ArnText = optional "Arn",
        creation_date: crate::Timestamp = optional "CreationDate",
        enabled: bool = optional "Enabled",
        description: Description = optional "Description",
        key_usage: crate::enums::KeyUsageType = optional "KeyUsage",
        key_state: crate::enums::KeyState = optional "KeyState",
        deletion_date: crate::Timestamp = optional "DeletionDate",
        valid_to: crate::Timestamp = optional "ValidTo",
        origin: crate::enums::OriginType = optional "Origin",
        custom_key_store_id: CustomKeyStoreId = optional "CustomKeyStoreId",
        cloud_hsm_cluster_id: CloudHsmClusterId = optional "CloudHsmClusterId",
        expiration_model: crate::enums::ExpirationModelType = optional "ExpirationModel",
        key_manager: crate::enums::KeyManagerType = optional "KeyManager",
        customer_master_key_spec: crate::enums::AnsweredCustomerMasterKeySpec =
            optional "CustomerMasterKeySpec",
        key_spec: crate::enums::KeySpec = optional "KeySpec",
        encryption_algorithms: EncryptionAlgorithms = optional "EncryptionAlgorithms",
        signing_algorithms: SigningAlgorithms = optional "SigningAlgorithms",
        key_agreement_algorithms: KeyAgreementAlgorithms = optional "KeyAgreementAlgorithms",
        encapsulation_algorithms: EncapsulationAlgorithms = optional "EncapsulationAlgorithms",
        multi_region: bool = optional "MultiRegion",
        multi_region_configuration: MultiRegionConfiguration = optional "MultiRegionConfiguration",
        pending_deletion_window_in_days: PendingWindowInDays =
            optional "PendingDeletionWindowInDays",
        mac_algorithms: MacAlgorithms = optional "MacAlgorithms",
        xks_key_configuration: XksKeyConfiguration = optional "XksKeyConfiguration",
        current_key_material_id: KeyMaterialId = optional "CurrentKeyMaterialId",
    }
}
