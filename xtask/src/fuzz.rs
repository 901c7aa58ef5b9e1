//! Builds and runs the fuzz targets on the stable compiler. It owns how they are instrumented and
//! limited, and must not know what they feed; that is `fuzz/src/bin/`, one file to a target.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Outcome, process, project};

/// What cargo-fuzz passes, less the sanitizers, which need a nightly compiler: coverage counters
/// that libFuzzer reads, and the operands of comparisons so that it can guess constants.
const INSTRUMENTATION: &str = "--cfg fuzzing \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// One megabyte is the largest body that the server reads; a request is a little more.
const INPUT_BYTES: usize = 1 << 20;
/// Memory that a target may hold, all in all.
const MEMORY_MEGABYTES: usize = 512;
/// Nothing that a client sends may keep a parser busy for longer.
const SECONDS_FOR_INPUT: usize = 5;
/// How much of the engine's log is shown of a target that failed: the panic and the input.
const LOG_LINES: usize = 60;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// Run only this target.
    pub(crate) target: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let root = project::root().join("fuzz");
    let all = targets(&root.join("src/bin"))?;
    let chosen: Vec<String> = match &arguments.target {
        None => all,
        Some(name) if all.contains(name) => vec![name.clone()],
        Some(name) => return Err(format!("no target `{name}`; there are {}", all.join(", "))),
    };
    let directory = project::target_directory().join("fuzz");
    let programs = build(&root, &directory)?;
    for target in &chosen {
        println!("-- {target}, {} s", arguments.seconds);
        fuzz(target, arguments.seconds, &root, &directory, &programs)?;
    }
    Ok(())
}

/// The targets' names: the files of the folder, without their ending.
fn targets(folder: &Path) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    if names.is_empty() { Err("there are no fuzz targets".to_owned()) } else { Ok(names) }
}

/// Compiles all targets and returns the folder of the programs.
fn build(root: &Path, directory: &Path) -> Outcome<PathBuf> {
    let host = project::host()?;
    let mut cargo = project::cargo();
    cargo.args(["build", "--release", "--manifest-path"]).arg(root.join("Cargo.toml"));
    // With a target named, build scripts and macros are compiled without the instrumentation.
    cargo.args(["--target", &host, "--target-dir"]).arg(directory);
    cargo.env("RUSTFLAGS", INSTRUMENTATION).env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::run(&mut cargo)?;
    Ok(directory.join(host).join("release"))
}

fn fuzz(target: &str, seconds: u64, root: &Path, directory: &Path, programs: &Path) -> Outcome {
    let corpus = directory.join("corpus").join(target);
    let findings = directory.join("findings").join(target);
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut program = process::command(programs.join(target));
    // The first folder takes the new inputs; the seeds are read only.
    program.arg(&corpus).arg(root.join("seeds").join(target));
    program.args([
        // A comparison that comes nearer counts as progress, so several in a row are passed.
        "-use_value_profile=1".to_owned(),
        format!("-max_total_time={seconds}"),
        format!("-max_len={INPUT_BYTES}"),
        format!("-rss_limit_mb={MEMORY_MEGABYTES}"),
        format!("-timeout={SECONDS_FOR_INPUT}"),
        format!("-artifact_prefix={}/", findings.display()),
        "-print_final_stats=1".to_owned(),
    ]);
    // The engine writes thousands of lines; they matter when it has found something.
    let log = directory.join(format!("{target}.log"));
    let file = fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let outcome = process::run(program.stderr(file));
    let text = fs::read(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(LOG_LINES);
    for (index, line) in lines.iter().enumerate() {
        let matters = if outcome.is_ok() { line.starts_with("stat::") } else { index >= last };
        if matters {
            println!("{line}");
        }
    }
    outcome.map_err(|error| format!("{error}; the input is in {}", findings.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for target in targets(&root.join("src/bin")).expect("targets") {
            let seeds = fs::read_dir(root.join("seeds").join(&target)).expect("a seeds folder");
            assert!(seeds.count() > 0, "{target} has no seed");
        }
    }
}
