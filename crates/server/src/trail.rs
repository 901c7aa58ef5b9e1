//! Records of the audit log as an operator looks for them and reads them.
//!
//! Must not know where lines come from, nor how they are chained.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use wire::Timestamp;

use crate::clock::MovableClock;

/// A record, as far as it is looked at. What a record leaves out is empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailEntry<'a> {
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow)]
    event_name: Cow<'a, str>,
    #[serde(borrow, default)]
    event_source: Cow<'a, str>,
    #[serde(borrow, default)]
    aws_region: Cow<'a, str>,
    #[serde(borrow, default, rename = "sourceIPAddress")]
    source_ip: Cow<'a, str>,
    #[serde(borrow, default)]
    error_code: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "requestID")]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    recipient_account_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_identity: User<'a>,
    #[serde(borrow, default)]
    resources: Option<Vec<Named<'a>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct User<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    principal_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    account_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "userName")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    invoked_by: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session_context: Option<SessionContext<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SessionContext<'a> {
    #[serde(borrow)]
    session_issuer: Option<Issuer<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Issuer<'a> {
    #[serde(borrow)]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_name: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Named<'a> {
    #[serde(borrow, default, rename = "ARN")]
    arn: Option<Cow<'a, str>>,
}

impl<'a> TrailEntry<'a> {
    /// Reads a line. None for what is no record.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    fn users(&self) -> impl Iterator<Item = &str> {
        let user = &self.user_identity;
        let issuer =
            user.session_context.as_ref().and_then(|session| session.session_issuer.as_ref());
        let issuer = issuer.into_iter().flat_map(|issuer| [&issuer.arn, &issuer.user_name]);
        let own =
            [&user.arn, &user.name, &user.principal_id, &user.access_key_id, &user.invoked_by];
        own.into_iter().chain(issuer).filter_map(Option::as_deref)
    }

    fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().flatten().filter_map(|resource| resource.arn.as_deref())
    }
}

/// One line for a reader: time, service and operation, who, on what, from where, and the error.
/// Nothing of a record can move a terminal's cursor.
impl fmt::Display for TrailEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = self.event_source.split('.').next().unwrap_or_default();
        let who = self.users().next().unwrap_or(&self.user_identity.kind);
        write!(f, "{} {}:{}", Shown(&self.event_time), Shown(service), Shown(&self.event_name))?;
        if !self.aws_region.is_empty() {
            write!(f, " {}", Shown(&self.aws_region))?;
        }
        write!(f, " by {} from {}", Shown(who), Shown(&self.source_ip))?;
        for (index, resource) in self.resources().enumerate() {
            write!(f, "{} {}", if index == 0 { " on" } else { "," }, Shown(resource))?;
        }
        if let Some(code) = &self.error_code {
            write!(f, " REFUSED {}", Shown(code))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " request {}", Shown(id))?;
        }
        Ok(())
    }
}

/// A text whose control characters are shown, not obeyed.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(char::is_control) {
            match part.chars().next_back().filter(|last| last.is_control()) {
                Some(last) => {
                    f.write_str(&part[..part.len() - last.len_utf8()])?;
                    write!(f, "{}", last.escape_default())?;
                }
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// What is looked for. Of several values for one thing one must fit; of several things all must.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrailCriteria {
    /// Operations, such as `Decrypt`; the case doesn't matter.
    pub event_names: Vec<String>,
    /// Who: an ARN, a name, a unique id or an access key id; also of the role of a session.
    pub users: Vec<String>,
    /// On what: an ARN, or what one ends with, such as a key id.
    pub resources: Vec<String>,
    /// Accounts, of who did it or to whom it happened.
    pub accounts: Vec<String>,
    /// Addresses.
    pub source_ips: Vec<String>,
    /// Error codes; the case doesn't matter.
    pub error_codes: Vec<String>,
    /// Request ids.
    pub request_ids: Vec<String>,
    /// From then on.
    pub since: Option<TrailTime>,
    /// Until before then.
    pub until: Option<TrailTime>,
}

