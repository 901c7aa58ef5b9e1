//! The principals of a grant: which a request may name, and which exist.

use service::ports::Known;
use service::{Context, Error};
use wire::grants::{PrincipalId, ServicePrincipal};
use wire::{AccountId, Arn, ErrorCode, Region};

use crate::Kms;
use crate::grants::Principal;

/// The ARN by which an account is a principal.
pub(crate) fn account_arn(account: &AccountId, region: &Region) -> String {
    format!("arn:{}:iam::{account}:root", wire::partition(region.as_str()))
}

/// The principal of that ARN. A unique id means the user or role that has it, or had it once.
///
/// # Errors
/// InvalidArnException for what is no principal, or none that exists.
pub(crate) async fn principal(cx: &Context<'_, Kms>, id: &PrincipalId) -> Result<Principal, Error> {
    let text = id.as_str();
    let own_partition = Arn::parse(text).is_some_and(|arn| arn.partition == cx.partition());
    let known = if own_partition { cx.service.principals.principal(text).await? } else { None };
    match known {
        Some(Known::ByName) => Ok(Principal::Aws(text.to_owned())),
        Some(Known::ById(id)) => Ok(Principal::Identity { arn: text.to_owned(), id }),
        None => Err(Error::new(
            ErrorCode::InvalidArnException,
            format!("ARN does not refer to a valid principal: {text}"),
        )),
    }
}

impl Kms {
    /// A principal's name as lists show it: that of a user or role that is gone, or another one by
    /// now, is its unique id.
    pub(crate) async fn shown(&self, principal: &Principal) -> Result<Option<PrincipalId>, Error> {
        Ok(match principal {
            Principal::Service(_) => None,
            Principal::Aws(arn) => Some(PrincipalId::of(arn)),
            Principal::Identity { arn, id } => {
                let known = self.principals.principal(arn).await?;
                let same = known == Some(Known::ById(id.clone()));
                Some(PrincipalId::of(if same { arn } else { id }))
            }
        })
    }
}

/// A principal that is named by one of two members, or by none.
async fn either(
    cx: &Context<'_, Kms>,
    members: [&str; 2],
    aws: Option<&PrincipalId>,
    service: Option<&ServicePrincipal>,
) -> Result<Option<Principal>, Error> {
    match (aws, service) {
        (Some(id), None) => principal(cx, id).await.map(Some),
        (None, Some(name)) => Ok(Some(Principal::Service(name.as_str().to_owned()))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            let [aws, service] = members;
            Err(Error::validation(format!(
                "You can specify either {aws} or {service}, but not both."
            )))
        }
    }
}

/// The grantee that a request names, which it must.
///
/// # Errors
/// ValidationException for both or neither, InvalidArnException.
pub(crate) async fn grantee(
    cx: &Context<'_, Kms>,
    aws: Option<&PrincipalId>,
    service: Option<&ServicePrincipal>,
) -> Result<Principal, Error> {
    let members = ["GranteePrincipal", "GranteeServicePrincipal"];
    either(cx, members, aws, service).await?.ok_or_else(|| {
        Error::validation("You must specify either GranteePrincipal or GranteeServicePrincipal.")
    })
}

/// The retiring principal that a request names, if it does.
///
/// # Errors
/// ValidationException for both, InvalidArnException.
pub(crate) async fn retiring(
    cx: &Context<'_, Kms>,
    aws: Option<&PrincipalId>,
    service: Option<&ServicePrincipal>,
) -> Result<Option<Principal>, Error> {
    either(cx, ["RetiringPrincipal", "RetiringServicePrincipal"], aws, service).await
}
