//! Rotation of the root key and of domain keys, on demand, and how far it has come.

use std::time::Duration;

use keystores::software::RotationStatus;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Refused, sealed};

/// What is to be rotated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    root_key: bool,
    #[serde(default)]
    domain_keys: bool,
    #[serde(default)]
    audit_key: bool,
}

impl Call<'_> {
    pub(super) async fn rotation(&self) -> Result<Value, Refused> {
        let unsealed = self.instance.unsealed().ok_or_else(sealed)?;
        let regions = unsealed.rewrapping.status().await.map_err(Refused::failed)?;
        let under_way = self.instance.seals.rotation_under_way().await.map_err(Refused::failed)?;
        let regions: Vec<_> = regions.iter().map(shown).collect();
        Ok(json!({ "rootKeyUnderWay": under_way, "regions": regions }))
    }

    pub(super) async fn rotate(&self) -> Result<Value, Refused> {
        let asked: Asked = self.input()?;
        if !asked.root_key && !asked.domain_keys && !asked.audit_key {
            return Err(Refused::request("nothing was named that is to be rotated"));
        }
        let unsealed = self.instance.unsealed().ok_or_else(sealed)?;
        let told = json!({
            "rootKey": asked.root_key,
            "domainKeys": asked.domain_keys,
            "auditKey": asked.audit_key,
        });
        self.tell("Rotate", told, None).await?;
        if asked.root_key {
            self.instance.rotate_root_key().await.map_err(Refused::failed)?;
        }
        let mut regions = Vec::new();
        if asked.domain_keys {
            let rotated = self.instance.rotate_domain_keys(Duration::ZERO).await;
            regions = rotated.map_err(Refused::failed)?;
        }
        let mut audit_key = None;
        if asked.audit_key {
            audit_key = Some(unsealed.audit_keys.rotate().await.map_err(Refused::failed)?);
        }
        Ok(json!({ "rootKey": asked.root_key, "regions": regions, "auditKey": audit_key }))
    }
}

fn shown(status: &RotationStatus) -> Value {
    let older: Vec<_> = status
        .older
        .iter()
        .map(|key| {
            json!({ "number": key.number,
                "retired": key.retired.map(|at| at.to_string()) })
        })
        .collect();
    json!({
        "region": status.current.region,
        "number": status.current.number,
        "made": status.current.made.map(|at| at.to_string()),
        "older": older,
        "rewrapped": status.rewrapped,
        "remaining": status.remaining,
        "finished": status.finished_at.map(|at| at.to_string()),
        "damaged": status.damaged,
    })
}
