//! The command line: what may be typed, and which command that is.

mod commands;
mod connection;
mod seal_spec;
mod secrets;
mod socket;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// AWS KMS on your own machines.
#[derive(Parser)]
#[command(name = "strongroom", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read the audit log, and prove that it is whole.
    Audit(commands::audit::Arguments),
    /// Serve for development and tests: no configuration, any secret, every Region.
    Dev(commands::dev::Arguments),
    /// Make a data directory for `serve`: the root key under seals, an account, its administrator.
    Init(commands::init::Arguments),
    /// Serve in production, by a configuration file; sealed until it is unsealed.
    Serve(commands::serve::Arguments),
    /// Unseal a running server.
    Unseal(commands::seal::Unseal),
    /// List and change the seals of a running server.
    Seal(commands::seal::Arguments),
    /// Rotate the keys that protect keys, or tell how far that has come.
    Rotate(commands::operate::Rotate),
    /// Tell how a running server is.
    Status(commands::operate::Status),
    /// Have a running server read its configuration and certificates again.
    Reload(commands::operate::Reload),
    /// Make, verify and restore backups.
    Backup(commands::backup::Arguments),
    /// Ask who may do what to which key, and why.
    Policy(commands::policy::Arguments),
    /// Check the configuration, or print what may stand in it.
    Config(commands::config::Arguments),
    /// Print the completions of this command line for a shell.
    Completions(commands::completions::Arguments),
    /// Write the manual pages of this command line.
    Man(commands::man::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Audit(arguments) => commands::audit::run(arguments),
        Command::Dev(arguments) => commands::dev::run(arguments),
        Command::Init(arguments) => commands::init::run(arguments),
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Unseal(arguments) => commands::seal::unseal(&arguments),
        Command::Seal(arguments) => commands::seal::run(&arguments),
        Command::Rotate(arguments) => commands::operate::rotate(&arguments),
        Command::Status(arguments) => commands::operate::status(&arguments),
        Command::Reload(arguments) => commands::operate::reload(&arguments),
        Command::Backup(arguments) => commands::backup::run(&arguments),
        Command::Policy(arguments) => commands::policy::run(arguments),
        Command::Config(arguments) => commands::config::run(&arguments),
        Command::Completions(arguments) => {
            commands::completions::run(&arguments, Arguments::command())
        }
        Command::Man(arguments) => commands::man::run(&arguments, Arguments::command()),
    }
}
