//! The audit record of a request, in CloudTrail's format.
//!
//! Owns the names, order and limits of CloudTrail's fields (CloudTrail User Guide, "CloudTrail
//! record contents" and "CloudTrail userIdentity element").
//! Must not know where records go, nor decide what of a request may be told: parameters and
//! response arrive as JSON from which secrets were left out.

use std::mem;

use wire::{DateForm, JsonWriter, Timestamp, Writer as _};
use zeroize::Zeroizing;

use crate::caller::Principal;
use crate::operation::Resource;
use crate::pipeline::Tls;
use crate::ports::{AuditLog, AuditUnavailable};

/// The version of CloudTrail's format that the records follow.
const EVENT_VERSION: &str = "1.11";

/// The longest text of a field that the client has a say in, in bytes: CloudTrail's limit on
/// `userAgent`, `errorCode` and `errorMessage`. What is longer is cut at the last character that
/// fits, without a mark, as CloudTrail cuts it.
const TEXT_MAX: usize = 1 << 10;

/// The longest `requestParameters` or `responseElements`, in bytes: CloudTrail's limit. JSON can't
/// be cut, so that an object stands in for what is longer, which says so and how long it was.
const ELEMENTS_MAX: usize = 100 << 10;

/// CloudTrail's `type` of a caller of another account.
pub(crate) const FOREIGN: &str = "AWSAccount";

/// Who acted: CloudTrail's `userIdentity`.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// The request was refused before that was known: what an unverified request claims of itself
    /// is no identity.
    Unknown,
    /// A caller, as its own account sees it.
    Caller(Identity<'a>),
    /// A caller, as the other accounts see it that own what was acted on.
    Foreign {
        /// Its unique id.
        principal_id: &'a str,
        /// Its account.
        account_id: &'a str,
    },
    /// The server, which nobody had asked.
    Server {
        /// Whose resource it acts on; empty where it is nobody's.
        account_id: &'a str,
        /// CloudTrail's `invokedBy`.
        invoked_by: &'a str,
    },
    /// Somebody who looks after the server, by the number of the system's user: nobody that
    /// CloudTrail knows.
    Operator {
        /// The user's number.
        user: &'a str,
    },
}

/// A caller that is known.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// CloudTrail's `type`: `Root`, `IAMUser`, `AssumedRole`, …
    pub kind: &'a str,
    /// The unique id.
    pub principal_id: &'a str,
    /// The ARN.
    pub arn: &'a str,
    /// The account.
    pub account_id: &'a str,
    /// The access key that signed.
    pub access_key_id: &'a str,
    /// What temporary credentials come from: CloudTrail's `sessionContext`.
    pub session: Option<SessionIssuer<'a>>,
    /// The name of an IAM user, or whom a token of an identity provider tells of.
    pub user_name: Option<&'a str>,
    /// Whether it is whom a token of an identity provider tells of: the ARN is the provider's, and
    /// no access key signed.
    pub is_federated: bool,
}

/// What temporary credentials come from.
#[derive(Debug, Clone, Copy)]
pub struct SessionIssuer<'a> {
    /// The role or user; none where root issued them.
    pub issuer: Option<&'a Principal>,
    /// Whether the issuer is a role.
    pub is_role: bool,
    /// When they were issued.
    pub issued: Timestamp,
    /// The identity provider whose token was given for them.
    pub provider: Option<&'a str>,
    /// The source identity.
    pub source_identity: Option<&'a str>,
}

