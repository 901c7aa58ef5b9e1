//! UntagOpenIDConnectProvider: removes tags of an identity provider.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, TagKeys};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::ProviderRecord;
use crate::{providers, tagging};

/// UntagOpenIDConnectProvider.
pub(crate) struct UntagOpenIDConnectProvider;

structure! {
    /// Input of UntagOpenIDConnectProvider.
    pub(crate) struct UntagOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
        tag_keys: TagKeys = required "TagKeys",
    }
}

impl Operation for UntagOpenIDConnectProvider {
    type Service = Iam;
    type Input = UntagOpenIDConnectProviderRequest;
    type Output = Nothing;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "UntagOpenIDConnectProvider",
        actions: &["iam:UntagOpenIDConnectProvider"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::ConcurrentModificationException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        providers::find(cx, &input.open_id_connect_provider_arn).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        tagging::untag(cx, providers::existing(target)?, &input.tag_keys).await?;
        Ok(Nothing {})
    }
}
