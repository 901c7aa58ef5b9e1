//! Policy documents and a request in, a decision with its reason out.
//!
//! Owns the policy language: parsing a document once, when it is written, and deciding a request
//! by all the documents that apply to it. What isn't understood is refused when the document is
//! written and never skipped; what can't be told of a request counts against it.
//!
//! Must not know: where a document is attached, what a key is, what time it is.

mod condition;
mod decide;
mod document;
mod evaluate;
mod json;
mod operator;
mod pattern;
mod principal;
mod request;
mod statement;
mod template;
mod values;

pub use decide::{
    Attached, Decision, Delegation, Grant, Identity, Layer, Permission, Policies, Refusal,
    Resource, Source, decide,
};
pub use document::{Document, DocumentKind, Malformed};
pub use evaluate::{Outcome, Ruling, Speaking};
pub use principal::{Caller, CallerKind, Means, Principal};
pub use request::{Context, ContextEntries, Request, Value, Values};
