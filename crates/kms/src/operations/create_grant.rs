//! CreateGrant: lets a principal do some things with a key. In force when it is answered.
//!
//! Errors, in order: ValidationException (operations, constraints), InvalidGrantTokenException,
//! NotFoundException, AccessDeniedException (also for a grant that is no stricter than the one that
//! lets the caller create it), DisabledException or KMSInvalidStateException, ValidationException
//! (what the key doesn't have; principals that don't go together), InvalidArnException,
//! LimitExceededException, DryRunOperationException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::KeyState;
use wire::grants::{
    GrantConstraints, GrantId as GrantIdText, GrantName, GrantOperations, PrincipalId,
    ServicePrincipal,
};
use wire::shapes::{GrantToken, GrantTokens};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::grants::{
    Circumstances, GrantId, GrantRecord, Terms, Token, check_tokens, grantee, requested, retiring,
    suits,
};
use crate::key_id::Aliases;
use crate::key_use::KeyUse;
use crate::operations::{MANAGEMENT, name_key};

/// CreateGrant.
pub(crate) struct CreateGrant;

/// The states of a key to which grants can be added.
const GRANTABLE: &[KeyState] =
    &[KeyState::Creating, KeyState::Enabled, KeyState::Unavailable, KeyState::Updating];

structure! {
    /// Input of CreateGrant.
    pub(crate) struct CreateGrantRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        grantee_principal: PrincipalId = optional "GranteePrincipal",
        retiring_principal: PrincipalId = optional "RetiringPrincipal",
        operations: GrantOperations = required "Operations",
        constraints: GrantConstraints = optional "Constraints",
        grant_tokens: GrantTokens = optional "GrantTokens",
        name: GrantName = optional "Name",
        dry_run: bool = optional "DryRun",
        grantee_service_principal: ServicePrincipal = optional "GranteeServicePrincipal",
        retiring_service_principal: ServicePrincipal = optional "RetiringServicePrincipal",
    }

    /// Output of CreateGrant.
    pub(crate) struct CreateGrantResponse {
        grant_token: GrantToken = optional "GrantToken",
        grant_id: GrantIdText = optional "GrantId",
    }
}

impl Operation for CreateGrant {
    type Service = Kms;
    type Input = CreateGrantRequest;
    type Output = CreateGrantResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "CreateGrant",
        actions: &["kms:CreateGrant"],
        states: GRANTABLE,
        grantable: true,
        dry_run: true,
        cross_account: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidArnException,
            ErrorCode::KMSInternalException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::LimitExceededException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::DryRunOperationException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let child = Some(requested(&input.operations, input.constraints.as_ref())?);
        check_tokens(cx, input.grant_tokens.as_ref()).await?;
        let (name, action) = (&input.key_id, Self::FACTS.actions[0]);
        let key = cx.service.key_named(cx, name, Aliases::Refused, action).await?;
        Ok(KeyUse::new(key, Circumstances { child, ..Circumstances::default() }))
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let terms = requested(&input.operations, input.constraints.as_ref())?;
        suits(&terms, target)?;
        let record = record(cx, input, terms).await?;
        // From here to the commit nobody else in this process changes the key's grants.
        let turn = cx.service.turn(target).await?;
        let repeated = cx.service.repeated(target, &record).await?;
        let id = match &repeated {
            Some(id) => id.clone(),
            None => GrantId::draw(cx.service.entropy.as_ref())?,
        };
        let token = Token::seal(cx, target, &id).await?;
        if repeated.is_none() {
            turn.room(&cx.service.limits)?;
            cx.unless_dry_run()?;
            cx.service.add_grant(target, turn, &id, &record).await?;
        }
        name_key(cx, target);
        Ok(CreateGrantResponse {
            grant_token: Some(token),
            grant_id: Some(GrantIdText::of(id.as_str())),
        })
    }
}

/// The grant that a request asks for.
async fn record(
    cx: &Context<'_, Kms>,
    input: &CreateGrantRequest,
    terms: Terms,
) -> Result<GrantRecord, Error> {
    let service = input.grantee_service_principal.as_ref();
    let grantee = grantee(cx, input.grantee_principal.as_ref(), service).await?;
    let service = input.retiring_service_principal.as_ref();
    let retiring = retiring(cx, input.retiring_principal.as_ref(), service).await?;
    if grantee.service().is_some() {
        if terms.source_arn.is_none() {
            return Err(Error::validation(
                "You must specify a SourceArn grant constraint with GranteeServicePrincipal.",
            ));
        }
        if retiring.is_none() {
            return Err(Error::validation(
                "You must specify either RetiringPrincipal or RetiringServicePrincipal with \
                 GranteeServicePrincipal.",
            ));
        }
    }
    let name = input.name.as_ref().map(|name| name.as_str().to_owned());
    Ok(GrantRecord::new(cx.now, cx.account(), (grantee, retiring), name, terms))
}
