//! Published installations: what `conformance/vectors/seals-v1.json` holds, this code opens.
//!
//! `made_here` was written by this code, and `conformance/vectors/seals.py` opens it with another
//! implementation; `made_outside` was written by that. With `STRONGROOM_WRITE_VECTORS=1` in the
//! environment the first is made anew. Later versions must open both for ever. Nothing in them is
//! the secret of anybody.

use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use seals::{Seals, Secret};
use serde_json::{Value, json};
use service::ports::{Commit, Store as _};
use storage::Memory;

use super::installation::{
    Installation, PASSPHRASE, hex, missing, opened, passphrase, proves, share, started,
};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/vectors/seals-v1.json")
}

fn unhex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

async fn made_here() -> Value {
    let own = Installation::new().await;
    // Once renewed and once rotated, so that no number is what it began as.
    own.seals.rotate_root_key().await.unwrap();
    let (root_key, _) = opened(own.seals.unseal(passphrase(PASSPHRASE), None).await);
    let records = own.records().await;
    let records = records.iter().map(|(key, value)| (key.clone(), hex(value).into()));
    json!({
        "records": records.collect::<serde_json::Map<_, _>>(),
        "passphrase": PASSPHRASE,
        "shares": own.shares,
        "key_file": hex(&fs::read(own.key_file()).unwrap()),
        "domain_key": hex(&super::installation::proof(&root_key)),
    })
}

async fn stored(installation: &Value) -> Arc<Memory> {
    let store = Arc::new(Memory::new());
    let records = installation["records"].as_object().unwrap();
    let puts = records.iter().map(|(key, value)| (key.clone(), unhex(value))).collect();
    store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
    store
}

async fn start(installation: &Value) -> Seals {
    started(stored(installation).await).await
}

#[tokio::test]
async fn published_installations_open() {
    let mut vectors: Value =
        fs::read_to_string(path()).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    if env::var_os("STRONGROOM_WRITE_VECTORS").is_some() {
        vectors["made_here"] = made_here().await;
        let text = serde_json::to_string_pretty(&vectors).unwrap();
        fs::write(path(), text + "\n").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    for origin in ["made_here", "made_outside"] {
        let installation = &vectors[origin];
        let proof = unhex(&installation["domain_key"]);
        let secret = passphrase(installation["passphrase"].as_str().unwrap());
        let (root_key, _) = opened(start(installation).await.unseal(secret, None).await);
        assert!(proves(&root_key, &proof), "{origin}");

        let seals = start(installation).await;
        let shares = installation["shares"].as_array().unwrap();
        for (index, text) in shares[2..].iter().enumerate() {
            let outcome = seals.unseal(share(text.as_str().unwrap()), None).await;
            if index < 2 {
                assert_eq!(usize::from(missing(outcome)), 2 - index);
            } else {
                assert!(proves(&opened(outcome).0, &proof), "{origin}");
            }
        }

        let file = directory.path().join(origin);
        fs::write(&file, unhex(&installation["key_file"])).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let outcome = start(installation).await.unseal(Secret::KeyFile(file), None).await;
        let (root_key, _) = opened(outcome);
        assert!(proves(&root_key, &proof), "{origin}");
        // The seals go on from there.
        let seals = start(installation).await;
        let secret = passphrase(installation["passphrase"].as_str().unwrap());
        opened(seals.unseal(secret, None).await);
        let first = seals.list().await.unwrap().remove(0);
        seals.remove(&first.id).await.unwrap();
    }
}
