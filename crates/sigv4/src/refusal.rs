//! Why a request was refused, in AWS's words.
//!
//! Owns every message text of this crate. Must not know how a service words its error code: JSON
//! and query services name the same refusal differently (see [`Kind`]). No variant ever holds a
//! secret or a signature.
//!
//! Sources: the IAM User Guide's page "Troubleshoot Signature Version 4 signing for AWS API
//! requests", and messages that clients' issue trackers quote from AWS.

use std::fmt;

use crate::time::stamp;

/// Which of AWS's errors a refusal belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// MissingAuthenticationTokenException; query services: MissingAuthenticationToken.
    MissingAuthenticationToken,
    /// IncompleteSignatureException; query services: IncompleteSignature.
    IncompleteSignature,
    /// UnrecognizedClientException; query services: InvalidClientTokenId.
    UnrecognizedClient,
    /// InvalidSignatureException; query services: SignatureDoesNotMatch.
    InvalidSignature,
}

/// Why a request was refused. [`Refusal::kind`] names AWS's error, `Display` gives AWS's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Neither an Authorization header nor query parameters that sign.
    MissingAuthenticationToken,
    /// The signature's parameters are missing or malformed; the message says which.
    IncompleteSignature {
        /// The whole message.
        message: String,
    },
    /// A part of the request is beyond this crate's limits or has forbidden characters. AWS closes
    /// the connection or answers from its load balancer there; the text is ours.
    Malformed(
        /// Which part: `headers`, say.
        &'static str,
    ),
    /// The access key id has characters that no access key id has.
    UnrecognizedAccessKeyId,
    /// The signature is not the one that the key gives for this request.
    SignatureDoesNotMatch,
    /// `x-amz-content-sha256` is not the body's hash. `UNSIGNED-PAYLOAD` and the streaming forms
    /// are S3's alone and end here, too.
    BodyHashMismatch,
    /// A header that must be signed isn't.
    HeaderNotSigned {
        /// The header's name, in lower case.
        name: String,
    },
    /// The request is older than the clock skew allows. Unix seconds.
    SignatureExpired {
        /// When it was signed.
        signed: i64,
        /// The server's time.
        now: i64,
    },
    /// A presigned request is used after its X-Amz-Expires. Unix seconds.
    PresignedExpired {
        /// When it ended.
        expired: i64,
        /// The server's time.
        now: i64,
    },
    /// The request is further in the future than the clock skew allows. Unix seconds.
    SignatureNotYetCurrent {
        /// When it was signed.
        signed: i64,
        /// The server's time.
        now: i64,
    },
    /// The scope's date is not the day of the request's date.
    DateMismatch {
        /// What stands in the scope.
        scope: String,
        /// The request's date, as `YYYYMMDD'T'HHMMSS'Z'`.
        date: String,
    },
    /// The scope names another service.
    WrongService {
        /// The service that was called.
        expected: String,
    },
    /// The scope names a region that isn't one, or isn't served here.
    WrongRegion {
        /// What stands in the scope.
        region: String,
    },
    /// The scope doesn't end in `aws4_request`.
    WrongTerminator {
        /// What it ends in.
        terminator: String,
    },
}

/// The clock skew that AWS allows on either side, in seconds.
pub const CLOCK_SKEW: i64 = 5 * 60;

