//! The command line: what may be typed, and which command that is.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// AWS KMS on your own machines.
#[derive(Parser)]
#[command(name = "strongroom", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve for development and tests: no configuration, any secret, every Region.
    Dev(commands::dev::Arguments),
    /// Ask who may do what to which key, and why.
    Policy(commands::policy::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Dev(arguments) => commands::dev::run(arguments),
        Command::Policy(arguments) => commands::policy::run(arguments),
    }
}
