//! `strongroom config`: what the configuration says, whether it is right, and what may stand in it.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Subcommand;
use server::config::{self, Config};

use super::settings::Settings;

/// What `config` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say what is wrong with the configuration, all of it, and which values are in force.
    Check(Settings),
    /// Print the reference of all settings, in Markdown.
    Reference,
}

/// Prints what was asked for; fails if the configuration can't be taken.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let printed = match &arguments.command {
        Command::Check(settings) => return check(settings),
        Command::Reference => io::stdout().write_all(config::reference().as_bytes()),
    };
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Values go to the standard output, what is wrong to the standard error output.
fn check(settings: &Settings) -> ExitCode {
    let loaded = Config::read(&settings.sources());
    let printed = io::stdout().write_all(loaded.effective().as_bytes());
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    for fault in &loaded.faults {
        eprintln!("error: {fault}");
    }
    if loaded.faults.is_empty() && printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
