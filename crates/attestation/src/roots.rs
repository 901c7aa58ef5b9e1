//! The roots that chains may begin with.
//!
//! A bundle's first certificate must be a root's, byte for byte: AWS publishes the certificate and
//! its fingerprint, not a key. Must not know where an operator keeps them.

use std::fmt;

use crate::certificate::Certificate;

/// AWS_NitroEnclaves_Root-G1, the root for AWS's commercial Regions, valid until 2049-10-28. AWS
/// publishes its SHA-256 fingerprint in "Verifying the root of trust" (Nitro Enclaves user guide).
const AWS: &str = include_str!("roots/aws-nitro-enclaves-root-g1.pem");
/// More text than any number of roots that someone trusts.
const PEM_MAX: usize = 65_536;
const END: &str = "-----END CERTIFICATE-----";

/// The roots that are trusted.
#[derive(Default)]
pub struct Roots(Vec<Root>);

struct Root {
    der: Vec<u8>,
    certificate: Certificate,
}

/// Why a text holds no roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootsRejected {
    /// It is longer than 65,536 bytes.
    TooLong,
    /// There is no certificate in it.
    None,
    /// This certificate, counted from 1, isn't one: not PEM (RFC 7468), not X.509, not on P-256 or
    /// P-384.
    Malformed(usize),
    /// This certificate, counted from 1, may not issue others.
    NoAuthority(usize),
}

impl fmt::Display for RootsRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {PEM_MAX} bytes"),
            Self::None => f.write_str("there is no PEM certificate in it"),
            Self::Malformed(number) => write!(
                f,
                "certificate {number} can't be read: it must be X.509 in PEM, with a key on P-256 \
                 or P-384"
            ),
            Self::NoAuthority(number) => {
                write!(f, "certificate {number} is not a certificate authority's")
            }
        }
    }
}

impl std::error::Error for RootsRejected {}

impl Roots {
    /// AWS's own root.
    pub fn aws() -> Self {
        // A test holds the constant's fingerprint against AWS's. Were it no certificate, no root
        // would be trusted.
        Self::from_pem(AWS).unwrap_or_default()
    }

    /// The certificates of a text in PEM; what stands between them is passed over.
    ///
    /// # Errors
    /// [`RootsRejected`].
    pub fn from_pem(text: &str) -> Result<Self, RootsRejected> {
        if text.len() > PEM_MAX {
            return Err(RootsRejected::TooLong);
        }
        let mut roots = Vec::new();
        for (index, piece) in text.split_inclusive(END).enumerate() {
            if !piece.ends_with(END) {
                break;
            }
            roots.push(Root::from_pem(piece, index + 1)?);
        }
        if roots.is_empty() { Err(RootsRejected::None) } else { Ok(Self(roots)) }
    }

    /// All roots of both.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn find(&self, der: &[u8]) -> Option<&Certificate> {
        self.0.iter().find(|root| root.der == der).map(|root| &root.certificate)
    }
}

impl Root {
    fn from_pem(pem: &str, number: usize) -> Result<Self, RootsRejected> {
        let malformed = RootsRejected::Malformed(number);
        let (label, der) = der::pem::decode_vec(pem.as_bytes()).map_err(|_| malformed)?;
        if label != "CERTIFICATE" {
            return Err(malformed);
        }
        let certificate = Certificate::parse(&der).map_err(|_| malformed)?;
        if certificate.is_authority(0) {
            Ok(Self { der, certificate })
        } else {
            Err(RootsRejected::NoAuthority(number))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;

    use super::*;

    #[test]
    fn the_constant_is_the_root_that_aws_publishes() {
        let [root] = &Roots::aws().0[..] else { panic!("one root") };
        let digest = digest::digest(&digest::SHA256, &root.der);
        let fingerprint = digest.as_ref().iter().map(|byte| format!("{byte:02X}"));
        assert_eq!(
            fingerprint.collect::<Vec<_>>().join(":"),
            "64:1A:03:21:A3:E2:44:EF:E4:56:46:31:95:D6:06:31:\
             7E:D7:CD:CC:3C:17:56:E0:98:93:F3:C6:8F:79:BB:5B"
        );
        assert!(root.certificate.is_signed_by(&root.certificate));
    }

    #[test]
    fn a_text_holds_any_number_of_roots() {
        let twice = format!("first\n{AWS}\nsecond\n{AWS}\nthat was all\n");
        assert_eq!(Roots::from_pem(&twice).unwrap().0.len(), 2);
        let both = Roots::aws().and(Roots::aws());
        assert_eq!(both.0.len(), 2);
    }

    #[test]
    fn a_text_without_roots_says_why() {
        let rejected = |text: &str| Roots::from_pem(text).err();
        assert_eq!(rejected(""), Some(RootsRejected::None));
        assert_eq!(rejected("no certificate"), Some(RootsRejected::None));
        assert_eq!(rejected(&AWS[..AWS.len() / 2]), Some(RootsRejected::None));
        assert_eq!(rejected(END), Some(RootsRejected::Malformed(1)));
        let damaged = format!("{AWS}{}", AWS.replace("MIICETCC", "MIICETCD"));
        assert_eq!(rejected(&damaged), Some(RootsRejected::Malformed(2)));
        let other = AWS.replace("CERTIFICATE", "PUBLIC KEY");
        assert_eq!(rejected(&other), Some(RootsRejected::None));
        assert_eq!(rejected(&" ".repeat(PEM_MAX + 1)), Some(RootsRejected::TooLong));
    }
}
