//! What the targets share: an input that has a member of every kind of shape, because a target that
//! reads one operation's input would leave most of the reader alone. Must not know any operation.

use wire::shapes::{
    AliasName, ArnText, Ciphertext, EncryptionContext, KeyId, KeyMetadata, Limit, Marker,
    Plaintext, PolicyText, RecipientInfo, Tag,
};

wire::structure! {
    /// An input with a text, blob, integer, boolean, enum, list, map and structure in it.
    pub struct Sample {
        key_id: KeyId = required "KeyId",
        alias_name: AliasName = optional "AliasName",
        arn: ArnText = optional "Arn",
        plaintext: Plaintext = optional "Plaintext",
        ciphertext_blob: Ciphertext = optional "CiphertextBlob",
        encryption_context: EncryptionContext = optional "EncryptionContext",
        tag: Tag = optional "Tag",
        tags: wire::shapes::Tags = optional "Tags",
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
        policy: PolicyText = optional "Policy",
        dry_run: bool = optional "DryRun",
        recipient: RecipientInfo = optional "Recipient",
        key_metadata: KeyMetadata = optional "KeyMetadata",
    }
}
