//! Requests that succeeded, as their records tell of them: told live, and read back from the log.
//!
//! What a service learns of a success must be the same either way, so that what it derives doesn't
//! depend on when it was started. Must not know what a service makes of it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use wire::{AccountId, Timestamp};

use crate::ids::Ids;
use crate::operation::Resource;
use crate::record::FOREIGN;

/// A request that succeeded.
#[derive(Debug, Clone, Copy)]
pub struct Success<'a> {
    /// The operation.
    pub operation: &'a str,
    /// When it was decided: the record's `eventTime`, which knows whole seconds.
    pub time: Timestamp,
    /// Its ids and those of its record.
    pub ids: Ids,
    /// What it acted on, and behind that what it made.
    pub resources: &'a [Resource],
}

/// A record that was read from the log.
#[derive(Debug, PartialEq, Eq)]
pub struct PastRecord {
    /// When the request was decided.
    pub time: Timestamp,
    operation: String,
    source: String,
    succeeded: bool,
    ids: Option<Ids>,
    resources: Vec<Resource>,
}

impl PastRecord {
    /// Reads a record, and of its resources those of that kind. Gives None for what isn't one.
    pub fn parse(line: &[u8], kind: &'static str) -> Option<Self> {
        let line: Line<'_> = serde_json::from_slice(line).ok()?;
        let ids = line.request_id.as_deref().zip(line.event_id.as_deref());
        let is_copy = line.user_identity.is_some_and(|one| one.kind.as_deref() == Some(FOREIGN));
        let resources = line.resources.unwrap_or_default().into_iter();
        Some(Self {
            time: Timestamp::parse_iso8601(&line.event_time)?,
            operation: line.event_name.into_owned(),
            source: line.event_source.into_owned(),
            succeeded: line.error_code.is_none() && !is_copy,
            ids: ids.and_then(|(request, event)| Ids::parse(request, event)),
            resources: resources.filter_map(|one| one.of_kind(kind)).collect(),
        })
    }

    /// The success that it tells of, if it is one of that service's.
    pub fn success(&self, event_source: &str) -> Option<Success<'_>> {
        let told = self.succeeded && self.source == event_source;
        Some(Success {
            operation: &self.operation,
            time: self.time,
            ids: self.ids.filter(|_| told)?,
            resources: &self.resources,
        })
    }
}

/// What of a record is read. A start reads many after a crash, so what isn't needed is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow)]
    event_name: Cow<'a, str>,
    #[serde(borrow)]
    event_source: Cow<'a, str>,
    #[serde(default)]
    error_code: Option<IgnoredAny>,
    #[serde(borrow, default, rename = "requestID")]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "eventID")]
    event_id: Option<Cow<'a, str>>,
    /// The record of a request for an account that isn't the caller's is a copy: the caller's own
    /// tells of the same request.
    #[serde(borrow, default)]
    user_identity: Option<LineIdentity<'a>>,
    #[serde(borrow, default)]
    resources: Option<Vec<LineResource<'a>>>,
}

#[derive(Deserialize)]
struct LineIdentity<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LineResource<'a> {
    #[serde(borrow, default)]
    account_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "ARN")]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

impl LineResource<'_> {
    fn of_kind(self, kind: &'static str) -> Option<Resource> {
        (self.kind? == kind).then_some(())?;
        let account = AccountId::parse(&self.account_id?).ok()?;
        Some(Resource { account, arn: self.arn?.into(), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Actor, Record};

    const KIND: &str = "AWS::KMS::Key";
    const IDS: [&str; 2] =
        ["12345126-30d5-4b28-98b9-9153da559963", "abcde202-ba1a-467c-b4ba-f729d45ae521"];

    const TIME: Timestamp = Timestamp::from_millis(1_440_938_160_987);

    fn line(error_code: Option<&str>, resources: &[Resource]) -> Vec<u8> {
        line_of(Actor::Unknown, error_code, resources)
    }

    fn line_of(actor: Actor<'_>, error_code: Option<&str>, resources: &[Resource]) -> Vec<u8> {
        let mut out = Vec::new();
        Record {
            actor,
            aws_region: "us-west-2",
            user_agent: "\"eventName\":\"Sign\"",
            error_code,
            request_parameters: Some(br#"{"eventName":"Sign","requestID":"x"}"#),
            request_id: Some(IDS[0]),
            resources: Some(resources),
            ..Record::of("kms.amazonaws.com", "ReEncrypt", TIME, IDS[1])
        }
        .write(&mut out);
        out
    }

    fn key(name: &str) -> Resource {
        let account = AccountId::parse("111122223333").unwrap();
        Resource { account, arn: name.into(), kind: KIND }
    }

    #[test]
    fn what_was_written_is_read() {
        let other = Resource { kind: "AWS::KMS::Alias", ..key("c") };
        let line = line(None, &[key("a"), other, key("b")]);
        let record = PastRecord::parse(&line, KIND).unwrap();
        let success = record.success("kms.amazonaws.com").unwrap();
        assert_eq!(success.operation, "ReEncrypt");
        assert_eq!(success.time.millis(), 1_440_938_160_000);
        assert_eq!([success.ids.request(), success.ids.event()], IDS);
        assert_eq!(success.resources, [key("a"), key("b")]);
        assert!(record.success("sts.amazonaws.com").is_none());
    }

    #[test]
    fn a_refusal_is_no_success() {
        let record = PastRecord::parse(&line(Some("DryRunOperationException"), &[]), KIND);
        assert!(record.unwrap().success("kms.amazonaws.com").is_none());
    }

    #[test]
    fn a_request_that_has_several_records_succeeded_once() {
        let foreign = Actor::Foreign { principal_id: "AIDA", account_id: "444455556666" };
        let record = PastRecord::parse(&line_of(foreign, None, &[key("a")]), KIND);
        assert!(record.unwrap().success("kms.amazonaws.com").is_none());
    }

    #[test]
    fn what_is_no_record_is_passed_over() {
        for line in [&b""[..], b"{}", b"[]", b"{\"eventTime\":\"2015-08-30T12:36:00Z\"}", b"\xff"] {
            assert_eq!(PastRecord::parse(line, KIND), None);
        }
        let cut = &line(None, &[])[..40];
        assert_eq!(PastRecord::parse(cut, KIND), None);
    }
}
