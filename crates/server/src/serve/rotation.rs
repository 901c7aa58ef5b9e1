//! Rotation of the root key and of domain keys: on demand, and by age.
//!
//! Must not know how either is done.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use service::ports::{Commit, Expect};
use service::records::{decode, encode, millis};
use tokio::time::sleep;
use wire::Timestamp;

use super::Instance;
use crate::admin::Event;
use crate::config::Config;

/// Where it stands since when the root key is in use.
const PLACE: &str = "keystore/root-key/age";

/// A rotation that didn't come about, or not to its end; the next one goes on.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Since when a root key is in use.
#[derive(Serialize, Deserialize)]
struct Age {
    /// Which root key, counted from 1.
    number: u32,
    #[serde(with = "millis")]
    since: Timestamp,
}

impl Instance {
    /// Replaces the root key, after what an earlier replacement has left.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn rotate_root_key(&self) -> Result<(), Failure> {
        let Some(unsealed) = self.unsealed() else { return Err("the server is sealed".into()) };
        let _one_at_a_time = self.root_key_changes.lock().await;
        // What was interrupted comes first: after a crash, or where the store failed before the key
        // store had taken the root key that the seals open already.
        if !unsealed.key_store.finish_root_key().await? && self.seals.rotation_under_way().await? {
            let current = self.seals.root_key().await?;
            unsealed.key_store.replace_root_key(current).await?;
        }
        let new = self.seals.rotate_root_key().await?;
        unsealed.key_store.replace_root_key(new).await?;
        Ok(())
    }

    /// Gives the Regions' domain keys successors that were made at least so long ago; gives the
    /// Regions.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn rotate_domain_keys(&self, age: Duration) -> Result<Vec<String>, Failure> {
        let Some(unsealed) = self.unsealed() else { return Err("the server is sealed".into()) };
        let regions = unsealed.key_store.rotate_domain_keys(self.clock.now(), age).await?;
        if !regions.is_empty() {
            unsealed.rewrap_soon.notify_one();
        }
        Ok(regions)
    }

    /// Whether the root key has been in use for so long.
    async fn root_key_is_older(&self, age: Duration) -> Result<bool, Failure> {
        let (number, now) = (self.seals.root_key_number().await?, self.clock.now());
        let stored = self.store.get(PLACE).await?;
        let known: Option<Age> = match &stored {
            Some(item) => Some(decode(&item.value).map_err(unreadable)?),
            None => None,
        };
        // One that is dated by a clock that has jumped back since would never be old.
        if let Some(known) = known.filter(|known| known.number == number && known.since <= now) {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            return Ok(now.millis().saturating_sub(known.since.millis()) >= age);
        }
        let before = stored.map_or(Expect::Absent, |item| Expect::At(item.revision));
        let commit = Commit {
            preconditions: vec![(PLACE.to_owned(), before)],
            puts: vec![(
                PLACE.to_owned(),
                encode(&Age { number, since: now }).map_err(unreadable)?,
            )],
            ..Commit::default()
        };
        self.store.commit(commit).await?;
        Ok(false)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`, which gives values")]
fn unreadable(error: service::Error) -> Failure {
    format!("since when the root key is in use can't be read or written ({error})").into()
}

/// Rotates what has come of age, for ever.
pub(super) async fn by_age(instance: Arc<Instance>, config: Config) {
    let rotation = config.rotation;
    // At once, since what has no date yet gets one here.
    loop {
        if let Some(age) = rotation.domain_key_age {
            match instance.rotate_domain_keys(age).await {
                Ok(regions) if regions.is_empty() => {}
                Ok(regions) => tracing::info!(?regions, "domain keys were rotated by age"),
                Err(error) => tracing::error!(%error, "domain keys can't be rotated"),
            }
        }
        if let Some(age) = rotation.root_key_age
            && let Err(error) = rotate_root_key(&instance, age).await
        {
            tracing::error!(%error, "the root key can't be rotated");
        }
        sleep(rotation.check_interval).await;
    }
}

async fn rotate_root_key(instance: &Instance, age: Duration) -> Result<(), Failure> {
    if !instance.root_key_is_older(age).await? {
        return Ok(());
    }
    let event = Event {
        operator: None,
        name: "Rotate",
        parameters: json!({ "rootKey": true, "domainKeys": false }),
        error: None,
        read_only: false,
    };
    instance.record(event).await?;
    instance.rotate_root_key().await?;
    tracing::info!("the root key was rotated by age");
    Ok(())
}
