//! The end of a log file: where its last whole line ends.
//!
//! Must not know how lines are written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// How much is read at once, from the end backwards.
const STEP: u64 = 64 << 10;

/// The length of the file up to the end of its last whole line, among the last `reach` bytes and
/// one more: None if there is no line's end in them. A file without bytes is whole.
pub(crate) fn whole_length(file: &File, length: u64, reach: u64) -> io::Result<Option<u64>> {
    let earliest = length.saturating_sub(reach + 1);
    let mut end = length;
    let mut buffer = Vec::new();
    while end > earliest {
        let start = end.saturating_sub(STEP).max(earliest);
        buffer.resize(usize::try_from(end - start).map_err(io::Error::other)?, 0);
        file.read_exact_at(&mut buffer, start)?;
        if let Some(at) = buffer.iter().rposition(|byte| *byte == b'\n') {
            return Ok(Some(start + at as u64 + 1));
        }
        end = start;
    }
    Ok((earliest == 0).then_some(0))
}
