//! Temporary credentials: a session token holds all that its session is, sealed, so that nothing of
//! it is stored. Owns the token's form.
//!
//! A token is base64 of the account's twelve digits and a sealed part: forty letters of secret,
//! then JSON. It is bound to its access key id.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::DocumentKind;
use serde::{Deserialize, Serialize};
use service::ports::{TokenError, TokenKind};
use service::records::millis;
use service::{Caller, CallerKind, Error, NamedPolicy, SessionContext};
use wire::{AccountId, Timestamp};
use zeroize::Zeroizing;

use crate::access_key::GLOBAL;
use crate::credentials::SecretAccessKey;
use crate::directory::Directory;
use crate::identity::in_force;
use crate::ids::{draw_secret, draw_session_key_id};
use crate::layout;

/// How many letters a secret access key has.
const SECRET: usize = 40;
/// How far the moment at which a session was opened may lie ahead, in milliseconds: as far as that
/// of a signature may.
const AHEAD_MS: i64 = 5 * 60 * 1000;
/// How many digits of base64 hold the account's twelve.
const ACCOUNT_DIGITS: usize = 16;

/// What a session is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub(crate) kind: SessionKind,
    /// The user or role behind it, by name and unique id; none where root opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<(String, String)>,
    /// The name of a role's session, or of a federated user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(with = "millis")]
    pub(crate) issued: Timestamp,
    #[serde(with = "millis")]
    pub(crate) expires: Timestamp,
    /// Whether session policies were passed, be it none at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) limited: bool,
    /// The session policy that was passed as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// The ARNs of the managed policies that were passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policy_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) transitive: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<String>,
    /// What makes the token as long as was asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) padding: String,
}

impl SessionRecord {
    /// Whether the session lasts at that moment. One from the future was opened while the clock was
    /// ahead, and would outlive its term by as much as the clock was wrong.
    fn is_in_force(&self, now: Timestamp) -> bool {
        let opened = self.issued.millis().saturating_sub(AHEAD_MS);
        (opened..self.expires.millis()).contains(&now.millis())
    }
}

/// What opened a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SessionKind {
    /// AssumeRole and its like.
    Role,
    /// GetSessionToken.
    User,
    /// GetFederationToken.
    Federated,
}

/// Credentials that were just issued.
pub(crate) struct Issued {
    pub(crate) access_key_id: String,
    pub(crate) secret: Zeroizing<String>,
    pub(crate) token: Zeroizing<String>,
    pub(crate) expires: Timestamp,
}

/// A session whose token was opened.
pub(crate) struct OpenSession {
    access_key_id: String,
    pub(crate) secret: Arc<SecretAccessKey>,
    record: SessionRecord,
    context: Arc<SessionContext>,
}

/// Whose session a token is of, or why it is nobody's.
pub(crate) enum Whose {
    /// This caller's.
    Caller(Box<Caller>, Arc<SecretAccessKey>),
    /// Nobody's any more: it has expired.
    Expired,
    /// Nobody's: no token of ours, or its user or role is gone.
    Nobody,
}

impl Directory {
    /// Issues credentials for a session.
    ///
    /// # Errors
    /// A failure of ours.
    pub(crate) async fn issue(
        &self,
        account: &AccountId,
        record: &SessionRecord,
    ) -> Result<Issued, Error> {
        let access_key_id = draw_session_key_id(account, self.entropy.as_ref())?;
        let secret = draw_secret(self.entropy.as_ref())?;
        let mut plaintext = Zeroizing::new(secret.as_bytes().to_vec());
        serde_json::to_writer(&mut *plaintext, record).map_err(Error::internal)?;
        let context = binding(&access_key_id, account);
        let sealing = self.key_store.seal_token(GLOBAL, TokenKind::Session, &plaintext, &context);
        let mut token = account.as_str().as_bytes().to_vec();
        token.extend(sealing.await?);
        let token = Zeroizing::new(STANDARD.encode(token));
        Ok(Issued { access_key_id, secret, token, expires: record.expires })
    }

    /// Whose session that token is of.
    ///
    /// # Errors
    /// Those of the store and the key store.
    pub(crate) async fn session(
        &self,
        access_key_id: &str,
        token: &str,
        partition: &str,
        now: Timestamp,
    ) -> Result<Whose, Error> {
        let Some(account) = account_of(token) else { return Ok(Whose::Nobody) };
        let known = self.identities.get(&layout::account(&account));
        let open = match known.and_then(|known| known.sessions.get(token)) {
            Some(open) => open,
            None => match self.unseal(access_key_id, token, &account).await? {
                Some(unsealed) => self.keep(access_key_id, token, &account, unsealed).await?,
                // Whoever makes tokens up takes no room in memory.
                None => return Ok(Whose::Nobody),
            },
        };
        if open.access_key_id != access_key_id {
            return Ok(Whose::Nobody);
        }
        if !open.record.is_in_force(now) {
            return Ok(Whose::Expired);
        }
        let caller = self.caller_of(&open, account, partition).await?;
        Ok(caller.map_or(Whose::Nobody, |caller| {
            Whose::Caller(Box::new(caller), Arc::clone(&open.secret))
        }))
    }

