//! TagOpenIDConnectProvider: sets tags of an identity provider.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException, InvalidInputException and
//! LimitExceededException (tags).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, Tags};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::operations::{Nothing, OPERATION};
use crate::records::ProviderRecord;
use crate::{providers, tagging};

/// TagOpenIDConnectProvider.
pub(crate) struct TagOpenIDConnectProvider;

structure! {
    /// Input of TagOpenIDConnectProvider.
    pub(crate) struct TagOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
        tags: Tags = required "Tags",
    }
}

impl Operation for TagOpenIDConnectProvider {
    type Service = Iam;
    type Input = TagOpenIDConnectProviderRequest;
    type Output = Nothing;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "TagOpenIDConnectProvider",
        actions: &["iam:TagOpenIDConnectProvider"],
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
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
        tagging::tag(cx, providers::existing(target)?, &input.tags).await?;
        Ok(Nothing {})
    }
}
