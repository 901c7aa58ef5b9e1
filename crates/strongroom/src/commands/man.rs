//! `strongroom man`: the manual pages of the command line, one for each command.

use std::path::PathBuf;
use std::process::ExitCode;

/// What `man` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The directory to write the pages to; made if it doesn't exist.
    directory: PathBuf,
}

/// Writes the pages of that command line.
pub(crate) fn run(arguments: &Arguments, command: clap::Command) -> ExitCode {
    let directory = &arguments.directory;
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let directory = directory.display();
            eprintln!("strongroom: the pages can't be written to {directory}: {error}");
            ExitCode::FAILURE
        }
    }
}
