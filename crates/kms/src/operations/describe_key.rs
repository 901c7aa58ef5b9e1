//! DescribeKey: all that may be told about a key.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException. It works
//! in every state.
//!
//! Where the caller names the predefined alias of a service whose AWS managed key doesn't exist
//! yet, this makes it, as the service model's text on KeyId says.

use service::{Authorized, Context, Error, Facts, Operation, Resource, Target};
use wire::shapes::{GrantTokens, KeyMetadata};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::grants::{Circumstances, check_tokens};
use crate::key_id::{Aliases, KeyName, KeyNameKind};
use crate::key_use::KeyUse;
use crate::managed::{ManagedService, Unmade};
use crate::operations::MANAGEMENT;

/// A key, or an AWS managed key that nobody has asked for yet.
pub(crate) enum Described {
    Made(KeyUse),
    Unmade(Unmade),
}

impl Target<Kms> for Described {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        match self {
            Self::Made(key) => key.authorize(facts, cx).await,
            Self::Unmade(unmade) => unmade.key.authorize(facts, cx).await,
        }
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        match self {
            Self::Made(key) => key.check(facts, cx),
            Self::Unmade(_) => Ok(()),
        }
    }

    fn resources(&self) -> Vec<Resource> {
        match self {
            Self::Made(key) => Target::<Kms>::resources(key),
            Self::Unmade(unmade) => unmade.key.resources(),
        }
    }
}

/// DescribeKey.
pub(crate) struct DescribeKey;

structure! {
    /// Input of DescribeKey.
    pub(crate) struct DescribeKeyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        grant_tokens: GrantTokens = optional "GrantTokens",
    }

    /// Output of DescribeKey.
    pub(crate) struct DescribeKeyResponse {
        key_metadata: KeyMetadata = optional "KeyMetadata",
    }
}

impl Operation for DescribeKey {
    type Service = Kms;
    type Input = DescribeKeyRequest;
    type Output = DescribeKeyResponse;
    type Target = Described;

    const FACTS: Facts = Facts {
        name: "DescribeKey",
        actions: &["kms:DescribeKey"],
        grantable: true,
        cross_account: true,
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let tokens = input.grant_tokens.as_ref();
        if let Some(service) = predefined(cx, &input.key_id) {
            check_tokens(cx, tokens).await?;
            let (account, region, alias) = (cx.account(), cx.region, service.alias());
            return Ok(match cx.service.key_behind(account, region, &alias, cx.now).await? {
                Some(key) => Described::Made(KeyUse::new(key, Circumstances::default())),
                None => Described::Unmade(cx.service.unmade(account, region, service, cx.now)?),
            });
        }
        let action = Self::FACTS.actions[0];
        Ok(Described::Made(KeyUse::resolve(cx, &input.key_id, action, tokens, None).await?))
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let metadata = match &**target {
            Described::Made(key) => key.metadata(cx.now),
            Described::Unmade(unmade) => cx.service.make(unmade).await?.metadata(cx.now),
        };
        Ok(DescribeKeyResponse { key_metadata: Some(metadata) })
    }
}

/// The service whose predefined alias the request names, in the caller's own account.
fn predefined(cx: &Context<'_, Kms>, name: &wire::shapes::KeyId) -> Option<ManagedService> {
    let name = KeyName::parse(name.as_str(), cx.region, Aliases::Accepted).ok()?;
    match name.kind {
        KeyNameKind::Alias(alias) if name.account.is_none_or(|id| id == *cx.account()) => {
            ManagedService::of_alias(alias)
        }
        _ => None,
    }
}
