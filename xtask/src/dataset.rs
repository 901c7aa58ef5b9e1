//! Builds the load generator in release and has it make a data set, or measure a server on one. It
//! must not know what is made: that is the crate `benches`.

use crate::bench::programs;
use crate::{Outcome, process};

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
    let (mut benches, server) = programs("release")?;
    match arguments.task {
        Task::Make => benches.arg("dataset"),
        Task::Measure => benches.arg("scale").arg(server),
    };
    process::run(benches.args(&arguments.rest))
}
