//! Whom an identity token tells of: its provider in the role's account, the condition keys of its
//! claims, and the tags that it gives to a session.

use policy::{Value, Values};
use serde_json::{Map, Value as Json};
use service::ports::IssuerKeysError;
use service::{Caller, CallerKind, Error};
use wire::iam::{TagKey, TagValue};
use wire::sts::SourceIdentity;
use wire::{ErrorCode, Shape, ShapeKind, Timestamp};

use crate::Sts;
use crate::directory::Directory;
use crate::identity_token::{IdentityToken, invalid};
use crate::records::{Entity as _, ProviderRecord};
use crate::sts::role::RoleArn;
use crate::sts::session_tags::SessionTags;

/// The claim that holds tags, and the prefix of those that hold a part of it each, for issuers that
/// make no nested claims (IAM User Guide, "Passing session tags using AssumeRoleWithWebIdentity").
const TAGS: &str = "https://aws.amazon.com/tags";
const PRINCIPAL_TAGS: &str = "principal_tags";
const TRANSITIVE_TAG_KEYS: &str = "transitive_tag_keys";
/// The claim that holds the source identity.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// Whom a token tells of, as a provider of the role's account sees it.
pub(crate) struct WebIdentity {
    token: IdentityToken,
    /// The provider's ARN.
    pub(crate) provider: String,
    /// The registered audience that the token is for.
    pub(crate) audience: String,
}

impl WebIdentity {
    /// Whom a token claims to tell of, which nothing has proved yet.
    ///
    /// # Errors
    /// InvalidIdentityTokenException for what is no token, has no provider in the role's account or
    /// is for another audience.
    pub(crate) async fn claimed(
        directory: &Directory,
        role: &RoleArn,
        token: &str,
    ) -> Result<Self, Error> {
        let token = IdentityToken::claimed(token)?;
        let stored = directory.entity::<ProviderRecord>(&role.account, &token.issuer).await?;
        let provider = stored.map(|stored| stored.record).filter(|one| one.url == token.issuer);
        let provider = provider.ok_or_else(|| {
            let issuer = &token.issuer;
            invalid(format!("No OpenIDConnect provider found in your account for https://{issuer}"))
        })?;
        let registered = |audience: &&str| provider.client_ids.iter().any(|id| id == audience);
        let audience = token.audiences().find(registered).map(str::to_owned);
        let audience = audience.ok_or_else(|| invalid("Incorrect token audience"))?;
        Ok(Self { provider: provider.arn(&role.partition, &role.account), audience, token })
    }

    /// Proves it: the token that this was read from is in force, and its issuer signed it.
    ///
    /// # Errors
    /// ExpiredTokenException, IDPCommunicationErrorException where the issuer's keys can't be had,
    /// InvalidIdentityTokenException.
    pub(crate) async fn prove(&self, sts: &Sts, token: &str, now: Timestamp) -> Result<(), Error> {
        self.token.check_time(now)?;
        let keys = sts.issuer_keys.key_set(&self.token.issuer).await.map_err(|error| {
            let cause = match error {
                IssuerKeysError::Unknown => "where its keys are is not known to this server",
                IssuerKeysError::Unavailable(_) => "its keys can't be read",
            };
            let issuer = &self.token.issuer;
            Error::new(
                ErrorCode::IDPCommunicationErrorException,
                format!("The identity provider https://{issuer} can't be asked: {cause}"),
            )
        })?;
        IdentityToken::verify(token, &keys)
    }

    /// The caller that it is.
    pub(crate) fn caller(&self, role: &RoleArn) -> Caller {
        let IdentityToken { issuer, subject, .. } = &self.token;
        Caller {
            account: role.account,
            arn: self.provider.clone(),
            principal_id: format!("{issuer}:{}:{subject}", self.audience),
            kind: CallerKind::WebIdentity,
            access_key_id: String::new(),
            subject: Some(subject.clone()),
            principal: None,
            session: None,
        }
    }

    /// Whom the token tells of.
    pub(crate) fn subject(&self) -> &str {
        &self.token.subject
    }

