//! Reading the log from its files, beside the server that writes it or without one: line by line,
//! in order, over all segments, with bounded memory.
//!
//! Must not know what a record says, nor change anything.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::chain::stated;
use crate::layout::{Layout, open_to_read, same_file, segment_name};
use crate::lines::whole_length;
use crate::log::LINE_MAX;

/// How often the reading begins again when segments are closed or removed under it.
const ATTEMPTS_MAX: usize = 8;

/// A line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The name of the segment's file.
    pub segment: &'a str,
    /// The line's number in it, from 1.
    pub number: u64,
    /// Its bytes, without the line's end: a record with the chain's member, unless it was written
    /// before there was a chain or by somebody else. A line that is longer than any record is cut.
    pub bytes: &'a [u8],
    /// Whether the line has its end: in a closed segment a last one may have lost it.
    pub is_whole: bool,
}

/// Reads the lines of a log.
pub struct LogReader {
    layout: Layout,
    file: BufReader<File>,
    name: String,
    /// The first sequence of the closed segment that is being read; None for the current one.
    segment: Option<u64>,
    number: u64,
    line: Vec<u8>,
    /// Whether `line` is a whole one that was given away.
    given: bool,
}

impl LogReader {
    /// Reads the log of a data directory from its oldest record on.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn open(data: &Path) -> io::Result<Self> {
        let layout = Layout::new(data);
        for _ in 0..ATTEMPTS_MAX {
            let oldest = layout.list_closed()?.first().copied();
            match Self::at(&layout, oldest) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && oldest.is_some() => {}
                other => return other,
            }
        }
        Err(io::Error::other("segments are removed faster than they can be read"))
    }

    /// Reads the log from its last `lines` lines on.
    ///
    /// # Errors
    /// As for [`LogReader::open`].
    pub fn open_at_end(data: &Path, lines: u64) -> io::Result<Self> {
        let layout = Layout::new(data);
        let mut segments: Vec<Option<u64>> = layout.list_closed()?.into_iter().map(Some).collect();
        segments.push(None);
        let mut wanted = lines;
        let mut reader = None;
        for segment in segments.into_iter().rev() {
            let mut one = match Self::at(&layout, segment) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && reader.is_some() => break,
                other => other?,
            };
            wanted -= one.go_back(wanted)?;
            reader = Some(one);
            if wanted == 0 {
                break;
            }
        }
        reader.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn at(layout: &Layout, segment: Option<u64>) -> io::Result<Self> {
        let (path, name) = match segment {
            Some(first) => (layout.closed(first), segment_name(first)),
            None => (layout.current(), "audit.jsonl".to_owned()),
        };
        Ok(Self {
            layout: layout.clone(),
            file: BufReader::with_capacity(256 << 10, open_to_read(&path)?),
            name,
            segment,
            number: 0,
            line: Vec::new(),
            given: false,
        })
    }

    /// Goes to the last so many lines of the segment, or to all that it has; tells how many.
    fn go_back(&mut self, lines: u64) -> io::Result<u64> {
        let file = self.file.get_ref();
        let mut at = whole_length(file, file.metadata()?.len())?;
        let mut count = 0;
        while count < lines && at > 0 {
            at = whole_length(file, at - 1)?;
            count += 1;
        }
        self.file.seek(SeekFrom::Start(at))?;
        Ok(count)
    }

    /// The next line; None at the end of what is written by now, from where it may be asked again.
    ///
    /// # Errors
    /// What can't be read. Segments that were removed before they were read are left out.
    pub fn next_line(&mut self) -> io::Result<Option<LogLine<'_>>> {
        loop {
            if self.fill()? {
                self.number += 1;
                self.given = true;
                let whole = self.line.strip_suffix(b"\n");
                return Ok(Some(LogLine {
                    segment: &self.name,
                    number: self.number,
                    bytes: whole.unwrap_or(&self.line),
                    is_whole: whole.is_some(),
                }));
            }
            if !self.next_segment()? {
                return Ok(None);
            }
        }
    }

    /// Reads on in the segment until the line is whole; false if it isn't yet.
    fn fill(&mut self) -> io::Result<bool> {
        if self.given {
            self.line.clear();
            self.given = false;
        }
        let room = (LINE_MAX + 1).saturating_sub(self.line.len());
        self.file.by_ref().take(room as u64).read_until(b'\n', &mut self.line)?;
        if self.line.len() > LINE_MAX && !self.line.ends_with(b"\n") {
            // No record is as long; what is behind that is the same line's.
            return self.skip_line().map(|()| true);
        }
        // Nothing is going to be added to a closed segment.
        Ok(self.line.ends_with(b"\n") || self.segment.is_some() && !self.line.is_empty())
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.file.fill_buf()?;
            let found = buffer.iter().position(|byte| *byte == b'\n');
            let length = found.map_or(buffer.len(), |at| at + 1);
            let is_over = found.is_some() || buffer.is_empty();
            self.file.consume(length);
            if is_over {
                return Ok(());
            }
        }
    }

    /// Goes to the segment behind this one, if this one is closed.
    fn next_segment(&mut self) -> io::Result<bool> {
        for _ in 0..ATTEMPTS_MAX {
            let next = match self.segment {
                Some(first) => self.layout.list_closed()?.into_iter().find(|next| *next > first),
                None => match self.closed_meanwhile()? {
                    Some(first) => {
                        // What was written before it was closed comes first.
                        self.segment = Some(first);
                        self.name = segment_name(first);
                        return Ok(true);
                    }
                    None => return Ok(false),
                },
            };
            match Self::at(&self.layout, next) {
                // Closed or removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(next) => {
                    if next.segment.is_none() && self.overlooks(&next)? {
                        continue;
                    }
                    *self = next;
                    return Ok(true);
                }
            }
        }
        // There is no current segment. One that is being made would have been there by now.
        Ok(false)
    }

    /// How many bytes stand behind the last line, of one that isn't whole.
    pub(crate) fn torn(&self) -> u64 {
        if self.given { 0 } else { self.line.len() as u64 }
    }

    /// Whether a segment was closed between this one and what is the current one now.
    fn overlooks(&self, current: &Self) -> io::Result<bool> {
        let behind = |first: &u64| self.segment.is_some_and(|read| *first > read);
        let between = self.layout.list_closed()?.into_iter().find(behind);
        let Some(first) = between else { return Ok(false) };
        let path = self.layout.closed(first);
        // It has both names while it is being closed.
        Ok(!same_file(current.file.get_ref(), &path).unwrap_or(false))
    }

    /// The name that the current segment has got meanwhile, if it isn't the current one any more.
    fn closed_meanwhile(&self) -> io::Result<Option<u64>> {
        let file = self.file.get_ref();
        match same_file(file, &self.layout.current()) {
            Ok(false) => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(None),
        }
        // Only now, since it may have been closed until this moment.
        let closed = self.layout.list_closed()?;
        for first in closed.iter().rev() {
            if same_file(file, &self.layout.closed(*first)).unwrap_or(false) {
                return Ok(Some(*first));
            }
        }
        // It was moved away: what is there now is read from its beginning.
        Ok(closed.last().copied())
    }
}

/// The sequence of the record on a line, if the chain has put one there.
pub fn sequence(line: &[u8]) -> Option<u64> {
    stated(line).map(|(link, _)| link.sequence)
}
