//! Acknowledged commits survive: a writer that is killed, and a disk that refuses to take more.
//!
//! The writers are this test binary itself, run again for the one test `child`.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use service::ports::{Commit, Store as _, StoreError};
use storage::Embedded;
use tokio::sync::Mutex;

/// Names the database to the child.
const DATABASE: &str = "STORAGE_CRASH_TEST_DATABASE";

/// A process that is being started holds the locks of the one that starts it for a moment, so
/// only one of these tests runs at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

const TASKS: usize = 16;
const ROUNDS: u32 = 20;

/// The two records that a task writes in one commit.
fn keys(task: usize) -> [String; 2] {
    [format!("a/{task}"), format!("b/{task}")]
}

fn number(value: &[u8]) -> u64 {
    u64::from_le_bytes(value[..8].try_into().unwrap())
}

/// Writes until it is killed or the store fails, and prints each answered commit.
#[test]
#[ignore = "the other process of the tests below"]
fn child() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let store = Arc::new(Embedded::open(Path::new(&path)).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> =
            (0..TASKS).map(|task| tokio::spawn(write(store.clone(), task))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    // Every task was refused once. With the log emptied, the store must take commits again.
    let puts = vec![("after".to_owned(), vec![1])];
    let recovered = runtime.block_on(store.commit(Commit { puts, ..Commit::default() }));
    println!("\nrecovered {}", recovered.is_ok());
}

async fn write(store: Arc<Embedded>, task: usize) {
    let before = store.get(&keys(task)[0]).await.unwrap();
    let mut next = before.map_or(0, |item| number(&item.value)) + 1;
    loop {
        let mut value = next.to_le_bytes().to_vec();
        value.resize(600, 7);
        let puts = keys(task).map(|key| (key, value.clone())).to_vec();
        match store.commit(Commit { puts, ..Commit::default() }).await {
            Ok(_) => println!("\nacknowledged {task} {next}"),
            Err(StoreError::Unavailable(_)) => {
                let item = store.get(&keys(task)[0]).await.unwrap();
                let held = item.map_or(0, |item| number(&item.value));
                assert!(held == next || held == next - 1, "read {held} while writing {next}");
                return;
            }
            Err(other) => panic!("{other}"),
        }
        next += 1;
    }
}

fn run_child(database: &Path, shell: Option<&str>) -> Command {
    let binary = std::env::current_exe().unwrap();
    let mut command = match shell {
        None => Command::new(&binary),
        Some(prelude) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(format!("{prelude}; exec \"$0\" \"$@\"")).arg(&binary);
            command
        }
    };
    command
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped());
    command
}

/// The highest acknowledged number of each task. A line without its end was cut by the kill.
fn acknowledged(output: &str, into: &mut HashMap<usize, u64>) {
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines() {
        let Some(rest) = line.strip_prefix("acknowledged ") else { continue };
        let (task, number) = rest.split_once(' ').unwrap();
        let (task, number): (usize, u64) = (task.parse().unwrap(), number.parse().unwrap());
        let latest = into.entry(task).or_insert(0);
        *latest = number.max(*latest);
    }
}

/// Everything acknowledged is there, no commit is there by half, and the revision counts all.
async fn verify(database: &Path, latest: &HashMap<usize, u64>) {
    let store = Embedded::open(database).unwrap();
    let mut commits = 0;
    for task in 0..TASKS {
        let [a, b] = keys(task);
        let (a, b) = (store.get(&a).await.unwrap(), store.get(&b).await.unwrap());
        assert_eq!(
            a.as_ref().map(|a| (&a.value, a.revision)),
            b.as_ref().map(|b| (&b.value, b.revision))
        );
        let held = a.map_or(0, |item| number(&item.value));
        let told = latest.get(&task).copied().unwrap_or(0);
        assert!(held >= told, "task {task}: {told} was acknowledged, {held} is there");
        commits += held;
    }
    let after = u64::from(store.get("after").await.unwrap().is_some());
    assert_eq!(store.revision().0, commits + after);
}

#[tokio::test]
async fn killed_writers_lose_nothing() {
    let _alone = ALONE.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("store.db");
    let mut latest = HashMap::new();
    let mut seed = std::process::id();
    for round in 0..ROUNDS {
        let mut child = run_child(&database, None).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut output = String::new();
            pipe.read_to_string(&mut output).unwrap();
            output
        });
        // From before the database is open to well into writing and checkpointing.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        std::thread::sleep(Duration::from_millis(u64::from(10 + seed % 400)));
        child.kill().unwrap();
        child.wait().unwrap();
        let before: u64 = latest.values().sum();
        acknowledged(&reader.join().unwrap(), &mut latest);
        verify(&database, &latest).await;
        println!("round {round}: {} commits", latest.values().sum::<u64>() - before);
    }
    assert!(latest.values().sum::<u64>() > 1000, "too few commits to tell anything");
}

/// The file size limit makes the writes of the log fail in the middle of a transaction.
#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let _alone = ALONE.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("store.db");
    drop(Embedded::open(&database).unwrap());
    // Without the signal, a write past the limit is an error like that of a full disk.
    let output = run_child(&database, Some("trap '' XFSZ; ulimit -f 2000")).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains("recovered true"), "{}", &output[output.len().saturating_sub(500)..]);
    let mut latest = HashMap::new();
    acknowledged(&output, &mut latest);
    assert!(latest.len() == TASKS, "every task must have got through before the limit");
    verify(&database, &latest).await;
}
