//! RemoveClientIDFromOpenIDConnectProvider: takes an audience from an identity provider. One that
//! isn't there is no error.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, ClientId};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::Change;
use crate::operations::{Nothing, OPERATION};
use crate::providers;
use crate::records::ProviderRecord;

/// RemoveClientIDFromOpenIDConnectProvider.
pub(crate) struct RemoveClientIDFromOpenIDConnectProvider;

structure! {
    /// Input of RemoveClientIDFromOpenIDConnectProvider.
    pub(crate) struct RemoveClientIDFromOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
        client_id: ClientId = required "ClientID",
    }
}

impl Operation for RemoveClientIDFromOpenIDConnectProvider {
    type Service = Iam;
    type Input = RemoveClientIDFromOpenIDConnectProviderRequest;
    type Output = Nothing;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "RemoveClientIDFromOpenIDConnectProvider",
        actions: &["iam:RemoveClientIDFromOpenIDConnectProvider"],
        errors: &[
            ErrorCode::ConcurrentModificationException,
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
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let stored = providers::existing(target)?;
        let mut provider = stored.record.clone();
        provider.client_ids.retain(|known| known != input.client_id.as_str());
        Change::default().replace(stored, &provider)?.commit(&cx.service.directory).await?;
        Ok(Nothing {})
    }
}
