//! A server under measurement: its process on chosen cores, its endpoint, its CPU time and memory.
//! It owns the process and ends it; it must not know what is sent to it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use rustls::ClientConfig;

use crate::Outcome;

/// The core that servers run on.
pub(crate) const SERVER_CORE: usize = 0;
/// The core that the load comes from.
pub(crate) const LOAD_CORE: usize = 1;
/// A server that isn't there by then won't come. Under valgrind a start takes ten seconds and more.
const START_LIMIT: Duration = Duration::from_mins(3);
/// How often a starting server's output is looked at; start-up times are no more exact than that.
const LOOK_INTERVAL: Duration = Duration::from_micros(200);

/// Where a server answers, and how.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// Whom to trust where TLS is spoken.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl From<SocketAddr> for Endpoint {
    /// Plain HTTP.
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }
}

pub(crate) struct Server {
    child: Child,
    pub(crate) endpoint: Endpoint,
    spawned: Instant,
    log: PathBuf,
}

/// How a server is started.
pub(crate) struct Start<'a> {
    /// A program that runs the server and watches it, with its arguments; mostly none.
    pub(crate) watcher: &'a [&'a str],
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<OsString>,
    /// Where it runs, and its output is kept.
    pub(crate) folder: &'a Path,
    pub(crate) cores: &'a [usize],
    /// Finds its address in its output once it can be asked.
    pub(crate) ready: fn(&str) -> Option<SocketAddr>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// Puts this thread, and with it every thread and process that it starts, on some cores.
pub(crate) fn pin(cores: &[usize]) -> Outcome {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set)
        .map_err(|error| format!("cores {cores:?} can't be run on: {error}"))
}

/// A command whose settings are its arguments alone, wherever the measurement is called from.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STRONGROOM_") {
            command.env_remove(name);
        }
    }
    command
}

impl Server {
    /// Starts a program and waits until its output tells where it answers.
    pub(crate) fn start(start: Start<'_>) -> Outcome<Self> {
        let program = start.program.display();
        let log = start.folder.join("server.log");
        let failed = |error: std::io::Error| format!("{program}: {error}");
        let output = File::create(&log).map_err(failed)?;
        let mut words = start.watcher.iter().map(Path::new).chain([start.program]);
        let mut command = command(words.next().unwrap_or(start.program));
        command.args(words).args(&start.arguments).current_dir(start.folder).stdin(Stdio::null());
        command.stdout(output.try_clone().map_err(failed)?).stderr(output);
        pin(start.cores)?;
        let spawned = Instant::now();
        let child = command.spawn();
        pin(&[LOAD_CORE])?;
        let unbound = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = Endpoint { tls: start.tls, ..Endpoint::from(unbound) };
        let mut server = Self { child: child.map_err(failed)?, endpoint, spawned, log };
        server.endpoint.address = server
            .until_ready(start.ready)
            .map_err(|error| format!("{program}: {error}\n{}", server.output()))?;
        Ok(server)
    }

    fn until_ready(&mut self, ready: fn(&str) -> Option<SocketAddr>) -> Outcome<SocketAddr> {
        while self.spawned.elapsed() < START_LIMIT {
            if let Some(address) = ready(&self.output()) {
                return Ok(address);
            }
            if self.child.try_wait().map_err(|error| error.to_string())?.is_some() {
                return Err("it ended without telling where it answers".to_owned());
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Err(format!("not ready within {START_LIMIT:?}"))
    }

    fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The time from the start of the process to its first answer that says it is healthy.
    pub(crate) fn until_healthy(&self) -> Outcome<Duration> {
        while self.spawned.elapsed() < START_LIMIT {
            if is_healthy(self.endpoint.address) {
                return Ok(self.spawned.elapsed());
            }
        }
        Err(format!("not healthy within {START_LIMIT:?}"))
    }

    /// Its process's id, which a watcher has as well.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// User and system time of the process so far.
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

/// The address behind the first of these words in a server's output, up to what ends it.
pub(crate) fn address_behind(output: &str, words: &str) -> Option<SocketAddr> {
    let (_, rest) = output.split_once(words)?;
    let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '/')?;
    rest[..end].parse().ok()
}

/// The CPU time of the load generator, which is this process.
pub(crate) fn own_cpu_time() -> Outcome<Duration> {
    cpu_time("/proc/self/stat")
}

/// The kernel counts in hundredths of a second.
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

    #[test]
    fn an_address_is_read_once_its_line_has_come() {
        let line = r#"{"message":"listening","address":"127.0.0.1:37599","#;
        let found = Some(SocketAddr::from(([127, 0, 0, 1], 37599)));
        assert_eq!(address_behind(line, r#"listening","address":""#), found);
        assert_eq!(address_behind(&line[..44], r#"listening","address":""#), None);
        assert_eq!(address_behind("endpoint: http://127.0.0.1:37599\n", "http://"), found);
        assert_eq!(address_behind("nothing yet", "http://"), None);
    }
}
