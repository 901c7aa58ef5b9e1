//! Other servers that encrypt under keys they hold: moto's and OpenBao's transit engine, as they
//! come, measured like ours. It owns how they are started and asked; it must not know where they
//! were installed from.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use serde_json::{Value, json};

use crate::child::{SERVER_CORE, Server, Start, address_behind};
use crate::client::Client;
use crate::http::Connection;
use crate::installation::folder;
use crate::operations::ROWS;
use crate::rows::{self, Row, Subject};
use crate::sign::{self, AccessKey};
use crate::{Outcome, Settings};

/// The token of OpenBao's root, which development mode lets one choose.
const TOKEN: &str = "bench";
/// What moto is asked of our table.
const MOTO_ROWS: [&str; 3] = ["GenerateDataKey", "Encrypt", "Decrypt"];

/// The rows of moto's server, which answers as KMS does.
pub(crate) async fn moto(settings: &Settings, program: &Path) -> Outcome<Vec<Row>> {
    let folder = folder()?;
    let arguments = ["-H", "127.0.0.1", "-p", "0"];
    let server = start(program, &arguments.map(OsString::from), folder.path(), |output| {
        address_behind(output, "Running on http://")
    })?;
    let mut client = Client::new(&server.endpoint, AccessKey::made_up()).await?;
    let mut found = Vec::new();
    for operation in ROWS.iter().filter(|row| MOTO_ROWS.contains(&row.name)) {
        let name = format!("moto {}", operation.name);
        if !settings.wants(&name) {
            continue;
        }
        let body = operation.body(&client.prepare(operation).await?).to_string();
        let address = server.endpoint.address;
        let request = || sign::request(&AccessKey::made_up(), address, &operation.target(), &body);
        found.push(row(settings, name, &server, &request).await?);
    }
    Ok(found)
}

/// The rows of OpenBao's transit engine, in development mode: in memory, unsealed.
pub(crate) async fn openbao(settings: &Settings, program: &Path) -> Outcome<Vec<Row>> {
    let folder = folder()?;
    // It has no way to ask for any free port. Another program could take this one meanwhile, which
    // would end the measurement with an error.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.map_err(|error| error.to_string())?;
    let arguments = ["server".to_owned(), "-dev".to_owned(), "-dev-no-store-token".to_owned()]
        .into_iter()
        .chain([format!("-dev-root-token-id={TOKEN}"), format!("-dev-listen-address={address}")]);
    let arguments: Vec<OsString> = arguments.map(OsString::from).collect();
    let server = start(program, &arguments, folder.path(), |output| {
        let ready = output.contains("Root Token:");
        address_behind(output, "Api Address: http://").filter(|_| ready)
    })?;
    let mut connection = Connection::open(server.endpoint.clone()).await?;
    let mut ask = async |path: &str, body: Value| -> Outcome<Value> {
        let request = openbao_request(address, path, &body);
        let (status, answer) = connection.ask(&request).await?;
        match status {
            204 => Ok(Value::Null),
            200 => serde_json::from_slice(answer).map_err(|error| format!("{path}: {error}")),
            _ => Err(format!("{path}: {}", String::from_utf8_lossy(answer))),
        }
    };
    ask("sys/mounts/transit", json!({"type": "transit"})).await?;
    ask("transit/keys/bench", json!({})).await?;
    let plaintext = json!({"plaintext": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="});
    let encrypted = ask("transit/encrypt/bench", plaintext.clone()).await?;
    let requests = [
        ("datakey", "transit/datakey/plaintext/bench", json!({"bits": 256})),
        ("encrypt", "transit/encrypt/bench", plaintext),
        (
            "decrypt",
            "transit/decrypt/bench",
            json!({"ciphertext": encrypted["data"]["ciphertext"]}),
        ),
    ];
    let mut found = Vec::new();
    for (verb, path, body) in &requests {
        let name = format!("OpenBao transit {verb}");
        if settings.wants(&name) {
            let request = || Ok(openbao_request(address, path, body));
            found.push(row(settings, name, &server, &request).await?);
        }
    }
    Ok(found)
}

async fn row(
    settings: &Settings,
    name: String,
    server: &Server,
    request: &dyn Fn() -> Outcome<Vec<u8>>,
) -> Outcome<Row> {
    rows::measure(settings, Subject { name, server, tls: None, request, primitive: None }).await
}

fn start(
    program: &Path,
    arguments: &[OsString],
    folder: &Path,
    ready: fn(&str) -> Option<SocketAddr>,
) -> Outcome<Server> {
    let (arguments, cores) = (arguments.to_vec(), &[SERVER_CORE]);
    Server::start(Start { watcher: &[], program, arguments, folder, cores, ready, tls: None })
}

fn openbao_request(address: SocketAddr, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!(
        "POST /v1/{path} HTTP/1.1\r\nhost: {address}\r\nx-vault-token: {TOKEN}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}
