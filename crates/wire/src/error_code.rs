//! The error codes that answers carry, with their HTTP status in either protocol.

/// Declares the codes: the JSON protocol's name and status, then the query protocol's where it
/// differs. The name is the variant's, unless another variant has it and it is spelled out.
macro_rules! error_codes {
    ($($name:ident $(= $json:literal)? $status:literal
        $(or $query:literal $query_status:literal)?;)*) => {
        /// An error's code. The name is what clients match on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "a code says what it is; causes stand where it arises")]
        pub enum ErrorCode { $($name),* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as the JSON protocol writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => crate::model_name!($name $($json)?)),* }
            }

            /// The code as audit records have it, in every service: CloudTrail calls a denial
            /// `AccessDenied`, and all else by the name of the exception.
            pub const fn recorded(self) -> &'static str {
                match self {
                    Self::AccessDeniedException => "AccessDenied",
                    code => code.as_str(),
                }
            }

            /// The HTTP status of the JSON protocol.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The code and status of the query protocol.
            pub const fn query(self) -> (&'static str, u16) {
                match self {
                    $(Self::$name => error_codes!(@query $name $status $($query $query_status)?)),*
                }
            }
        }
    };
    (@query $name:ident $status:literal) => {
        (stringify!($name), $status)
    };
    (@query $name:ident $status:literal $query:literal $query_status:literal) => {
        ($query, $query_status)
    };
}

error_codes! {
    // What KMS declares (its service model). Every recorded answer has status 400.
    AlreadyExistsException 400;
    CloudHsmClusterInvalidConfigurationException 400;
    ConflictException 400;
    CustomKeyStoreInvalidStateException 400;
    CustomKeyStoreNotFoundException 400;
    DependencyTimeoutException 503;
    DisabledException 400;
    DryRunOperationException 400;
    ExpiredImportTokenException 400;
    IncorrectKeyException 400;
    IncorrectKeyMaterialException 400;
    InvalidAliasNameException 400;
    InvalidArnException 400;
    InvalidCiphertextException 400;
    InvalidGrantIdException 400;
    InvalidGrantTokenException 400;
    InvalidImportTokenException 400;
    InvalidKeyUsageException 400;
    InvalidMarkerException 400;
    KMSInvalidMacException 400;
    KMSInvalidSignatureException 400;
    KMSInternalException 500 or "InternalFailure" 500;
    KMSInvalidStateException 400;
    KeyUnavailableException 500;
    LimitExceededException 400 or "LimitExceeded" 409;
    MalformedPolicyDocumentException 400 or "MalformedPolicyDocument" 400;
    NotFoundException 400;
    TagException 400;
    UnsupportedOperationException 400;
    XksKeyAlreadyInUseException 400;
    XksKeyInvalidConfigurationException 400;
    XksKeyNotFoundException 400;

    // What IAM and STS declare (their service models), beside what they share with KMS.
    ConcurrentModificationException 409 or "ConcurrentModification" 409;
    DeleteConflictException 409 or "DeleteConflict" 409;
    EntityAlreadyExistsException 409 or "EntityAlreadyExists" 409;
    EntityTemporarilyUnmodifiableException 409 or "EntityTemporarilyUnmodifiable" 409;
    ExpiredTokenException 400;
    IDPCommunicationErrorException 400 or "IDPCommunicationError" 400;
    IDPRejectedClaimException 403 or "IDPRejectedClaim" 403;
    InvalidAuthorizationMessageException 400;
    InvalidIdentityTokenException 400 or "InvalidIdentityToken" 400;
    InvalidInputException 400 or "InvalidInput" 400;
    NoSuchEntityException 404 or "NoSuchEntity" 404;
    OpenIdIdpCommunicationErrorException 400 or "OpenIdIdpCommunicationError" 400;
    PackedPolicyTooLargeException 400 or "PackedPolicyTooLarge" 400;
    PolicyEvaluationException 500 or "PolicyEvaluation" 500;
    PolicyNotAttachableException 400 or "PolicyNotAttachable" 400;
    RegionDisabledException 403;
    ServiceFailureException 500 or "ServiceFailure" 500;
    UnmodifiableEntityException 400 or "UnmodifiableEntity" 400;

    // What every service answers, declared by none.
    // <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>
    AccessDeniedException 400 or "AccessDenied" 403;
    // The session of the caller has ended; STS's own code of that name is for identity tokens.
    ExpiredSessionToken = "ExpiredTokenException" 400 or "ExpiredToken" 403;
    IncompleteSignatureException 400 or "IncompleteSignature" 400;
    InvalidSignatureException 400 or "SignatureDoesNotMatch" 403;
    InvalidParameterValueException 400 or "InvalidParameterValue" 400;
    MissingAuthenticationTokenException 400 or "MissingAuthenticationToken" 403;
    NotAuthorizedException 400 or "NotAuthorized" 400;
    RequestEntityTooLargeException 413 or "RequestEntityTooLarge" 413;
    RequestTimeoutException 408 or "RequestTimeout" 408;
    SerializationException 400 or "MalformedInput" 400;
    ServiceUnavailableException 503 or "ServiceUnavailable" 503;
    ThrottlingException 400 or "Throttling" 400;
    UnknownOperationException 400 or "InvalidAction" 400;
    UnrecognizedClientException 400 or "InvalidClientTokenId" 403;
    ValidationException 400 or "ValidationError" 400;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_its_words() {
        for (code, json, query) in [
            (
                ErrorCode::NoSuchEntityException,
                ("NoSuchEntityException", 404),
                ("NoSuchEntity", 404),
            ),
            (
                ErrorCode::LimitExceededException,
                ("LimitExceededException", 400),
                ("LimitExceeded", 409),
            ),
            (
                ErrorCode::ExpiredTokenException,
                ("ExpiredTokenException", 400),
                ("ExpiredTokenException", 400),
            ),
            (ErrorCode::ExpiredSessionToken, ("ExpiredTokenException", 400), ("ExpiredToken", 403)),
        ] {
            assert_eq!((code.as_str(), code.status()), json);
            assert_eq!(code.query(), query);
            assert_eq!(code.recorded(), json.0);
        }
        assert_eq!(ErrorCode::AccessDeniedException.recorded(), "AccessDenied");
    }
}
