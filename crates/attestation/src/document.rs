//! The fields of a document and their bounds (AWS, Nitro Enclaves attestation process, 2.2 and
//! 3.2.2). Must not know what certificates and keys hold.

use std::collections::BTreeMap;

use ciborium::Value;

use crate::Refusal;
use crate::envelope::only_value;

/// How deep a document is nested: itself, and the map and the array in it.
const DEPTH: usize = 2;
/// How many registers there are.
const PCRS_MAX: u8 = 32;
/// The longest certificate, in bytes.
const CERTIFICATE_MAX: usize = 1024;
/// The most certificates in a bundle; Nitro's have four, AWS names no bound.
const BUNDLE_MAX: usize = 8;
/// The longest public key, user data and nonce. (For the last two AWS names 512 in one place and
/// 1024 in another; nothing here depends on which.)
const USER_DATA_MAX: usize = 1024;

/// What kind of environment a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A Nitro enclave.
    NitroEnclave,
    /// An instance with a NitroTPM.
    NitroTpm,
}

/// A document that is well formed; nothing in it is verified.
pub(crate) struct Document {
    pub(crate) source: Source,
    pub(crate) module_id: String,
    pub(crate) timestamp: u64,
    pub(crate) pcrs: BTreeMap<u8, Vec<u8>>,
    pub(crate) certificate: Vec<u8>,
    /// The root comes first.
    pub(crate) cabundle: Vec<Vec<u8>>,
    pub(crate) public_key: Option<Vec<u8>>,
}

impl Document {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let Some(Value::Map(pairs)) = only_value(payload, DEPTH) else {
            return Err(Refusal::Payload);
        };
        let mut fields = Fields::of(pairs)?;
        if fields.text("digest")? != "SHA384" {
            return Err(Refusal::Field("digest"));
        }
        let (source, pcrs) = fields.registers()?;
        let document = Self {
            source,
            module_id: fields.text("module_id")?,
            timestamp: fields.timestamp()?,
            pcrs,
            certificate: fields.bytes("certificate", 1, CERTIFICATE_MAX)?,
            cabundle: fields.bundle()?,
            public_key: fields.optional("public_key", 1)?,
        };
        fields.optional("user_data", 0)?;
        fields.optional("nonce", 0)?;
        if fields.0.is_empty() { Ok(document) } else { Err(Refusal::UnknownField) }
    }
}

/// The fields that haven't been looked at yet.
struct Fields(BTreeMap<String, Value>);

impl Fields {
    fn of(pairs: Vec<(Value, Value)>) -> Result<Self, Refusal> {
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            let Value::Text(name) = name else { return Err(Refusal::UnknownField) };
            if fields.insert(name, value).is_some() {
                return Err(Refusal::Payload);
            }
        }
        Ok(Self(fields))
    }

    fn text(&mut self, name: &'static str) -> Result<String, Refusal> {
        match self.0.remove(name) {
            Some(Value::Text(text)) if !text.is_empty() => Ok(text),
            _ => Err(Refusal::Field(name)),
        }
    }

    fn timestamp(&mut self) -> Result<u64, Refusal> {
        let value = self.0.remove("timestamp").and_then(|value| value.into_integer().ok());
        let millis = value.and_then(|integer| u64::try_from(integer).ok());
        millis.filter(|millis| *millis > 0).ok_or(Refusal::Field("timestamp"))
    }

    fn bytes(&mut self, name: &'static str, min: usize, max: usize) -> Result<Vec<u8>, Refusal> {
        bounded(self.0.remove(name), min, max).ok_or(Refusal::Field(name))
    }

    /// A field that may be absent. AWS's text forbids null, but the modules write it for what they
    /// weren't given.
    fn optional(&mut self, name: &'static str, min: usize) -> Result<Option<Vec<u8>>, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            value => bounded(value, min, USER_DATA_MAX).map(Some).ok_or(Refusal::Field(name)),
        }
    }

    fn bundle(&mut self) -> Result<Vec<Vec<u8>>, Refusal> {
        let refused = Refusal::Field("cabundle");
        let Some(Value::Array(entries)) = self.0.remove("cabundle") else { return Err(refused) };
        if !(1..=BUNDLE_MAX).contains(&entries.len()) {
            return Err(refused);
        }
        let entries = entries.into_iter().map(|entry| bounded(Some(entry), 1, CERTIFICATE_MAX));
        entries.collect::<Option<_>>().ok_or(refused)
    }

    /// The registers. Their field's name tells the two kinds of environments apart.
    fn registers(&mut self) -> Result<(Source, BTreeMap<u8, Vec<u8>>), Refusal> {
        let refused = Refusal::Field("pcrs");
        let (source, value) = match (self.0.remove("pcrs"), self.0.remove("nitrotpm_pcrs")) {
            (Some(value), None) => (Source::NitroEnclave, value),
            (None, Some(value)) => (Source::NitroTpm, value),
            _ => return Err(refused),
        };
        let Value::Map(pairs) = value else { return Err(refused) };
        let mut registers = BTreeMap::new();
        for (index, value) in pairs {
            let index = index.into_integer().ok().and_then(|index| u8::try_from(index).ok());
            let index = index.filter(|index| *index < PCRS_MAX).ok_or(refused)?;
            let value = bounded(Some(value), 32, 64).filter(|v| matches!(v.len(), 32 | 48 | 64));
            if registers.insert(index, value.ok_or(refused)?).is_some() {
                return Err(refused);
            }
        }
        if registers.is_empty() { Err(refused) } else { Ok((source, registers)) }
    }
}

fn bounded(value: Option<Value>, min: usize, max: usize) -> Option<Vec<u8>> {
    let bytes = value?.into_bytes().ok()?;
    (min..=max).contains(&bytes.len()).then_some(bytes)
}
