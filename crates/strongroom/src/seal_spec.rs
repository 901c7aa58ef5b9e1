//! How a new seal is named on the command line: `NAME=KIND` with what the kind needs.
//!
//! Must not know what a seal protects. A secret is never a part of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::{Value, json};
use server::seals::{KmsKey, NewMethod, NewSeal, PassphraseCost};
use zeroize::Zeroizing;

use crate::secrets::PassphraseSource;

/// A new seal, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealSpec {
    pub(crate) name: String,
    pub(crate) method: Method,
}

/// How a new seal is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    Passphrase,
    Shares { threshold: u8, count: u8 },
    KeyFile(PathBuf),
    Kms { region: String, key: String, endpoint: Option<String> },
}

/// What can't be read as a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidSeal(String);

impl fmt::Display for InvalidSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is none of passphrase, shares:K-of-N, key-file:PATH, \
             kms:REGION:KEY[@ENDPOINT], each with NAME= before it if you like",
            self.0
        )
    }
}

impl std::error::Error for InvalidSeal {}

impl FromStr for SealSpec {
    type Err = InvalidSeal;

    fn from_str(text: &str) -> Result<Self, InvalidSeal> {
        let is_name = |name: &str| !name.is_empty() && !name.contains([':', '/']);
        let (name, method) = match text.split_once('=') {
            Some((name, method)) if is_name(name) => (Some(name), method),
            _ => (None, text),
        };
        let method: Method = method.parse().map_err(|_| InvalidSeal(text.to_owned()))?;
        let name = name.unwrap_or(method.kind()).to_owned();
        Ok(Self { name, method })
    }
}

impl FromStr for Method {
    type Err = InvalidSeal;

    fn from_str(text: &str) -> Result<Self, InvalidSeal> {
        let invalid = || InvalidSeal(text.to_owned());
        match text.split_once(':') {
            None if text == "passphrase" => Ok(Self::Passphrase),
            Some(("shares", rest)) => {
                let (threshold, count) = rest.split_once("-of-").ok_or_else(invalid)?;
                let number = |digits: &str| digits.parse().map_err(|_| invalid());
                Ok(Self::Shares { threshold: number(threshold)?, count: number(count)? })
            }
            Some(("key-file", path)) if !path.is_empty() => Ok(Self::KeyFile(path.into())),
            Some(("kms", rest)) => {
                let (key, endpoint) = match rest.split_once('@') {
                    Some((key, endpoint)) => (key, Some(endpoint.to_owned())),
                    None => (rest, None),
                };
                let (region, key) = key.split_once(':').ok_or_else(invalid)?;
                Ok(Self::Kms { region: region.to_owned(), key: key.to_owned(), endpoint })
            }
            _ => Err(invalid()),
        }
    }
}

impl Method {
    /// The kind's name, which is the seal's unless it is given another.
    fn kind(&self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Shares { .. } => "shares",
            Self::KeyFile(_) => "key-file",
            Self::Kms { .. } => "kms",
        }
    }

    /// The passphrase, where there is one to be set.
    fn secret(&self, source: &PassphraseSource) -> Result<Option<Zeroizing<String>>, String> {
        match self {
            Self::Passphrase => source.read_new("New passphrase: ").map(Some),
            _ => Ok(None),
        }
    }

    /// As the operator's socket takes it.
    ///
    /// # Errors
    /// A text for the operator: no passphrase could be read.
    pub(crate) fn json(&self, source: &PassphraseSource) -> Result<Value, String> {
        let secret = self.secret(source)?;
        Ok(match self {
            Self::Passphrase => json!({ "passphrase": secret.as_ref().map(|s| s.as_str()) }),
            Self::Shares { threshold, count } => {
                json!({ "shares": { "threshold": threshold, "count": count } })
            }
            Self::KeyFile(path) => json!({ "key-file": std::path::absolute(path).ok() }),
            Self::Kms { region, key, endpoint } => {
                json!({ "kms": { "region": region, "key": key, "endpoint": endpoint } })
            }
        })
    }
}

impl SealSpec {
    /// The seal itself.
    ///
    /// # Errors
    /// A text for the operator.
    pub(crate) fn seal(self, source: &PassphraseSource) -> Result<NewSeal, String> {
        let secret = self.method.secret(source)?;
        let method = match self.method {
            Method::Passphrase => NewMethod::Passphrase {
                passphrase: secret.unwrap_or_default(),
                cost: PassphraseCost::RECOMMENDED,
            },
            Method::Shares { threshold, count } => NewMethod::Shares { threshold, count },
            Method::KeyFile(path) => NewMethod::KeyFile { path },
            Method::Kms { region, key, endpoint } => NewMethod::Kms(
                KmsKey::new(&region, endpoint.as_deref(), &key).map_err(|e| e.to_string())?,
            ),
        };
        Ok(NewSeal { name: self.name, method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<SealSpec> {
        text.parse().ok()
    }

    #[test]
    fn kinds_and_names_are_read() {
        let spec = |name: &str, method| Some(SealSpec { name: name.to_owned(), method });
        assert_eq!(read("passphrase"), spec("passphrase", Method::Passphrase));
        assert_eq!(read("night shift=passphrase"), spec("night shift", Method::Passphrase));
        let shares = Method::Shares { threshold: 3, count: 5 };
        assert_eq!(read("shares:3-of-5"), spec("shares", shares));
        let file = Method::KeyFile("/media/a=b.key".into());
        assert_eq!(read("key-file:/media/a=b.key"), spec("key-file", file));
        let key = "arn:aws:kms:eu-central-1:111122223333:key/k".to_owned();
        let kms = Method::Kms { region: "eu-central-1".to_owned(), key, endpoint: None };
        let text = "kms:eu-central-1:arn:aws:kms:eu-central-1:111122223333:key/k";
        assert_eq!(read(text), spec("kms", kms));
        let other = Method::Kms {
            region: "us-east-1".to_owned(),
            key: "alias/a".to_owned(),
            endpoint: Some("https://kms.example".to_owned()),
        };
        assert_eq!(read("other=kms:us-east-1:alias/a@https://kms.example"), spec("other", other));
    }

    #[test]
    fn what_is_no_seal_is_refused() {
        for text in ["", "shares", "shares:3", "shares:300-of-5", "key-file:", "kms:x", "pin=1234"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
