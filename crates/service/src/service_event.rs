//! What the server does by itself, told to the audit log: CloudTrail's AWS service events
//! (CloudTrail User Guide, "Non-API events captured by CloudTrail").
//!
//! Must not know what there is to be told.

use wire::Timestamp;

use crate::error::Error;
use crate::ids::Uuid;
use crate::operation::Resource;
use crate::ports::{AuditLog, Entropy};
use crate::record::{Actor, Record};

/// Who acts where nobody asked for it, in CloudTrail's words, which tools look for.
const INTERNAL: &str = "AWS Internal";

/// Something that the server does, not on request.
#[derive(Debug)]
pub struct ServiceEvent<'a> {
    /// Its name, such as `RotateKey`.
    pub name: &'static str,
    /// The service, such as `kms.amazonaws.com`.
    pub source: &'static str,
    /// When.
    pub time: Timestamp,
    /// Where.
    pub region: &'a str,
    /// What it is done to. The event is its account's.
    pub resource: &'a Resource,
    /// CloudTrail's `serviceEventDetails`.
    pub details: &'a [(&'static str, String)],
}

impl ServiceEvent<'_> {
    /// Puts the event into the log. Whoever does such a thing tells of it first: what can't be told
    /// must not be done.
    ///
    /// # Errors
    /// KMSInternalException if the log can't take it.
    pub async fn tell(&self, log: &dyn AuditLog, entropy: &dyn Entropy) -> Result<(), Error> {
        let event_id = Uuid::draw(entropy)?;
        self.record(event_id.as_str()).append_to(log).await.map_err(Error::internal)
    }

    fn record<'b>(&'b self, event_id: &'b str) -> Record<'b> {
        Record {
            actor: Actor::Server {
                account_id: self.resource.account.as_str(),
                invoked_by: INTERNAL,
            },
            aws_region: self.region,
            source_ip_address: INTERNAL,
            user_agent: INTERNAL,
            resources: Some(std::slice::from_ref(self.resource)),
            recipient_account_id: Some(self.resource.account.as_str()),
            service_event_details: self.details,
            ..Record::of(self.source, self.name, self.time, event_id)
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::AccountId;

    use super::*;

    #[test]
    fn an_event_is_the_servers_and_of_no_request() {
        let resource = Resource {
            account: AccountId::parse("111122223333").unwrap(),
            arn: "arn:aws:kms:us-west-2:111122223333:key/k".into(),
            kind: "AWS::KMS::Key",
        };
        let event = ServiceEvent {
            name: "DeleteKey",
            source: "kms.amazonaws.com",
            time: Timestamp::from_millis(1_440_938_160_000),
            region: "us-west-2",
            resource: &resource,
            details: &[("keyId", "k".to_owned())],
        };
        let mut line = Vec::new();
        event.record("abcde202-ba1a-467c-b4ba-f729d45ae521").write(&mut line);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            concat!(
                r#"{"eventVersion":"1.11","userIdentity":{"accountId":"111122223333","#,
                r#""invokedBy":"AWS Internal"},"eventTime":"2015-08-30T12:36:00Z","#,
                r#""eventSource":"kms.amazonaws.com","eventName":"DeleteKey","#,
                r#""awsRegion":"us-west-2","sourceIPAddress":"AWS Internal","#,
                r#""userAgent":"AWS Internal","requestParameters":null,"responseElements":null,"#,
                r#""eventID":"abcde202-ba1a-467c-b4ba-f729d45ae521","readOnly":false,"#,
                r#""resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","#,
                r#""ARN":"arn:aws:kms:us-west-2:111122223333:key/k"}],"#,
                r#""eventType":"AwsServiceEvent","managementEvent":true,"#,
                r#""recipientAccountId":"111122223333","serviceEventDetails":{"keyId":"k"},"#,
                r#""eventCategory":"Management"}"#,
            )
        );
    }
}
