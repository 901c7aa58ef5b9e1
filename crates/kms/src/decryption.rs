//! Finding the key of a ciphertext, and opening it: what Decrypt and ReEncrypt share.

use std::sync::Arc;

use service::ports::MaterialId;
use service::{Context, Error, Facts, Resource, Target};
use wire::ErrorCode;
use wire::enums::DryRunModifierType;
use wire::shapes::{Ciphertext as Blob, DryRunModifiers, EncryptionContext, KeyMaterialId};
use zeroize::Zeroizing;

use crate::Kms;
use crate::authorization::{permit, unreachable_by_ciphertext};
use crate::ciphertext::Ciphertext;
use crate::encryption_context::canonical;
use crate::key::Key;
use crate::key_id::Aliases;

/// What a request says about what is to be opened.
pub(crate) struct Source<'a> {
    pub(crate) ciphertext: Option<&'a Blob>,
    pub(crate) key_id: Option<&'a wire::shapes::KeyId>,
    pub(crate) modifiers: Option<&'a DryRunModifiers>,
    /// The permission that is needed.
    pub(crate) action: &'static str,
}

/// The key that shall open a ciphertext.
pub(crate) struct DecryptionKey {
    pub(crate) key: Arc<Key>,
    /// Whether the request named the key itself; else only the ciphertext did.
    named: bool,
    /// What shall be opened; `None` for a dry run that ignores the ciphertext.
    sealed: Option<Result<Sealed, Foreign>>,
}

/// A ciphertext that can't be one of ours.
struct Foreign;

/// A ciphertext's parts.
struct Sealed {
    /// Whether it names this very key.
    same_key: bool,
    material: MaterialId,
    header: Vec<u8>,
    body: Vec<u8>,
}

/// What was opened.
pub(crate) struct Opened {
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    pub(crate) material: KeyMaterialId,
}

impl DecryptionKey {
    /// Finds the key: the one that the request names, else the one that the ciphertext names.
    pub(crate) async fn resolve(cx: &Context<'_, Kms>, source: &Source<'_>) -> Result<Self, Error> {
        let ignored = cx.is_dry_run()
            && source
                .modifiers
                .is_some_and(|m| m.0.contains(&DryRunModifierType::IgnoreCiphertext));
        let blob = match source.ciphertext {
            _ if ignored => None,
            Some(blob) => Some(Ciphertext::parse(blob.as_bytes()).ok_or(Foreign)),
            None => return Err(missing("ciphertextBlob")),
        };
        let key = match (source.key_id, &blob) {
            (Some(name), _) => {
                cx.service.key_named(cx, name, Aliases::Accepted, source.action).await?
            }
            (None, Some(Ok(parsed))) => {
                let found = cx.service.key(&parsed.account, cx.region, &parsed.key_id, cx.now);
                found.await?.ok_or_else(|| unreachable_by_ciphertext(cx, source.action))?
            }
            (None, Some(Err(Foreign))) => return Err(invalid_ciphertext()),
            (None, None) => return Err(missing("keyId")),
        };
        let sealed = blob.map(|parsed| {
            parsed.map(|parsed| Sealed {
                same_key: (parsed.account, &parsed.key_id) == (key.account, &key.id),
                material: parsed.material,
                header: parsed.header.to_vec(),
                body: parsed.sealed.to_vec(),
            })
        });
        Ok(Self { named: source.key_id.is_some(), key, sealed })
    }

    /// Refuses unless the caller may do `action` with the key. Who names no key learns none.
    pub(crate) fn permit(
        &self,
        cx: &Context<'_, Kms>,
        facts: &Facts,
        action: &str,
    ) -> Result<(), Error> {
        let permitted = permit(cx, facts, &self.key, action);
        if self.named || self.key.account == *cx.account() {
            permitted
        } else {
            permitted.map_err(|_| unreachable_by_ciphertext(cx, action))
        }
    }

    /// Refuses another key than the ciphertext's, then a state or usage that doesn't suit.
    pub(crate) fn suits(&self, facts: &Facts) -> Result<(), Error> {
        if matches!(&self.sealed, Some(Ok(sealed)) if !sealed.same_key) {
            return Err(Error::new(
                ErrorCode::IncorrectKeyException,
                "The key ID in the request does not identify a CMK that can perform this \
                 operation.",
            ));
        }
        self.key.suits(facts)
    }

    /// Opens the ciphertext.
    ///
    /// # Errors
    /// InvalidCiphertextException, without a message, whatever is wrong with ciphertext or context;
    /// DryRunOperationException where there is nothing to open.
    pub(crate) async fn decrypt(
        &self,
        cx: &Context<'_, Kms>,
        context: Option<&EncryptionContext>,
    ) -> Result<Opened, Error> {
        let Some(sealed) = &self.sealed else {
            cx.unless_dry_run()?;
            return Err(Error::internal("a ciphertext was ignored outside of a dry run"));
        };
        let sealed = sealed.as_ref().map_err(|Foreign| invalid_ciphertext())?;
        let key_store = cx.service.key_store.as_ref();
        let material =
            self.key.material(key_store, sealed.material).await?.ok_or_else(invalid_ciphertext)?;
        let plaintext = material
            .open(&sealed.header, &canonical(context), &sealed.body)
            .map_err(|_| invalid_ciphertext())?;
        Ok(Opened { plaintext, material: KeyMaterialId::of(sealed.material.to_string()) })
    }
}

impl Target<Kms> for DecryptionKey {
    fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        facts.actions.iter().try_for_each(|action| self.permit(cx, facts, action))
    }

    fn check(&self, facts: &Facts, _: &Context<'_, Kms>) -> Result<(), Error> {
        self.suits(facts)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.key.resource()]
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
