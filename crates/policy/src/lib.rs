//! Policy documents and a request in, a decision with its reason out.
//!
//! Owns the policy language: parsing a document once, when it is written, and deciding a request
//! by it. What isn't understood is refused when the document is written and never skipped.
//!
//! Must not know: where a document is attached, what a key is, what time it is.

mod document;
mod evaluate;
mod pattern;

pub use document::{Document, Malformed, Principal};
pub use evaluate::{Outcome, Request};