impl TrailCriteria {
    /// Whether a record is one that is looked for.
    pub fn matches(&self, entry: &TrailEntry<'_>) -> bool {
        let user = &entry.user_identity;
        let accounts = [&user.account_id, &entry.recipient_account_id];
        any(&self.event_names, |name| name.eq_ignore_ascii_case(&entry.event_name))
            && any(&self.users, |name| entry.users().any(|user| user == name))
            && any(&self.resources, |name| entry.resources().any(|arn| ends_with(arn, name)))
            && any(&self.accounts, |id| {
                accounts
                    .iter()
                    .filter_map(|account| account.as_deref())
                    .any(|account| account == id)
            })
            && any(&self.source_ips, |address| *address == entry.source_ip)
            && any(&self.error_codes, |code| {
                entry.error_code.as_ref().is_some_and(|error| error.eq_ignore_ascii_case(code))
            })
            && any(&self.request_ids, |id| entry.request_id.as_deref() == Some(id.as_str()))
            && self.is_in_time(entry)
    }

    fn is_in_time(&self, entry: &TrailEntry<'_>) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let Some(time) = Timestamp::parse_iso8601(&entry.event_time) else { return false };
        self.since.is_none_or(|since| time >= since.0)
            && self.until.is_none_or(|until| time < until.0)
    }
}

/// Whether nothing is asked for, or one of it fits.
fn any(wanted: &[String], fits: impl Fn(&String) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

/// Whether an ARN is this one, or ends with it behind a separator.
fn ends_with(arn: &str, name: &str) -> bool {
    let before = arn.strip_suffix(name);
    before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']))
}

/// A moment as an operator gives it: ISO 8601 with its zone (`2026-11-22T07:00:00Z`), a day
/// (`2026-11-22`, its beginning in UTC), or how long ago (`90s`, `30m`, `2h`, `7d`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrailTime(Timestamp);

/// A text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTrailTime;

impl fmt::Display for InvalidTrailTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time like 2026-11-22T07:00:00Z, 2026-11-22, or 2h (ago)")
    }
}

impl std::error::Error for InvalidTrailTime {}

impl std::str::FromStr for TrailTime {
    type Err = InvalidTrailTime;

    fn from_str(text: &str) -> Result<Self, InvalidTrailTime> {
        Self::at(text, MovableClock::system()).ok_or(InvalidTrailTime)
    }
}

