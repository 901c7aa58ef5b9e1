//! The KMS seal: against a KMS made up here that fails in each way, and against a real server,
//! which STRONGROOM_BIN names.
//!
//! The SDK finds credentials in the environment, which only a new process can be given: such a test
//! runs itself once more.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::{BehaviorVersion, Builder, Credentials, Region};
use seals::{
    Details, Kind, KmsError, KmsKey, NewMethod, Refusal, Seals, SealsError, Secret, Unopened,
};
use storage::Memory;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::installation::{
    Hands, PASSPHRASE, by_passphrase, failed, named, opened, passphrase, proof, proves, refused,
    started,
};

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "111122223333";
const INSIDE: &str = "STRONGROOM_SEALS_TEST_INSIDE";

/// Whether this is the process with credentials in its environment; runs the test in one if not.
fn inside(test: &str, credentials: bool) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env(INSIDE, "1");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    if credentials {
        command.env("AWS_ACCESS_KEY_ID", ACCOUNT).env("AWS_SECRET_ACCESS_KEY", "any");
    }
    let output = command.output().unwrap();
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

async fn created(key: KmsKey) -> Result<Seals, SealsError> {
    let wanted = vec![named("cloud", NewMethod::Kms(key))];
    let created = Seals::create(Arc::new(Memory::new()), Arc::new(Hands::default()), wanted);
    created.await.map(|(seals, _, _)| seals)
}

async fn kms_error(key: KmsKey) -> KmsError {
    match failed(created(key).await) {
        SealsError::Kms(error) => error,
        other => panic!("{other}"),
    }
}

fn at(endpoint: &str) -> KmsKey {
    KmsKey::new(REGION, Some(endpoint), "alias/seal").unwrap()
}

/// A KMS that gives one answer to everything, and the key there.
async fn answering(status: &str, body: &str) -> KmsKey {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    at(&endpoint)
}

