//! What the system says of this process (proc(5)).
//!
//! Must not know names of metrics.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the process has and has used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct ProcessReading {
    /// Processor time of all threads, in seconds.
    pub(super) cpu_seconds: f64,
    /// Physical memory, in bytes.
    pub(super) resident_bytes: u64,
    /// Address space, in bytes.
    pub(super) virtual_bytes: u64,
    /// Memory that can't be swapped out, in bytes.
    pub(super) locked_bytes: u64,
    pub(super) threads: u64,
    pub(super) open_fds: u64,
    pub(super) max_fds: u64,
    /// When it was started, in seconds since 1970.
    pub(super) start_seconds: f64,
}

impl ProcessReading {
    /// Asks the system; what it doesn't tell is zero.
    pub(super) fn now() -> Self {
        let mut reading = Self::default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        for line in status.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let number = value.split_whitespace().next().and_then(|number| number.parse().ok());
            let Some(number) = number else { continue };
            match name {
                "VmRSS" => reading.resident_bytes = kibibytes(number),
                "VmSize" => reading.virtual_bytes = kibibytes(number),
                "VmLck" => reading.locked_bytes = kibibytes(number),
                "Threads" => reading.threads = number,
                _ => {}
            }
        }
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let since_boot = fs::read_to_string("/proc/uptime").unwrap_or_default();
        if let Some(times) = Times::parse(&stat) {
            let ticks = f64::from(u32::try_from(ticks_per_second()).unwrap_or(100));
            reading.cpu_seconds = times.used / ticks;
            let uptime = since_boot.split(' ').next().and_then(|text| text.parse::<f64>().ok());
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let age = uptime.map_or(0.0, |uptime| uptime - times.started / ticks);
            reading.start_seconds = now.as_secs_f64() - age.max(0.0);
        }
        // The reading of the directory is itself one of the open files.
        let open = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        reading.open_fds = u64::try_from(open.saturating_sub(1)).unwrap_or(0);
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        reading.max_fds = limit.current.unwrap_or(0);
        reading
    }
}

fn kibibytes(number: u64) -> u64 {
    number.saturating_mul(1024)
}

fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

/// Ticks of the clock, as `/proc/self/stat` has them.
struct Times {
    used: f64,
    started: f64,
}

impl Times {
    fn parse(stat: &str) -> Option<Self> {
        // The name of the program stands in parentheses and may have anything in it.
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self { used: field(14)? + field(15)?, started: field(22)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_this_process() {
        let reading = ProcessReading::now();
        assert!(reading.resident_bytes > 1 << 20 && reading.virtual_bytes > reading.resident_bytes);
        assert!(reading.threads > 0 && reading.open_fds >= 3);
        assert!(reading.max_fds >= reading.open_fds);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(reading.start_seconds <= now && now - reading.start_seconds < 86_400.0);
        // Work takes processor time, in ticks of ten milliseconds.
        let began = std::time::Instant::now();
        while ProcessReading::now().cpu_seconds <= reading.cpu_seconds {
            assert!(began.elapsed().as_secs() < 60);
        }
    }

    #[test]
    fn a_hostile_name_misleads_nobody() {
        let fields = "S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345 1000000 200";
        let times = Times::parse(&format!("42 (a) b) {fields}")).unwrap();
        assert!((times.used - 300.0).abs() < 1e-9 && (times.started - 12345.0).abs() < 1e-9);
    }
}
