//! Builds the server and the load generator in release and runs the measurement. It must not know
//! what is measured: that is the crate `benches`.

use crate::{Outcome, process, project};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to the measurement; `-- --help` lists what it takes.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut cargo = project::cargo();
    process::run(cargo.args(["build", "--release", "--package", "strongroom", "-p", "benches"]))?;
    let release = project::target_directory().join("release");
    let mut benches = process::command(release.join("benches"));
    process::run(benches.arg("run").arg(release.join("strongroom")).args(&arguments.rest))
}