impl TrailTime {
    fn at(text: &str, now: Timestamp) -> Option<Self> {
        if let Some(time) = Timestamp::parse_iso8601(text) {
            return Some(Self(time));
        }
        if let Some(day) = Timestamp::parse_iso8601(&format!("{text}T00:00:00Z")) {
            return Some(Self(day));
        }
        let seconds = match text.chars().next_back()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let count: i64 = text[..text.len() - 1].parse::<u32>().ok()?.into();
        Some(Self(Timestamp::from_millis(now.millis().saturating_sub(count * seconds * 1_000))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = concat!(
        r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROA:s","#,
        r#""arn":"arn:aws:sts::111122223333:assumed-role/r/s","accountId":"111122223333","#,
        r#""accessKeyId":"ASIA1","sessionContext":{"sessionIssuer":{"type":"Role","#,
        r#""arn":"arn:aws:iam::111122223333:role/r","userName":"r"}}},"#,
        r#""eventTime":"2026-11-22T07:00:00Z","eventSource":"kms.amazonaws.com","#,
        r#""eventName":"Decrypt","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.7","#,
        r#""errorCode":"AccessDenied","requestParameters":null,"requestID":"q","#,
        r#""resources":[{"accountId":"444455556666","type":"AWS::KMS::Key","#,
        r#""ARN":"arn:aws:kms:eu-central-1:444455556666:key/k-1"}],"#,
        r#""recipientAccountId":"444455556666","chain":"7:00"}"#,
    );

    fn matches(set: impl Fn(&mut TrailCriteria)) -> bool {
        let mut criteria = TrailCriteria::default();
        set(&mut criteria);
        criteria.matches(&TrailEntry::parse(RECORD.as_bytes()).unwrap())
    }

    fn one(text: &str) -> Vec<String> {
        vec!["another".to_owned(), text.to_owned()]
    }

    #[test]
    fn each_criterion_finds_it_and_only_by_its_own_value() {
        assert!(matches(|_| ()));
        for (text, fits) in [("decrypt", true), ("Decryp", false)] {
            assert_eq!(matches(|criteria| criteria.event_names = one(text)), fits);
        }
        for (text, fits) in [
            ("arn:aws:iam::111122223333:role/r", true),
            ("r", true),
            ("arn:aws:sts::111122223333:assumed-role/r/s", true),
            ("ASIA1", true),
            ("AROA:s", true),
            ("s", false),
            ("role/r", false),
        ] {
            assert_eq!(matches(|criteria| criteria.users = one(text)), fits, "{text}");
        }
        for (text, fits) in [
            ("arn:aws:kms:eu-central-1:444455556666:key/k-1", true),
            ("k-1", true),
            ("key/k-1", true),
            ("1", false),
            ("k", false),
        ] {
            assert_eq!(matches(|criteria| criteria.resources = one(text)), fits, "{text}");
        }
        for (text, fits) in [("111122223333", true), ("444455556666", true), ("1", false)] {
            assert_eq!(matches(|criteria| criteria.accounts = one(text)), fits);
        }
        assert!(matches(|criteria| criteria.source_ips = one("192.0.2.7")));
        assert!(!matches(|criteria| criteria.source_ips = one("192.0.2.70")));
        assert!(matches(|criteria| criteria.error_codes = one("accessdenied")));
        assert!(!matches(|criteria| criteria.error_codes = one("NotFound")));
        assert!(matches(|criteria| criteria.request_ids = one("q")));
        assert!(!matches(|criteria| {
            criteria.request_ids = one("q");
            criteria.event_names = one("Encrypt");
        }));
    }

    #[test]
    fn times_bound_it() {
        let now = Timestamp::parse_iso8601("2026-11-22T08:30:00Z").unwrap();
        let time = |text| TrailTime::at(text, now);
        for (since, fits) in [
            ("2026-11-22T07:00:00Z", true),
            ("2026-11-22T07:00:01Z", false),
            ("2026-11-22", true),
            ("2026-11-23", false),
            ("90m", true),
            ("89m", false),
            ("2026-11-22T09:00:00+02:00", true),
            ("1d", true),
            ("5400s", true),
            ("1h", false),
        ] {
            assert_eq!(matches(|criteria| criteria.since = time(since)), fits, "{since}");
            // The bound itself is inside of `since` and outside of `until`.
            assert_eq!(matches(|criteria| criteria.until = time(since)), !fits, "{since}");
        }
        for bad in ["", "x", "2", "-2h", "2w", "2026-13-01", "99999999999d", "h", "2\u{20ac}"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn it_is_shown_on_one_line() {
        let entry = TrailEntry::parse(RECORD.as_bytes()).unwrap();
        assert_eq!(
            entry.to_string(),
            "2026-11-22T07:00:00Z kms:Decrypt eu-central-1 \
             by arn:aws:sts::111122223333:assumed-role/r/s from 192.0.2.7 \
             on arn:aws:kms:eu-central-1:444455556666:key/k-1 REFUSED AccessDenied request q"
        );
        let hostile = br#"{"eventTime":"t","eventName":"a\u001b[2J\n\u009bb"}"#;
        let shown = TrailEntry::parse(hostile).unwrap().to_string();
        assert_eq!(shown, "t :a\\u{1b}[2J\\n\\u{9b}b by  from ");
        assert_eq!(TrailEntry::parse(b"{}"), None);
    }
}
