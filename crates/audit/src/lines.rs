//! Appending whole lines to a file: what is appended is in it whole or not at all.
//!
//! What a failing disk took of them is cut off again. Must not know what lines say.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// How much is read at once where a file is searched backwards.
const STEP: u64 = 64 << 10;

/// What lines are appended to; a trait, so that tests can let it fail.
pub(crate) trait Medium: Write {
    fn length(&self) -> io::Result<u64>;
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for Arc<File> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// Appends whole lines. It must be the medium's only writer.
pub(crate) struct Lines<M> {
    medium: M,
    /// Where the last line that was appended ends.
    end: u64,
    /// Up to where the medium holds whole lines, if there is a piece of one behind that.
    whole: Option<u64>,
}

impl<M: Medium> Lines<M> {
    /// Appends to a medium that holds so many bytes of whole lines.
    pub(crate) fn new(medium: M, end: u64) -> Self {
        Self { medium, end, whole: None }
    }

    pub(crate) fn medium(&self) -> &M {
        &self.medium
    }

    /// Where the last line ends.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Writes whole lines, all of them or none: by one call, unless the medium takes only a part.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.repair()?;
        let mut written = 0;
        let result = self.write(lines, &mut written);
        if result.is_ok() {
            self.end += written;
        } else if written > 0 {
            // The append mode makes the piece the file's end, whatever somebody else wrote there.
            let length = self.medium.length().map(|length| length.saturating_sub(written));
            self.whole = Some(length.unwrap_or(self.end));
            // Where this fails too, the next line isn't written before it has succeeded.
            let _ = self.repair();
        }
        result
    }

    /// Cuts off the last lines, down to that end.
    pub(crate) fn take_back(&mut self, end: u64) -> io::Result<()> {
        self.whole = Some(end);
        self.end = end;
        self.repair()
    }

    /// Cuts off the piece of a line that a failed write has left.
    fn repair(&mut self) -> io::Result<()> {
        if let Some(whole) = self.whole {
            self.medium.cut(whole)?;
            self.whole = None;
        }
        Ok(())
    }

    fn write(&mut self, mut rest: &[u8], written: &mut u64) -> io::Result<()> {
        while !rest.is_empty() {
            match self.medium.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    *written += count as u64;
                    rest = &rest[count..];
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }
}

/// The length of the file up to the end of its last whole line before `length`; 0 if there is none.
pub(crate) fn whole_length(file: &File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut buffer = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(STEP);
        buffer.resize(usize::try_from(end - start).map_err(io::Error::other)?, 0);
        file.read_exact_at(&mut buffer, start)?;
        if let Some(at) = buffer.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The bytes of a file from an offset on.
pub(crate) fn bytes_at(file: &File, from: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that takes as many bytes a call as it is told to, and then fails.
    #[derive(Default)]
    struct Failing {
        bytes: Vec<u8>,
        takes: Vec<Result<usize, io::ErrorKind>>,
        cut_fails: u32,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let take = if self.takes.is_empty() { Ok(usize::MAX) } else { self.takes.remove(0) };
            let take = take.map_err(io::Error::from)?.min(bytes.len());
            self.bytes.extend_from_slice(&bytes[..take]);
            Ok(take)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Medium for Failing {
        fn length(&self) -> io::Result<u64> {
            Ok(self.bytes.len() as u64)
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.cut_fails > 0 {
                self.cut_fails -= 1;
                return Err(io::ErrorKind::Other.into());
            }
            self.bytes.truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    fn lines(takes: &[Result<usize, io::ErrorKind>], cut_fails: u32) -> Lines<Failing> {
        Lines::new(Failing { bytes: b"old\n".to_vec(), takes: takes.to_vec(), cut_fails }, 4)
    }

    #[test]
    fn short_writes_are_completed() {
        let interrupted = Err(io::ErrorKind::Interrupted);
        let mut log = lines(&[Ok(2), interrupted, Ok(1), Ok(2), Ok(1)], 0);
        log.append(b"record\n").unwrap();
        assert_eq!(log.medium.bytes, b"old\nrecord\n");
        assert_eq!(log.end, 11);
    }

    #[test]
    fn a_piece_is_cut_off() {
        let full = Err(io::ErrorKind::StorageFull);
        for takes in [vec![full], vec![Ok(3), full], vec![Ok(6), full], vec![Ok(3), Ok(0)]] {
            let mut log = lines(&takes, 0);
            log.append(b"record\n").unwrap_err();
            assert_eq!(log.medium.bytes, b"old\n");
            log.append(b"next\n").unwrap();
            assert_eq!(log.medium.bytes, b"old\nnext\n");
            assert_eq!(log.end, 9);
        }
    }

    #[test]
    fn nothing_is_written_behind_a_piece() {
        let mut log = lines(&[Ok(3), Err(io::ErrorKind::StorageFull)], 3);
        log.append(b"record\n").unwrap_err();
        for _ in 0..2 {
            log.append(b"next\n").unwrap_err();
            assert_eq!(log.medium.bytes, b"old\nrec");
        }
        log.append(b"last\n").unwrap();
        assert_eq!(log.medium.bytes, b"old\nlast\n");
    }

    #[test]
    fn lines_are_taken_back() {
        let mut log = lines(&[], 1);
        log.append(b"record\n").unwrap();
        log.take_back(4).unwrap_err();
        log.append(b"next\n").unwrap();
        assert_eq!(log.medium.bytes, b"old\nnext\n");
    }

    #[test]
    fn the_last_whole_line_is_found_over_any_piece() {
        for (content, whole) in [("", 0), ("x", 0), ("a\n", 2), ("a\nb\nc", 4)] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(content.as_bytes()).unwrap();
            assert_eq!(whole_length(&file, content.len() as u64).unwrap(), whole);
            file.write_all(&vec![0; 3 * 65_536]).unwrap();
            let length = content.len() as u64 + 3 * 65_536;
            assert_eq!(whole_length(&file, length).unwrap(), whole);
        }
    }
}
