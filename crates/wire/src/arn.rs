//! Amazon Resource Names and the account ids in them.

use std::fmt;

/// A 12-digit account id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 12]);

/// Text or a number that is no account id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidAccountId;

impl AccountId {
    /// The account of that id.
    ///
    /// # Errors
    /// [`InvalidAccountId`] unless the text is exactly twelve ASCII digits.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountId> {
        let digits: [u8; 12] = text.as_bytes().try_into().map_err(|_| InvalidAccountId)?;
        if digits.iter().all(u8::is_ascii_digit) { Ok(Self(digits)) } else { Err(InvalidAccountId) }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        // Only ASCII digits get into the array.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The digits as one number, the form in which ciphertexts hold it.
    pub fn number(&self) -> u64 {
        self.0.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
    }

    /// The account whose digits make this number.
    ///
    /// # Errors
    /// [`InvalidAccountId`] where the number has more than twelve digits.
    pub fn from_number(mut number: u64) -> Result<Self, InvalidAccountId> {
        let mut digits = [b'0'; 12];
        for digit in digits.iter_mut().rev() {
            // A remainder of ten fits a byte.
            *digit += u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
        if number == 0 { Ok(Self(digits)) } else { Err(InvalidAccountId) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `arn:partition:service:region:account:resource`, borrowed from a request.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: &'a str,
    /// `kms`, `iam`, …
    pub service: &'a str,
    /// The Region's name; empty for global services.
    pub region: &'a str,
    /// The account id as written; empty for resources without an owner.
    pub account: &'a str,
    /// All that follows, colons included.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN; `None` for text that isn't one. The parts are not checked further.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let ("arn", partition, service, region, account, resource) = (
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
        ) else {
            return None;
        };
        (!resource.is_empty()).then_some(Self { partition, service, region, account, resource })
    }
}

/// The partition that a Region lies in, by the prefixes that AWS gives its Regions.
pub fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_twelve_digits() {
        let account = AccountId::parse("000123456789").unwrap();
        assert_eq!(account.number(), 123_456_789);
        assert_eq!(AccountId::from_number(123_456_789), Ok(account));
        assert_eq!(account.to_string(), "000123456789");
        for text in ["", "12345678901", "1234567890123", "12345678901a", "١٢٣٤٥٦"] {
            assert!(AccountId::parse(text).is_err(), "{text}");
        }
        assert!(AccountId::from_number(999_999_999_999).is_ok());
        assert!(AccountId::from_number(1_000_000_000_000).is_err());
    }

    #[test]
    fn arns_keep_colons_in_the_resource() {
        let arn = Arn::parse("arn:aws:kms:eu-west-1:111122223333:alias/a:b").unwrap();
        assert_eq!(arn.resource, "alias/a:b");
        assert_eq!(arn.account, "111122223333");
        for text in ["", "arn", "arn:aws:kms:r:a:", "urn:aws:kms:r:a:key/x", "arn:aws:kms:r:a"] {
            assert!(Arn::parse(text).is_none(), "{text}");
        }
    }
}
