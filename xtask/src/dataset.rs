//! Builds the load generator in release and has it make a data set, or measure a server on one. It
//! must not know what is made: that is the crate `benches`.

use crate::{Outcome, process, project};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `make` fills a running server; `measure` starts one on a set that was made.
    task: Task,
    /// Passed on; `-- --help` lists what there is.
    #[arg(last = true)]
    rest: Vec<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Task {
    Make,
    Measure,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    process::run(project::cargo().args([
        "build",
        "--release",
        "-p",
        "strongroom",
        "-p",
        "benches",
    ]))?;
    let release = project::target_directory().join("release");
    let mut benches = process::command(release.join("benches"));
    match arguments.task {
        Task::Make => benches.arg("dataset"),
        Task::Measure => benches.arg("scale").arg(release.join("strongroom")),
    };
    process::run(benches.args(&arguments.rest))
}
