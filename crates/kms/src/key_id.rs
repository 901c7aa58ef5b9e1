//! Key ids, and the names by which requests mean a key.

use std::fmt;

use service::ports::{Entropy, EntropyUnavailable};
use service::{Error, Uuid};
use wire::{AccountId, Arn, ErrorCode, Region};

/// A key's id: a UUID, or `mrk-` and 32 hex digits for multi-Region keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyId(String);

/// How a key id is marked in a ciphertext.
const KIND_UUID: u8 = 0;
const KIND_MULTI_REGION: u8 = 1;

impl KeyId {
    /// The id of that text, in lower case; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = match text.strip_prefix("mrk-") {
            Some(digits) => digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()),
            None => {
                text.len() == 36
                    && text.bytes().enumerate().all(|(at, byte)| match at {
                        8 | 13 | 18 | 23 => byte == b'-',
                        _ => byte.is_ascii_hexdigit(),
                    })
            }
        };
        is_id.then(|| Self(text.to_ascii_lowercase()))
    }

    /// Whether it is a multi-Region key's.
    pub(crate) fn is_multi_region(&self) -> bool {
        self.0.starts_with("mrk-")
    }

    /// A new id, of that kind.
    ///
    /// # Errors
    /// [`EntropyUnavailable`].
    pub(crate) fn draw(
        entropy: &dyn Entropy,
        multi_region: bool,
    ) -> Result<Self, EntropyUnavailable> {
        let uuid = Uuid::draw(entropy)?;
        Ok(Self(if multi_region {
            format!("mrk-{}", uuid.as_str().replace('-', ""))
        } else {
            uuid.as_str().to_owned()
        }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind and the sixteen bytes that a ciphertext holds.
    pub(crate) fn to_bytes(&self) -> (u8, [u8; 16]) {
        let (kind, digits) = match self.0.strip_prefix("mrk-") {
            Some(digits) => (KIND_MULTI_REGION, digits),
            None => (KIND_UUID, self.0.as_str()),
        };
        let mut nibbles = digits.bytes().filter_map(|b| char::from(b).to_digit(16));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            // Two hex digits fit a byte, and parsing has counted them.
            let pair = nibbles.next().unwrap_or(0) << 4 | nibbles.next().unwrap_or(0);
            *byte = u8::try_from(pair).unwrap_or(0);
        }
        (kind, bytes)
    }

    /// The id that a ciphertext holds.
    pub(crate) fn from_bytes(kind: u8, bytes: [u8; 16]) -> Option<Self> {
        let digits = format!("{:032x}", u128::from_be_bytes(bytes));
        match kind {
            KIND_UUID => {
                let groups =
                    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
                Some(Self(groups.join("-")))
            }
            KIND_MULTI_REGION => Some(Self(format!("mrk-{digits}"))),
            _ => None,
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a request says when it means a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyName<'a> {
    /// The account that an ARN names; `None` means the caller's own.
    pub(crate) account: Option<AccountId>,
    pub(crate) kind: KeyNameKind<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyNameKind<'a> {
    Id(KeyId),
    /// With its prefix, `alias/`.
    Alias(&'a str),
}

/// Whether an operation takes aliases for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aliases {
    Accepted,
    Refused,
}

impl<'a> KeyName<'a> {
    /// Reads the name of a key.
    ///
    /// # Errors
    /// NotFoundException with AWS's words, for a name that can be no key's in this Region.
    pub(crate) fn parse(text: &'a str, region: &Region, aliases: Aliases) -> Result<Self, Error> {
        let invalid = || not_found(format!("Invalid keyId '{text}'"));
        let (account, name) = match Arn::parse(text) {
            Some(arn) if arn.service == "kms" => {
                if arn.region != region.as_str() {
                    return Err(not_found(format!("Invalid arn {}", arn.region)));
                }
                if arn.partition != wire::partition(arn.region) {
                    return Err(invalid());
                }
                (Some(AccountId::parse(arn.account).map_err(|_| invalid())?), arn.resource)
            }
            Some(_) => return Err(invalid()),
            None => (None, text),
        };
        if name.starts_with("alias/") {
            return match (aliases, account) {
                (Aliases::Accepted, _) => Ok(Self { account, kind: KeyNameKind::Alias(name) }),
                (Aliases::Refused, None) => Err(invalid()),
                // As public reports quote AWS.
                (Aliases::Refused, Some(_)) => Err(Error::new(
                    ErrorCode::InvalidArnException,
                    "Key Aliases are not supported for this operation",
                )),
            };
        }
        // A bare id stands alone, an ARN's behind `key/`.
        let id = if account.is_some() { name.strip_prefix("key/") } else { Some(name) };
        let id = id.and_then(KeyId::parse).ok_or_else(invalid)?;
        Ok(Self { account, kind: KeyNameKind::Id(id) })
    }
}

pub(crate) fn not_found(message: String) -> Error {
    Error::new(ErrorCode::NotFoundException, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn ids_survive_a_ciphertext() {
        for id in [ID, "mrk-1234abcd12ab34cd56ef1234567890ab"] {
            let id = KeyId::parse(id).unwrap();
            let (kind, bytes) = id.to_bytes();
            assert_eq!(KeyId::from_bytes(kind, bytes), Some(id));
        }
        assert_eq!(KeyId::from_bytes(2, [0; 16]), None);
    }

    #[test]
    fn what_names_a_key() {
        let region = Region::parse("us-east-1").unwrap();
        let parse = |text| KeyName::parse(text, &region, Aliases::Accepted);
        let own = parse(ID).unwrap();
        assert_eq!((own.account, own.kind), (None, KeyNameKind::Id(KeyId::parse(ID).unwrap())));
        let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{ID}");
        assert!(parse(&arn).unwrap().account.is_some());
        assert_eq!(parse("alias/a/b").unwrap().kind, KeyNameKind::Alias("alias/a/b"));
        let alias = parse("arn:aws:kms:us-east-1:111122223333:alias/x").unwrap();
        assert_eq!(alias.kind, KeyNameKind::Alias("alias/x"));
    }

    #[test]
    fn what_names_no_key() {
        let region = Region::parse("us-east-1").unwrap();
        let undashed = ID.replace('-', "");
        let other_region = format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}");
        let keyless = format!("arn:aws:kms:us-east-1:111122223333:{ID}");
        let other_service = format!("arn:aws:s3:us-east-1:111122223333:key/{ID}");
        let partition = format!("arn:aws-cn:kms:us-east-1:111122223333:key/{ID}");
        let account = format!("arn:aws:kms:us-east-1:1:key/{ID}");
        let prefixed = format!("key/{ID}");
        for (text, message) in [
            ("mrk-fake-key-id", None),
            (&undashed, None),
            (&other_region, Some("Invalid arn eu-west-1")),
            (&keyless, None),
            (&other_service, None),
            (&partition, None),
            (&account, None),
            (&prefixed, None),
            ("ключ", None),
        ] {
            let error = KeyName::parse(text, &region, Aliases::Accepted).unwrap_err();
            let invalid = format!("Invalid keyId '{text}'");
            assert_eq!(error.message(), Some(message.unwrap_or(&invalid)));
        }
        let error = KeyName::parse("alias/x", &region, Aliases::Refused).unwrap_err();
        assert_eq!(error.message(), Some("Invalid keyId 'alias/x'"));
        let arn = "arn:aws:kms:us-east-1:111122223333:alias/x";
        let error = KeyName::parse(arn, &region, Aliases::Refused).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArnException);
    }
}
