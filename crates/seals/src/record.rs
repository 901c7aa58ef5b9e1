//! What is stored: a record for each seal, and one that binds them together.
//!
//! Owns the records' form and the bytes that they are authenticated with. Must not know a store or
//! a secret.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use crypto::{Error, PassphraseCost, RootKey, SealKey};
use serde::{Deserialize, Serialize};
use service::records::millis;
use wire::Timestamp;

use crate::kind::Kind;
use crate::kms::KmsKey;

/// A seal.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealRecord {
    /// The installation that it is a seal of.
    pub(crate) installation: String,
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    /// When its secret was last changed.
    #[serde(with = "millis")]
    pub(crate) renewed: Timestamp,
    pub(crate) method: Method,
    /// The version of the set with which this record was written.
    pub(crate) version: u64,
    /// Which root key it opens, counted from 1.
    pub(crate) root_key_number: u32,
    /// The root key under the seal key.
    #[serde(with = "base64_bytes")]
    pub(crate) root_key: Vec<u8>,
    /// The seal key under the root key.
    #[serde(with = "base64_bytes")]
    pub(crate) seal_key: Vec<u8>,
}

/// How the seal key comes about.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Method {
    Passphrase {
        #[serde(with = "base64_bytes")]
        salt: Vec<u8>,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    Shares {
        set: String,
        threshold: u8,
        /// The public id of each share, in the order of their numbers.
        ids: Vec<String>,
    },
    KeyFile {},
    Kms {
        region: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<String>,
        key_id: String,
        /// The seal key as the KMS has encrypted it.
        #[serde(with = "base64_bytes")]
        ciphertext: Vec<u8>,
    },
}

impl Method {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Passphrase { .. } => Kind::Passphrase,
            Self::Shares { .. } => Kind::Shares,
            Self::KeyFile {} => Kind::KeyFile,
            Self::Kms { .. } => Kind::Kms,
        }
    }
}

/// What binds the seals together.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetRecord {
    pub(crate) installation: String,
    /// Counts the changes of the set.
    pub(crate) version: u64,
    pub(crate) root_key_number: u32,
    /// By id.
    pub(crate) seals: Vec<Listed>,
    /// The MAC over all of this under the root key.
    #[serde(with = "base64_bytes")]
    pub(crate) mac: Vec<u8>,
}

/// A seal as the set lists it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The version of the set with which the record was written.
    pub(crate) version: u64,
    /// SHA-256 of the record's bytes, in hexadecimal digits.
    pub(crate) digest: String,
}

impl Listed {
    /// The entry of a record that is written as `bytes`.
    pub(crate) fn of(record: &SealRecord, bytes: &[u8]) -> Self {
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            version: record.version,
            digest: digest_of(bytes),
        }
    }
}

/// The digest by which the set knows a record.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Fields one after the other, each with its length before it, so that no two lists of fields
/// give the same bytes.
struct Fields(Vec<u8>);

impl Fields {
    fn put(&mut self, field: &[u8]) -> &mut Self {
        // Every field is bounded far below 4 GiB; a longer one would give another binding.
        let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
        self.0.extend(len.to_be_bytes());
        self.0.extend(field);
        self
    }

    fn number(&mut self, number: impl Into<i128>) -> &mut Self {
        let number: i128 = number.into();
        self.put(number.to_string().as_bytes())
    }
}

impl SealRecord {
    /// What both wrapped keys in the record are authenticated with: all that the record says.
    pub(crate) fn binding(&self) -> Vec<u8> {
        let mut fields = Fields(Vec::new());
        fields
            .put(self.installation.as_bytes())
            .put(self.id.as_bytes())
            .put(self.name.as_bytes())
            .number(self.created.millis())
            .number(self.renewed.millis())
            .number(self.version)
            .number(self.root_key_number)
            .put(self.method.kind().name().as_bytes());
        match &self.method {
            Method::Passphrase { salt, memory_kib, passes, lanes } => {
                fields.put(salt).number(*memory_kib).number(*passes).number(*lanes);
            }
            Method::Shares { set, threshold, ids } => {
                fields.put(set.as_bytes()).number(*threshold);
                for id in ids {
                    fields.put(id.as_bytes());
                }
            }
            Method::KeyFile {} => {}
            Method::Kms { region, endpoint, key_id, ciphertext } => {
                let endpoint = endpoint.as_deref().unwrap_or_default();
                fields.put(region.as_bytes()).put(endpoint.as_bytes()).put(key_id.as_bytes());
                fields.put(ciphertext);
            }
        }
        fields.0
    }

    /// Writes down root key and seal key, each under the other, bound to all else in the record.
    pub(crate) fn wrap(&mut self, root_key: &RootKey, seal_key: &SealKey) -> Result<(), Error> {
        let binding = self.binding();
        self.root_key = seal_key.wrap_root_key(root_key, &binding)?;
        self.seal_key = root_key.wrap_seal_key(seal_key, &binding)?;
        Ok(())
    }

    /// What may be shown of it.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            id: self.id.clone(),
            name: self.name.clone(),
            kind: self.method.kind(),
            created: self.created,
            renewed: self.renewed,
            details: match &self.method {
                Method::Passphrase { memory_kib, passes, lanes, .. } => {
                    Details::Passphrase(PassphraseCost::new(*memory_kib, *passes, *lanes))
                }
                Method::Shares { set, threshold, ids } => {
                    Details::Shares { set: set.clone(), threshold: *threshold, count: ids.len() }
                }
                Method::KeyFile {} => Details::KeyFile,
                Method::Kms { region, endpoint, key_id, .. } => {
                    Details::Kms(KmsKey::new(region, endpoint.as_deref(), key_id).ok())
                }
            },
        }
    }
}

impl SetRecord {
    /// What the MAC is over: all of the record but the MAC.
    pub(crate) fn description(&self) -> Vec<u8> {
        let mut fields = Fields(Vec::new());
        fields.put(self.installation.as_bytes()).number(self.version).number(self.root_key_number);
        for seal in &self.seals {
            fields.put(seal.id.as_bytes()).put(seal.name.as_bytes()).number(seal.version);
            fields.put(seal.digest.as_bytes());
        }
        fields.0
    }
}

/// What may be shown of a seal.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its id: 16 hexadecimal digits.
    pub id: String,
    /// The name that it was given.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// When it was made.
    pub created: Timestamp,
    /// When its secret was last changed.
    pub renewed: Timestamp,
    /// What is particular to its kind.
    pub details: Details,
}

/// What is particular to a kind of seal.
#[derive(Debug, Clone)]
pub enum Details {
    /// What an attempt costs; none if the record says something out of bounds.
    Passphrase(Option<PassphraseCost>),
    /// Shares.
    Shares {
        /// The set that all its shares are of.
        set: String,
        /// How many of them open the seal.
        threshold: u8,
        /// How many there are.
        count: usize,
    },
    /// A file.
    KeyFile,
    /// The KMS and the key there; none if the record names an impossible one.
    Kms(Option<KmsKey>),
}

/// Bytes as base64, for serde's `with`.
pub(crate) mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        STANDARD.encode(bytes).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}
