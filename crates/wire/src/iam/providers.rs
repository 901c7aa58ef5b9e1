//! OpenID Connect identity providers.

use crate::declare::{list, text};
use crate::iam::ArnText;
use crate::shapes::UNBOUNDED;

text! {
    /// Where a provider's identity tokens come from: their issuer.
    OpenIdConnectProviderUrl = "OpenIDConnectProviderUrlType", 1..=255;
    /// An audience that a provider's identity tokens may have.
    ClientId = "clientIDType", 1..=255;
    /// The SHA-1 digest of a certificate of the provider's server: 40 hex digits.
    Thumbprint = "thumbprintType", 40..=40;
}

list! {
    /// Audiences.
    ClientIds = "clientIDListType" of ClientId, 0..=UNBOUNDED;
    /// Thumbprints.
    Thumbprints = "thumbprintListType" of Thumbprint, 0..=UNBOUNDED;
    /// Every provider of an account.
    OpenIdConnectProviders = "OpenIDConnectProviderListType" of OpenIdConnectProviderListEntry,
        0..=UNBOUNDED;
}

crate::structure! {
    /// An entry of ListOpenIDConnectProviders.
    pub struct OpenIdConnectProviderListEntry = "OpenIDConnectProviderListEntry" {
        arn: ArnText = optional "Arn",
    }
}
