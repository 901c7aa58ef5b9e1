//! The seals of an installation, from outside: every test works on a store of its own.

mod changes;
mod installation;
mod kinds;
mod kms;
mod rotation;
mod tampering;
mod vectors;
