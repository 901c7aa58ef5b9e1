//! `cargo xtask`: the commands that work on the repository itself. It owns the list of checks that
//! CI runs. It must not know how the product works, only how to build it, test it and measure it.

mod bench;
mod ci;
mod counts;
mod dataset;
mod deny;
mod endurance;
mod fuzz;
mod mutants;
mod packages;
mod process;
mod project;
mod python;
mod sbom;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a command of this program ends with; an error is a sentence for the person who called it.
type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Checks, measures and fuzzes this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that CI runs, in CI's order.
    Ci(ci::Arguments),
    /// The house rules that neither rustfmt nor clippy checks.
    Tidy,
    /// Licences, duplicate and banned dependencies, sources.
    Deny(deny::Arguments),
    /// Writes which crates are linked into the binary, as CycloneDX.
    Sbom(sbom::Arguments),
    /// Builds the fuzz targets and runs each for a while.
    Fuzz(fuzz::Arguments),
    /// Changes the policy engine in every small way, and asks whether its tests notice.
    Mutants(mutants::Arguments),
    /// Kills the server under load again and again, and holds it to all that it has answered.
    Endurance(endurance::Arguments),
    /// Throughput beside a bare hyper echo, start-up time and memory.
    Bench(bench::Arguments),
    /// A million keys, aliases, grants and users: makes them, or measures a server that has them.
    Dataset(dataset::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Ci(arguments) => ci::run(&arguments),
        Command::Tidy => tidy::run(),
        Command::Deny(arguments) => deny::run(&arguments),
        Command::Sbom(arguments) => sbom::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Mutants(arguments) => mutants::run(&arguments),
        Command::Endurance(arguments) => endurance::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Dataset(arguments) => dataset::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
