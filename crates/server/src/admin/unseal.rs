//! Unsealing, and trying whether a secret would.

use ::seals::{Collected, Outcome, Refusal, Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::event::Event;
use super::{Call, Refused, secret};

/// A secret, as an operator gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempt {
    /// The seal's id or name; all of the kind are tried without it.
    seal: Option<String>,
    #[serde(flatten)]
    secret: Given,
    /// Whether to go on where records were tampered with, and to remove what was.
    #[serde(default)]
    mend: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Given {
    Passphrase(#[serde(deserialize_with = "secret")] Zeroizing<String>),
    Share(#[serde(deserialize_with = "secret")] Zeroizing<String>),
    KeyFile(std::path::PathBuf),
    Kms(()),
}

impl From<Given> for Secret {
    fn from(given: Given) -> Self {
        match given {
            Given::Passphrase(passphrase) => Self::Passphrase(passphrase),
            Given::Share(share) => Self::Share(share),
            Given::KeyFile(path) => Self::KeyFile(path),
            Given::Kms(()) => Self::Kms,
        }
    }
}

impl Call<'_> {
    pub(super) async fn unseal(&self) -> Result<Value, Refused> {
        let attempt: Attempt = self.input()?;
        if self.instance.is_unsealed() {
            return Err(Refused::state("the server is unsealed already"));
        }
        let secret = Secret::from(attempt.secret);
        let kind = secret.kind().name();
        let opening = self.instance.unseal(secret, attempt.seal.as_deref(), attempt.mend);
        let outcome = opening.await;
        let told = match &outcome {
            Ok(Outcome::Opened { id, name, .. }) => {
                json!({ "kind": kind, "seal": id, "name": name })
            }
            Ok(Outcome::MoreShares(collected)) => {
                json!({ "kind": kind, "shareSet": collected.set, "missing": collected.missing })
            }
            Err(_) => json!({ "kind": kind, "seal": attempt.seal }),
        };
        if let Err(unrecorded) = self.tell("Unseal", told, outcome.as_ref().err()).await {
            self.instance.stay_sealed().await;
            return Err(unrecorded);
        }
        match outcome {
            Ok(Outcome::Opened { id, name, root_key }) => {
                self.instance.open(root_key).await.map_err(Refused::failed)?;
                Ok(json!({ "sealed": false, "seal": { "id": id, "name": name } }))
            }
            Ok(Outcome::MoreShares(collected)) => {
                Ok(json!({ "sealed": true, "collected": shown(&collected) }))
            }
            Err(refusal) => {
                tracing::warn!(kind, %refusal, "an attempt to unseal failed");
                Err(refused(&refusal))
            }
        }
    }

    pub(super) async fn forget_shares(&self) -> Result<Value, Refused> {
        self.instance.seals.forget_shares();
        self.tell("ForgetShares", json!({}), None).await?;
        Ok(json!({}))
    }

    pub(super) async fn rehearse(&self) -> Result<Value, Refused> {
        let attempt: Attempt = self.input()?;
        let secret = Secret::from(attempt.secret);
        let kind = secret.kind().name();
        let outcome = self.instance.seals.rehearse(secret, attempt.seal.as_deref()).await;
        let told = json!({ "kind": kind, "seal": attempt.seal });
        self.tell("RehearseSeal", told, outcome.as_ref().err()).await?;
        match outcome {
            Ok(Outcome::Opened { id, name, .. }) => {
                Ok(json!({ "opens": true, "seal": { "id": id, "name": name } }))
            }
            Ok(Outcome::MoreShares(collected)) => {
                Ok(json!({ "opens": null, "collected": shown(&collected) }))
            }
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    /// Records what the operator did, or tried.
    pub(super) async fn tell(
        &self,
        name: &'static str,
        parameters: Value,
        refusal: Option<&Refusal>,
    ) -> Result<(), Refused> {
        let operator = Some(self.operator);
        let message = refusal.map(ToString::to_string);
        let error = refusal.map(Refusal::code).zip(message.as_deref());
        let read_only = name == "RehearseSeal";
        let event = Event { operator, name, parameters, error, read_only };
        self.instance.record(event).await.map_err(Refused::failed)
    }
}

pub(super) fn shown(collected: &Collected) -> Value {
    json!({
        "set": collected.set,
        "numbers": collected.numbers,
        "missing": collected.missing,
        "remainingSeconds": collected.remaining.as_secs(),
    })
}

fn refused(refusal: &Refusal) -> Refused {
    match refusal {
        Refusal::Failed(_) => Refused::failed(refusal),
        _ => Refused::request(refusal),
    }
}
