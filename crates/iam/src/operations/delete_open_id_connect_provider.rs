//! DeleteOpenIDConnectProvider: removes an identity provider, whose tokens open no role any more.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException. (AWS's reference says that
//! an absent provider is no error; recorded answers say that it is.)

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::ArnText;
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::Change;
use crate::operations::{Nothing, OPERATION};
use crate::providers;
use crate::records::ProviderRecord;

/// DeleteOpenIDConnectProvider.
pub(crate) struct DeleteOpenIDConnectProvider;

structure! {
    /// Input of DeleteOpenIDConnectProvider.
    pub(crate) struct DeleteOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: ArnText = required "OpenIDConnectProviderArn",
    }
}

impl Operation for DeleteOpenIDConnectProvider {
    type Service = Iam;
    type Input = DeleteOpenIDConnectProviderRequest;
    type Output = Nothing;
    type Target = Named<ProviderRecord>;

    const FACTS: Facts = Facts {
        name: "DeleteOpenIDConnectProvider",
        actions: &["iam:DeleteOpenIDConnectProvider"],
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
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, stored) = (&cx.service.directory, providers::existing(target)?);
        let mut account = directory.account(cx.account()).await?;
        account.record.providers = account.record.providers.saturating_sub(1);
        Change::default().delete(stored).account(&account)?.commit(directory).await?;
        Ok(Nothing {})
    }
}