    /// The condition keys of its claims: `ISSUER:CLAIM`. As AWS has it, `aud` is the audience that
    /// was looked at, and `oaud` the one that the token names beside an authorized party.
    pub(crate) fn condition_keys(&self) -> Vec<(String, Values<'_>)> {
        let issuer = self.token.issuer.to_lowercase();
        let key = |claim: &str| format!("{issuer}:{}", claim.to_lowercase());
        let claims = &self.token.claims;
        let mut keys = vec![
            (key("aud"), Values::One(Value::from(self.audience.as_str()))),
            ("aws:federatedprovider".to_owned(), Values::One(Value::from(self.provider.as_str()))),
        ];
        if let (Some(aud), true) = (claims.get("aud"), claims.contains_key("azp")) {
            keys.push((key("oaud"), values(aud)));
        }
        // Where names differ in case alone, the first one counts: those above, then by the order
        // of the names.
        for (name, claim) in claims {
            let name = key(name);
            if !keys.iter().any(|(known, _)| *known == name) {
                keys.push((name, values(claim)));
            }
        }
        keys
    }

    /// The tags that the token gives to the session.
    ///
    /// # Errors
    /// InvalidIdentityTokenException for tags out of form; those of [`SessionTags::new`].
    pub(crate) fn tags(&self) -> Result<SessionTags, Error> {
        let claims = &self.token.claims;
        let nested = claims.get(TAGS).and_then(Json::as_object);
        let nested_tags =
            nested.and_then(|tags| tags.get(PRINCIPAL_TAGS)).and_then(Json::as_object);
        let flat_prefix = format!("{TAGS}/{PRINCIPAL_TAGS}/");
        let flat = claims
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(&flat_prefix)?, value)));
        let nested_tags = nested_tags.into_iter().flat_map(Map::iter);
        let mut set = Vec::new();
        for (key, value) in nested_tags.map(|(key, value)| (key.as_str(), value)).chain(flat) {
            let value = only_text(value).filter(|value| fits::<TagValue>(value));
            let (true, Some(value)) = (fits::<TagKey>(key), value) else {
                return Err(invalid("The ID Token's session tags are not valid"));
            };
            set.push((key.to_owned(), value.to_owned()));
        }
        let flat_keys = claims.get(&format!("{TAGS}/{TRANSITIVE_TAG_KEYS}"));
        let nested_keys = nested.and_then(|tags| tags.get(TRANSITIVE_TAG_KEYS));
        let keys = nested_keys.or(flat_keys).and_then(Json::as_array);
        let keys = keys.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
        SessionTags::new(set, keys.collect(), None)
    }

    /// The source identity that the token gives to the session.
    ///
    /// # Errors
    /// InvalidIdentityTokenException for one out of form.
    pub(crate) fn source_identity(&self) -> Result<Option<String>, Error> {
        let Some(claim) = self.token.claims.get(SOURCE_IDENTITY) else { return Ok(None) };
        let text = only_text(claim).filter(|text| fits::<SourceIdentity>(text));
        let text = text.filter(|text| !text.to_lowercase().starts_with("aws:"));
        let text = text.ok_or_else(|| invalid("The ID Token's source identity is not valid"))?;
        Ok(Some(text.to_owned()))
    }
}

/// A claim's value as conditions see it; what has no form for them is absent.
fn values(claim: &Json) -> Values<'_> {
    match claim {
        Json::String(text) => Values::One(Value::from(text.as_str())),
        Json::Bool(yes) => Values::One(Value::Bool(*yes)),
        Json::Number(number) => {
            number.as_i64().map_or(Values::Absent, |number| Values::One(Value::Number(number)))
        }
        Json::Array(several) => {
            Values::Many(several.iter().filter_map(Json::as_str).map(Value::from).collect())
        }
        Json::Null | Json::Object(_) => Values::Absent,
    }
}

/// A text, alone or alone in a list.
fn only_text(claim: &Json) -> Option<&str> {
    match claim {
        Json::String(text) => Some(text),
        Json::Array(several) => match several.as_slice() {
            [one] => one.as_str(),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a text is within the bounds of a shape.
fn fits<S: Shape>(text: &str) -> bool {
    let ShapeKind::Text { min, max, pattern } = S::INFO.kind else { return false };
    let length = text.encode_utf16().count();
    (min..=max).contains(&length) && pattern.is_none_or(|pattern| (pattern.matches)(text))
}
