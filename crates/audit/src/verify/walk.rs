//! Walking through the records, held against the chain and against what the digests say of it.
//!
//! Each line states its sequence and the chain's hash behind it. After a fault the walk goes on
//! from what the lines state, so that it finds the next fault too; what lies between a fault and
//! the next digest that agrees isn't called proven.
//!
//! Must not know how digests are verified.

use std::io;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use super::anchors::Anchors;
use super::report::{Fault, Report, Uncovered};
use crate::chain::{Hash, Line, hash_of};
use crate::layout::parse_name;
use crate::reader::{LogLine, LogReader};

/// The most gaps that are remembered, to tell what was moved from what is gone.
const GAPS_MAX: usize = 1_000;

/// Walks through the log; faults stand in the report.
pub(super) fn walk(data: &Path, anchors: &Anchors, report: &mut Report) -> io::Result<()> {
    let mut reader = match LogReader::open(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && report.digests > 0 => None,
        other => Some(other?),
    };
    let next = report.removed_to.saturating_add(1);
    let mut walk = Walk {
        anchors,
        report,
        buffer: Vec::new(),
        before_chain: Some((Context::new(&SHA256), 0)),
        segment: String::new(),
        first_seen: None,
        next,
        before: None,
        alternative: None,
        proven_to: next - 1,
        clean_from: None,
        suspect: None,
        unreadable: 0,
        gaps: Vec::new(),
    };
    if let Some(reader) = &mut reader {
        while let Some(line) = reader.next_line()? {
            walk.line(&line);
        }
        walk.report.torn = reader.torn();
    }
    walk.finish();
    Ok(())
}

/// A record that doesn't follow, until it is clear whether it was altered or is one too many.
struct Suspect {
    sequence: u64,
    /// The hash before it.
    before: Hash,
    /// Where its fault stands in the report.
    fault: usize,
}

/// Records that don't stand where they should.
struct Gap {
    from: u64,
    to: u64,
    segment: String,
    line: u64,
}

struct Walk<'a> {
    anchors: &'a Anchors,
    report: &'a mut Report,
    buffer: Vec<u8>,
    /// What stands before the first record, hashed, and its length; until that record is met.
    before_chain: Option<(Context, u64)>,
    /// The segment that the last line stands in.
    segment: String,
    first_seen: Option<u64>,
    /// The sequence that is expected.
    next: u64,
    /// The hash before it, if it is known.
    before: Option<Hash>,
    /// What that hash is, if not the last record was altered but what it states.
    alternative: Option<Hash>,
    /// The last record at which a digest agreed or disagreed.
    proven_to: u64,
    /// From where on all is well, on a hash that is known to be right.
    clean_from: Option<u64>,
    suspect: Option<Suspect>,
    /// How many lines in a row were unreadable.
    unreadable: u64,
    gaps: Vec<Gap>,
}

