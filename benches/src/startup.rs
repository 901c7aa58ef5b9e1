//! How long `strongroom dev` takes to its first healthy answer, with stores that are empty. It must
//! not know how the times are shown.

use std::ffi::OsString;
use std::path::Path;

use crate::child::{SERVER_CORE, Server, Start, address_behind};
use crate::installation::folder;
use crate::statistics::Spread;
use crate::{Outcome, Settings};

/// Start-up times in milliseconds.
pub(crate) struct StartUp {
    pub(crate) in_directory: Spread,
    pub(crate) in_memory: Spread,
}

/// Starts it again and again.
pub(crate) fn measure(settings: &Settings) -> Outcome<StartUp> {
    eprintln!("benches: start-up");
    Ok(StartUp {
        // The server makes its data directory; an existing one would be the lesser test.
        in_directory: times(settings, &["--data-dir", "data"])?,
        in_memory: times(settings, &["--in-memory"])?,
    })
}

/// Starts a server of dev mode on the core that servers run on.
pub(crate) fn dev(
    program: &Path,
    state: impl IntoIterator<Item = OsString>,
    folder: &Path,
) -> Outcome<Server> {
    let arguments = ["dev", "--listen", "127.0.0.1:0"].map(OsString::from).into_iter();
    Server::start(Start {
        watcher: &[],
        program,
        arguments: arguments.chain(state).collect(),
        folder,
        cores: &[SERVER_CORE],
        ready: |output| address_behind(output, "endpoint: http://"),
        tls: None,
    })
}

fn times(settings: &Settings, state: &[&str]) -> Outcome<Spread> {
    let mut times = Vec::new();
    for _ in 0..settings.starts {
        let folder = folder()?;
        let server = dev(&settings.program, state.iter().map(OsString::from), folder.path())?;
        times.push(server.until_healthy()?.as_secs_f64() * 1e3);
    }
    Ok(Spread::of(times))
}
