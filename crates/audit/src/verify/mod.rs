//! Verification: walks segments and digests and says what they prove, and what was altered, cut
//! out, inserted, reordered or taken away. It needs the public keys and nothing else.
//!
//! Must not know what a record says, nor change anything.

mod anchors;
mod report;
mod walk;

use std::io;
use std::path::Path;

pub use report::{Covered, Fault, Head, InvalidHead, Report, Uncovered};

use crate::PublicKey;
use crate::layout::Layout;

/// How often verification begins again when segments are removed under it.
const ATTEMPTS_MAX: usize = 4;

/// Verifies the log of a data directory by these keys, beside the server that writes it or without
/// one. `head` is a digest that was noted elsewhere, which must be there.
///
/// # Errors
/// The log can't be read. What is wrong with it is no error but stands in the report.
pub fn verify(data: &Path, keys: &[PublicKey], head: Option<&Head>) -> io::Result<Report> {
    let layout = Layout::new(data);
    let mut attempts = 0;
    loop {
        attempts += 1;
        // The digests first: what they cover was written before they were.
        let (anchors, mut report) = anchors::read(&layout, keys, head)?;
        walk::walk(data, &anchors, &mut report)?;
        // Where retention has removed something meanwhile, a digest says so now.
        let (_, later) = anchors::read(&layout, keys, head)?;
        if later.removed_to == report.removed_to || attempts == ATTEMPTS_MAX {
            return Ok(report);
        }
    }
}
