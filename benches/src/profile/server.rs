//! A server of production with everything on, started by whatever program watches it, and an IAM
//! user whose customer managed policy lets it use every key. It owns the process and its data; it
//! must not know who watches.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::requests::{self, Row};
use crate::Outcome;
use crate::http::Connection;
use crate::sign::{self, AccessKey};

/// The settings: all that a production server does, with the record written before the answer and
/// left to the operating system.
const SETTINGS: &str = "serve --data-dir data --seal-key-file seal.key --admin-socket admin.sock \
    --listen-addresses 127.0.0.1:0 --operations-listen 127.0.0.1:0 --audit-sync none";
/// Quotas that are counted and never reached.
const QUOTAS: [&str; 5] = [
    "*:cryptographic-symmetric=10000000",
    "*:cryptographic-rsa=10000000",
    "*:cryptographic-ecc=10000000",
    "*:DescribeKey=10000000",
    "*:CreateKey=10000000",
];
/// Under valgrind a start takes ten seconds and more.
const START_LIMIT: Duration = Duration::from_mins(3);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A\
    %22Allow%22%2C%22Action%22%3A%22kms%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
const POLICY_ARN: &str = "arn%3Aaws%3Aiam%3A%3A111122223333%3Apolicy%2Fuse-keys";

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    administrator: AccessKey,
    user: AccessKey,
    folder: TempDir,
}

impl Server {
    /// Founds an installation and serves it. The watcher's words come before the server's own; a
    /// core is what the server shall stay on.
    pub(crate) async fn start(
        program: &Path,
        watcher: &[OsString],
        core: Option<usize>,
    ) -> Outcome<Self> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?;
        let administrator = found(program, folder.path())?;
        let log = folder.path().join("server.log");
        let failed = |error: std::io::Error| format!("{}: {error}", program.display());
        let output = File::create(&log).map_err(failed)?;
        let words = watcher.iter().map(OsString::as_os_str).chain([program.as_os_str()]);
        let mut words = words.chain(SETTINGS.split_whitespace().map(OsStr::new));
        let mut command = Command::new(words.next().unwrap_or(program.as_os_str()));
        command.args(words).current_dir(folder.path()).stdin(Stdio::null());
        command.args(QUOTAS.iter().flat_map(|quota| ["--quotas-overrides", quota]));
        command.stdout(output.try_clone().map_err(failed)?).stderr(output);
        // One worker, so that it isn't chance which of them does what.
        command.env("TOKIO_WORKER_THREADS", "1");
        if let Some(core) = core {
            pin(core)?;
        }
        let child = command.spawn().map_err(failed)?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let user = administrator.clone();
        let mut server = Self { child, address, administrator, user, folder };
        server.address = server.until_unsealed(&log)?;
        server.user = server.create_user().await?;
        Ok(server)
    }

    fn until_unsealed(&mut self, log: &Path) -> Outcome<SocketAddr> {
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(log).map_err(|error| error.to_string())?;
            if let Some(address) = unsealed(&text) {
                return Ok(address);
            }
            let ended = self.child.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || begun.elapsed() > START_LIMIT {
                return Err(format!("the server doesn't serve:\n{text}"));
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    async fn create_user(&self) -> Outcome<AccessKey> {
        let mut connection = Connection::open(self.address).await?;
        let mut answer = String::new();
        for parameters in [
            "CreateUser&UserName=bench",
            &format!("CreatePolicy&PolicyName=use-keys&PolicyDocument={POLICY}"),
            &format!("AttachUserPolicy&UserName=bench&PolicyArn={POLICY_ARN}"),
            "CreateAccessKey&UserName=bench",
        ] {
            let body = format!("Action={parameters}&Version=2010-05-08");
            let request = sign::query(&self.administrator, self.address, &body)?;
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

    /// A row's request for a fresh key, signed by the user; valid for minutes.
    pub(crate) async fn prepare(&self, row: &Row) -> Outcome<Vec<u8>> {
        let mut connection = Connection::open(self.address).await?;
        let (spec, usage) = row.key;
        let create = json!({"KeySpec": spec, "KeyUsage": usage});
        let create = self.signed(&self.administrator, "CreateKey", &create)?;
        let made = json(connection.exchange(&create).await?)?;
        let key_id = made["KeyMetadata"]["KeyId"].as_str().ok_or("CreateKey answered no KeyId")?;
        let ciphertext = if row.verb == "Decrypt" {
            let request = self.signed(&self.user, "Encrypt", &requests::encrypt(key_id))?;
            json(connection.exchange(&request).await?)?["CiphertextBlob"].take()
        } else {
            Value::Null
        };
        self.signed(&self.user, row.verb, &row.body(key_id, &ciphertext))
    }

    fn signed(&self, key: &AccessKey, verb: &str, body: &Value) -> Outcome<Vec<u8>> {
        let target = format!("TrentService.{verb}");
        sign::request(key, self.address, &target, &body.to_string())
    }

    pub(crate) async fn connect(&self) -> Outcome<Connection> {
        Connection::open(self.address).await
    }

    /// Its process's id, which the watcher has as well.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu_time(&self) -> Outcome<Duration> {
        let folder = format!("/proc/{}/task", self.id());
        let threads = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
        let mut nanoseconds = 0;
        for thread in threads.flatten() {
            // A thread that ends meanwhile has done nothing for requests.
            let stat = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            nanoseconds += stat.split(' ').next().and_then(|one| one.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts this thread, and every process that it starts from now on, on one core.
pub(crate) fn pin(core: usize) -> Outcome {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).map_err(|error| format!("no core {core} to run on: {error}"))
}

/// Makes the data directory; its administrator.
fn found(program: &Path, folder: &Path) -> Outcome<AccessKey> {
    let mut init = Command::new(program);
    init.current_dir(folder).args(["init", "--data-dir", "data", "--seal", "key-file:seal.key"]);
    let output = init.output().map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(format!("init failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let told = String::from_utf8_lossy(&output.stdout);
    let value = |name| told.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let key = value("AWS_ACCESS_KEY_ID=").zip(value("AWS_SECRET_ACCESS_KEY="));
    let (id, secret) = key.ok_or("init told no access key")?;
    Ok(AccessKey { id, secret })
}

/// The address, once the log says that requests are served.
fn unsealed(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(r#""listening","address":""#)?;
    let (address, rest) = rest.split_once('"')?;
    rest.contains("the server is unsealed").then(|| address.parse().ok())?
}

fn json(bytes: &[u8]) -> Outcome<Value> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_serves_once_it_is_unsealed() {
        let log = r#"{"message":"listening","address":"127.0.0.1:7","target":"t"}"#;
        assert_eq!(unsealed(log), None);
        let log = format!("{log}\n{{\"message\":\"the server is unsealed\"}}");
        assert_eq!(unsealed(&log), Some(SocketAddr::from(([127, 0, 0, 1], 7))));
    }
}
