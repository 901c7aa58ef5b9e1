//! Black box and oracle: this crate holds only tests.
//!
//! `tests/oracle.rs` compares the registries with AWS's service models in `model/`,
//! `tests/every_operation.rs` states what must hold for every operation, and `clients/` goes
//! through real SDKs and command lines.