#[tokio::test]
async fn failures_of_a_kms_are_told_apart() {
    if !inside("kms::failures_of_a_kms_are_told_apart", true) {
        return;
    }
    let error = |code: &str| format!(r#"{{"__type":"{code}","message":"words of the KMS"}}"#);
    for code in ["AccessDeniedException", "DisabledException", "ExpiredTokenException"] {
        let answer = kms_error(answering("400 Bad Request", &error(code)).await).await;
        let KmsError::Refused { code: told, message } = answer else { panic!("{answer}") };
        assert_eq!((told.as_str(), message.as_str()), (code, "words of the KMS"));
    }
    for code in ["IncorrectKeyException", "InvalidCiphertextException", "NotFoundException"] {
        let answer = kms_error(answering("400 Bad Request", &error(code)).await).await;
        assert!(matches!(answer, KmsError::WrongKey { .. }), "{answer}");
    }
    let unwell = error("KMSInternalException");
    let answer = kms_error(answering("500 Internal Server Error", &unwell).await).await;
    assert!(matches!(answer, KmsError::Unreachable { .. }), "{answer}");
    let answer = kms_error(at("http://127.0.0.1:9")).await;
    assert!(matches!(answer, KmsError::Unreachable { .. }), "{answer}");

    let nothing = kms_error(answering("200 OK", "{}").await).await;
    assert!(matches!(nothing, KmsError::Answer), "{nothing}");
    let other = r#"{"CiphertextBlob":"AAAA","Plaintext":"AAAA","KeyId":"k"}"#;
    let other = kms_error(answering("200 OK", other).await).await;
    assert!(matches!(other, KmsError::Answer), "{other}");
}

#[tokio::test(start_paused = true)]
async fn a_kms_that_says_nothing_is_not_waited_for() {
    if !inside("kms::a_kms_that_says_nothing_is_not_waited_for", true) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let began = tokio::time::Instant::now();
    let answer = kms_error(at(&endpoint)).await;
    assert!(matches!(answer, KmsError::Unreachable { .. }), "{answer}");
    assert!(began.elapsed() < std::time::Duration::from_secs(25));
}

#[tokio::test]
async fn missing_credentials_are_told() {
    if !inside("kms::missing_credentials_are_told", false) {
        return;
    }
    let answer = kms_error(at("http://127.0.0.1:9")).await;
    assert!(matches!(answer, KmsError::NoCredentials { .. }), "{answer}");
}

#[test]
fn keys_that_cannot_be_and_endpoints_without_protection_are_refused() {
    for endpoint in [
        "https://kms.example",
        "https://10.0.0.1:8443/path",
        "http://localhost:4566",
        "http://127.0.0.1",
        "http://[::1]:4566/",
    ] {
        assert!(KmsKey::new(REGION, Some(endpoint), "key").is_ok(), "{endpoint}");
    }
    for endpoint in [
        "",
        "https://",
        "kms.example",
        "http://kms.example",
        "http://127.0.0.1.example",
        "http://localhost@kms.example",
        "http://localhost:1@kms.example/",
        "http://[::1].example@kms.example",
        "http://127.0.0.2",
        "ftp://localhost",
        "https://kms example",
        &format!("https://{}", "x".repeat(600)),
    ] {
        assert!(KmsKey::new(REGION, Some(endpoint), "key").is_err(), "{endpoint}");
    }
    for (region, key) in [("", "key"), ("eu/central", "key"), (REGION, ""), (REGION, "a\nb")] {
        assert!(KmsKey::new(region, None, key).is_err());
    }
    assert!(KmsKey::new(REGION, None, &"x".repeat(2049)).is_err());
}

/// A `strongroom dev` of its own, ended when the test is.
struct Server {
    process: Child,
    endpoint: String,
    /// Held, because a server whose output nobody takes ends.
    output: Option<BufReader<ChildStdout>>,
}

impl Server {
    fn start(binary: &std::ffi::OsStr) -> Self {
        let process = Command::new(binary)
            .args(["dev", "--listen", "127.0.0.1:0", "--in-memory"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { process, endpoint: String::new(), output: None };
        let mut output = BufReader::new(server.process.stdout.take().unwrap());
        while server.endpoint.is_empty() {
            let mut line = String::new();
            let read = output.read_line(&mut line).unwrap();
            assert!(read > 0, "the server has ended before it named its endpoint");
            if let Some(endpoint) = line.trim().strip_prefix("endpoint: ") {
                endpoint.clone_into(&mut server.endpoint);
            }
        }
        server.output = Some(output);
        server
    }

    fn client(&self) -> Client {
        let config = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(&self.endpoint)
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(ACCOUNT, "any", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }

    fn key(&self, id: &str) -> KmsKey {
        KmsKey::new(REGION, Some(&self.endpoint), id).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        self.output = None;
        let _ = self.process.wait();
    }
}

async fn new_key(client: &Client) -> String {
    client.create_key().send().await.unwrap().key_metadata.unwrap().key_id
}

fn reason(refusal: Refusal) -> KmsError {
    match refusal {
        Refusal::NotOpened(mut tried) => match tried.remove(0).reason {
            Unopened::Kms(error) => error,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_strongroom_opens_a_seal() {
    let Some(binary) = std::env::var_os("STRONGROOM_BIN") else { return };
    if !inside("kms::another_strongroom_opens_a_seal", true) {
        return;
    }
    let server = Server::start(&binary);
    let kms = server.client();
    let (key, second) = (new_key(&kms).await, new_key(&kms).await);
    let store = Arc::new(Memory::new());
    let wanted = vec![
        named("cloud", NewMethod::Kms(server.key(&key))),
        named("desk", by_passphrase(PASSPHRASE)),
    ];
    let clock = Arc::new(Hands::default());
    let (seals, root_key, issued) =
        Seals::create(Arc::clone(&store) as _, clock, wanted).await.unwrap();
    assert!(issued.iter().all(|one| one.shares.is_empty()));
    let own_proof = proof(&root_key);
    let again = started(Arc::clone(&store) as _).await;
    assert!(proves(&opened(again.unseal(Secret::Kms, None).await).0, &own_proof));

    let listed = seals.list().await.unwrap();
    let Details::Kms(Some(told)) = &listed[0].details else { panic!("no KMS") };
    assert_eq!((told.key_id(), told.region(), listed[0].kind), (key.as_str(), REGION, Kind::Kms));

    // A key that is disabled, and one that comes back.
    kms.disable_key().key_id(&key).send().await.unwrap();
    let error = reason(refused(again.unseal(Secret::Kms, None).await));
    let disabled = matches!(&error, KmsError::Refused { code, .. } if code == "DisabledException");
    assert!(disabled, "{error}");
    kms.enable_key().key_id(&key).send().await.unwrap();
    opened(again.rehearse(Secret::Kms, None).await);

    // Another key in the KMS, and one that isn't there.
    seals.rotate("cloud", NewMethod::Kms(server.key(&second))).await.unwrap();
    kms.disable_key().key_id(&key).send().await.unwrap();
    assert!(proves(&opened(again.unseal(Secret::Kms, None).await).0, &own_proof));
    let missing = named("none", NewMethod::Kms(server.key(&second.replace(|_: char| true, "0"))));
    assert!(matches!(failed(seals.add(missing).await), SealsError::Kms(_)));

    // Without the KMS the root key still rotates, and the other seal opens.
    drop(server);
    let new = seals.rotate_root_key().await.unwrap();
    let error = reason(refused(again.unseal(Secret::Kms, None).await));
    assert!(matches!(error, KmsError::Unreachable { .. }), "{error}");
    let (root_key, _) = opened(again.unseal(passphrase(PASSPHRASE), None).await);
    assert!(proves(&root_key, &proof(&new)));
}
