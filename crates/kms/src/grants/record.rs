//! A grant as it is stored.

use std::fmt;

use serde::{Deserialize, Serialize};
use service::Error;
use service::ports::Entropy;
use wire::{AccountId, Timestamp};

use crate::grants::Terms;
use crate::hex::hex;
use crate::records::millis;

/// A grant's id: 64 hex digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrantId(String);

impl GrantId {
    /// The id of that text; `None` if it can be none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_digit = |b| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The id that these bytes make.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(hex(bytes))
    }

    /// Draws an id.
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes that its digits make.
    pub(crate) fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(self.0.as_bytes().chunks(2)) {
            // Two hex digits fit a byte, and parsing has seen to it that they are some.
            let digit = |place: usize| char::from(digits[place]).to_digit(16).unwrap_or(0);
            *byte = u8::try_from(digit(0) << 4 | digit(1)).unwrap_or(0);
        }
        bytes
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who gets a grant's permissions, or may retire it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Principal {
    /// An account or session, by its ARN.
    Aws(String),
    /// A user or role: another one of the same name isn't meant.
    Identity {
        /// Its ARN when the grant was made.
        arn: String,
        /// Its unique id.
        id: String,
    },
    /// An AWS service, such as `s3.amazonaws.com`.
    Service(String),
}

impl Principal {
    /// Its name in the indices: of a user or role its unique id. No name of one kind is one of
    /// another.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Aws(name) | Self::Service(name) | Self::Identity { id: name, .. } => name,
        }
    }

    /// Its ARN, unless it is a service.
    pub(crate) fn arn(&self) -> Option<&str> {
        match self {
            Self::Aws(arn) | Self::Identity { arn, .. } => Some(arn),
            Self::Service(_) => None,
        }
    }

    /// Its name, if it is a service.
    pub(crate) fn service(&self) -> Option<&str> {
        match self {
            Self::Aws(_) | Self::Identity { .. } => None,
            Self::Service(name) => Some(name),
        }
    }
}

/// A grant.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) grantee: Principal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retiring: Option<Principal>,
    /// The account whose principal created it.
    issuer: String,
    pub(crate) terms: Terms,
}

impl GrantRecord {
    /// A grant that this account issues.
    pub(crate) fn new(
        created: Timestamp,
        issuer: &AccountId,
        parties: (Principal, Option<Principal>),
        name: Option<String>,
        terms: Terms,
    ) -> Self {
        let (grantee, retiring) = parties;
        Self { created, name, grantee, retiring, issuer: issuer.as_str().to_owned(), terms }
    }

    /// The account whose principal created it.
    pub(crate) fn issuer(&self) -> Result<AccountId, Error> {
        AccountId::parse(&self.issuer).map_err(|_| Error::internal("a grant without an issuer"))
    }

    /// What it came of, as text that only equal parameters share: that by which a repeated
    /// CreateGrant is known. The order of operations has no meaning.
    pub(crate) fn parameters(&self) -> Result<String, Error> {
        let mut operations: Vec<_> = self.terms.operations.iter().map(|o| o.as_str()).collect();
        operations.sort_unstable();
        let parties = (&self.name, &self.grantee, &self.retiring, &self.issuer);
        let constraints = (&self.terms.equals, &self.terms.subset, &self.terms.source_arn);
        serde_json::to_string(&(parties, operations, constraints)).map_err(Error::internal)
    }
}

/// How many grants a key has.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct GrantCount {
    pub(crate) grants: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{decode, encode};
    use wire::enums::GrantOperation;

    /// What the first version that had grants wrote. It must be readable for ever.
    const GRANT_V1: &str = concat!(
        "\u{1}",
        r#"{"created":1700000000123,"name":"n","grantee":{"aws":"arn:aws:iam::1:root"},"#,
        r#""retiring":{"service":"s3.amazonaws.com"},"issuer":"111122223333","terms":{"#,
        r#""operations":["Decrypt","ReEncryptTo"],"equals":[["a","b"]],"subset":[],"#,
        r#""source_arn":"arn:aws:s3:::b"}}"#,
    );

    #[test]
    fn format_one_is_read_and_written() {
        let record: GrantRecord = decode(GRANT_V1.as_bytes()).unwrap();
        assert_eq!(record.grantee.arn(), Some("arn:aws:iam::1:root"));
        assert_eq!(record.terms.operations[1], GrantOperation::ReEncryptTo);
        assert_eq!(encode(&record).unwrap(), GRANT_V1.as_bytes());
        let count: GrantCount = decode(b"\x01{\"grants\":7}").unwrap();
        assert_eq!(count.grants, 7);
    }

    #[test]
    fn parameters_are_equal_in_any_order_of_operations_and_at_any_time() {
        let record: GrantRecord = decode(GRANT_V1.as_bytes()).unwrap();
        let mut other = record.clone();
        other.created = Timestamp::from_millis(0);
        other.terms.operations.reverse();
        assert_eq!(record.parameters().unwrap(), other.parameters().unwrap());
        let changes: [fn(&mut GrantRecord); 7] = [
            |r| r.name = None,
            |r| r.retiring = None,
            |r| r.grantee = Principal::Aws("other".to_owned()),
            |r| r.issuer = "444455556666".to_owned(),
            |r| r.terms.subset = None,
            |r| r.terms.source_arn = None,
            |r| r.terms.operations.truncate(1),
        ];
        for change in changes {
            let mut other = record.clone();
            change(&mut other);
            assert_ne!(record.parameters().unwrap(), other.parameters().unwrap());
        }
    }

    #[test]
    fn ids_have_64_digits_in_lower_case() {
        let id = GrantId::from_bytes(&[0xab; 32]);
        assert_eq!(GrantId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(id.to_bytes(), [0xab; 32]);
        for text in ["", &"a".repeat(63), &"A".repeat(64), &"g".repeat(64), &"a".repeat(65)] {
            assert_eq!(GrantId::parse(text), None, "{text}");
        }
    }
}