impl Refusal {
    /// Which of AWS's errors this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::MissingAuthenticationToken => Kind::MissingAuthenticationToken,
            Self::IncompleteSignature { .. } | Self::Malformed(_) => Kind::IncompleteSignature,
            Self::UnrecognizedAccessKeyId => Kind::UnrecognizedClient,
            Self::SignatureDoesNotMatch
            | Self::BodyHashMismatch
            | Self::HeaderNotSigned { .. }
            | Self::SignatureExpired { .. }
            | Self::PresignedExpired { .. }
            | Self::SignatureNotYetCurrent { .. }
            | Self::DateMismatch { .. }
            | Self::WrongService { .. }
            | Self::WrongRegion { .. }
            | Self::WrongTerminator { .. } => Kind::InvalidSignature,
        }
    }

    /// AWS's message.
    pub fn message(&self) -> String {
        self.to_string()
    }

    pub(crate) fn incomplete(message: impl Into<String>) -> Self {
        Self::IncompleteSignature { message: message.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingAuthenticationToken => {
                f.write_str("Request is missing Authentication Token")
            }
            Self::IncompleteSignature { message } => f.write_str(message),
            Self::Malformed(part) => {
                write!(f, "The request's {part} can't be signed: too long or malformed.")
            }
            Self::UnrecognizedAccessKeyId => {
                f.write_str("The security token included in the request is invalid.")
            }
            Self::SignatureDoesNotMatch => f.write_str(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
            ),
            Self::BodyHashMismatch => f.write_str(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            Self::HeaderNotSigned { name } if name == "host" => f.write_str(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ),
            Self::HeaderNotSigned { name } => {
                write!(f, "There were headers present in the request which were not signed: {name}")
            }
            Self::DateMismatch { scope, date } => write!(
                f,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{scope}' != '{}', from '{date}'.",
                date.get(..8).unwrap_or(date)
            ),
            // AWS joins the faults of a scope, each followed by a space; clients see the space.
            Self::WrongService { expected } => {
                write!(f, "Credential should be scoped to correct service: '{expected}'. ")
            }
            Self::WrongRegion { region } => {
                write!(f, "Credential should be scoped to a valid region, not '{region}'. ")
            }
            Self::WrongTerminator { terminator } => write!(
                f,
                "Credential should be scoped with a valid terminator: 'aws4_request', not \
                 '{terminator}'. "
            ),
            Self::SignatureExpired { .. }
            | Self::PresignedExpired { .. }
            | Self::SignatureNotYetCurrent { .. } => self.write_time(f),
        }
    }
}

impl Refusal {
    fn write_time(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignatureExpired { signed, now } => write!(
                f,
                "Signature expired: {} is now earlier than {} ({} - 5 min.)",
                stamp(*signed),
                stamp(now.saturating_sub(CLOCK_SKEW)),
                stamp(*now)
            ),
            Self::SignatureNotYetCurrent { signed, now } => write!(
                f,
                "Signature not yet current: {} is still later than {} ({} + 5 min.)",
                stamp(*signed),
                stamp(now.saturating_add(CLOCK_SKEW)),
                stamp(*now)
            ),
            Self::PresignedExpired { expired, now } => write!(
                f,
                "Signature expired: {} is now earlier than {}",
                stamp(*expired),
                stamp(*now)
            ),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    // 2015-08-30T12:36:00Z
    const SIGNED: i64 = 1_440_938_160;

    #[test]
    fn times_are_worded_as_aws_words_them() {
        let expired = Refusal::SignatureExpired { signed: SIGNED, now: SIGNED + 9 * 60 };
        assert_eq!(
            expired.message(),
            "Signature expired: 20150830T123600Z is now earlier than 20150830T124000Z \
             (20150830T124500Z - 5 min.)"
        );
        let early = Refusal::SignatureNotYetCurrent { signed: SIGNED + 300, now: SIGNED - 60 };
        assert_eq!(
            early.message(),
            "Signature not yet current: 20150830T124100Z is still later than 20150830T124000Z \
             (20150830T123500Z + 5 min.)"
        );
        assert_eq!(expired.kind(), Kind::InvalidSignature);
    }

    #[test]
    fn scope_faults_are_worded_as_aws_words_them() {
        let service = Refusal::WrongService { expected: "kms".into() };
        assert_eq!(service.message(), "Credential should be scoped to correct service: 'kms'. ");
        let date =
            Refusal::DateMismatch { scope: "20120222".into(), date: "20120223T064035Z".into() };
        assert_eq!(
            date.message(),
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '20120222' != '20120223', from '20120223T064035Z'."
        );
    }

    #[test]
    fn an_absurd_clock_does_not_panic() {
        for now in [i64::MIN, i64::MAX] {
            let refusal = Refusal::SignatureExpired { signed: 0, now };
            assert!(refusal.message().starts_with("Signature expired: 19700101T000000Z"));
        }
    }
}
