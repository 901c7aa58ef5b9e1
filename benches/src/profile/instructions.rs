//! The guard: the server under callgrind, each request sent many times over one connection, and
//! what one costs compared with the committed figures. It must not know how either is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::callgrind::Counts;
use super::figures::{Book, Figures};
use super::requests::{self, Row};
use crate::Outcome;
use crate::child::{SERVER_CORE, Server};
use crate::http::Connection;
use crate::installation::{Installation, Sync};

/// Requests before the first one that is counted: caches fill and buffers find their size.
const WARM_UP: u32 = 100;
/// Where callgrind writes in the server's folder; each dump has its number behind it.
const DUMPS: &str = "counts";
/// From how many percent on it is said what moved.
const WORTH_TELLING: f64 = 0.5;

/// What to count, and what with.
#[derive(clap::Args)]
pub(crate) struct Settings {
    /// The server's program, with its functions' names in it.
    program: PathBuf,
    /// The committed figures.
    #[arg(long, value_name = "FILE")]
    figures: PathBuf,
    /// Write what is counted into the file of figures, whatever it is.
    #[arg(long)]
    bless: bool,
    /// By how many percent a request may rise.
    #[arg(long, default_value_t = 2.0)]
    tolerance: f64,
    /// Only the requests whose names begin so.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Keep callgrind's dumps in this folder, for callgrind_annotate and its like.
    #[arg(long, value_name = "DIRECTORY")]
    keep: Option<PathBuf>,
}

/// Counts, compares, and blesses if that is asked for.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let committed = match fs::read_to_string(&settings.figures) {
        Ok(text) => Book::parse(&text)?,
        Err(_) if settings.bless => Book::default(),
        Err(error) => return Err(format!("{}: {error}", settings.figures.display())),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime.map_err(|error| error.to_string())?.block_on(count(settings))?;
    let made_with = versions()?;
    if !committed.made_with.is_empty() && committed.made_with != made_with {
        println!(
            "The figures were made with {}; this is {made_with}. They may differ for that alone.",
            committed.made_with
        );
    }
    let verdict = compare(&committed, &measured, settings.tolerance);
    if !settings.bless {
        return verdict;
    }
    let mut rows = committed.rows;
    rows.extend(measured.into_iter().map(|(row, figures)| (row.name.to_owned(), figures)));
    fs::write(&settings.figures, Book { made_with, rows }.text())
        .map_err(|error| format!("{}: {error}", settings.figures.display()))
}

async fn count(settings: &Settings) -> Outcome<Vec<(&'static Row, Figures)>> {
    let dumps = format!("--callgrind-out-file={DUMPS}");
    let watcher = ["valgrind", "--tool=callgrind", &dumps];
    // On one core it has one worker, so that it isn't chance which of them does what.
    let (program, cores) = (&settings.program, &[SERVER_CORE]);
    let installation = Installation::watched(&watcher, program, Sync::None, None, cores).await?;
    let server = &installation.server;
    let mut measured = Vec::new();
    for (row, number) in requests::chosen(&settings.only).into_iter().zip(1..) {
        let request = installation.request(row.operation()?).await?;
        let mut connection = Connection::open(server.endpoint.address).await?;
        repeat(&mut connection, &request, WARM_UP.min(row.repeats)).await?;
        control(server, "--zero")?;
        repeat(&mut connection, &request, row.repeats).await?;
        control(server, "--dump")?;
        let dump = installation.folder().join(format!("{DUMPS}.{number}"));
        let failed = |error| format!("{}: {error}", dump.display());
        let text = fs::read_to_string(&dump).map_err(failed)?;
        if let Some(folder) = &settings.keep {
            fs::create_dir_all(folder).map_err(failed)?;
            let kept = folder.join(format!("callgrind.out.{}", row.name.replace(' ', "-")));
            fs::write(kept, &text).map_err(failed)?;
        }
        measured.push((row, Figures::of(&Counts::parse(&text)?, row.repeats)));
    }
    Ok(measured)
}

async fn repeat(connection: &mut Connection, request: &[u8], count: u32) -> Outcome {
    for _ in 0..count {
        connection.exchange(request).await?;
    }
    Ok(())
}

/// Has callgrind do something between two requests.
fn control(server: &Server, what: &str) -> Outcome {
    let mut control = Command::new("callgrind_control");
    let output = control.args([what, &server.id().to_string()]).output();
    let output = output.map_err(|error| format!("callgrind_control: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("callgrind_control {what}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Prints a line for each request, and what moved.
fn compare(committed: &Book, measured: &[(&Row, Figures)], tolerance: f64) -> Outcome {
    let mut risen = Vec::new();
    for (row, now) in measured {
        let Some(before) = committed.rows.get(row.name) else {
            println!("{:20} {:>9} instructions, never counted before", row.name, now.total);
            risen.push(row.name);
            continue;
        };
        let rise = now.rise(before);
        println!("{:20} {:>9} instructions, {rise:+.2} %", row.name, now.total);
        if rise.abs() > WORTH_TELLING {
            print!("{}", now.moved(before));
        }
        if rise > tolerance {
            risen.push(row.name);
        } else if rise < -tolerance {
            println!("  Less than what is committed: `--bless` holds on to it.");
        }
    }
    if risen.is_empty() {
        return Ok(());
    }
    Err(format!("more than {tolerance} % above the committed figures: {}", risen.join(", ")))
}

/// What the figures depend on beside the source.
fn versions() -> Outcome<String> {
    let mut versions = Vec::new();
    for program in ["rustc", "valgrind"] {
        let output = Command::new(program).arg("--version").output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        versions.push(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    versions.push(processor(Path::new("/proc/cpuinfo")));
    Ok(versions.join(", "))
}

/// The processor's name: the libraries choose their code by what it can.
fn processor(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "a processor without a name".to_owned(), |(_, name)| name.to_owned())
}
