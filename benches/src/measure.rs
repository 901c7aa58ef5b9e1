//! The plan of the measurement: which servers are started, in which order they are loaded, and what
//! is noted. It must not know how a round is made, nor how the report looks.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::child::Server;
use crate::http::Connection;
use crate::load::{self, Round};
use crate::operations::{CREATE_KEY, Operation, ROWS};
use crate::report::{Report, Row, Spread};
use crate::{Outcome, Settings, beside, sign};

/// Loads a server before the first round: caches fill and the processor's clock rises.
const WARM_UP: Duration = Duration::from_millis(500);

pub(crate) fn all(settings: &Settings) -> Outcome<Report> {
    let in_directory = starts(settings, |folder| vec!["--data-dir", folder])?;
    let in_memory = starts(settings, |_| vec!["--in-memory"])?;
    let folder = folder()?;
    let server = start(&settings.program, &folder, |path| vec!["--data-dir", path])?;
    server.until_healthy()?;
    let resident_at_start = server.resident()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for operation in &ROWS {
        rows.push(runtime.block_on(compare(settings, &server, operation))?);
    }
    let resident_after_load = server.resident()?;
    let beside = runtime.block_on(async {
        let key_id = create_key(&server).await?;
        beside::measure(settings, &server, &key_id).await
    })?;
    Ok(Report { rows, beside, in_directory, in_memory, resident_at_start, resident_after_load })
}

/// Measures an operation and its echo in turns, so that a slow minute meets both.
async fn compare(settings: &Settings, server: &Server, operation: &Operation) -> Outcome<Row> {
    let key_id = &create_key(server).await?;
    let mut connection = Connection::open(server.address).await?;
    let request = signed(server, operation, key_id)?;
    let answer_bytes = connection.exchange(&request).await?.len().to_string();
    drop(connection);

    let folder = folder()?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let arguments = ["echo", "--answer-bytes", answer_bytes.as_str()];
    let echo = Server::start(&program, &arguments, folder.path())?;
    let length = Duration::try_from_secs_f64(settings.seconds).map_err(|e| e.to_string())?;
    let (mut echo_rounds, mut server_rounds): (Vec<Round>, Vec<Round>) = (Vec::new(), Vec::new());
    for target in [&echo, server] {
        load::round(target, &request, settings.connections, WARM_UP).await?;
    }
    for _ in 0..settings.rounds {
        // Signed anew, so that many rounds don't outlive a signature.
        let request = signed(server, operation, key_id)?;
        echo_rounds.push(load::round(&echo, &request, settings.connections, length).await?);
        server_rounds.push(load::round(server, &request, settings.connections, length).await?);
    }
    Ok(Row { name: operation.name, echo: echo_rounds, server: server_rounds })
}

/// The id of a fresh symmetric key.
async fn create_key(server: &Server) -> Outcome<String> {
    let mut connection = Connection::open(server.address).await?;
    let created = signed(server, &CREATE_KEY, "")?;
    let created: serde_json::Value = serde_json::from_slice(connection.exchange(&created).await?)
        .map_err(|error| error.to_string())?;
    let key_id = created["KeyMetadata"]["KeyId"].as_str();
    key_id.map(str::to_owned).ok_or_else(|| "CreateKey answered no KeyId".to_owned())
}

fn signed(server: &Server, operation: &Operation, key_id: &str) -> Outcome<Vec<u8>> {
    sign::request(server.address, operation.target, &(operation.body)(key_id))
}

/// Start-up times, in milliseconds, each with a store that is empty.
fn starts(settings: &Settings, state: fn(&str) -> Vec<&str>) -> Outcome<Spread> {
    let mut times = Vec::new();
    for _ in 0..settings.starts {
        let folder = folder()?;
        let server = start(&settings.program, &folder, state)?;
        times.push(server.until_healthy()?.as_secs_f64() * 1e3);
    }
    Ok(Spread::of(times))
}

fn start(program: &Path, folder: &TempDir, state: fn(&str) -> Vec<&str>) -> Outcome<Server> {
    // The server makes its data directory; an existing one would be the lesser test.
    let data = folder.path().join("data");
    let data = data.to_str().ok_or("the temporary folder's name isn't UTF-8")?;
    let keys = folder.path().join("access-keys");
    std::fs::write(&keys, sign::root_access_key()).map_err(|error| error.to_string())?;
    // The server runs in this folder.
    let mut arguments = vec!["dev", "--listen", "127.0.0.1:0", "--root-access-keys", "access-keys"];
    arguments.extend(state(data));
    Server::start(program, &arguments, folder.path())
}

fn folder() -> Outcome<TempDir> {
    tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))
}
