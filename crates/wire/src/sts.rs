//! The shapes of STS (2011-06-15), as far as its operations exist.
//!
//! Tags of sessions and the secrets of their access keys are IAM's shapes: [`crate::iam::Tags`],
//! [`crate::iam::SecretAccessKey`].

use crate::Timestamp;
use crate::declare::{integer, list, secret, text};
use crate::iam::SecretAccessKey;
use crate::iam::is_name_character;
use crate::shapes::{UNBOUNDED, is_policy, is_word};

/// What AWS means by the pattern: it is written for UTF-16, and means all that XML can hold.
fn is_arn(text: &str) -> bool {
    let is_arn_character = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    !text.is_empty() && text.chars().all(is_arn_character)
}

fn is_words(text: &str) -> bool {
    text.chars().all(is_word)
}

fn is_name(text: &str) -> bool {
    text.chars().all(is_name_character)
}

fn is_session_id(text: &str) -> bool {
    text.chars().all(|c| is_name_character(c) || c == ':')
}

fn is_external_id(text: &str) -> bool {
    text.chars().all(|c| is_name_character(c) || matches!(c, ':' | '/'))
}

text! {
    /// The unique id of a principal: of root the account id.
    UserId = "userIdType", 0..=UNBOUNDED;
    /// An account id.
    Account = "accountType", 0..=UNBOUNDED;
    /// An ARN: of a principal, of the role to assume, of a session policy.
    PrincipalArn = "arnType", 20..=2048,
        pattern "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+"
        by is_arn;
    /// The id of an access key, such as `ASIA…`.
    AccessKeyId = "accessKeyIdType", 16..=128, pattern "[\\w]*" by is_words;
    /// The name that an assumed role's session goes by.
    RoleSessionName = "roleSessionNameType", 2..=64, pattern "[\\w+=,.@-]*" by is_name;
    /// Who is behind a session and the sessions made from it.
    SourceIdentity = "sourceIdentityType", 2..=64, pattern "[\\w+=,.@-]*" by is_name;
    /// The name that a federated user's session goes by.
    FederatedUserName = "userNameType", 2..=32, pattern "[\\w+=,.@-]*" by is_name;
    /// What a third party must name to assume a role that asks for it.
    ExternalId = "externalIdType", 2..=1224, pattern "[\\w+=,.@:\\/-]*" by is_external_id;
    /// The serial number or ARN of an MFA device.
    SerialNumber = "serialNumberType", 9..=256, pattern "[\\w+=/:,.@-]*" by is_external_id;
    /// The code that an MFA device shows.
    TokenCode = "tokenCodeType", 6..=6,
        pattern "[\\d]*" by |text| text.bytes().all(|b| b.is_ascii_digit());
    /// A role's session: `AROA…:name`.
    AssumedRoleId = "assumedRoleIdType", 2..=193, pattern "[\\w+=,.@:-]*" by is_session_id;
    /// A federated user's session: `ACCOUNT:name`.
    FederatedId = "federatedIdType", 2..=193, pattern "[\\w+=,.@\\:-]*" by is_session_id;
    /// A session policy.
    SessionPolicyDocument = "sessionPolicyDocumentType", 1..=2048,
        pattern "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" by is_policy;
    /// A session policy of AssumeRole, whose length only its packed size bounds.
    UnrestrictedSessionPolicyDocument = "unrestrictedSessionPolicyDocumentType", 1..=UNBOUNDED,
        pattern "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" by is_policy;
    /// The host of an OAuth 2.0 provider; not given for OpenID Connect.
    ProviderId = "urlType", 4..=2048;
    /// Whom an identity token is for.
    Audience = "Audience", 0..=UNBOUNDED;
    /// Who issued an identity token.
    Issuer = "Issuer", 0..=UNBOUNDED;
    /// Whom an identity token tells of.
    WebIdentitySubject = "webIdentitySubjectType", 6..=255;
    /// What a context provider asserts of a caller, signed by it.
    ContextAssertion = "contextAssertionType", 4..=2048;
    /// Why a request was refused, sealed.
    EncodedMessage = "encodedMessageType", 1..=10_240;
    /// The same, opened.
    DecodedMessage = "decodedMessageType", 0..=UNBOUNDED;
}

secret! {
    /// The token of a session, which goes with its access key. The model doesn't call it sensitive.
    SessionToken = "tokenType", 0..=UNBOUNDED, sensitive: false;
    /// An identity token that admits whoever holds it.
    WebIdentityToken = "clientTokenType", 4..=20_000, sensitive: true;
}

integer! {
    /// How long a session of a user or federated user lasts, in seconds.
    DurationSeconds = "durationSecondsType", 900..=129_600;
    /// How long a session of a role lasts, in seconds.
    RoleDurationSeconds = "roleDurationSecondsType", 900..=43_200;
    /// How full the room for session policies and tags is, in per cent.
    PackedPolicySize = "nonNegativeIntegerType", 0..=i32::MAX;
    /// How long a session token must be at least, in bytes.
    MinimumSessionTokenSize = "minimumSessionTokenSizeType", 0..=4096;
    /// How long a session token is, in bytes.
    SessionTokenSize = "sessionTokenSizeType", 0..=i32::MAX;
    /// How full the room for a session token is, in per cent.
    SessionTokenUtilization = "sessionTokenUtilizationType", 0..=i32::MAX;
}

