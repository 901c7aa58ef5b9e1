//! `strongroom audit`: reading the audit log and proving that it is whole. Reads a data directory,
//! beside the server that uses it or without one.

mod lines;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

/// The exit code of a log that isn't whole.
const FAULTS: u8 = 1;
/// The exit code of what couldn't be done.
const FAILED: u8 = 2;

/// What `audit` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the last records, and with -f each new one.
    Tail(lines::Tail),
    /// Show the records that fit all that is asked for.
    Search(lines::Search),
    /// Prove that no record was altered, cut out, inserted or reordered. Exits with 0 if that is
    /// so, with 1 if not.
    Verify(verify::Verify),
    /// Print the public keys by which the log's digests are verified, in PEM. Keep them elsewhere.
    PublicKey(Place),
}

#[derive(clap::Args)]
struct Place {
    /// The data directory of the server.
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "STRONGROOM_DATA_DIR",
        default_value = "strongroom-data"
    )]
    data_dir: PathBuf,
}

type Failure = Box<dyn std::error::Error>;

/// Does it.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Tail(tail) => tail.run().map(|()| ExitCode::SUCCESS),
        Command::Search(search) => search.run().map(|()| ExitCode::SUCCESS),
        Command::Verify(verify) => verify.run(),
        Command::PublicKey(place) => verify::print_keys(&place).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        if is_closed_pipe(error.as_ref()) {
            return ExitCode::SUCCESS;
        }
        eprintln!("strongroom: {error}");
        ExitCode::from(FAILED)
    })
}

/// Whether the reader of the output has seen enough.
fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
