//! CreateOpenIDConnectProvider: makes known who may say, by identity tokens, who somebody is.
//!
//! Errors, in order: ValidationException (URL), EntityAlreadyExistsException, InvalidInputException
//! (thumbprints), LimitExceededException (client ids), InvalidInputException and
//! LimitExceededException (tags), LimitExceededException (providers).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, ClientIds, OpenIdConnectProviderUrl, Tags, Thumbprints};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::{NewEntity, entity_arn};
use crate::directory::Change;
use crate::entities::{already_exists, new_tags, quota, tags};
use crate::layout;
use crate::operations::OPERATION;
use crate::providers::{client_ids, provider_arn, provider_name, thumbprints};
use crate::records::{Entity as _, ProviderRecord};

/// CreateOpenIDConnectProvider.
pub(crate) struct CreateOpenIDConnectProvider;

structure! {
    /// Input of CreateOpenIDConnectProvider.
    pub(crate) struct CreateOpenIDConnectProviderRequest {
        url: OpenIdConnectProviderUrl = required "Url",
        client_ids: ClientIds = optional "ClientIDList",
        thumbprints: Thumbprints = optional "ThumbprintList",
        tags: Tags = optional "Tags",
    }

    /// Output of CreateOpenIDConnectProvider.
    pub(crate) struct CreateOpenIDConnectProviderResponse {
        open_id_connect_provider_arn: ArnText = optional "OpenIDConnectProviderArn",
        tags: Tags = optional "Tags",
    }
}

impl Operation for CreateOpenIDConnectProvider {
    type Service = Iam;
    type Input = CreateOpenIDConnectProviderRequest;
    type Output = CreateOpenIDConnectProviderResponse;
    type Target = NewEntity;

    const FACTS: Facts = Facts {
        name: "CreateOpenIDConnectProvider",
        actions: &["iam:CreateOpenIDConnectProvider"],
        errors: &[
            ErrorCode::InvalidInputException,
            ErrorCode::EntityAlreadyExistsException,
            ErrorCode::LimitExceededException,
            ErrorCode::ConcurrentModificationException,
            ErrorCode::ServiceFailureException,
            ErrorCode::OpenIdIdpCommunicationErrorException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        let arn = entity_arn(cx, ProviderRecord::KIND, "/", provider_name(input.url.as_str())?);
        let tag_action = input.tags.as_ref().map(|_| "iam:TagOpenIDConnectProvider");
        Ok(NewEntity { arn, tag_action })
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (directory, url) = (&cx.service.directory, input.url.as_str());
        let name = provider_name(url)?;
        if directory.entity::<ProviderRecord>(cx.account(), name).await?.is_some() {
            return Err(already_exists(format!("Provider with url {url} already exists.")));
        }
        let provider = ProviderRecord {
            url: name.to_owned(),
            created: cx.now.to_the_second(),
            thumbprints: thumbprints(directory, input.thumbprints.as_ref())?,
            client_ids: client_ids(directory, input.client_ids.as_ref())?,
            tags: new_tags(input.tags.as_ref(), directory.limits.tags)?,
        };
        let mut account = directory.account(cx.account()).await?;
        account.record.providers += 1;
        if account.record.providers > directory.limits.providers {
            return Err(quota("OpenIdConnectProvidersPerAccount", directory.limits.providers));
        }
        let place = layout::entity(cx.account(), ProviderRecord::KIND, name);
        let mut change = Change::default();
        change.create(place, &provider)?.account(&account)?.commit(directory).await?;
        Ok(CreateOpenIDConnectProviderResponse {
            open_id_connect_provider_arn: Some(provider_arn(cx, &provider)),
            tags: tags(&provider.tags),
        })
    }
}
