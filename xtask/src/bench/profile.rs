//! Builds the server with its functions' names in it and has a request's instructions counted, or
//! its CPU time told by stage. It must not know what is measured: that is the crate `benches`.

use super::programs;
use crate::{Outcome, process, project};

/// The committed figures, from the root.
const FIGURES: &str = "benches/instructions.tsv";
/// The profile that names functions.
const PROFILE: &str = "profiling";

/// Counts the instructions of single requests and compares them with the committed figures.
pub(crate) fn instructions(bless: bool, rest: &[String]) -> Outcome {
    wants("valgrind", "valgrind")?;
    let mut benches = built("instructions")?;
    benches.arg("--figures").arg(project::root().join(FIGURES));
    if bless {
        benches.arg("--bless");
    }
    process::run(benches.args(rest))
}

/// Tells what a request's CPU time goes to.
pub(crate) fn stages(rest: &[String]) -> Outcome {
    wants("perf", "linux-perf")?;
    process::run(built("stages")?.args(rest))
}

/// The command of `benches`, with the server's program.
fn built(command: &str) -> Outcome<std::process::Command> {
    let (mut benches, server) = programs(PROFILE)?;
    benches.arg(command).arg(server);
    Ok(benches)
}

/// CI doesn't need these programs, so that they aren't among what it installs.
fn wants(program: &str, package: &str) -> Outcome {
    if process::exists(program) {
        return Ok(());
    }
    Err(format!("`{program}` is missing; Debian has it in the package {package}"))
}
