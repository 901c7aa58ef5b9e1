//! What a handshake agreed on, in the names that CloudTrail's `tlsDetails` has for it.

use rustls::{CipherSuite, NamedGroup, ProtocolVersion, ServerConnection};

/// What the two ends of a connection agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// The version, such as `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite: of TLS 1.3 its own name, of TLS 1.2 the name that OpenSSL has for it.
    pub cipher_suite: &'static str,
    /// The key exchange, such as `X25519MLKEM768`; none where a session of TLS 1.2 was resumed.
    pub key_exchange: Option<&'static str>,
}

impl Negotiated {
    /// What that connection, whose handshake is over, agreed on.
    pub(crate) fn of(connection: &ServerConnection) -> Self {
        Self {
            version: version(connection.protocol_version()),
            cipher_suite: cipher_suite(
                connection.negotiated_cipher_suite().map(|suite| suite.suite()),
            ),
            key_exchange: connection
                .negotiated_key_exchange_group()
                .map(|group| name(group.name())),
        }
    }
}

fn version(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "",
    }
}

fn cipher_suite(suite: Option<CipherSuite>) -> &'static str {
    match suite {
        Some(CipherSuite::TLS13_AES_128_GCM_SHA256) => "TLS_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS13_AES_256_GCM_SHA384) => "TLS_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256) => "TLS_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256) => {
            "ECDHE-ECDSA-AES128-GCM-SHA256"
        }
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384) => {
            "ECDHE-ECDSA-AES256-GCM-SHA384"
        }
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256) => {
            "ECDHE-ECDSA-CHACHA20-POLY1305"
        }
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256) => "ECDHE-RSA-AES128-GCM-SHA256",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) => "ECDHE-RSA-AES256-GCM-SHA384",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256) => {
            "ECDHE-RSA-CHACHA20-POLY1305"
        }
        _ => "",
    }
}

fn name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519MLKEM768 => "X25519MLKEM768",
        NamedGroup::X25519 => "x25519",
        NamedGroup::secp256r1 => "secp256r1",
        NamedGroup::secp384r1 => "secp384r1",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    #[test]
    fn everything_that_can_be_agreed_on_has_a_name() {
        let provider = default_provider();
        for suite in provider.cipher_suites {
            assert_ne!(cipher_suite(Some(suite.suite())), "", "{suite:?}");
        }
        for group in &provider.kx_groups {
            assert_ne!(name(group.name()), "", "{:?}", group.name());
        }
        assert_eq!(provider.kx_groups[0].name(), NamedGroup::X25519MLKEM768);
    }
}
