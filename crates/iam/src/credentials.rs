//! Which access key belongs to whom, and what its signatures are checked with.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use service::{Caller, CallerKind, Error};
use wire::{AccountId, Timestamp, partition};
use zeroize::Zeroizing;

use crate::directory::Directory;
use crate::session::Whose;

/// Knows access keys: those of users and sessions, and dev mode's if it is on.
pub struct Credentials {
    directory: Arc<Directory>,
    dev: Option<DevCredentials>,
}

/// An access key that is known.
pub struct Credential {
    /// Whose it is.
    pub caller: Caller,
    /// What its signatures are checked with.
    pub secret: Secret,
}

/// What a signature is checked with.
pub enum Secret {
    /// Any secret will do: the signature is not checked. Dev mode's root users alone.
    Any,
    /// This secret access key.
    Key(Arc<SecretAccessKey>),
}

/// Why an access key is nobody's.
#[derive(Debug)]
pub enum NoCredential {
    /// It isn't known, inactive, or its session token is none.
    Unknown,
    /// Its session has expired.
    Expired,
    /// It can't be found out.
    Failed(Error),
}

impl From<Error> for NoCredential {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Credentials {
    /// The access keys of a directory's users and sessions.
    pub fn new(directory: Arc<Directory>) -> Self {
        Self { directory, dev: None }
    }

    /// With dev mode's beside them.
    pub fn with_dev(self, dev: DevCredentials) -> Self {
        Self { dev: Some(dev), ..self }
    }

    /// The principals that they speak for.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Whose access key that is. `session_token` is what came with the request; `region` decides
    /// the partition of the caller's ARN.
    ///
    /// # Errors
    /// [`NoCredential`].
    pub async fn find(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        region: &str,
        now: Timestamp,
    ) -> Result<Credential, NoCredential> {
        let partition = partition(region);
        if let Some(dev) = &self.dev
            && let Some(known) = dev.find(access_key_id, session_token, region)?
        {
            return Ok(known);
        }
        let Some(token) = session_token else {
            return self.long_term(access_key_id, partition).await;
        };
        match self.directory.session(access_key_id, token, partition, now).await? {
            Whose::Caller(caller, secret) => {
                Ok(Credential { caller: *caller, secret: Secret::Key(secret) })
            }
            Whose::Expired => Err(NoCredential::Expired),
            Whose::Nobody => Err(NoCredential::Unknown),
        }
    }

    async fn long_term(
        &self,
        access_key_id: &str,
        partition: &str,
    ) -> Result<Credential, NoCredential> {
        let key = self.directory.access_key(access_key_id).await?;
        let key = key.filter(|key| key.record.active).ok_or(NoCredential::Unknown)?;
        let account = key.record.account;
        let caller = match &key.record.user {
            None => Caller::root(account, partition, access_key_id),
            Some(name) => {
                let user = self.directory.user(partition, &account, name).await?;
                let user = user.ok_or(NoCredential::Unknown)?;
                Caller {
                    account,
                    arn: user.arn.clone(),
                    principal_id: user.unique_id.clone(),
                    kind: CallerKind::User,
                    access_key_id: access_key_id.to_owned(),
                    subject: None,
                    principal: Some(user),
                    session: None,
                }
            }
        };
        Ok(Credential { caller, secret: Secret::Key(Arc::clone(&key.secret)) })
    }
}

/// A secret access key: wiped when dropped, never printed.
pub struct SecretAccessKey(Zeroizing<String>);

impl SecretAccessKey {
    pub(crate) fn new(secret: Zeroizing<String>) -> Self {
        Self(secret)
    }

