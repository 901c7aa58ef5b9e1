//! AddClientIDToOpenIDConnectProvider: lets an identity provider's tokens be for one more audience.
//! One that is there already is no error.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException, LimitExceededException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, ClientId};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::Change;
use crate::operations::{Nothing, OPERATION};
use crate::providers::{self, add_client_id};
use crate::records::ProviderRecord;

/// AddClientIDToOpenIDConnectProvider.
pub(crate) struct AddClientIDToOpenIDConnectProvider;

structure! {
    /// Input of AddClientIDToOpenIDConnectProvider.
    pub(crate) struct AddClientIDToOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
        client_id: ClientId = required "ClientID",
    }
}

impl Operation for AddClientIDToOpenIDConnectProvider {
    type Service = Iam;
    type Input = AddClientIDToOpenIDConnectProviderRequest;
    type Output = Nothing;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "AddClientIDToOpenIDConnectProvider",
        actions: &["iam:AddClientIDToOpenIDConnectProvider"],
        errors: &[
            ErrorCode::ConcurrentModificationException,
            ErrorCode::InvalidInputException,
            ErrorCode::NoSuchEntityException,
            ErrorCode::LimitExceededException,
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
        let (directory, stored) = (&cx.service.directory, providers::existing(target)?);
        let mut provider = stored.record.clone();
        add_client_id(directory, &mut provider.client_ids, input.client_id.as_str())?;
        Change::default().replace(stored, &provider)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
