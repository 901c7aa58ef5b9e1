//! Builds the server in release and kills it under load, for as many rounds as one likes. It must
//! not know what has to be true after a kill: that is `conformance/clients/endurance.py`.

use crate::{Outcome, process, project, python};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many times the server is killed.
    #[arg(long, default_value_t = 1000)]
    rounds: u32,
    /// Passed on; `-- --help` lists what it takes.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    process::run(project::cargo().args(["build", "--release", "--package", "strongroom"]))?;
    python::prepare()?;
    let mut endurance = process::command(python::interpreter());
    endurance.arg("conformance/clients/endurance.py");
    endurance.arg("--rounds").arg(arguments.rounds.to_string()).args(&arguments.rest);
    endurance.env("STRONGROOM_BIN", project::target_directory().join("release/strongroom"));
    // No caches in the source tree.
    endurance.env("PYTHONDONTWRITEBYTECODE", "1");
    process::run(&mut endurance)
}
