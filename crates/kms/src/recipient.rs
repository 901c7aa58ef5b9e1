//! Who gets a plaintext: the caller, or the attested environment that the request names.
//!
//! Owns that a request with a Recipient is never answered with a plaintext, whatever becomes of it.
//! Must not know how documents are verified, nor how an answer is encrypted.

use attestation::{Recipient, Source};
use service::ports::MaterialError;
use service::{Context, Error};
use wire::shapes::{Ciphertext, Plaintext, RecipientInfo};
use zeroize::Zeroizing;

use crate::Kms;
use crate::encryption::failed;
use crate::hex::hex;

/// Who gets a plaintext.
pub(crate) enum Audience {
    /// Who sent the request.
    Caller,
    /// The holder of the key in a document that was verified.
    Recipient(Box<Recipient>),
}

/// A plaintext as it is answered: one of the two is there.
pub(crate) struct Answered {
    pub(crate) plaintext: Option<Plaintext>,
    pub(crate) ciphertext_for_recipient: Option<Ciphertext>,
}

impl Audience {
    /// Verifies the document of a request that names a recipient. Every operation asks this before
    /// it decrypts or makes anything, in a dry run too.
    ///
    /// # Errors
    /// ValidationException, which says what is wrong.
    pub(crate) fn of(
        cx: &Context<'_, Kms>,
        recipient: Option<&RecipientInfo>,
    ) -> Result<Self, Error> {
        let Some(recipient) = recipient else { return Ok(Self::Caller) };
        // The one algorithm that the shape has is the one that there is.
        if recipient.key_encryption_algorithm.is_none() {
            return Err(Error::validation("Recipient needs a KeyEncryptionAlgorithm."));
        }
        let Some(document) = &recipient.attestation_document else {
            return Err(Error::validation("Recipient needs an AttestationDocument."));
        };
        let roots = &cx.service.attestation_roots;
        attestation::verify(document.as_bytes(), roots, cx.now.seconds())
            .map(|recipient| {
                cx.notes().additional_object("recipient", &measurements(&recipient));
                Self::Recipient(Box::new(recipient))
            })
            .map_err(|refusal| {
                Error::validation(format!("The attestation document is not valid: {refusal}."))
            })
    }

    /// The plaintext, for nobody else.
    ///
    /// # Errors
    /// KMSInternalException.
    pub(crate) fn answer(
        &self,
        cx: &Context<'_, Kms>,
        plaintext: Zeroizing<Vec<u8>>,
    ) -> Result<Answered, Error> {
        let recipient = match self {
            Self::Caller => {
                let plaintext = Some(Plaintext::of(plaintext));
                return Ok(Answered { plaintext, ciphertext_for_recipient: None });
            }
            Self::Recipient(recipient) => recipient,
        };
        let key_store = cx.service.key_store.as_ref();
        let sealed = key_store.seal_for_recipient(&recipient.public_key, &plaintext);
        let sealed = sealed.map_err(|error| match error {
            MaterialError::Input => Error::internal("a verified recipient's key was not taken"),
            other @ MaterialError::KeyStore(_) => failed(other),
        })?;
        let ciphertext = Ciphertext::of(Zeroizing::new(sealed));
        Ok(Answered { plaintext: None, ciphertext_for_recipient: Some(ciphertext) })
    }

    /// What an answer for the caller holds; answers for recipients leave it out, as AWS's do.
    pub(crate) fn for_caller<T>(&self, value: T) -> Option<T> {
        match self {
            Self::Caller => Some(value),
            Self::Recipient(_) => None,
        }
    }
}

/// What audit records tell of a verified document (AWS KMS Developer Guide, "Monitoring attested
/// requests"): the module, and of the registers those that policies are written for.
fn measurements(recipient: &Recipient) -> Vec<(String, String)> {
    let (prefix, registers): (&str, &[u8]) = match recipient.source {
        Source::NitroEnclave => ("attestationDocumentEnclave", &[0, 1, 2, 3, 4, 8]),
        Source::NitroTpm => ("attestationDocumentNitroTPM", &[4, 7, 8, 9, 16, 23]),
    };
    let module = ("attestationDocumentModuleId".to_owned(), recipient.module_id.clone());
    let registers = registers.iter().filter_map(|index| {
        let value = hex(recipient.pcrs.get(index)?);
        Some(match index {
            0 => (format!("{prefix}ImageDigest"), value),
            index => (format!("{prefix}PCR{index}"), value),
        })
    });
    std::iter::once(module).chain(registers).collect()
}
