//! The operations of KMS, one file each, and the registry that holds them all.

mod cancel_key_deletion;
mod create_alias;
mod create_key;
mod decrypt;
mod delete_alias;
mod describe_key;
mod disable_key;
mod enable_key;
mod encrypt;
mod generate_data_key;
mod generate_data_key_without_plaintext;
mod generate_random;
mod get_key_policy;
mod list_aliases;
mod list_key_policies;
mod list_keys;
mod list_resource_tags;
mod put_key_policy;
mod re_encrypt;
mod schedule_key_deletion;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_key_description;

use service::{ANY_STATE, AnyOperation, Facts, USABLE};
use wire::enums::KeyState;
use wire::structure;

use crate::Kms;

structure! {
    /// The output of an operation that gives nothing.
    pub(crate) struct Nothing {}
}

/// What is true of an operation that manages keys, unless it says otherwise.
const MANAGEMENT: Facts = Facts {
    name: "",
    actions: &[],
    states: ANY_STATE,
    usage: None,
    grantable: false,
    dry_run: false,
    cross_account: false,
    read_only: false,
    errors: &[],
};

/// What is true of an operation that uses a key's material, unless it says otherwise.
const CRYPTOGRAPHY: Facts = Facts {
    states: USABLE,
    grantable: true,
    dry_run: true,
    cross_account: true,
    read_only: true,
    ..MANAGEMENT
};

/// The states of a key that can be enabled and disabled.
const SWITCHABLE: &[KeyState] =
    &[KeyState::Enabled, KeyState::Disabled, KeyState::Unavailable, KeyState::Updating];

/// Every operation that exists, in the order of the alphabet.
pub(crate) const REGISTRY: &[&dyn AnyOperation<Kms>] = &[
    &cancel_key_deletion::CancelKeyDeletion,
    &create_alias::CreateAlias,
    &create_key::CreateKey,
    &decrypt::Decrypt,
    &delete_alias::DeleteAlias,
    &describe_key::DescribeKey,
    &disable_key::DisableKey,
    &enable_key::EnableKey,
    &encrypt::Encrypt,
    &generate_data_key::GenerateDataKey,
    &generate_data_key_without_plaintext::GenerateDataKeyWithoutPlaintext,
    &generate_random::GenerateRandom,
    &get_key_policy::GetKeyPolicy,
    &list_aliases::ListAliases,
    &list_key_policies::ListKeyPolicies,
    &list_keys::ListKeys,
    &list_resource_tags::ListResourceTags,
    &put_key_policy::PutKeyPolicy,
    &re_encrypt::ReEncrypt,
    &schedule_key_deletion::ScheduleKeyDeletion,
    &tag_resource::TagResource,
    &untag_resource::UntagResource,
    &update_alias::UpdateAlias,
    &update_key_description::UpdateKeyDescription,
];

/// The operations of the service model that don't exist yet; they answer
/// UnknownOperationException. A new operation moves from here into [`REGISTRY`].
pub const MISSING: &[&str] = &[
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "CreateGrant",
    "Decapsulate",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DisableKeyRotation",
    "DisconnectCustomKeyStore",
    "EnableKeyRotation",
    "Encapsulate",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "GetKeyLastUsage",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ListGrants",
    "ListKeyRotations",
    "ListRetirableGrants",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "Sign",
    "UpdateCustomKeyStore",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];
