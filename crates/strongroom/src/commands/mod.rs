//! The commands, one file each.

pub(crate) mod dev;
pub(crate) mod policy;
