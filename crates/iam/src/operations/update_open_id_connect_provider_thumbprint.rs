//! UpdateOpenIDConnectProviderThumbprint: replaces all thumbprints of an identity provider.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException, InvalidInputException
//! (thumbprints).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, Thumbprints};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::Change;
use crate::operations::{Nothing, OPERATION};
use crate::providers;
use crate::records::ProviderRecord;

/// UpdateOpenIDConnectProviderThumbprint.
pub(crate) struct UpdateOpenIDConnectProviderThumbprint;

structure! {
    /// Input of UpdateOpenIDConnectProviderThumbprint.
    pub(crate) struct UpdateOpenIDConnectProviderThumbprintRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
        thumbprints: Thumbprints = required "ThumbprintList",
    }
}

impl Operation for UpdateOpenIDConnectProviderThumbprint {
    type Service = Iam;
    type Input = UpdateOpenIDConnectProviderThumbprintRequest;
    type Output = Nothing;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "UpdateOpenIDConnectProviderThumbprint",
        actions: &["iam:UpdateOpenIDConnectProviderThumbprint"],
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
        let (directory, stored) = (&cx.service.directory, providers::existing(target)?);
        let thumbprints = providers::thumbprints(directory, Some(&input.thumbprints))?;
        let provider = ProviderRecord { thumbprints, ..stored.record.clone() };
        Change::default().replace(stored, &provider)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
