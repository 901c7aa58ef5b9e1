//! Measures the server as a client sees it, beside a bare hyper echo that runs on the same core in
//! the same minute: the ratio of the two says something on any machine. It knows the server by its
//! command line, its answers and `/proc` only; it is built with none of its crates.

mod beside;
mod child;
mod echo;
mod http;
mod load;
mod measure;
mod operations;
mod profile;
mod report;
mod sign;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

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
    /// The echo itself: answers every request with the same number of bytes.
    Echo {
        #[arg(long)]
        answer_bytes: usize,
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
}

/// What to measure, and for how long.
#[derive(clap::Args)]
struct Settings {
    /// The server's program.
    program: PathBuf,
    /// How often each row is measured; the echo and the server take turns.
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
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(settings) => measure::all(&settings).map(|report| print!("{report}")),
        Command::Instructions(settings) => profile::instructions(&settings),
        Command::Stages(settings) => profile::stages(&settings),
        Command::Echo { answer_bytes, listen } => echo::serve(listen, answer_bytes),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("benches: {message}");
            ExitCode::FAILURE
        }
    }
}
