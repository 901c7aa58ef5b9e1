//! ListOpenIDConnectProviders: the identity providers of the account, by URL.
//!
//! Errors: none of its own.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{OpenIdConnectProviderListEntry, OpenIdConnectProviders};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{Place, entity_arn};
use crate::operations::OPERATION;
use crate::providers::provider_arn;
use crate::records::{Entity as _, ProviderRecord};

/// ListOpenIDConnectProviders.
pub(crate) struct ListOpenIDConnectProviders;

structure! {
    /// Input of ListOpenIDConnectProviders.
    pub(crate) struct ListOpenIDConnectProvidersRequest {}

    /// Output of ListOpenIDConnectProviders.
    pub(crate) struct ListOpenIDConnectProvidersResponse {
        providers: OpenIdConnectProviders = optional "OpenIDConnectProviderList",
    }
}

impl Operation for ListOpenIDConnectProviders {
    type Service = Iam;
    type Input = ListOpenIDConnectProvidersRequest;
    type Output = ListOpenIDConnectProvidersResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "ListOpenIDConnectProviders",
        actions: &["iam:ListOpenIDConnectProviders"],
        read_only: true,
        errors: &[ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Place(entity_arn(cx, ProviderRecord::KIND, "/", "*")))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let directory = &cx.service.directory;
        // There is no page: an account has few of them.
        let limit = directory.limits.providers;
        let (providers, _) = directory.entities::<ProviderRecord>(cx.account(), "", limit).await?;
        let entry =
            |provider| OpenIdConnectProviderListEntry { arn: Some(provider_arn(cx, provider)) };
        let providers = OpenIdConnectProviders(providers.iter().map(entry).collect());
        Ok(ListOpenIDConnectProvidersResponse { providers: Some(providers) })
    }
}
