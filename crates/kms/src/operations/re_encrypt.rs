//! ReEncrypt: opens a ciphertext and encrypts what it held under another key or context, without
//! the plaintext ever leaving.
//!
//! Errors, in order: InvalidGrantTokenException, those of Decrypt for the source up to the finding
//! of its key, those of Encrypt for the destination up to there, AccessDeniedException (source,
//! destination), IncorrectKeyException, states and usages (source, destination),
//! InvalidKeyUsageException (algorithms), InvalidCiphertextException, DryRunOperationException.

use service::{Authorized, Context, Error, Facts, FilledIn, Operation, Resource, Target};
use wire::enums::{EncryptionAlgorithmSpec, KeySpec, KeyUsageType};
use wire::shapes::{Ciphertext, DryRunModifiers, EncryptionContext, GrantTokens, KeyMaterialId};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::decryption::{DecryptionKey, Source};
use crate::grants::{Circumstances, check_tokens};
use crate::key_id::Aliases;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;

/// The keys that a ReEncrypt acts on.
pub(crate) struct ReEncryptKeys {
    source: DecryptionKey,
    destination: KeyUse,
}

const FROM: &str = "kms:ReEncryptFrom";
const TO: &str = "kms:ReEncryptTo";

impl Target<Kms> for ReEncryptKeys {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.source.permit(cx, facts, FROM).await?;
        self.destination.permit(cx, facts, TO).await
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.source.suits(facts, cx.now)?;
        self.destination.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.source.key.resource(), self.destination.resource()]
    }

    fn key_specs(&self) -> [Option<KeySpec>; 2] {
        [Some(self.source.key.record.spec), Some(self.destination.record.spec)]
    }
}

/// ReEncrypt.
pub(crate) struct ReEncrypt;

structure! {
    /// Input of ReEncrypt.
    pub(crate) struct ReEncryptRequest {
        ciphertext_blob: Ciphertext = optional "CiphertextBlob",
        source_encryption_context: EncryptionContext = optional "SourceEncryptionContext",
        source_key_id: wire::shapes::KeyId = optional "SourceKeyId",
        destination_key_id: wire::shapes::KeyId = required "DestinationKeyId",
        destination_encryption_context: EncryptionContext =
            optional "DestinationEncryptionContext",
        source_encryption_algorithm: EncryptionAlgorithmSpec =
            optional "SourceEncryptionAlgorithm",
        destination_encryption_algorithm: EncryptionAlgorithmSpec =
            optional "DestinationEncryptionAlgorithm",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
        dry_run_modifiers: DryRunModifiers = optional "DryRunModifiers",
    }

    /// Output of ReEncrypt.
    pub(crate) struct ReEncryptResponse {
        ciphertext_blob: Ciphertext = optional "CiphertextBlob",
        source_key_id: wire::shapes::KeyId = optional "SourceKeyId",
        key_id: wire::shapes::KeyId = optional "KeyId",
        source_encryption_algorithm: EncryptionAlgorithmSpec =
            optional "SourceEncryptionAlgorithm",
        destination_encryption_algorithm: EncryptionAlgorithmSpec =
            optional "DestinationEncryptionAlgorithm",
        source_key_material_id: KeyMaterialId = optional "SourceKeyMaterialId",
        destination_key_material_id: KeyMaterialId = optional "DestinationKeyMaterialId",
    }
}

impl Operation for ReEncrypt {
    type Service = Kms;
    type Input = ReEncryptRequest;
    type Output = ReEncryptResponse;
    type Target = ReEncryptKeys;

    const FILLED_IN: &'static [(&'static str, FilledIn)] = &[
        ("SourceEncryptionAlgorithm", FilledIn::Text("SYMMETRIC_DEFAULT")),
        ("DestinationEncryptionAlgorithm", FilledIn::Text("SYMMETRIC_DEFAULT")),
    ];
    const FACTS: Facts = Facts {
        name: "ReEncrypt",
        actions: &["kms:ReEncryptFrom", "kms:ReEncryptTo"],
        usage: Some(KeyUsageType::EncryptDecrypt),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::InvalidCiphertextException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::IncorrectKeyException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::DryRunOperationException,
        ],
        ..CRYPTOGRAPHY
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        check_tokens(cx, input.grant_tokens.as_ref()).await?;
        let source = Source {
            ciphertext: input.ciphertext_blob.as_ref(),
            key_id: input.source_key_id.as_ref(),
            modifiers: input.dry_run_modifiers.as_ref(),
            context: input.source_encryption_context.as_ref(),
            action: FROM,
        };
        let mut source = DecryptionKey::resolve(cx, &source).await?;
        let destination = &input.destination_key_id;
        let destination = cx.service.key_named(cx, destination, Aliases::Accepted, TO).await?;
        let context = input.destination_encryption_context.clone();
        let same_key = Some(source.key.arn == destination.arn);
        source.request.same_key = same_key;
        let request = Circumstances { context, same_key, ..Circumstances::default() };
        Ok(ReEncryptKeys { source, destination: KeyUse::new(destination, request) })
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (source, destination) = (&target.source, &target.destination);
        let source_algorithm = source.key.encrypts_by(input.source_encryption_algorithm)?;
        let algorithm = destination.encrypts_by(input.destination_encryption_algorithm)?;
        let context = input.source_encryption_context.as_ref();
        let opened = source.decrypt(cx, source_algorithm, context).await?;
        let context = input.destination_encryption_context.as_ref();
        let sealed = cx.service.encrypt(destination, algorithm, context, &opened.plaintext).await?;
        if destination.is_symmetric() {
            cx.notes().additional("destinationKeyMaterialId", sealed.material.as_str());
        }
        if let Some(material) = &opened.material {
            cx.notes().additional("sourceKeyMaterialId", material.as_str());
        }
        Ok(ReEncryptResponse {
            ciphertext_blob: Some(sealed.ciphertext),
            source_key_id: Some(source.key.arn_as_key_id()),
            key_id: Some(destination.arn_as_key_id()),
            source_encryption_algorithm: Some(source_algorithm),
            destination_encryption_algorithm: Some(algorithm),
            source_key_material_id: opened.material,
            destination_key_material_id: destination.is_symmetric().then_some(sealed.material),
        })
    }
}
