//! How the server is, and reading its configuration again.

use serde_json::{Value, json};

use super::unseal::shown;
use super::{Call, Refused};

impl Call<'_> {
    pub(super) async fn status(&self) -> Result<Value, Refused> {
        let instance = self.instance;
        let installation = instance.seals.installation().await.map_err(Refused::failed)?;
        let collected: Vec<_> = instance.seals.collected().iter().map(shown).collect();
        let stats = instance.audit.stats();
        Ok(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "sealed": !instance.is_unsealed(),
            "installation": installation,
            "collected": collected,
            "startedSecondsAgo": instance.started.elapsed().as_secs(),
            "revision": instance.store.revision().0,
            "audit": {
                "lastSequence": instance.audit.last_sequence(),
                "refused": stats.refused(),
                "lastDigest": stats.last_digest(),
            },
        }))
    }

    pub(super) async fn reload(&self) -> Result<Value, Refused> {
        self.tell("Reload", json!({}), None).await?;
        let reloaded = self.instance.reload().map_err(Refused::request)?;
        Ok(json!({ "changed": reloaded.changed, "needsRestart": reloaded.needs_restart }))
    }
}