    /// The secret and the session in a token of ours that goes with that access key id.
    async fn unseal(
        &self,
        access_key_id: &str,
        token: &str,
        account: &AccountId,
    ) -> Result<Option<(SecretAccessKey, SessionRecord)>, Error> {
        let Ok(bytes) = STANDARD.decode(token) else { return Ok(None) };
        let Some(sealed) = bytes.get(account.as_str().len()..) else { return Ok(None) };
        let context = binding(access_key_id, account);
        let opening = self.key_store.open_token(GLOBAL, TokenKind::Session, sealed, &context);
        let plaintext = match opening.await {
            Ok(plaintext) => plaintext,
            Err(TokenError::Unopened) => return Ok(None),
            Err(TokenError::KeyStore(error)) => return Err(error.into()),
        };
        let (secret, json) = plaintext
            .split_at_checked(SECRET)
            .ok_or_else(|| Error::internal("a session token of ours is too short"))?;
        let secret = Zeroizing::new(std::str::from_utf8(secret).map_err(Error::internal)?.into());
        let record: SessionRecord = serde_json::from_slice(json).map_err(Error::internal)?;
        Ok(Some((SecretAccessKey::new(secret), record)))
    }

    /// Keeps an unsealed session, its policies understood, with what is known of its account.
    async fn keep(
        &self,
        access_key_id: &str,
        token: &str,
        account: &AccountId,
        (secret, record): (SecretAccessKey, SessionRecord),
    ) -> Result<Arc<OpenSession>, Error> {
        // Before the policies are read: should they change meanwhile, nobody looks there any more.
        let known = self.identities_of(account);
        let mut policies = Vec::new();
        if let Some(text) = &record.policy {
            policies.push(in_force("session policy", text, DocumentKind::Identity)?);
        }
        for arn in &record.policy_arns {
            // A policy that has been deleted since permits nothing.
            policies.extend(self.managed_policy(account, arn).await?);
        }
        let open = Arc::new(OpenSession {
            access_key_id: access_key_id.to_owned(),
            secret: Arc::new(secret),
            context: Arc::new(context_of(&record, policies)),
            record,
        });
        known.sessions.insert(token.to_owned(), Arc::clone(&open));
        Ok(open)
    }

    /// The caller of a session, unless its user or role is gone, or another one by now.
    async fn caller_of(
        &self,
        open: &OpenSession,
        account: AccountId,
        partition: &str,
    ) -> Result<Option<Caller>, Error> {
        let SessionRecord { kind, principal, name, .. } = &open.record;
        let found = match (kind, principal) {
            (_, None) => None,
            (SessionKind::Role, Some((role, _))) => self.role(partition, &account, role).await?,
            (_, Some((user, _))) => self.user(partition, &account, user).await?,
        };
        if found.as_ref().map(|found| &found.unique_id) != principal.as_ref().map(|(_, id)| id) {
            return Ok(None);
        }
        let root = || format!("arn:{partition}:iam::{account}:root");
        let (kind, arn, principal_id) = match (kind, &found) {
            (SessionKind::Role, Some(role)) => (
                CallerKind::AssumedRole,
                format!("arn:{partition}:sts::{account}:assumed-role/{}/{name}", role.name),
                format!("{}:{name}", role.unique_id),
            ),
            (SessionKind::Role, None) => return Ok(None),
            (SessionKind::User, Some(user)) => {
                (CallerKind::User, user.arn.clone(), user.unique_id.clone())
            }
            (SessionKind::User, None) => (CallerKind::Root, root(), account.to_string()),
            (SessionKind::Federated, _) => (
                CallerKind::FederatedUser,
                format!("arn:{partition}:sts::{account}:federated-user/{name}"),
                format!("{account}:{name}"),
            ),
        };
        Ok(Some(Caller {
            account,
            arn,
            principal_id,
            kind,
            access_key_id: open.access_key_id.clone(),
            subject: None,
            principal: found,
            session: Some(Arc::clone(&open.context)),
        }))
    }
}

fn context_of(record: &SessionRecord, policies: Vec<NamedPolicy>) -> SessionContext {
    SessionContext {
        issued: record.issued,
        policies: record.limited.then_some(policies),
        tags: record.tags.clone(),
        transitive: record.transitive.clone(),
        source_identity: record.source_identity.clone(),
        provider: record.provider.clone(),
    }
}

fn binding(access_key_id: &str, account: &AccountId) -> Vec<u8> {
    format!("{account}/{access_key_id}").into_bytes()
}

/// The account that a token says it is of.
fn account_of(token: &str) -> Option<AccountId> {
    let digits = STANDARD.decode(token.get(..ACCOUNT_DIGITS)?).ok()?;
    AccountId::parse(std::str::from_utf8(&digits).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_from_its_opening_to_its_end() {
        let json = r#"{"kind":"User","issued":1000000000,"expires":1000900000}"#;
        let record: SessionRecord = serde_json::from_str(json).unwrap();
        let lasts = |millis| record.is_in_force(Timestamp::from_millis(millis));
        assert!(lasts(1_000_000_000) && lasts(1_000_899_999));
        assert!(!lasts(1_000_900_000));
        // The clock that opened it may have been a little ahead, not years.
        assert!(lasts(1_000_000_000 - AHEAD_MS));
        assert!(!lasts(1_000_000_000 - AHEAD_MS - 1));
        assert!(!lasts(i64::MIN) && !lasts(i64::MAX));
    }
}
