//! OpenID Connect identity providers: their URLs, their ARNs, and what may be in their lists.
//!
//! Must not know what an identity token is.

use service::{Context, Error};
use wire::iam::{ArnText, ClientIds, Thumbprints};
use wire::{Arn, ErrorCode};

use crate::Iam;
use crate::authorization::Named;
use crate::directory::{Directory, Stored};
use crate::entities::{invalid, quota};
use crate::records::{Entity as _, ProviderRecord};

/// The scheme that every provider's URL has, and that its name goes without.
const SCHEME: &str = "https://";

/// The name of the provider of that URL: what follows `https://`, a host without a port and perhaps
/// a path, but no query (IAM API Reference, "`CreateOpenIDConnectProvider`").
///
/// # Errors
/// ValidationException.
pub(crate) fn provider_name(url: &str) -> Result<&str, Error> {
    let name = url.strip_prefix(SCHEME).filter(|name| is_host_and_path(name));
    name.ok_or_else(|| Error::validation("Invalid Open ID Connect Provider URL"))
}

fn is_host_and_path(name: &str) -> bool {
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_path = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'"' | b'<' | b'>');
    host.split('.').all(is_label) && path.bytes().all(is_path)
}

/// The provider that a request names by its ARN, whether or not it exists.
///
/// # Errors
/// InvalidInputException for what is no provider's ARN.
pub(crate) async fn find(
    cx: &Context<'_, Iam>,
    arn: &ArnText,
) -> Result<Named<ProviderRecord>, Error> {
    let text = arn.as_str();
    let parsed = Arn::parse(text).filter(|arn| arn.service == "iam" && arn.region.is_empty());
    let name = parsed.and_then(|arn| arn.resource.strip_prefix("oidc-provider/"));
    let (Some(parsed), Some(name)) = (parsed, name) else {
        return Err(Error::new(
            ErrorCode::InvalidInputException,
            format!("ARN {text} is not valid."),
        ));
    };
    if parsed.account != cx.account().as_str() || parsed.partition != cx.partition() {
        return Ok(Named { arn: text.to_owned(), name: name.to_owned(), stored: None });
    }
    Named::find(cx, name).await
}

/// The provider, which must exist.
///
/// # Errors
/// NoSuchEntityException.
pub(crate) fn existing(provider: &Named<ProviderRecord>) -> Result<&Stored<ProviderRecord>, Error> {
    provider.stored.as_ref().ok_or_else(|| {
        Error::new(
            ErrorCode::NoSuchEntityException,
            format!("OpenIDConnect Provider not found for arn {}", provider.arn),
        )
    })
}

/// The thumbprints that a provider is to have.
///
/// # Errors
/// InvalidInputException for too many.
pub(crate) fn thumbprints(
    directory: &Directory,
    asked: Option<&Thumbprints>,
) -> Result<Vec<String>, Error> {
    let asked = asked.map_or(&[][..], |asked| &asked.0);
    if asked.len() > directory.limits.thumbprints_per_provider {
        return Err(invalid("Thumbprint list must contain fewer than 5 entries."));
    }
    Ok(asked.iter().map(|one| one.as_str().to_owned()).collect())
}

/// The client ids that a new provider is to have.
///
/// # Errors
/// LimitExceededException.
pub(crate) fn client_ids(
    directory: &Directory,
    asked: Option<&ClientIds>,
) -> Result<Vec<String>, Error> {
    let mut ids = Vec::new();
    for id in asked.iter().flat_map(|asked| &asked.0) {
        add_client_id(directory, &mut ids, id.as_str())?;
    }
    Ok(ids)
}

/// Adds a client id, unless it is there.
///
/// # Errors
/// LimitExceededException.
pub(crate) fn add_client_id(
    directory: &Directory,
    ids: &mut Vec<String>,
    id: &str,
) -> Result<(), Error> {
    if ids.iter().any(|known| known == id) {
        return Ok(());
    }
    let max = directory.limits.client_ids_per_provider;
    if ids.len() >= max {
        return Err(quota("ClientIdsPerOpenIdConnectProvider", max));
    }
    ids.push(id.to_owned());
    Ok(())
}

/// A provider's ARN.
pub(crate) fn provider_arn(cx: &Context<'_, Iam>, record: &ProviderRecord) -> ArnText {
    ArnText::of(record.arn(cx.partition(), cx.account()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_host_and_perhaps_a_path() {
        for (url, name) in [
            ("https://accounts.google.com", "accounts.google.com"),
            ("https://localhost", "localhost"),
            (
                "https://oidc.eks.eu-west-1.amazonaws.com/id/AB12",
                "oidc.eks.eu-west-1.amazonaws.com/id/AB12",
            ),
            ("https://kc.example/realms/a~b", "kc.example/realms/a~b"),
        ] {
            assert_eq!(provider_name(url).ok(), Some(name), "{url}");
        }
        for url in [
            "",
            "example.org",
            "http://example.org",
            "HTTPS://example.org",
            "https://",
            "https:///path",
            "https://example..org",
            "https://example.org:8443",
            "https://user@example.org",
            "https://example.org/?q=1",
            "https://example.org?q=1",
            "https://example.org/#f",
            "https://exämple.org",
            "https://example.org/a b",
        ] {
            assert!(provider_name(url).is_err(), "{url}");
        }
    }
}
