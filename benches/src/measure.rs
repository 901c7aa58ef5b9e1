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
use crate::sign::{self, AccessKey};
use crate::{Outcome, Settings, beside};

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
    let user = runtime.block_on(create_user(&server))?;
    for operation in &ROWS {
        for (who, caller) in [("root", &AccessKey::root()), ("a user", &user)] {
            rows.push(runtime.block_on(compare(settings, &server, operation, who, caller))?);
        }
    }
    let resident_after_load = server.resident()?;
    let beside = runtime.block_on(async {
        let key_id = create_key(&server).await?;
        beside::measure(settings, &server, &key_id).await
    })?;
    Ok(Report { rows, beside, in_directory, in_memory, resident_at_start, resident_after_load })
}

/// Measures an operation and its echo in turns, so that a slow minute meets both.
async fn compare(
    settings: &Settings,
    server: &Server,
    operation: &Operation,
    who: &str,
    caller: &AccessKey,
) -> Outcome<Row> {
    let key_id = &create_key(server).await?;
    let mut connection = Connection::open(server.address).await?;
    let request = signed(caller, server, operation, key_id)?;
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
        let request = signed(caller, server, operation, key_id)?;
        echo_rounds.push(load::round(&echo, &request, settings.connections, length).await?);
        server_rounds.push(load::round(server, &request, settings.connections, length).await?);
    }
    let name = format!("{} by {who}", operation.name);
    Ok(Row { name, echo: echo_rounds, server: server_rounds })
}

/// The id of a fresh symmetric key.
async fn create_key(server: &Server) -> Outcome<String> {
    let mut connection = Connection::open(server.address).await?;
    let created = signed(&AccessKey::root(), server, &CREATE_KEY, "")?;
    let created: serde_json::Value = serde_json::from_slice(connection.exchange(&created).await?)
        .map_err(|error| error.to_string())?;
    let key_id = created["KeyMetadata"]["KeyId"].as_str();
    key_id.map(str::to_owned).ok_or_else(|| "CreateKey answered no KeyId".to_owned())
}

fn signed(
    caller: &AccessKey,
    server: &Server,
    operation: &Operation,
    key_id: &str,
) -> Outcome<Vec<u8>> {
    sign::request(caller, server.address, operation.target, &(operation.body)(key_id))
}

/// The access key of a fresh user with a customer managed policy that lets it use every key.
async fn create_user(server: &Server) -> Outcome<AccessKey> {
    const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect\
        %22%3A%22Allow%22%2C%22Action%22%3A%22kms%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
    const ARN: &str = "arn%3Aaws%3Aiam%3A%3A111122223333%3Apolicy%2Fuse-keys";
    let mut connection = Connection::open(server.address).await?;
    let mut answer = String::new();
    for parameters in [
        "Action=CreateUser&UserName=bench".to_owned(),
        format!("Action=CreatePolicy&PolicyName=use-keys&PolicyDocument={POLICY}"),
        format!("Action=AttachUserPolicy&UserName=bench&PolicyArn={ARN}"),
        "Action=CreateAccessKey&UserName=bench".to_owned(),
    ] {
        let body = format!("{parameters}&Version=2010-05-08");
        let request = sign::query(&AccessKey::root(), server.address, &body)?;
        answer = String::from_utf8_lossy(connection.exchange(&request).await?).into_owned();
    }
    let element = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    let key = element("AccessKeyId").zip(element("SecretAccessKey"));
    let (id, secret) = key.ok_or("CreateAccessKey answered no access key")?;
    Ok(AccessKey { id, secret })
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
    std::fs::write(&keys, AccessKey::root().line()).map_err(|error| error.to_string())?;
    // The server runs in this folder.
    let mut arguments = vec!["dev", "--listen", "127.0.0.1:0", "--root-access-keys", "access-keys"];
    arguments.extend(state(data));
    Server::start(program, &arguments, folder.path())
}

fn folder() -> Outcome<TempDir> {
    tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))
}
