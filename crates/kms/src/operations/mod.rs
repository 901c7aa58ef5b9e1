//! The operations of KMS, one file each, and the registry that holds them all.

mod cancel_key_deletion;
mod create_alias;
mod create_grant;
mod create_key;
mod decapsulate;
mod decrypt;
mod delete_alias;
mod delete_imported_key_material;
mod derive_shared_secret;
mod describe_key;
mod disable_key;
mod disable_key_rotation;
mod enable_key;
mod enable_key_rotation;
mod encapsulate;
mod encrypt;
mod generate_data_key;
mod generate_data_key_pair;
mod generate_data_key_pair_without_plaintext;
mod generate_data_key_without_plaintext;
mod generate_mac;
mod generate_random;
mod get_key_last_usage;
mod get_key_policy;
mod get_key_rotation_status;
mod get_parameters_for_import;
mod get_public_key;
mod import_key_material;
mod list_aliases;
mod list_grants;
mod list_key_policies;
mod list_key_rotations;
mod list_keys;
mod list_resource_tags;
mod list_retirable_grants;
mod put_key_policy;
mod re_encrypt;
mod replicate_key;
mod retire_grant;
mod revoke_grant;
mod rotate_key_on_demand;
mod schedule_key_deletion;
mod sign;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_key_description;
mod update_primary_region;
mod verify;
mod verify_mac;

use service::{ANY_STATE, AnyOperation, Context, Facts, USABLE};
use wire::enums::KeyState;
use wire::structure;

use crate::Kms;
use crate::key::Key;

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

/// The states of a key whose rotation can be changed. A key that waits for an import is of a kind
/// that most rotations don't exist for, which is found first; the others refuse it themselves.
const ROTATABLE: &[KeyState] = &[KeyState::Enabled, KeyState::Updating, KeyState::PendingImport];

/// What audit records call the material that a symmetric key was used with.
const KEY_MATERIAL_ID: &str = "keyMaterialId";

/// Has the audit record name the key among the elements of an answer that doesn't. (AWS's records
/// of some operations do, since December 2022; those of others don't.)
fn name_key(cx: &Context<'_, Kms>, key: &Key) {
    cx.notes().answer("keyId", &key.arn);
}

/// Every operation that exists, in the order of the alphabet.
pub(crate) static REGISTRY: &[&dyn AnyOperation<Kms>] = &[
    &cancel_key_deletion::CancelKeyDeletion,
    &create_alias::CreateAlias,
    &create_grant::CreateGrant,
    &create_key::CreateKey,
    &decapsulate::Decapsulate,
    &decrypt::Decrypt,
    &delete_alias::DeleteAlias,
    &delete_imported_key_material::DeleteImportedKeyMaterial,
    &derive_shared_secret::DeriveSharedSecret,
    &describe_key::DescribeKey,
    &disable_key::DisableKey,
    &disable_key_rotation::DisableKeyRotation,
    &enable_key::EnableKey,
    &enable_key_rotation::EnableKeyRotation,
    &encapsulate::Encapsulate,
    &encrypt::Encrypt,
    &generate_data_key::GenerateDataKey,
    &generate_data_key_pair::GenerateDataKeyPair,
    &generate_data_key_pair_without_plaintext::GenerateDataKeyPairWithoutPlaintext,
    &generate_data_key_without_plaintext::GenerateDataKeyWithoutPlaintext,
    &generate_mac::GenerateMac,
    &generate_random::GenerateRandom,
    &get_key_last_usage::GetKeyLastUsage,
    &get_key_policy::GetKeyPolicy,
    &get_key_rotation_status::GetKeyRotationStatus,
    &get_parameters_for_import::GetParametersForImport,
    &get_public_key::GetPublicKey,
    &import_key_material::ImportKeyMaterial,
    &list_aliases::ListAliases,
    &list_grants::ListGrants,
    &list_key_policies::ListKeyPolicies,
    &list_key_rotations::ListKeyRotations,
    &list_keys::ListKeys,
    &list_resource_tags::ListResourceTags,
    &list_retirable_grants::ListRetirableGrants,
    &put_key_policy::PutKeyPolicy,
    &re_encrypt::ReEncrypt,
    &replicate_key::ReplicateKey,
    &retire_grant::RetireGrant,
    &revoke_grant::RevokeGrant,
    &rotate_key_on_demand::RotateKeyOnDemand,
    &schedule_key_deletion::ScheduleKeyDeletion,
    &sign::Sign,
    &tag_resource::TagResource,
    &untag_resource::UntagResource,
    &update_alias::UpdateAlias,
    &update_key_description::UpdateKeyDescription,
    &update_primary_region::UpdatePrimaryRegion,
    &verify::Verify,
    &verify_mac::VerifyMac,
];

/// The operations of the service model that don't exist yet; they answer
/// UnknownOperationException. A new operation moves from here into [`REGISTRY`].
pub const MISSING: &[&str] = &[
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "UpdateCustomKeyStore",
];