/// One event, mostly a request, as the audit log tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Who made it.
    pub actor: Actor<'a>,
    /// When it was served.
    pub event_time: Timestamp,
    /// The service, such as `kms.amazonaws.com`.
    pub event_source: &'a str,
    /// The operation, also one that doesn't exist.
    pub event_name: &'a str,
    /// The Region; empty where authentication didn't get that far.
    pub aws_region: &'a str,
    /// The client's address.
    pub source_ip_address: &'a str,
    /// The client's `User-Agent`.
    pub user_agent: &'a str,
    /// The error that the request was answered with.
    pub error_code: Option<&'a str>,
    /// Its message.
    pub error_message: Option<&'a str>,
    /// The parameters, as JSON without secrets.
    pub request_parameters: Option<&'a [u8]>,
    /// The answer's elements, as JSON without secrets.
    pub response_elements: Option<&'a [u8]>,
    /// What is to be known beside them, as a JSON object without secrets; left out where there is
    /// nothing.
    pub additional_event_data: Option<&'a [u8]>,
    /// The request's id; there is none where nobody asked.
    pub request_id: Option<&'a str>,
    /// The record's id.
    pub event_id: &'a str,
    /// Whether the operation only reads.
    pub read_only: bool,
    /// What was acted on; left out where the service's records don't tell.
    pub resources: Option<&'a [Resource]>,
    /// Whose log the record belongs into; nobody's where the caller isn't known.
    pub recipient_account_id: Option<&'a str>,
    /// What an event of the server's own is about; left out where there is nothing.
    pub service_event_details: &'a [(&'static str, String)],
    /// What the records of several accounts of the same request have in common.
    pub shared_event_id: Option<&'a str>,
    /// What the connection was secured by.
    pub tls: Option<Tls<'a>>,
}

impl<'a> Record<'a> {
    /// An event of which nothing is known yet but what it is and when.
    pub fn of(source: &'a str, name: &'a str, time: Timestamp, event_id: &'a str) -> Self {
        Self {
            actor: Actor::Unknown,
            event_time: time,
            event_source: source,
            event_name: name,
            aws_region: "",
            source_ip_address: "",
            user_agent: "",
            error_code: None,
            error_message: None,
            request_parameters: None,
            response_elements: None,
            additional_event_data: None,
            request_id: None,
            event_id,
            read_only: false,
            resources: None,
            recipient_account_id: None,
            service_event_details: &[],
            shared_event_id: None,
            tls: None,
        }
    }
}

impl Record<'_> {
    /// Appends the record to a log.
    ///
    /// # Errors
    /// [`AuditUnavailable`]: what it tells of must be refused.
    pub async fn append_to(&self, log: &dyn AuditLog) -> Result<(), AuditUnavailable> {
        let mut line = Vec::with_capacity(1024);
        self.write(&mut line);
        log.append(&line).await
    }

    /// Appends the record to `out`: one JSON object without a line break.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut json = JsonWriter::record(Zeroizing::new(mem::take(out)), DateForm::Iso8601);
        json.structure(|json| {
            text(json, "eventVersion", EVENT_VERSION);
            json.name("userIdentity");
            self.actor.write(json);
            json.name("eventTime");
            json.timestamp(self.event_time);
            text(json, "eventSource", self.event_source);
            text(json, "eventName", cut(self.event_name));
            text(json, "awsRegion", self.aws_region);
            text(json, "sourceIPAddress", self.source_ip_address);
            text(json, "userAgent", cut(self.user_agent));
            if let Some(code) = self.error_code {
                text(json, "errorCode", cut(code));
            }
            if let Some(message) = self.error_message {
                text(json, "errorMessage", cut(message));
            }
            elements(json, "requestParameters", self.request_parameters);
            elements(json, "responseElements", self.response_elements);
            if self.additional_event_data.is_some() {
                elements(json, "additionalEventData", self.additional_event_data);
            }
            if let Some(id) = self.request_id {
                text(json, "requestID", id);
            }
            text(json, "eventID", self.event_id);
            json.name("readOnly");
            json.boolean(self.read_only);
            if let Some(resources) = self.resources {
                write_resources(json, resources);
            }
            self.write_rest(json);
        });
        *out = mem::take(&mut *json.finish());
    }

    fn write_rest(&self, json: &mut JsonWriter) {
        let is_servers = matches!(self.actor, Actor::Server { .. });
        text(json, "eventType", if is_servers { "AwsServiceEvent" } else { "AwsApiCall" });
        json.name("managementEvent");
        json.boolean(true);
        if let Some(account) = self.recipient_account_id {
            text(json, "recipientAccountId", account);
        }
        if !self.service_event_details.is_empty() {
            json.name("serviceEventDetails");
            json.structure(|json| {
                for (name, value) in self.service_event_details {
                    json.text_member(name, value);
                }
            });
        }
        if let Some(id) = self.shared_event_id {
            text(json, "sharedEventID", id);
        }
        text(json, "eventCategory", "Management");
        if let Some(tls) = &self.tls {
            tls.write(json);
        }
    }
}

