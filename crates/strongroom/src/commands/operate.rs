//! `strongroom status`, `rotate` and `reload`: a running server, asked and told.

use std::process::ExitCode;

use hyper::Method;
use serde_json::{Value, json};

use crate::connection::{Connection, end, failed, run};

/// What `status` takes.
#[derive(clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    connection: Connection,
    /// Print what the server says as it is, in JSON.
    #[arg(long)]
    json: bool,
}

/// What `rotate` takes.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Rotate {
    #[command(flatten)]
    connection: Connection,
    /// Make a new root key, under every seal.
    #[arg(long)]
    root_key: bool,
    /// Make new domain keys, and wrap anew in the background what the old ones wrap.
    #[arg(long)]
    domain_keys: bool,
    /// Make a new key that signs the audit log; keep its public key with the earlier ones.
    #[arg(long)]
    audit_key: bool,
    /// Only tell how far rotation has come.
    #[arg(long, conflicts_with_all = ["root_key", "domain_keys", "audit_key"])]
    status: bool,
}

/// What `reload` takes.
#[derive(clap::Args)]
pub(crate) struct Reload {
    #[command(flatten)]
    connection: Connection,
}

/// Tells how the server is. Fails if it is sealed, so that scripts can ask.
pub(crate) fn status(arguments: &Status) -> ExitCode {
    let asked = run(arguments.connection.call(Method::GET, "/v1/status", None));
    let answer = match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(failure)) => return failed(&failure.to_string()),
        Err(message) => return failed(&message),
    };
    let is_sealed = answer["sealed"] != false;
    if arguments.json {
        println!("{answer}");
    } else {
        show(&answer, is_sealed);
    }
    if is_sealed { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn show(answer: &Value, is_sealed: bool) {
    println!("strongroom {}", answer["version"].as_str().unwrap_or_default());
    println!("installation: {}", answer["installation"].as_str().unwrap_or_default());
    println!("state: {}", if is_sealed { "sealed" } else { "unsealed" });
    for collected in answer["collected"].as_array().into_iter().flatten() {
        let set = collected["set"].as_str().unwrap_or_default();
        println!("shares of set {set}: {} more needed", collected["missing"]);
    }
    println!("running for: {} s", answer["startedSecondsAgo"]);
    println!("store: revision {}", answer["revision"]);
    println!(
        "audit log: record {}, signed up to {}, refused {}",
        answer["audit"]["lastSequence"], answer["audit"]["lastDigest"], answer["audit"]["refused"]
    );
}

/// Rotates keys that protect keys.
pub(crate) fn rotate(arguments: &Rotate) -> ExitCode {
    end(async {
        let connection = &arguments.connection;
        if arguments.root_key || arguments.domain_keys || arguments.audit_key {
            let call = json!({
                "root_key": arguments.root_key,
                "domain_keys": arguments.domain_keys,
                "audit_key": arguments.audit_key,
            });
            let answer = connection.call(Method::POST, "/v1/rotation", Some(call)).await?;
            if arguments.root_key {
                println!("the root key is rotated");
            }
            if let Some(number) = answer["auditKey"].as_u64() {
                println!("the audit log is signed by key {number} from now on");
            }
            for region in answer["regions"].as_array().into_iter().flatten() {
                println!("rotated the domain key of {}", region.as_str().unwrap_or_default());
            }
            return Ok(());
        }
        show_rotation(&connection.call(Method::GET, "/v1/rotation", None).await?);
        if !arguments.status {
            eprintln!("(--root-key and --domain-keys rotate)");
        }
        Ok(())
    })
}

fn show_rotation(answer: &Value) {
    if answer["rootKeyUnderWay"] == true {
        println!("the root key's rotation is under way");
    }
    for region in answer["regions"].as_array().into_iter().flatten() {
        let older = region["older"].as_array().map_or(0, Vec::len);
        let left = match region["remaining"].as_u64() {
            Some(0) => "nothing left to wrap anew".to_owned(),
            Some(count) => format!("{count} records left"),
            None => "records are being counted".to_owned(),
        };
        // The schedule dates a key when it first sees it.
        let made = region["made"]
            .as_str()
            .map_or_else(|| "not dated yet".to_owned(), |made| format!("made {made}"));
        println!(
            "{}: key {}, {made}, {older} older kept, {} records wrapped anew, {left}",
            region["region"].as_str().unwrap_or_default(),
            region["number"],
            region["rewrapped"],
        );
    }
}

/// Has the configuration read again.
pub(crate) fn reload(arguments: &Reload) -> ExitCode {
    end(async {
        let answer = arguments.connection.call(Method::POST, "/v1/reload", None).await?;
        let names = |value: &Value| {
            let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            names.collect::<Vec<_>>().join(", ")
        };
        let (changed, waiting) = (names(&answer["changed"]), names(&answer["needsRestart"]));
        println!("changed: {}", if changed.is_empty() { "nothing" } else { &changed });
        if !waiting.is_empty() {
            println!("in force after a restart: {waiting}");
        }
        Ok(())
    })
}
