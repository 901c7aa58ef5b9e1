//! The seals: listing, adding, removing, giving them new secrets.

use std::path::PathBuf;

use ::seals::{Details, Issued, KmsKey, NewMethod, NewSeal, SealsError, Summary};
use crypto::PassphraseCost;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Call, Refused, secret};

/// How a new seal is opened, as an operator says it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Asked {
    Passphrase(#[serde(deserialize_with = "secret")] Zeroizing<String>),
    Shares { threshold: u8, count: u8 },
    KeyFile(PathBuf),
    Kms { region: String, endpoint: Option<String>, key: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedSeal {
    name: String,
    method: Asked,
}

impl Asked {
    fn method(self) -> Result<NewMethod, Refused> {
        Ok(match self {
            Self::Passphrase(passphrase) => {
                NewMethod::Passphrase { passphrase, cost: PassphraseCost::RECOMMENDED }
            }
            Self::Shares { threshold, count } => NewMethod::Shares { threshold, count },
            Self::KeyFile(path) => NewMethod::KeyFile { path },
            Self::Kms { region, endpoint, key } => NewMethod::Kms(
                KmsKey::new(&region, endpoint.as_deref(), &key).map_err(Refused::request)?,
            ),
        })
    }
}

impl Call<'_> {
    pub(super) async fn list_seals(&self) -> Result<Value, Refused> {
        let seals = self.instance.seals.list().await.map_err(|error| refused(&error))?;
        let findings = self.instance.seals.findings().await.map_err(|error| refused(&error))?;
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let seals: Vec<_> = seals.iter().map(shown).collect();
        Ok(json!({ "seals": seals, "findings": findings }))
    }

    pub(super) async fn add_seal(&self) -> Result<Value, Refused> {
        let AskedSeal { name, method } = self.input()?;
        let method = method.method()?;
        let told = json!({ "name": name, "kind": method.kind().name() });
        // Told before it is done: what is in no record must not be.
        self.tell("AddSeal", told, None).await?;
        let issued = self.instance.seals.add(NewSeal { name, method }).await;
        issued.map(|issued| issue(&issued)).map_err(|error| refused(&error))
    }

    pub(super) async fn remove_seal(&self, seal: &str) -> Result<Value, Refused> {
        let seal = decoded(seal);
        self.tell("RemoveSeal", json!({ "seal": seal }), None).await?;
        self.instance.seals.remove(&seal).await.map_err(|error| refused(&error))?;
        Ok(json!({}))
    }

    pub(super) async fn rotate_seal(&self, seal: &str) -> Result<Value, Refused> {
        let seal = decoded(seal);
        let method = self.input::<Asked>()?.method()?;
        let told = json!({ "seal": seal, "kind": method.kind().name() });
        self.tell("RotateSeal", told, None).await?;
        let issued = self.instance.seals.rotate(&seal, method).await;
        issued.map(|issued| issue(&issued)).map_err(|error| refused(&error))
    }
}

/// A name out of a path.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// What is handed out, once.
fn issue(issued: &Issued) -> Value {
    let share = |share: &seals::IssuedShare| {
        json!({ "number": share.number, "threshold": share.threshold, "set": share.set,
            "text": share.text.as_str() })
    };
    let shares: Vec<_> = issued.shares.iter().map(share).collect();
    json!({ "id": issued.id, "name": issued.name, "shares": shares })
}

fn shown(summary: &Summary) -> Value {
    let details = match &summary.details {
        Details::Passphrase(_) | Details::KeyFile | Details::Kms(None) => json!({}),
        Details::Shares { set, threshold, count } => {
            json!({ "set": set, "threshold": threshold, "count": count })
        }
        Details::Kms(Some(key)) => {
            json!({ "region": key.region(), "endpoint": key.endpoint(), "key": key.key_id() })
        }
    };
    json!({
        "id": summary.id,
        "name": summary.name,
        "kind": summary.kind.name(),
        "created": summary.created.to_string(),
        "renewed": summary.renewed.to_string(),
        "details": details,
    })
}

fn refused(error: &SealsError) -> Refused {
    match error {
        SealsError::Store(_) | SealsError::Crypto(_) => Refused::failed(error),
        SealsError::Sealed | SealsError::Conflict => Refused::state(error),
        _ => Refused::request(error),
    }
}
