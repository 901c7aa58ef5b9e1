//! Measures the server as a client sees it, beside a bare hyper echo that runs on the same core in
//! the same minute: the ratio of the two says something on any machine. It knows the server by its
//! command line, its answers and `/proc` only; it is built with none of its crates.

mod beside;
mod certificate;
mod child;
mod client;
mod cores;
mod crowd;
mod dataset;
mod echo;
mod http;
mod installation;
mod library;
mod load;
mod machine;
mod operations;
mod paged;
mod peers;
mod place;
mod plan;
mod plot;
mod profile;
mod report;
mod rows;
mod scale;
mod sign;
mod startup;
mod statistics;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// What a part of this program ends with; an error is a sentence for the person who called it.
type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
#[command(name = "benches", about = "Measures a server beside a bare hyper echo")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures a server's program and prints tables in markdown.
    Run(Settings),
    /// Counts the instructions of single requests and compares them with the committed figures.
    Instructions(profile::InstructionSettings),
    /// Tells what a request's CPU time goes to, stage by stage.
    Stages(profile::StageSettings),
    /// Makes many keys, aliases, grants and users through a running server's API.
    Dataset(dataset::Settings),
    /// Measures a server's program on such a data set.
    Scale(scale::Settings),
    /// The echo itself: answers every request with the same number of bytes.
    Echo(echo::Arguments),
}

/// What to measure, and for how long.
#[derive(clap::Args)]
struct Settings {
    /// The server's program.
    program: PathBuf,
    /// Measure only what begins with this name: a row, `beside`, `cores`, `start-up`, a peer.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// How often each row is measured; all that is compared takes turns.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each round takes.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Keep-alive connections, each with one request under way.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How often the server is started to find its start-up time.
    #[arg(long, default_value_t = 10)]
    starts: usize,
    /// Write `table.md` and `plot.svg` into this folder too.
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
    /// How the server was built, for the description of the run.
    #[arg(long, default_value = "built in an unknown way")]
    built: String,
    /// moto's server, to be measured too.
    #[arg(long, value_name = "PROGRAM")]
    moto: Option<PathBuf>,
    /// OpenBao's program, to be measured too.
    #[arg(long, value_name = "PROGRAM")]
    bao: Option<PathBuf>,
    /// A sentence about the other servers, for the report.
    #[arg(long, value_name = "SENTENCE")]
    note: Vec<String>,
}

impl Settings {
    fn length(&self) -> Outcome<Duration> {
        Duration::try_from_secs_f64(self.seconds).map_err(|error| error.to_string())
    }

    /// Whether what has this name is to be measured.
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| plan::begins_with(name, only))
    }

    /// Whether anything whose name begins so is to be measured.
    fn wants_any_of(&self, start: &str) -> bool {
        self.wants(start) || self.only.iter().any(|only| plan::begins_with(only, start))
    }
}

fn run(settings: &Settings) -> Outcome {
    let folder = settings.out.as_deref();
    folder.map_or(Ok(()), report::prepare)?;
    let found = plan::all(settings)?;
    print!("{}", report::tables(&found));
    folder.map_or(Ok(()), |folder| report::write(&found, folder))
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(settings) => run(&settings),
        Command::Instructions(settings) => profile::instructions(&settings),
        Command::Stages(settings) => profile::stages(&settings),
        Command::Echo(arguments) => echo::serve(&arguments),
        Command::Dataset(settings) => dataset::make(&settings),
        Command::Scale(settings) => scale::measure(&settings),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("benches: {message}");
            ExitCode::FAILURE
        }
    }
}