impl Actor<'_> {
    fn write(&self, json: &mut JsonWriter) {
        json.structure(|json| match self {
            Self::Unknown => text(json, "type", "Unknown"),
            Self::Caller(identity) => identity.write(json),
            Self::Foreign { principal_id, account_id } => {
                text(json, "type", FOREIGN);
                text(json, "principalId", principal_id);
                text(json, "accountId", account_id);
            }
            Self::Server { account_id, invoked_by } => {
                if !account_id.is_empty() {
                    text(json, "accountId", account_id);
                }
                text(json, "invokedBy", invoked_by);
            }
            Self::Operator { user } => {
                text(json, "type", "Operator");
                text(json, "principalId", user);
            }
        });
    }
}

impl Identity<'_> {
    fn write(&self, json: &mut JsonWriter) {
        text(json, "type", self.kind);
        text(json, "principalId", self.principal_id);
        if self.is_federated {
            if let Some(name) = self.user_name {
                text(json, "userName", name);
            }
            return text(json, "identityProvider", self.arn);
        }
        text(json, "arn", self.arn);
        text(json, "accountId", self.account_id);
        text(json, "accessKeyId", self.access_key_id);
        if let Some(name) = self.user_name {
            text(json, "userName", name);
        }
        if let Some(session) = &self.session {
            json.name("sessionContext");
            session.write(self.account_id, json);
        }
    }
}

impl SessionIssuer<'_> {
    fn write(&self, account: &str, json: &mut JsonWriter) {
        json.structure(|json| {
            if let Some(issuer) = self.issuer {
                json.name("sessionIssuer");
                json.structure(|json| {
                    text(json, "type", if self.is_role { "Role" } else { "IAMUser" });
                    text(json, "principalId", &issuer.unique_id);
                    text(json, "arn", &issuer.arn);
                    text(json, "accountId", account);
                    text(json, "userName", &issuer.name);
                });
            }
            if let Some(provider) = self.provider {
                json.name("webIdFederationData");
                json.structure(|json| {
                    text(json, "federatedProvider", provider);
                    json.name("attributes");
                    json.structure(|_| ());
                });
            }
            if let Some(source) = self.source_identity {
                text(json, "sourceIdentity", source);
            }
            json.name("attributes");
            json.structure(|json| {
                json.name("creationDate");
                json.timestamp(self.issued);
                text(json, "mfaAuthenticated", "false");
            });
        });
    }
}

impl Tls<'_> {
    fn write(&self, json: &mut JsonWriter) {
        json.name("tlsDetails");
        json.structure(|json| {
            text(json, "tlsVersion", self.version);
            text(json, "cipherSuite", self.cipher_suite);
            if let Some(host) = self.host {
                text(json, "clientProvidedHostHeader", cut(host));
            }
            if let Some(key_exchange) = self.key_exchange {
                text(json, "keyExchange", key_exchange);
            }
        });
    }
}

fn text(json: &mut JsonWriter, name: &'static str, value: &str) {
    json.text_member(name, value);
}

fn write_resources(json: &mut JsonWriter, resources: &[Resource]) {
    json.name("resources");
    json.raw(b"[");
    for (index, resource) in resources.iter().enumerate() {
        if index > 0 {
            json.raw(b",");
        }
        json.structure(|json| {
            text(json, "accountId", resource.account.as_str());
            text(json, "type", resource.kind);
            text(json, "ARN", &resource.arn);
        });
    }
    json.raw(b"]");
}

