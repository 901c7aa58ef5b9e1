//! The commands, one file each, and the flags that several of them share.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod dev;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod operate;
pub(crate) mod policy;
pub(crate) mod seal;
pub(crate) mod serve;
mod settings;
