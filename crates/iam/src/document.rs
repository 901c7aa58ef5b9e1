//! Checking policy documents that somebody wants to be obeyed.

use std::sync::Arc;

use policy::{Document, DocumentKind, Principal};
use service::Error;
use service::ports::{Known, Principals as _};
use wire::ErrorCode;

use crate::directory::Directory;
use crate::records::BoundDocument;

/// The services whose condition keys are known here; those of others are let through, as a
/// statement about another service permits nothing here.
const OWN_KEYS: [&str; 4] = ["aws:", "iam:", "kms:", "sts:"];

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
        let document = Document::parse(text, DocumentKind::Trust, &|key| self.may_be_key(key))
            .map_err(|error| malformed(error.0))?;
        let mut bound = Vec::new();
        for principal in document.principals() {
            let Principal::Arn { arn, .. } = principal else { continue };
            match self.principal(arn).await? {
                Some(Known::ById(id)) => bound.push((arn.clone(), id)),
                Some(Known::ByName) => {}
                None => {
                    return Err(malformed(format!(
                        "Invalid principal in policy: \"AWS\":\"{arn}\""
                    )));
                }
            }
        }
        bound.sort();
        bound.dedup();
        Ok(BoundDocument { text: text.to_owned(), bound })
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

pub(crate) fn malformed(message: String) -> Error {
    Error::new(ErrorCode::MalformedPolicyDocumentException, message)
}
