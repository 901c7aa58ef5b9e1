//! What the measurement ran on, so that another one can be compared with it. It must not know what
//! was measured.

use std::fmt;
use std::fs;
use std::path::Path;

use jiff::Timestamp;

pub(crate) struct Machine {
    processor: String,
    cores: usize,
    /// In GiB.
    memory: f64,
    kernel: String,
    /// Of the folder that the servers' data is in.
    file_system: String,
    /// Processes that ran or wanted to, over the minute before.
    load: String,
    date: String,
    /// How the server was built.
    built: String,
}

impl Machine {
    /// Looks at this machine; to be called before the load.
    pub(crate) fn look(built: &str) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let (model, cores) = processor(&cpus);
        let load = read("/proc/loadavg");
        Self {
            processor: model.to_owned(),
            cores,
            memory: memory(&read("/proc/meminfo")),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/self/mounts"), &std::env::temp_dir()),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            date: Timestamp::now().strftime("%Y-%m-%d").to_string(),
            built: built.to_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory, kernel, file_system, load, date, built } = self;
        write!(
            f,
            "{date}; {processor}, {cores} cores, {memory:.0} GiB; Linux {kernel};\n\
             data on {file_system}; {built}; load average {load} before"
        )
    }
}

fn processor(cpuinfo: &str) -> (&str, usize) {
    let mut models = cpuinfo.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "model name").then_some(value.trim())
    });
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    // On arm64 there is no such line.
    (models.next().unwrap_or("a processor without a name"), cores)
}

fn memory(meminfo: &str) -> f64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u32>().ok());
    kibibytes.map_or(f64::NAN, f64::from) / 1024.0 / 1024.0
}

/// The type of the mount that a path is in: of those above it the deepest, of its mounts the last.
fn file_system(mounts: &str, path: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (at, kind) = (fields.next()?, fields.next()?);
        path.starts_with(at).then_some((at.len(), kind))
    });
    let deepest = mounts.max_by_key(|(depth, _)| *depth);
    deepest.map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_and_memory_are_counted() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\n\
            processor\t: 1\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(processor(cpuinfo), ("Some CPU @ 2 GHz", 2));
        let found = memory("MemTotal:       25165824 kB\nMemFree: 1 kB\n");
        assert!((found - 24.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn the_deepest_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\ntmpfs /tm tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/x")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/home")), "ext4");
    }
}