list! {
    /// Managed policies that serve as session policies.
    PolicyDescriptors = "policyDescriptorListType" of PolicyDescriptor, 0..=UNBOUNDED;
    /// Contexts that providers assert of a caller.
    ProvidedContexts = "ProvidedContextsListType" of ProvidedContext, 1..=5;
}

crate::structure! {
    /// What a session signs its requests with.
    pub struct Credentials {
        access_key_id: AccessKeyId = required "AccessKeyId",
        secret_access_key: SecretAccessKey = required "SecretAccessKey",
        session_token: SessionToken = required "SessionToken",
        expiration: Timestamp = required "Expiration",
    }

    /// A session of a role.
    pub struct AssumedRoleUser {
        assumed_role_id: AssumedRoleId = required "AssumedRoleId",
        arn: PrincipalArn = required "Arn",
    }

    /// A session of a federated user.
    pub struct FederatedUser {
        federated_user_id: FederatedId = required "FederatedUserId",
        arn: PrincipalArn = required "Arn",
    }

    /// A managed policy that serves as a session policy.
    pub struct PolicyDescriptor = "PolicyDescriptorType" {
        arn: PrincipalArn = optional "arn",
    }

    /// What one context provider asserts of a caller.
    pub struct ProvidedContext {
        provider_arn: PrincipalArn = optional "ProviderArn",
        context_assertion: ContextAssertion = optional "ContextAssertion",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DateForm, Invalid, JsonWriter, Members as _, Node, Reader, Shape as _, Write as _,
    };

    #[test]
    fn arns_hold_what_xml_can_hold() {
        for good in ["a", "\t\n\r\u{85}", "é", "\u{d7ff}\u{e000}\u{fffd}", "\u{10000}"] {
            assert!(is_arn(good), "{good:?}");
        }
        for bad in ["", "\0", "\u{b}", "\u{7f}", "\u{84}", "\u{9f}", "\u{fffe}", "\u{ffff}"] {
            assert!(!is_arn(bad), "{bad:?}");
        }
    }

    #[test]
    fn names_of_sessions_have_their_signs() {
        assert!(is_name("") && is_name("a+=,.@-_9") && !is_name("a:b") && !is_name("a/b"));
        assert!(is_session_id("AROA:a@b") && !is_session_id("a/b") && !is_session_id("a b"));
        assert!(is_external_id("a:b/c") && !is_external_id("a b") && !is_external_id("é"));
        assert!(is_words("") && is_words("ASIA_1") && !is_words("a-b"));
    }

    #[test]
    fn credentials_are_never_recorded() {
        let credentials = Credentials {
            access_key_id: AccessKeyId::of("ASIA000000000000"),
            secret_access_key: SecretAccessKey::of("secret".to_owned().into()),
            session_token: SessionToken::of("token".to_owned().into()),
            expiration: Timestamp::from_millis(0),
        };
        let mut record = JsonWriter::record(Vec::new().into(), DateForm::Spelled);
        credentials.write(&mut record);
        assert_eq!(
            String::from_utf8(record.finish().to_vec()).unwrap(),
            concat!(
                r#"{"accessKeyId":"ASIA000000000000","#,
                r#""expiration":"Jan 1, 1970, 12:00:00 AM"}"#
            )
        );
        assert_eq!(credentials.scalar("SessionToken"), None);
        for info in [WebIdentityToken::INFO, TokenCode::INFO, ContextAssertion::INFO] {
            assert!(!info.recorded(), "{}", info.name);
        }
    }

    #[test]
    fn an_identity_token_is_not_echoed() {
        crate::structure! {
            struct Sample {
                token: WebIdentityToken = required "WebIdentityToken",
                arns: PolicyDescriptors = optional "PolicyArns",
            }
        }
        let read = |body: &[u8]| Reader::query().read::<Sample>(&Node::from_query(body).unwrap());
        let Err(Invalid::Violations(text)) = read(b"WebIdentityToken=eyJ") else { panic!("valid") };
        assert_eq!(
            text,
            "1 validation error detected: Value at 'webIdentityToken' failed to satisfy \
             constraint: Member must have length greater than or equal to 4"
        );
        let sample =
            read(b"WebIdentityToken=eyJh&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/A")
                .unwrap_or_else(|invalid| panic!("{invalid:?}"));
        assert_eq!(sample.token.as_str(), "eyJh");
        assert_eq!(sample.arns.map_or(0, |arns| arns.0.len()), 1);
        assert!(read(b"WebIdentityToken=eyJh&PolicyArns=").is_ok());
    }
}