impl Walk<'_> {
    fn line(&mut self, line: &LogLine<'_>) {
        let is_new = self.segment != line.segment;
        if is_new {
            line.segment.clone_into(&mut self.segment);
            self.report.segments += 1;
            if let Some(first) = parse_name(line.segment) {
                self.begin_at(first);
            }
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let parsed = Line::parse(line.bytes, &mut buffer);
        self.buffer = buffer;
        match parsed.filter(|_| line.is_whole) {
            Some(record) => {
                let sequence = record.link.sequence;
                let named = parse_name(line.segment).filter(|first| is_new && *first != sequence);
                if named.is_some() {
                    let segment = line.segment.to_owned();
                    self.fault(Fault::Misnamed { segment, sequence });
                }
                if is_new && named.is_none() {
                    self.begin_at(sequence);
                }
                self.report.records += 1;
                self.first_seen = self.first_seen.or(Some(sequence));
                self.end_before_chain(line, &record);
                self.record(line, &record);
            }
            None => self.other(line),
        }
    }

    /// A segment begins with that record: what is missing before it are whole segments.
    fn begin_at(&mut self, first: u64) {
        if self.first_seen.is_none() && first < self.next {
            // Retention was about to remove it when the server died.
            (self.next, self.proven_to) = (first, first - 1);
        }
        if first <= self.next || self.unreadable > 0 {
            return;
        }
        self.fault(Fault::SegmentsMissing { from: self.next, to: first - 1 });
        self.skip_to(first);
        // It isn't what was written before the chain that is missing.
        self.before_chain = None;
    }

    /// Goes on with that record, behind what a digest says if one does.
    fn skip_to(&mut self, sequence: u64) {
        let anchor = self.anchors.at.get(&(sequence - 1));
        (self.next, self.before) = (sequence, anchor.map(|anchor| anchor.hash));
        self.alternative = None;
        self.clean_from = anchor.map(|_| sequence);
        self.proven_to = sequence - 1;
    }

    /// A line that is none of the chain's.
    fn other(&mut self, line: &LogLine<'_>) {
        match &mut self.before_chain {
            Some((hash, bytes)) if self.next == 1 => {
                hash.update(line.bytes);
                hash.update(b"\n");
                *bytes += line.bytes.len() as u64 + 1;
            }
            _ => {
                self.unreadable += 1;
                let segment = line.segment.to_owned();
                self.fault(Fault::Unreadable { segment, line: line.number });
            }
        }
    }

    /// The first record is met: it states what stands before it.
    fn end_before_chain(&mut self, line: &LogLine<'_>, record: &Line) {
        let Some((hash, bytes)) = self.before_chain.take() else { return };
        if self.next > 1 {
            return self.skip_to(self.next);
        }
        let mut before = [0; 32];
        before.copy_from_slice(hash.finish().as_ref());
        let follows = hash_of(&before, 1, &record.record) == record.link.hash;
        if bytes > 0 && !follows {
            self.fault(Fault::BeforeChain { segment: line.segment.to_owned() });
            // The record itself is taken as it is.
            self.before = None;
            return;
        }
        self.report.bytes_before_chain = bytes;
        (self.before, self.clean_from) = (Some(before), Some(1));
    }

    fn record(&mut self, line: &LogLine<'_>, record: &Line) {
        let sequence = record.link.sequence;
        let unreadable = std::mem::take(&mut self.unreadable);
        if sequence < self.next {
            return self.misplaced(line, record);
        }
        if sequence > self.next {
            let next = self.before.map(|before| hash_of(&before, self.next, &record.record));
            if next == Some(record.link.hash) {
                // Only the number was altered.
                let sequence = self.next;
                let segment = line.segment.to_owned();
                self.fault(Fault::Altered { sequence, segment, line: line.number });
                return self.advance(record.link.hash, None);
            }
            if sequence - self.next > unreadable {
                self.gap(line, sequence);
            }
            self.skip_to(sequence);
        }
        let stated = record.link.hash;
        let follows = |before: Hash| hash_of(&before, sequence, &record.record) == stated;
        match self.before {
            Some(before) if !follows(before) && !self.alternative.is_some_and(follows) => {
                let fault = self.report.faults.len();
                let segment = line.segment.to_owned();
                self.fault(Fault::Altered { sequence, segment, line: line.number });
                self.suspect = Some(Suspect { sequence, before, fault });
                self.advance(stated, Some(hash_of(&before, sequence, &record.record)));
            }
            _ => self.advance(stated, None),
        }
    }

    /// A record whose sequence is behind.
    fn misplaced(&mut self, line: &LogLine<'_>, record: &Line) {
        let sequence = record.link.sequence;
        let (segment, number) = (line.segment.to_owned(), line.number);
        if let Some(suspect) = self.suspect.take()
            && suspect.sequence == sequence
            && self.next == sequence.saturating_add(1)
            && hash_of(&suspect.before, sequence, &record.record) == record.link.hash
        {
            // This is the record; the one before was put there.
            if let Some(Fault::Altered { sequence, segment, line }) =
                self.report.faults.get(suspect.fault).cloned()
            {
                let inserted = Fault::Inserted { sequence, segment, line };
                self.report.faults[suspect.fault] = inserted;
            }
            (self.before, self.alternative) = (Some(record.link.hash), None);
            return;
        }
        let gap = self.gaps.iter().position(|gap| (gap.from..=gap.to).contains(&sequence));
        let Some(index) = gap else {
            return self.fault(Fault::Inserted { sequence, segment, line: number });
        };
        let Gap { from, to, segment: at, line: before } = self.gaps.swap_remove(index);
        for (from, to) in [(from, sequence - 1), (sequence.saturating_add(1), to)] {
            if from <= to {
                self.gaps.push(Gap { from, to, segment: at.clone(), line: before });
            }
        }
        self.fault(Fault::Reordered { sequence, segment, line: number });
    }

    fn gap(&mut self, line: &LogLine<'_>, sequence: u64) {
        let gap = Gap {
            from: self.next,
            to: sequence - 1,
            segment: line.segment.to_owned(),
            line: line.number,
        };
        self.clean_from = None;
        if self.gaps.len() < GAPS_MAX { self.gaps.push(gap) } else { self.tell(gap) }
    }

    fn tell(&mut self, gap: Gap) {
        let Gap { from, to, segment, line } = gap;
        self.fault(Fault::Missing { from, to, segment, line });
    }

    fn fault(&mut self, fault: Fault) {
        self.clean_from = None;
        self.report.fault(fault);
    }

    /// The expected record is dealt with; the chain's hash behind it is `stated`, unless it is
    /// `alternative`.
    fn advance(&mut self, mut stated: Hash, mut alternative: Option<Hash>) {
        let sequence = self.next;
        if let Some(anchor) = self.anchors.at.get(&sequence) {
            if alternative == Some(anchor.hash) {
                stated = anchor.hash;
                alternative = None;
            }
            if stated == anchor.hash {
                if let Some(from) = self.clean_from {
                    self.report.cover(from, sequence, anchor.digest, &anchor.time);
                }
                self.clean_from = Some(sequence.saturating_add(1));
            } else {
                let from = self.proven_to.saturating_add(1);
                let digest = anchor.digest;
                self.fault(Fault::Rewritten { from, to: sequence, digest });
            }
            self.proven_to = sequence;
        }
        (self.before, self.alternative) = (Some(stated), alternative);
        self.next = sequence.saturating_add(1);
    }

    fn finish(&mut self) {
        for gap in std::mem::take(&mut self.gaps) {
            self.tell(gap);
        }
        if let Some((_, bytes)) = self.before_chain.take() {
            self.report.bytes_before_chain = bytes;
        }
        for (sequence, digest) in &self.anchors.contradicting {
            let (from, to) = (*sequence, *sequence);
            self.report.fault(Fault::Rewritten { from, to, digest: *digest });
        }
        let last = self.next - 1;
        match self.anchors.last() {
            Some((to, digest)) if to > last => {
                self.report.fault(Fault::Cut { from: last.saturating_add(1), to, digest });
            }
            covered => {
                let covered = covered.map_or(0, |(to, _)| to);
                if let Some(first) = self.first_seen.filter(|_| last > covered) {
                    let from = first.max(covered + 1);
                    self.report.uncovered = Some(Uncovered { from, to: last });
                }
            }
        }
    }
}
