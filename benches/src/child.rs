//! A server under measurement: its process on one core, its endpoint, its CPU time and memory. It
//! owns the process and ends it; it must not know what is sent to it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Outcome;

/// The core that servers run on.
const SERVER_CORE: usize = 0;
/// The core that the load comes from.
const LOAD_CORE: usize = 1;
/// A server that isn't there by then won't come.
const START_LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    spawned: Instant,
}

/// Puts this thread, and with it every thread and process that it starts, on one core.
fn pin(core: usize) -> Outcome {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).map_err(|error| format!("no core {core} to run on: {error}"))
}

impl Server {
    /// Starts a program that prints `endpoint: http://ADDRESS`. Its log goes into the folder.
    pub(crate) fn start(program: &Path, arguments: &[&str], folder: &Path) -> Outcome<Self> {
        let log = folder.join("server.log");
        let stderr = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(stderr);
        pin(SERVER_CORE)?;
        let spawned = Instant::now();
        let child = command.spawn();
        pin(LOAD_CORE)?;
        let child = child.map_err(|error| format!("{}: {error}", program.display()))?;
        let unbound = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, address: unbound, spawned };
        server.address = server.endpoint().map_err(|error| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("{}: {error}\n{log}", program.display())
        })?;
        Ok(server)
    }

    /// Reads the endpoint, and keeps on reading in a thread so that the server never blocks.
    fn endpoint(&mut self) -> Outcome<SocketAddr> {
        let stdout = self.child.stdout.take().ok_or("it has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let text = lines.find_map(|line| {
            let line = line.ok()?;
            line.trim().strip_prefix("endpoint: http://").map(str::to_owned)
        });
        std::thread::spawn(move || lines.for_each(drop));
        let text = text.ok_or("it ended without printing its endpoint")?;
        text.parse().map_err(|_| format!("`{text}` isn't an address"))
    }

    /// The time from the start of the process to its first answer that says it is healthy.
    pub(crate) fn until_healthy(&self) -> Outcome<Duration> {
        while self.spawned.elapsed() < START_LIMIT {
            if is_healthy(self.address) {
                return Ok(self.spawned.elapsed());
            }
        }
        Err(format!("not healthy within {START_LIMIT:?}"))
    }

    /// User and system time of the process so far; the kernel counts in hundredths of a second.
    pub(crate) fn cpu_time(&self) -> Outcome<Duration> {
        cpu_time(&format!("/proc/{}/stat", self.child.id()))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Outcome<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.map(|number| number * 1024).ok_or_else(|| format!("{path} has no VmRSS"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CPU time of the load generator, which is this process.
pub(crate) fn own_cpu_time() -> Outcome<Duration> {
    cpu_time("/proc/self/stat")
}

fn cpu_time(path: &str) -> Outcome<Duration> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let ticks = ticks(&text).ok_or_else(|| format!("{path} isn't as proc(5) says"))?;
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}

/// Fields 14 and 15 of proc(5)'s stat. The second field is a name in parentheses that may hold
/// anything, so the count starts behind its last parenthesis.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let request = "GET /_strongroom/health HTTP/1.1\r\nhost: localhost\r\n\
            connection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_used_time() {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(60) {}
        assert!(own_cpu_time().expect("stat") > Duration::ZERO);
    }
}
