//! Checking policy documents that somebody wants to be obeyed.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use policy::{Document, DocumentKind, Principal};
use serde::de::IgnoredAny;
use service::Error;
use service::ports::{Known, Principals as _};
use wire::ErrorCode;
use wire::iam::PolicyDocument;

use crate::directory::Directory;
use crate::records::BoundDocument;

/// The services whose condition keys are known here; those of others are let through, as a
/// statement about another service permits nothing here.
const OWN_KEYS: [&str; 4] = ["aws:", "iam:", "kms:", "sts:"];

/// What answers encode in documents: all but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A document as answers have it.
pub(crate) fn encoded(text: &str) -> PolicyDocument {
    PolicyDocument::of(utf8_percent_encode(text, RESERVED).to_string())
}

/// How long a document is, as AWS counts it: white space doesn't.
pub(crate) fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

impl Directory {
    /// Checks a document that gives permissions to whom it is attached.
    ///
    /// # Errors
    /// MalformedPolicyDocumentException.
    pub(crate) fn identity_document(
        &self,
        text: &str,
        kind: DocumentKind,
    ) -> Result<Arc<Document>, Error> {
        let document = Document::parse(text, kind, &|key| self.may_be_key(key));
        document.map(Arc::new).map_err(|error| malformed(error.0))
    }

    /// Checks a role's trust policy, whose principals must exist, and binds them to their unique
    /// ids.
    ///
    /// # Errors
    /// MalformedPolicyDocumentException.
    pub(crate) async fn trust_document(&self, text: &str) -> Result<BoundDocument, Error> {
        // Of trust policies alone AWS says whether it is the JSON that is wrong.
        if serde_json::from_str::<IgnoredAny>(text).is_err() {
            return Err(malformed("This policy contains invalid Json".to_owned()));
        }
        let document = Document::parse(text, DocumentKind::Trust, &|key| self.may_be_key(key))
            .map_err(|error| malformed(error.0))?;
        let mut bound = Vec::new();
        for principal in document.principals() {
            let arn = match principal {
                Principal::Arn { arn, .. } => arn,
                // A unique id is what is left of one that is gone.
                Principal::UniqueId(id) => return Err(invalid_principal(id)),
                _ => continue,
            };
            match self.principal(arn).await? {
                Some(Known::ById(id)) => bound.push((arn.clone(), id)),
                Some(Known::ByName) => {}
                None => return Err(invalid_principal(arn)),
            }
        }
        bound.sort();
        bound.dedup();
        Ok(BoundDocument { text: text.to_owned(), bound })
    }

    /// A trust policy as it is shown: a user or role that is gone, or another one by now, stands
    /// there by its unique id.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn shown_trust(&self, trust: &BoundDocument) -> Result<String, Error> {
        let mut text = trust.text.clone();
        for (arn, id) in &trust.bound {
            if self.principal(arn).await? != Some(Known::ById(id.clone())) {
                text = text.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
            }
        }
        Ok(text)
    }

    fn may_be_key(&self, key: &str) -> bool {
        !OWN_KEYS.iter().any(|own| key.starts_with(own)) || (self.is_condition_key)(key)
    }
}

impl BoundDocument {
    /// The trust policy that it is, its principals bound.
    ///
    /// # Errors
    /// A failure of ours: what is stored isn't understood.
    pub(crate) fn compiled(&self) -> Result<Document, Error> {
        let mut document = Document::parse_stored(&self.text, DocumentKind::Trust)
            .map_err(|malformed| Error::internal(format!("a stored policy: {malformed}")))?;
        document.bind(|arn| {
            let bound = self.bound.iter().find(|(known, _)| known == arn);
            bound.map(|(_, id)| id.clone())
        });
        Ok(document)
    }
}

fn invalid_principal(named: &str) -> Error {
    malformed(format!("Invalid principal in policy: \"AWS\":\"{named}\""))
}

pub(crate) fn malformed(message: String) -> Error {
    Error::new(ErrorCode::MalformedPolicyDocumentException, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_encode_all_but_unreserved_characters() {
        assert_eq!(
            encoded("{\"a\": [\"-_.~*/+é\"]}\n").as_str(),
            "%7B%22a%22%3A%20%5B%22-_.~%2A%2F%2B%C3%A9%22%5D%7D%0A"
        );
    }

    #[test]
    fn white_space_is_not_counted() {
        assert_eq!(size(" {\t\"a\":\r\n \"é\"}"), 9);
    }
}