fn elements(json: &mut JsonWriter, name: &'static str, value: Option<&[u8]>) {
    json.name(name);
    match value {
        None => json.null(),
        Some(value) if value.len() <= ELEMENTS_MAX => json.raw(value),
        Some(value) => json.structure(|json| {
            json.name("omitted");
            json.boolean(true);
            json.name("originalSize");
            json.integer(i64::try_from(value.len()).unwrap_or(i64::MAX));
        }),
    }
}

/// As much of the text as fits into [`TEXT_MAX`] bytes.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

#[cfg(test)]
mod tests {
    use wire::AccountId;

    use super::*;

    const PARAMETERS: &[u8] = br#"{"keyId":"alias/a","encryptionContext":{"Project":"Alpha"}}"#;

    fn identity() -> Identity<'static> {
        Identity {
            kind: "Root",
            principal_id: "111122223333",
            arn: "arn:aws:iam::111122223333:root",
            account_id: "111122223333",
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            session: None,
            user_name: None,
            is_federated: false,
        }
    }

    fn record(resources: &[Resource]) -> Record<'_> {
        Record {
            actor: Actor::Caller(identity()),
            event_time: Timestamp::from_millis(1_440_938_160_000),
            event_source: "kms.amazonaws.com",
            event_name: "Encrypt",
            aws_region: "us-west-2",
            source_ip_address: "192.0.2.0",
            user_agent: "aws-cli/1.45",
            error_code: None,
            error_message: None,
            request_parameters: Some(PARAMETERS),
            response_elements: None,
            additional_event_data: None,
            request_id: Some("12345126-30d5-4b28-98b9-9153da559963"),
            event_id: "abcde202-ba1a-467c-b4ba-f729d45ae521",
            read_only: true,
            resources: Some(resources),
            recipient_account_id: Some("111122223333"),
            service_event_details: &[],
            shared_event_id: None,
            tls: None,
        }
    }

    fn key() -> Resource {
        Resource {
            account: AccountId::parse("111122223333").unwrap(),
            arn: "arn:aws:kms:us-west-2:111122223333:key/k".into(),
            kind: "AWS::KMS::Key",
        }
    }

    fn written(record: &Record<'_>) -> String {
        let mut out = Vec::new();
        record.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_success_in_full() {
        let expected = concat!(
            r#"{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"111122223333","#,
            r#""arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","#,
            r#""accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2015-08-30T12:36:00Z","#,
            r#""eventSource":"kms.amazonaws.com","eventName":"Encrypt","awsRegion":"us-west-2","#,
            r#""sourceIPAddress":"192.0.2.0","userAgent":"aws-cli/1.45","#,
            r#""requestParameters":{"keyId":"alias/a","encryptionContext":{"Project":"Alpha"}},"#,
            r#""responseElements":null,"requestID":"12345126-30d5-4b28-98b9-9153da559963","#,
            r#""eventID":"abcde202-ba1a-467c-b4ba-f729d45ae521","readOnly":true,"#,
            r#""resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","#,
            r#""ARN":"arn:aws:kms:us-west-2:111122223333:key/k"}],"eventType":"AwsApiCall","#,
            r#""managementEvent":true,"recipientAccountId":"111122223333","#,
            r#""eventCategory":"Management"}"#,
        );
        assert_eq!(written(&record(&[key()])), expected);
    }

    #[test]
    fn a_refusal_of_a_stranger_claims_no_identity() {
        let text = written(&Record {
            actor: Actor::Unknown,
            recipient_account_id: None,
            aws_region: "",
            error_code: Some("UnrecognizedClientException"),
            error_message: Some("The security token included in the request is invalid."),
            request_parameters: None,
            ..record(&[])
        });
        assert!(text.contains(r#""userIdentity":{"type":"Unknown"},"#), "{text}");
        assert!(text.contains(concat!(
            r#""userAgent":"aws-cli/1.45","errorCode":"UnrecognizedClientException","#,
            r#""errorMessage":"The security token included in the request is invalid.","#,
            r#""requestParameters":null,"#
        )));
        assert!(text.contains(r#""resources":[],"#));
        assert!(!text.contains("recipientAccountId"));
    }

    #[test]
    fn a_web_identity_is_told_by_its_provider() {
        let provider = "arn:aws:iam::111122223333:oidc-provider/idp.example";
        let identity = Identity {
            kind: "WebIdentityUser",
            principal_id: "idp.example:aud:sub",
            arn: provider,
            access_key_id: "",
            is_federated: true,
            user_name: Some("sub"),
            ..identity()
        };
        let text = written(&Record { actor: Actor::Caller(identity), ..record(&[]) });
        let expected = format!(
            "\"userIdentity\":{{\"type\":\"WebIdentityUser\",\"principalId\":\
             \"idp.example:aud:sub\",\"userName\":\"sub\",\"identityProvider\":\"{provider}\"}},"
        );
        assert!(text.contains(&expected), "{text}");
        assert!(text.contains(r#""recipientAccountId":"111122223333""#));
    }

    #[test]
    fn another_accounts_record_of_a_request_tells_the_caller_by_its_ids() {
        let foreign = Actor::Foreign { principal_id: "AIDAQ", account_id: "444455556666" };
        let text = written(&Record {
            actor: foreign,
            shared_event_id: Some("bcde"),
            additional_event_data: Some(br#"{"keyMaterialId":"00"}"#),
            ..record(&[key()])
        });
        assert!(text.contains(concat!(
            r#""userIdentity":{"type":"AWSAccount","principalId":"AIDAQ","#,
            r#""accountId":"444455556666"},"#
        )));
        assert!(text.contains(
            r#""responseElements":null,"additionalEventData":{"keyMaterialId":"00"},"requestID""#
        ));
        assert!(text.ends_with(concat!(
            r#""recipientAccountId":"111122223333","sharedEventID":"bcde","#,
            r#""eventCategory":"Management"}"#
        )));
    }

    #[test]
    fn several_resources() {
        let text = written(&record(&[key(), key()]));
        assert!(text.contains(r#"/k"},{"accountId""#), "{text}");
        assert!(!written(&Record { resources: None, ..record(&[]) }).contains("resources"));
    }

    #[test]
    fn what_a_client_sends_stays_within_its_string() {
        let hostile = "a\"},\n\r\u{0}\\{\u{2028}";
        let text = written(&Record {
            event_name: hostile,
            user_agent: hostile,
            error_message: Some(hostile),
            ..record(&[])
        });
        assert!(!text.contains('\n') && !text.contains('\r'));
        assert_eq!(text.matches(r#""a\"},\n\r\u0000\\{"#).count(), 3, "{text}");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = format!("{}\u{20ac}tail", "x".repeat(TEXT_MAX - 1));
        let text = written(&Record { user_agent: &long, ..record(&[]) });
        let kept = format!(r#""userAgent":"{}","#, "x".repeat(TEXT_MAX - 1));
        assert!(text.contains(&kept));
        let fits = "x".repeat(TEXT_MAX);
        assert!(written(&Record { user_agent: &fits, ..record(&[]) }).contains(&fits));
    }

    #[test]
    fn long_elements_are_left_out_and_say_so() {
        let long = format!("\"{}\"", "x".repeat(ELEMENTS_MAX));
        let text = written(&Record { request_parameters: Some(long.as_bytes()), ..record(&[]) });
        let expected = r#""requestParameters":{"omitted":true,"originalSize":102402},"#;
        assert!(text.contains(expected), "{}", &text[..1000]);
    }

    #[test]
    fn it_is_appended() {
        let mut out = b"before".to_vec();
        record(&[]).write(&mut out);
        assert!(out.starts_with(b"before{\"eventVersion\""));
    }
}
