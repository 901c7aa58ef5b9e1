//! Reading a log file back: stretches of whole lines, and marks that outlive the process.
//!
//! A mark is an offset and a fingerprint of the file's beginning. The file only grows, so that the
//! fingerprint stays what it is, and another log that was put in this one's place has another: its
//! first records hold ids of their own. Must not know how lines are written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use service::ports::Position;

use crate::file_log::RECORD_MAX;

/// How much is read at once: room for the longest record with its line's end.
const STRETCH: u64 = RECORD_MAX as u64 + 1;
/// How much of a log's beginning makes its fingerprint, in bytes.
const BEGINNING: u64 = 4 << 10;

/// The lines from an offset on, of the file's first `end` bytes, which are whole lines.
pub(crate) fn read(file: &File, from: Position, end: Position) -> io::Result<Vec<u8>> {
    let length = end.0.saturating_sub(from.0).min(STRETCH);
    let mut lines = bytes(file, from.0, length)?;
    let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole == 0 && length > 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line longer than any record"));
    }
    lines.truncate(whole);
    Ok(lines)
}

/// The mark of an offset.
pub(crate) fn mark(file: &File, at: Position) -> io::Result<String> {
    Ok(format!("{}-{:016x}", at.0, fingerprint(file, at.0)?))
}

/// The offset of a mark, in a file of `end` bytes; its beginning if the mark is another file's.
pub(crate) fn find(file: &File, mark: &str, end: Position) -> io::Result<Position> {
    let start = Position::default();
    let Some((offset, expected)) = mark.split_once('-') else { return Ok(start) };
    let (Ok(offset), Ok(expected)) = (offset.parse::<u64>(), u64::from_str_radix(expected, 16))
    else {
        return Ok(start);
    };
    if offset.min(BEGINNING) > end.0 || fingerprint(file, offset)? != expected {
        return Ok(start);
    }
    // A loss of power may have taken records from the end that the mark was behind.
    Ok(Position(offset).min(end))
}

/// The FNV-1a hash of the beginning of a file of at least `length` bytes.
fn fingerprint(file: &File, length: u64) -> io::Result<u64> {
    let beginning = bytes(file, 0, length.min(BEGINNING))?;
    Ok(beginning.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}

fn bytes(file: &File, from: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn stretches_are_whole_lines_up_to_the_end() {
        let long = vec![b'x'; RECORD_MAX - 2];
        let content = [b"{\"a\":1}\n", &long[..], b"\n{}\npiece"].concat();
        let file = file(&content);
        let end = Position(content.len() as u64 - 5);
        assert_eq!(read(&file, Position(0), end).unwrap(), b"{\"a\":1}\n");
        assert_eq!(read(&file, Position(8), end).unwrap().len(), RECORD_MAX - 1);
        let last = Position(end.0 - 3);
        assert_eq!(read(&file, last, end).unwrap(), b"{}\n");
        assert_eq!(read(&file, end, end).unwrap(), b"");
        read(&file, last, Position(end.0 + 6)).unwrap_err();
    }

    #[test]
    fn a_line_that_is_too_long_is_an_error() {
        let content = vec![b'x'; RECORD_MAX + 2];
        read(&file(&content), Position(0), Position(content.len() as u64)).unwrap_err();
    }

    #[test]
    fn marks_are_found_again_as_the_file_grows() {
        for length in [0_usize, 1, 700, 4_096, 10_000] {
            let mut file = file(&vec![b'x'; length]);
            let at = Position(length as u64);
            let mark = mark(&file, at).unwrap();
            assert_eq!(find(&file, &mark, at).unwrap(), at);
            file.write_all(&[b'y'; 5_000]).unwrap();
            assert_eq!(find(&file, &mark, Position(at.0 + 5_000)).unwrap(), at);
        }
    }

    #[test]
    fn another_files_mark_is_its_beginning() {
        let mark = mark(&file(&[b'x'; 700]), Position(700)).unwrap();
        let start = Position(0);
        assert_eq!(find(&file(&[b'y'; 900]), &mark, Position(900)).unwrap(), start);
        assert_eq!(find(&file(b"x"), &mark, Position(1)).unwrap(), start);
        let forged = file(&[b'x'; 900]);
        for text in ["", "-", "700", "700-", "-1-2", "99999999999999999999-0", "700-xyz"] {
            assert_eq!(find(&forged, text, Position(900)).unwrap(), start, "{text}");
        }
    }

    #[test]
    fn a_mark_behind_the_end_is_the_end() {
        let mark = mark(&file(&[b'x'; 10_000]), Position(10_000)).unwrap();
        assert_eq!(find(&file(&[b'x'; 9_000]), &mark, Position(9_000)).unwrap(), Position(9_000));
    }
}
