//! Showing records: the last ones, new ones, those that are looked for.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use server::audit::LogReader;
use server::{TrailCriteria, TrailEntry, TrailTime};

use super::{Failure, Place};

/// How often the log is looked at for new records.
const POLL: Duration = Duration::from_millis(250);

#[derive(clap::Args)]
pub(super) struct Tail {
    /// How many records to show at first.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    lines: u64,
    /// Go on with each new record until interrupted.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub(super) struct Search {
    /// An operation, such as Decrypt; may be given several times, as all that follow may.
    #[arg(long, value_name = "NAME")]
    event_name: Vec<String>,
    /// Who did it: an ARN, a name, a unique id or an access key id; a role finds its sessions.
    #[arg(long, value_name = "WHO")]
    user: Vec<String>,
    /// What it was done to: an ARN, or its end, such as a key id.
    #[arg(long, value_name = "ARN")]
    resource: Vec<String>,
    /// The account of who did it or of what it was done to.
    #[arg(long, value_name = "ID")]
    account: Vec<String>,
    /// The client's address.
    #[arg(long, value_name = "ADDRESS")]
    source_ip: Vec<String>,
    /// The error that it was answered with, such as AccessDenied.
    #[arg(long, value_name = "CODE")]
    error_code: Vec<String>,
    /// The request's id.
    #[arg(long, value_name = "ID")]
    request_id: Vec<String>,
    /// From then on: 2026-11-22T07:00:00Z, 2026-11-22, or how long ago (30m, 2h, 7d).
    #[arg(long, value_name = "TIME")]
    since: Option<TrailTime>,
    /// Until before then, in the same forms.
    #[arg(long, value_name = "TIME")]
    until: Option<TrailTime>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
struct Form {
    /// Show records as they are in the log, one JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Tail {
    pub(super) fn run(self) -> Result<(), Failure> {
        let data = &self.place.data_dir;
        let mut reader = opened(LogReader::open_at_end(data, self.lines), data)?;
        let mut out = BufWriter::new(io::stdout().lock());
        loop {
            while let Some(line) = reader.next_line()? {
                self.form.write(&mut out, line.bytes)?;
            }
            out.flush()?;
            if !self.follow {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Search {
    pub(super) fn run(self) -> Result<(), Failure> {
        let criteria = TrailCriteria {
            event_names: self.event_name,
            users: self.user,
            resources: self.resource,
            accounts: self.account,
            source_ips: self.source_ip,
            error_codes: self.error_code,
            request_ids: self.request_id,
            since: self.since,
            until: self.until,
        };
        let data = &self.place.data_dir;
        let mut reader = opened(LogReader::open(data), data)?;
        let mut out = BufWriter::new(io::stdout().lock());
        while let Some(line) = reader.next_line()? {
            let entry = TrailEntry::parse(line.bytes);
            if entry.is_some_and(|entry| criteria.matches(&entry)) {
                self.form.write(&mut out, line.bytes)?;
            }
        }
        Ok(out.flush()?)
    }
}

impl Form {
    fn write(&self, out: &mut impl Write, line: &[u8]) -> io::Result<()> {
        match TrailEntry::parse(line).filter(|_| !self.json) {
            Some(entry) => writeln!(out, "{entry}"),
            None if self.json => {
                out.write_all(line)?;
                out.write_all(b"\n")
            }
            None => writeln!(out, "(a line that is no record, {} bytes)", line.len()),
        }
    }
}

fn opened(reader: io::Result<LogReader>, data: &Path) -> Result<LogReader, Failure> {
    reader.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no audit log in {}", data.display()).into(),
        _ => format!("the audit log in {} can't be read: {error}", data.display()).into(),
    })
}
