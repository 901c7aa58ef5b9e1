//! The principals of a grant: which a request may name, and which exist.

use service::Error;
use wire::grants::{PrincipalId, ServicePrincipal};
use wire::{AccountId, Arn, ErrorCode, Region};

use crate::grants::Principal;

/// The ARN by which an account is a principal.
pub(crate) fn account_arn(account: &AccountId, region: &Region) -> String {
    format!("arn:{}:iam::{account}:root", wire::partition(region.as_str()))
}

/// The principal of that ARN. Accounts are namespaces that need no making; users, roles and
/// sessions don't exist yet.
///
/// # Errors
/// InvalidArnException for what is no principal, or none that exists.
pub(crate) fn principal(id: &PrincipalId, region: &Region) -> Result<Principal, Error> {
    let arn = Arn::parse(id.as_str()).filter(|arn| {
        arn.partition == wire::partition(region.as_str())
            && arn.service == "iam"
            && arn.region.is_empty()
            && arn.resource == "root"
    });
    let account = arn.and_then(|arn| AccountId::parse(arn.account).ok());
    account.map(|account| Principal::Aws(account_arn(&account, region))).ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidArnException,
            format!("ARN does not refer to a valid principal: {}", id.as_str()),
        )
    })
}

/// A principal that is named by one of two members, or by none.
fn either(
    members: [&str; 2],
    aws: Option<&PrincipalId>,
    service: Option<&ServicePrincipal>,
    region: &Region,
) -> Result<Option<Principal>, Error> {
    match (aws, service) {
        (Some(id), None) => principal(id, region).map(Some),
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
pub(crate) fn grantee(
    aws: Option<&PrincipalId>,
    service: Option<&ServicePrincipal>,
    region: &Region,
) -> Result<Principal, Error> {
    let members = ["GranteePrincipal", "GranteeServicePrincipal"];
    either(members, aws, service, region)?.ok_or_else(|| {
        Error::validation("You must specify either GranteePrincipal or GranteeServicePrincipal.")
    })
}

/// The retiring principal that a request names, if it does.
///
/// # Errors
/// ValidationException for both, InvalidArnException.
pub(crate) fn retiring(
    aws: Option<&PrincipalId>,
    service: Option<&ServicePrincipal>,
    region: &Region,
) -> Result<Option<Principal>, Error> {
    either(["RetiringPrincipal", "RetiringServicePrincipal"], aws, service, region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_the_only_principals_that_exist() {
        let region = Region::parse("us-east-1").unwrap();
        let root = PrincipalId::of("arn:aws:iam::111122223333:root");
        let expected = Principal::Aws(root.as_str().to_owned());
        assert_eq!(principal(&root, &region).unwrap(), expected);
        for text in [
            "111122223333",
            "s3.amazonaws.com",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:role/admin",
            "arn:aws:sts::111122223333:assumed-role/admin/session",
            "arn:aws:iam::1111:root",
            "arn:aws:iam:us-east-1:111122223333:root",
            "arn:aws-cn:iam::111122223333:root",
            "arn:aws:kms::111122223333:root",
        ] {
            let error = principal(&PrincipalId::of(text), &region).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArnException);
            let message = format!("ARN does not refer to a valid principal: {text}");
            assert_eq!(error.message(), Some(message.as_str()));
        }
        let china = Region::parse("cn-north-1").unwrap();
        assert!(principal(&root, &china).is_err());
        assert!(principal(&PrincipalId::of("arn:aws-cn:iam::111122223333:root"), &china).is_ok());
    }
}