    /// The key, for the derivation of signing keys alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The longest access key id and secret that a file may hold.
const LENGTH_MAX: usize = 128;

/// Dev mode's credentials.
///
/// An access key id of twelve digits is the root user of that account; any other that doesn't look
/// like one of AWS's (`AKIA…`, `ASIA…`) is the root user of account 000000000000. Whatever secret
/// they sign with is accepted. What looks like AWS's is never guessed at, so that real credentials
/// sent here by mistake are refused. Root access keys that were given with their secrets are
/// verified in full.
#[derive(Default)]
pub struct DevCredentials {
    root_access_keys: HashMap<String, (AccountId, Arc<SecretAccessKey>)>,
}

/// A line of a file of root access keys that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLine {
    /// Its number, from one.
    pub line: usize,
    /// What is wrong with it, without what it holds.
    pub problem: &'static str,
}

impl fmt::Display for InvalidLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for InvalidLine {}

impl DevCredentials {
    /// Dev mode's credentials with root access keys: lines of account id, access key id and secret
    /// access key, separated by blanks; empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`InvalidLine`] for the first line that is none of these.
    pub fn with_root_access_keys(text: &str) -> Result<Self, InvalidLine> {
        let mut root_access_keys = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let invalid = |problem| InvalidLine { line: index + 1, problem };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            let (Some(account), Some(id), Some(secret), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(invalid("expected account id, access key id and secret access key"));
            };
            let account = AccountId::parse(account)
                .map_err(|_| invalid("an account id has exactly twelve digits"))?;
            let is_word = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if id.len() > LENGTH_MAX || secret.len() > LENGTH_MAX || !is_word {
                return Err(invalid("not an access key id with its secret access key"));
            }
            let secret = Arc::new(SecretAccessKey(Zeroizing::new(secret.to_owned())));
            if root_access_keys.insert(id.to_owned(), (account, secret)).is_some() {
                return Err(invalid("this access key id stands above already"));
            }
        }
        Ok(Self { root_access_keys })
    }

    /// Whose access key that is in dev mode: `None` for one that dev mode leaves to the others.
    ///
    /// # Errors
    /// [`NoCredential::Unknown`] for one of its own that doesn't fit.
    fn find(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        region: &str,
    ) -> Result<Option<Credential>, NoCredential> {
        let partition = partition(region);
        if let Some((account, secret)) = self.root_access_keys.get(access_key_id) {
            // A long-term access key has no session; a token beside it is a mix-up.
            if session_token.is_some() {
                return Err(NoCredential::Unknown);
            }
            let caller = Caller::root(*account, partition, access_key_id);
            return Ok(Some(Credential { caller, secret: Secret::Key(Arc::clone(secret)) }));
        }
        if access_key_id.starts_with("AKIA") || access_key_id.starts_with("ASIA") {
            return Ok(None);
        }
        let account = AccountId::parse(access_key_id);
        let account = account.or_else(|_| AccountId::parse("000000000000"));
        let account = account.map_err(|_| NoCredential::Unknown)?;
        let caller = Caller::root(account, partition, access_key_id);
        Ok(Some(Credential { caller, secret: Secret::Any }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_dev_mode_lets_in() {
        let credentials = DevCredentials::default();
        let account = |id| {
            let found = credentials.find(id, Some("token"), "us-east-1").unwrap();
            found.map(|c| c.caller.account.to_string())
        };
        assert_eq!(account("111122223333").as_deref(), Some("111122223333"));
        for id in ["test", "1111222233334", "anything"] {
            assert_eq!(account(id).as_deref(), Some("000000000000"), "{id}");
        }
        assert_eq!(account("AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(account("ASIAIOSFODNN7EXAMPLE"), None);
        let found = credentials.find("111122223333", None, "cn-north-1").unwrap().unwrap();
        assert_eq!(found.caller.arn, "arn:aws-cn:iam::111122223333:root");
    }

    #[test]
    fn root_access_keys_have_a_secret() {
        let text = "# test keys\n\n111122223333 AKIAEXAMPLE made-up-secret\n";
        let credentials = DevCredentials::with_root_access_keys(text).unwrap();
        let found = credentials.find("AKIAEXAMPLE", None, "us-east-1").unwrap().unwrap();
        assert_eq!(found.caller.account.as_str(), "111122223333");
        assert!(matches!(found.secret, Secret::Key(key) if key.expose() == "made-up-secret"));
        assert!(credentials.find("AKIAEXAMPLE", Some("token"), "us-east-1").is_err());
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        for line in ["111122223333 AKIA", "1 AKIA s", "111122223333 A/B s", "111122223333 A s x"] {
            let text = format!("\n{line}\n");
            assert_eq!(DevCredentials::with_root_access_keys(&text).err().unwrap().line, 2);
        }
        let twice = "111122223333 A s\n111122223333 A s\n";
        assert!(DevCredentials::with_root_access_keys(twice).is_err());
    }
}
