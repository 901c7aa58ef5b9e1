//! Grants: what a key's owner lets others do with it, beside the key's policy.
//!
//! A grant is in force when CreateGrant is answered and gone when RevokeGrant or RetireGrant is, so
//! a grant token adds nothing; one that comes with a request must nevertheless be one of ours.
//! Whether a grant allows a request is a pure function of its [`Terms`] and of the request's
//! [`Circumstances`]; whose grants are looked at is [`crate::authorization`]'s to say.
//!
//! Must not know: key policies, who the caller is.

mod index;
mod listing;
mod principal;
mod record;
mod rules;
mod store;
mod terms;
mod token;

pub(crate) use index::Granted;
pub(crate) use listing::{PAGE, entry};
pub(crate) use principal::{account_arn, grantee, principal, retiring};
pub(crate) use record::{GrantId, GrantRecord, Principal};
pub(crate) use rules::{requested, suits};
pub(crate) use store::{Found, Turns, absent, places};
pub(crate) use terms::{Circumstances, Terms};
pub(crate) use token::{Token, check_tokens};
