//! Finding the key of a ciphertext, and opening it: what Decrypt and ReEncrypt share.

use std::sync::Arc;

use service::{Context, Error, Facts, Resource, Target};
use wire::enums::{DryRunModifierType, EncryptionAlgorithmSpec, KeySpec};
use wire::shapes::{Ciphertext as Blob, DryRunModifiers, EncryptionContext, KeyMaterialId};
use wire::{ErrorCode, Timestamp};
use zeroize::Zeroizing;

use crate::Kms;
use crate::authorization::{permit, unreachable_by_ciphertext};
use crate::ciphertext::Ciphertext;
use crate::encryption::without_context;
use crate::encryption_context::canonical;
use crate::grants::Circumstances;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::spec::is_asymmetric;

/// What a request says about what is to be opened.
pub(crate) struct Source<'a> {
    pub(crate) ciphertext: Option<&'a Blob>,
    pub(crate) key_id: Option<&'a wire::shapes::KeyId>,
    pub(crate) modifiers: Option<&'a DryRunModifiers>,
    pub(crate) context: Option<&'a EncryptionContext>,
    /// The permission that is needed.
    pub(crate) action: &'static str,
}

/// The key that shall open a ciphertext.
pub(crate) struct DecryptionKey {
    pub(crate) key: Arc<Key>,
    /// Whether the request named the key itself; else only the ciphertext did.
    named: bool,
    /// What shall be opened; `None` for a dry run that ignores the ciphertext.
    ciphertext: Option<Vec<u8>>,
    /// What policies and grants have to know of the request.
    pub(crate) request: Circumstances,
}

/// What was opened.
pub(crate) struct Opened {
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    /// The material that the ciphertext names, if it names one.
    pub(crate) material: Option<KeyMaterialId>,
}

impl DecryptionKey {
    /// Finds the key: the one that the request names, else the one that the ciphertext names.
    pub(crate) async fn resolve(cx: &Context<'_, Kms>, source: &Source<'_>) -> Result<Self, Error> {
        let ignored = cx.is_dry_run()
            && source
                .modifiers
                .is_some_and(|m| m.0.contains(&DryRunModifierType::IgnoreCiphertext));
        let ciphertext = match source.ciphertext {
            _ if ignored => None,
            Some(blob) => Some(blob.as_bytes().to_vec()),
            None => return Err(missing("ciphertextBlob")),
        };
        let key = match (source.key_id, &ciphertext) {
            (Some(name), _) => {
                cx.service.key_named(cx, name, Aliases::Accepted, source.action).await?
            }
            (None, Some(blob)) => {
                let parsed = Ciphertext::parse(blob).ok_or_else(invalid_ciphertext)?;
                let found = cx.service.key(&parsed.account, cx.region, &parsed.key_id, cx.now);
                found.await?.ok_or_else(|| unreachable_by_ciphertext(cx, source.action))?
            }
            (None, None) => return Err(missing("keyId")),
        };
        let context = source.context.cloned();
        let request = Circumstances { context, ..Circumstances::default() };
        Ok(Self { named: source.key_id.is_some(), key, ciphertext, request })
    }

    /// Refuses unless the caller may do `action` with the key. Who names no key learns none.
    pub(crate) async fn permit(
        &self,
        cx: &Context<'_, Kms>,
        facts: &Facts,
        action: &str,
    ) -> Result<(), Error> {
        let permitted = permit(cx, facts, &self.key, action, &self.request).await;
        if self.named || self.key.account == *cx.account() {
            permitted
        } else {
            permitted.map_err(|_| unreachable_by_ciphertext(cx, action))
        }
    }

    /// Refuses another key than the ciphertext's, then a state or usage that doesn't suit.
    pub(crate) fn suits(&self, facts: &Facts, now: Timestamp) -> Result<(), Error> {
        // An asymmetric key's ciphertext names none.
        let parsed = self.ciphertext.as_deref().and_then(Ciphertext::parse);
        let other =
            parsed.is_some_and(|p| (p.account, &p.key_id) != (self.key.account, &self.key.id));
        if other && !is_asymmetric(self.key.record.spec) {
            return Err(Error::new(
                ErrorCode::IncorrectKeyException,
                "The key ID in the request does not identify a CMK that can perform this \
                 operation.",
            ));
        }
        self.key.suits(facts, now)
    }

    /// Opens the ciphertext.
    ///
    /// # Errors
    /// InvalidCiphertextException, without a message, whatever is wrong with ciphertext or context;
    /// DryRunOperationException where there is nothing to open.
    pub(crate) async fn decrypt(
        &self,
        cx: &Context<'_, Kms>,
        algorithm: EncryptionAlgorithmSpec,
        context: Option<&EncryptionContext>,
    ) -> Result<Opened, Error> {
        let Some(ciphertext) = &self.ciphertext else {
            cx.unless_dry_run()?;
            return Err(Error::internal("a ciphertext was ignored outside of a dry run"));
        };
        let key_store = cx.service.key_store.as_ref();
        if algorithm != EncryptionAlgorithmSpec::SymmetricDefault {
            without_context(context)?;
            let (_, material) = self.key.current_material(key_store).await?;
            let plaintext = material.decrypt(algorithm, ciphertext).await;
            let plaintext = plaintext.map_err(|_| invalid_ciphertext())?;
            return Ok(Opened { plaintext, material: None });
        }
        let parsed = Ciphertext::parse(ciphertext).ok_or_else(invalid_ciphertext)?;
        let material = self.key.material(key_store, parsed.material).await?;
        let material = material.ok_or_else(invalid_ciphertext)?;
        let context = canonical(context);
        let plaintext = material.open(parsed.header, &context, parsed.sealed).await;
        let plaintext = plaintext.map_err(|_| invalid_ciphertext())?;
        let id = KeyMaterialId::of(parsed.material.to_string());
        Ok(Opened { plaintext, material: Some(id) })
    }
}

impl Target<Kms> for DecryptionKey {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        for action in facts.actions {
            self.permit(cx, facts, action).await?;
        }
        Ok(())
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.key.resource()]
    }

    fn key_specs(&self) -> [Option<KeySpec>; 2] {
        [Some(self.key.record.spec), None]
    }
}

fn invalid_ciphertext() -> Error {
    Error::bare(ErrorCode::InvalidCiphertextException)
}

/// The refusal of a request without a member that only this use of the operation needs.
fn missing(member: &str) -> Error {
    Error::validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
         Member must not be null"
    ))
}
