//! The shapes of IAM (2010-05-08), by the things that they tell of, as far as its operations exist
//! here.
//!
//! A type's name is the Rust name of the thing; the string is the shape's name in the model.

mod access_keys;
mod account;
mod names;
mod policies;
mod policy_details;
mod providers;
mod roles;
mod simulation;
mod tags;
mod users;

pub use access_keys::*;
pub use account::*;
pub use names::*;
pub use policies::*;
pub use policy_details::*;
pub use providers::*;
pub use roles::*;
pub use simulation::*;
pub use tags::*;
pub use users::*;
