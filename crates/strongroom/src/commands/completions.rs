//! `strongroom completions`: what a shell needs to complete the command line.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap_complete::Shell;

/// What `completions` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The shell that they are for.
    shell: Shell,
}

/// Prints the completions of that command line.
pub(crate) fn run(arguments: &Arguments, mut command: clap::Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "strongroom", &mut script);
    match io::stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
