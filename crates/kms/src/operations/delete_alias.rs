//! DeleteAlias: removes a name; the key stays.
//!
//! Errors, in order: ValidationException or NotAuthorizedException (the name), NotFoundException,
//! AccessDeniedException. It works in every state of the key.

use service::ports::{Commit, Expect};
use service::{Authorized, Context, Error, Facts, Operation};
use wire::shapes::AliasName;
use wire::{ErrorCode, structure};

use crate::alias::{AliasTarget, owned_name};
use crate::operations::{MANAGEMENT, Nothing, name_key};
use crate::{Kms, layout};

/// DeleteAlias.
pub(crate) struct DeleteAlias;

structure! {
    /// Input of DeleteAlias.
    pub(crate) struct DeleteAliasRequest {
        alias_name: AliasName = required "AliasName",
    }
}

impl Operation for DeleteAlias {
    type Service = Kms;
    type Input = DeleteAliasRequest;
    type Output = Nothing;
    type Target = AliasTarget;

    const FACTS: Facts = Facts {
        name: "DeleteAlias",
        actions: &["kms:DeleteAlias"],
        errors: &[
            ErrorCode::DependencyTimeoutException,
            ErrorCode::NotFoundException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        owned_name(&input.alias_name)?;
        AliasTarget::resolve(cx, &input.alias_name).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (key, name) = (&target.key, input.alias_name.as_str());
        let place = layout::alias(&key.account, &key.region, name);
        let entry = layout::key_alias(&key.account, &key.region, key.id.as_str(), name);
        let commit = Commit {
            preconditions: vec![(place.clone(), Expect::At(target.alias.revision))],
            puts: Vec::new(),
            deletes: vec![place, entry],
        };
        cx.service.store.commit(commit).await?;
        name_key(cx, &target.key);
        Ok(Nothing {})
    }
}
