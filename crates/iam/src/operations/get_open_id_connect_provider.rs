//! GetOpenIDConnectProvider: tells of an identity provider.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{
    ArnText, ClientId, ClientIds, OpenIdConnectProviderUrl, Tags, Thumbprint, Thumbprints,
};
use wire::{ErrorCode, Timestamp, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::entities::tags;
use crate::operations::OPERATION;
use crate::providers;
use crate::records::ProviderRecord;

/// GetOpenIDConnectProvider.
pub(crate) struct GetOpenIDConnectProvider;

structure! {
    /// Input of GetOpenIDConnectProvider.
    pub(crate) struct GetOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
    }

    /// Output of GetOpenIDConnectProvider.
    pub(crate) struct GetOpenIDConnectProviderResponse {
        url: OpenIdConnectProviderUrl = optional "Url",
        client_ids: ClientIds = optional "ClientIDList",
        thumbprints: Thumbprints = optional "ThumbprintList",
        create_date: Timestamp = optional "CreateDate",
        tags: Tags = optional "Tags",
    }
}

impl Operation for GetOpenIDConnectProvider {
    type Service = Iam;
    type Input = GetOpenIDConnectProviderRequest;
    type Output = GetOpenIDConnectProviderResponse;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "GetOpenIDConnectProvider",
        actions: &["iam:GetOpenIDConnectProvider"],
        read_only: true,
        errors: &[
            ErrorCode::InvalidInputException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::ServiceFailureException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        providers::find(cx, &input.open_id_connect_provider_arn).await
    }

    async fn run(
        _: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let provider = &providers::existing(target)?.record;
        let thumbprints = provider.thumbprints.iter().map(Thumbprint::of).collect();
        Ok(GetOpenIDConnectProviderResponse {
            url: Some(OpenIdConnectProviderUrl::of(&provider.url)),
            client_ids: Some(ClientIds(provider.client_ids.iter().map(ClientId::of).collect())),
            thumbprints: Some(Thumbprints(thumbprints)),
            create_date: Some(provider.created),
            tags: Some(tags(&provider.tags).unwrap_or(Tags(Vec::new()))),
        })
    }
}
