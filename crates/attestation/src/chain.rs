//! The chain from a trusted root down to the certificate that signed a document (RFC 5280, 6.1;
//! AWS, Nitro Enclaves attestation process, 3.2.3). Names must be equal byte for byte, which is
//! stricter than the RFC; policies and name constraints are not known, and refused where critical.

use crate::Refusal;
use crate::certificate::Certificate;
use crate::roots::Roots;

/// Verifies that `bundle` begins with a trusted root and that each certificate issued the next
/// one, the last of them `signer`; gives that one.
pub(crate) fn verify(
    bundle: &[Vec<u8>],
    signer: &[u8],
    roots: &Roots,
    now: i64,
) -> Result<Certificate, Refusal> {
    let (root, intermediates) = bundle.split_first().ok_or(Refusal::Field("cabundle"))?;
    let mut chain = vec![roots.find(root).ok_or(Refusal::UntrustedRoot)?.clone()];
    for der in intermediates {
        chain.push(Certificate::parse(der)?);
    }
    let signer = Certificate::parse(signer)?;
    check_uses(&chain, &signer)?;
    if !chain.iter().chain([&signer]).all(|certificate| certificate.is_valid_at(now)) {
        return Err(Refusal::Validity);
    }
    // Pairs of issuer and subject. Names cost nothing to compare, so they come before signatures.
    let pairs = || chain.iter().zip(chain.iter().skip(1).chain([&signer]));
    let issued = pairs().all(|(issuer, subject)| subject.names(issuer))
        && pairs().all(|(issuer, subject)| subject.is_signed_by(issuer));
    if issued { Ok(signer) } else { Err(Refusal::Issuer) }
}

fn check_uses(authorities: &[Certificate], signer: &Certificate) -> Result<(), Refusal> {
    let following = (0..authorities.len()).rev();
    let may_issue = authorities.iter().zip(following).all(|(ca, below)| ca.is_authority(below));
    if may_issue && signer.is_end_entity() { Ok(()) } else { Err(Refusal::Usage) }
}
