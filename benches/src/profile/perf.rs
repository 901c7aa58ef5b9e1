//! Where the CPU time of a request goes: the server on one core under load from the other, sampled
//! by perf. It must not know which stages there are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::requests::{self, Row};
use super::stages::Shares;
use crate::child::Server;
use crate::installation::{Installation, Sync};
use crate::{Outcome, load};

/// Samples a second; not a divisor of any timer's frequency.
const FREQUENCY: &str = "997";
/// How much of the stack comes with each sample; what is further out isn't asked for.
const STACKS: &str = "dwarf,16384";
/// Caches fill meanwhile.
const WARM_UP: Duration = Duration::from_millis(500);

/// What to sample, and for how long.
#[derive(clap::Args)]
pub(crate) struct Settings {
    /// The server's program, with its functions' names in it.
    program: PathBuf,
    /// How long each request is measured without perf, and again with it.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Keep-alive connections, each with one request under way.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Only the requests whose names begin so.
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "GenerateDataKey")]
    only: Vec<String>,
    /// Write the folded stacks of each request into this folder, for programs that draw flame
    /// graphs.
    #[arg(long, value_name = "DIRECTORY")]
    keep: Option<PathBuf>,
}

/// Measures and prints a table for each request.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let installation = Installation::on_one_core(&settings.program, Sync::None, None).await?;
        for row in requests::chosen(&settings.only) {
            measure(settings, &installation, row).await?;
        }
        Ok(())
    })
}

async fn measure(settings: &Settings, installation: &Installation, row: &Row) -> Outcome {
    let length = Duration::try_from_secs_f64(settings.seconds).map_err(|e| e.to_string())?;
    let (server, connections) = (&installation.server, settings.connections);
    let request = installation.request(row.operation()?).await?;
    load::round(server, &request, connections, WARM_UP).await?;
    // perf takes time of the server's own, so that its time is measured without it.
    let alone = load::round(server, &request, connections, length).await?;

    let data = installation.folder().join("perf.data");
    let sampling = sample(server, &data, settings.seconds)?;
    load::round(server, &request, connections, length).await?;
    let shares = Shares::parse(&finish(sampling, &data)?);
    println!("{:.0} requests/s, {} samples\n", alone.requests_per_second, shares.samples());
    println!("{}", shares.table(row.name, alone.server_micros * 1e3));
    if let Some(folder) = &settings.keep {
        let kept = folder.join(format!("{}.folded", row.name));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&kept, shares.folded()));
        written.map_err(|error| format!("{}: {error}", kept.display()))?;
    }
    Ok(())
}

/// Has perf sample the server from now on. Its clock is the kernel's: virtual machines have no
/// counters.
fn sample(server: &Server, data: &Path, seconds: f64) -> Outcome<Child> {
    let mut perf = Command::new("perf");
    perf.args(["record", "-q", "-e", "cpu-clock", "-F", FREQUENCY, "--call-graph", STACKS]);
    perf.arg("-p").arg(server.id().to_string()).arg("-o").arg(data);
    perf.args(["--", "sleep", &seconds.to_string()]);
    perf.stdout(Stdio::null()).spawn().map_err(|error| format!("perf: {error}"))
}

/// Waits for perf; what it sampled, as text. Functions that were inlined are not told, because
/// looking them up takes minutes.
fn finish(mut sampling: Child, data: &Path) -> Outcome<String> {
    let status = sampling.wait().map_err(|error| format!("perf record: {error}"))?;
    if !status.success() {
        return Err(format!("perf record ended with {status}"));
    }
    let mut script = Command::new("perf");
    script.args(["script", "--no-inline", "-F", "comm,ip,sym", "-i"]).arg(data);
    let output = script.output().map_err(|error| format!("perf script: {error}"))?;
    if !output.status.success() {
        return Err(format!("perf script: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
