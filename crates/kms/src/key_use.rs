//! A key that a request means to use, with what grants have to know of the request.

use std::ops::Deref;
use std::sync::Arc;

use service::{Context, Error, Facts, Resource, Target};
use wire::enums::KeySpec;
use wire::shapes::{EncryptionContext, GrantTokens};

use crate::Kms;
use crate::authorization::permit;
use crate::grants::{Circumstances, check_tokens};
use crate::key::Key;
use crate::key_id::Aliases;

/// The target of an operation that a grant can allow.
pub(crate) struct KeyUse {
    key: Arc<Key>,
    request: Circumstances,
}

impl KeyUse {
    /// The use of that key in those circumstances.
    pub(crate) fn new(key: Arc<Key>, request: Circumstances) -> Self {
        Self { key, request }
    }

    /// Finds the key that a request names, by any kind of name, to use it with that encryption
    /// context. `action` words a refusal.
    ///
    /// # Errors
    /// InvalidGrantTokenException, then those of [`Kms::key_named`].
    pub(crate) async fn resolve(
        cx: &Context<'_, Kms>,
        name: &wire::shapes::KeyId,
        action: &str,
        tokens: Option<&GrantTokens>,
        context: Option<&EncryptionContext>,
    ) -> Result<Self, Error> {
        check_tokens(cx, tokens).await?;
        let key = cx.service.key_named(cx, name, Aliases::Accepted, action).await?;
        let context = context.cloned();
        Ok(Self::new(key, Circumstances { context, ..Circumstances::default() }))
    }

    /// Refuses unless the caller may do `action` with the key.
    pub(crate) async fn permit(
        &self,
        cx: &Context<'_, Kms>,
        facts: &Facts,
        action: &str,
    ) -> Result<(), Error> {
        permit(cx, facts, &self.key, action, &self.request).await
    }
}

impl Deref for KeyUse {
    type Target = Key;

    fn deref(&self) -> &Key {
        &self.key
    }
}

impl Target<Kms> for KeyUse {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        for action in facts.actions {
            self.permit(cx, facts, action).await?;
        }
        Ok(())
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.key.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.key.resource()]
    }

    fn key_specs(&self) -> [Option<KeySpec>; 2] {
        [Some(self.key.record.spec), None]
    }
}
