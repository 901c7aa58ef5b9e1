//! The error codes that answers carry, with their HTTP status in either protocol.

/// Declares the codes: the JSON protocol's name and status, then the query protocol's where it
/// differs.
macro_rules! error_codes {
    ($($name:ident $status:literal $(or $query:literal $query_status:literal)?;)*) => {
        /// An error's code. The name is what clients match on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "a code says what it is; causes stand where it arises")]
        pub enum ErrorCode { $($name),* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as the JSON protocol writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
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
    LimitExceededException 400;
    MalformedPolicyDocumentException 400;
    NotFoundException 400;
    TagException 400;
    UnsupportedOperationException 400;
    XksKeyAlreadyInUseException 400;
    XksKeyInvalidConfigurationException 400;
    XksKeyNotFoundException 400;

    // What every service answers, declared by none.
    // <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>
    AccessDeniedException 400 or "AccessDenied" 403;
    IncompleteSignatureException 400 or "IncompleteSignature" 400;
    InvalidSignatureException 400 or "SignatureDoesNotMatch" 403;
    MissingAuthenticationTokenException 400 or "MissingAuthenticationToken" 403;
    NotAuthorizedException 400 or "NotAuthorized" 400;
    RequestEntityTooLargeException 413 or "RequestEntityTooLarge" 413;
    RequestTimeoutException 408 or "RequestTimeout" 408;
    SerializationException 400 or "MalformedInput" 400;
    ServiceUnavailableException 503 or "ServiceUnavailable" 503;
    UnknownOperationException 400 or "InvalidAction" 400;
    UnrecognizedClientException 400 or "InvalidClientTokenId" 403;
    ValidationException 400 or "ValidationError" 400;
}
