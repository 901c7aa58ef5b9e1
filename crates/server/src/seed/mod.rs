//! The seed file of dev mode: keys with fixed ids and materials, in YAML.
//!
//! Owns the file's syntax and where in it a mistake stands; `docs/seed.md` is its reference. What
//! a key may be is `kms`'s affair.

mod document;
mod material;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use kms::{KeyId, Kms, Planted, SeedError, SeedField, SeedKey};
use serde_saphyr::{Location, Spanned};
use wire::enums::{KeySpec, KeyUsageType, OriginType};
use wire::{AccountId, Region, Timestamp};
use zeroize::Zeroizing;

use self::document::{Document, Key};

/// The longest seed file, in bytes.
const FILE_MAX: usize = 1 << 20;

/// The account of keys that don't name one: that of an access key id such as `test`.
const ACCOUNT_DEFAULT: &str = "000000000000";
/// The Region of keys that don't name one.
const REGION_DEFAULT: &str = "us-east-1";

/// Where in the file something stands: line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At(u64, u64);

impl From<Location> for At {
    fn from(location: Location) -> Self {
        Self(location.line(), location.column())
    }
}

impl<T> From<&Spanned<T>> for At {
    fn from(value: &Spanned<T>) -> Self {
        value.referenced.into()
    }
}

/// Why a seed file can't be planted.
#[derive(Debug)]
pub enum SeedFileError {
    /// The file can't be read.
    Io(PathBuf, io::Error),
    /// Something in it isn't as it must be.
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line and the column, if they are known.
        place: Option<(u64, u64)>,
        /// What is wrong, without anything of a material.
        message: String,
    },
    /// The store or the key store failed.
    Failed(SeedError),
}

impl fmt::Display for SeedFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => {
                write!(f, "cannot read the seed file {}: {error}", path.display())
            }
            Self::Invalid { path, place: Some((line, column)), message } => {
                write!(f, "{}:{line}:{column}: {message}", path.display())
            }
            Self::Invalid { path, place: None, message } => {
                write!(f, "{}: {message}", path.display())
            }
            Self::Failed(error) => write!(f, "the seed's keys cannot be planted: {error}"),
        }
    }
}

impl std::error::Error for SeedFileError {}

/// A mistake in the file.
#[derive(Debug)]
struct Mistake {
    at: Option<At>,
    message: String,
}

fn mistake(at: impl Into<At>, message: impl Into<String>) -> Mistake {
    Mistake { at: Some(at.into()), message: message.into() }
}

/// A seed file that was read and understood.
pub(crate) struct SeedFile {
    path: PathBuf,
    keys: Vec<SeedKey>,
    places: Vec<Places>,
}

/// Where a key's fields stand.
struct Places {
    key: At,
    fields: Vec<(SeedField, At)>,
}

impl Places {
    /// Where a field stands; where the key does, if it hasn't that field.
    fn of(&self, field: SeedField) -> At {
        let found = self.fields.iter().find(|(known, _)| *known == field);
        found.map_or(self.key, |(_, at)| *at)
    }
}

impl SeedFile {
    /// Reads a file, and those that its materials are in.
    ///
    /// # Errors
    /// [`SeedFileError`].
    pub(crate) fn read(path: &Path) -> Result<Self, SeedFileError> {
        let io = |error| SeedFileError::Io(path.to_owned(), error);
        let invalid = |mistake: Mistake| SeedFileError::Invalid {
            path: path.to_owned(),
            place: mistake.at.map(|At(line, column)| (line, column)),
            message: mistake.message,
        };
        let bytes = read_at_most(path, FILE_MAX).map_err(io)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let message = format!("byte {} is not UTF-8", error.valid_up_to() + 1);
            invalid(Mistake { at: None, message })
        })?;
        let document = document::parse(text).map_err(invalid)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let (keys, places) = keys(document, folder).map_err(invalid)?;
        Ok(Self { path: path.to_owned(), keys, places })
    }

    /// Plants its keys.
    ///
    /// # Errors
    /// [`SeedFileError`].
    pub(crate) async fn plant(self, kms: &Kms, now: Timestamp) -> Result<Planted, SeedFileError> {
        kms.plant(self.keys, now).await.map_err(|error| match error {
            SeedError::Refused { key, field, message } => {
                let place = self.places.get(key).map(|places| places.of(field));
                let place = place.map(|At(line, column)| (line, column));
                SeedFileError::Invalid { path: self.path, place, message }
            }
            failed @ SeedError::Failed(_) => SeedFileError::Failed(failed),
        })
    }
}

/// Reads a file that may hold secrets; one that is longer is refused.
fn read_at_most(path: &Path, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // With room for all that is read, nothing is moved and left behind unwiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(max + 1));
    let limit = u64::try_from(max + 1).unwrap_or(u64::MAX);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        return Err(io::Error::other(format!("it is longer than {max} bytes")));
    }
    Ok(bytes)
}

fn keys(document: Document, folder: &Path) -> Result<(Vec<SeedKey>, Vec<Places>), Mistake> {
    let defaults = Owner {
        account: account(document.account.as_ref())?,
        region: region(document.region.as_ref())?,
    };
    let mut keys = Vec::with_capacity(document.keys.len());
    let mut places = Vec::with_capacity(document.keys.len());
    for key in document.keys {
        places.push(Places { key: (&key).into(), fields: fields(&key.value) });
        keys.push(seed_key(key.value, &defaults, folder)?);
    }
    Ok((keys, places))
}

/// Whose a key is that doesn't say.
struct Owner {
    account: Option<AccountId>,
    region: Option<Region>,
}

fn seed_key(key: Key, defaults: &Owner, folder: &Path) -> Result<SeedKey, Mistake> {
    let id = KeyId::parse(&key.id.value)
        .ok_or_else(|| mistake(&key.id, format!("a UUID is expected, not {:?}", key.id.value)))?;
    let account = account(key.account.as_ref())?.or(defaults.account);
    let region = region(key.region.as_ref())?.or_else(|| defaults.region.clone());
    let spec = one_of(key.spec.as_ref(), KeySpec::parse, |text| {
        none_of(text, "spec", KeySpec::ALL.iter().map(|spec| spec.as_str()))
    })?;
    let usage = one_of(key.usage.as_ref(), KeyUsageType::parse, |text| {
        none_of(text, "usage", KeyUsageType::ALL.iter().map(|usage| usage.as_str()))
    })?;
    let origin = one_of(key.origin.as_ref(), OriginType::parse, |text| {
        none_of(text, "origin of a planted key", ["AWS_KMS", "EXTERNAL"].into_iter())
    })?;
    let created = one_of(key.created.as_ref(), Timestamp::parse_iso8601, |text| {
        let message = "a date such as 2026-01-31T12:00:00Z is expected";
        mistake(text, message)
    })?;
    let materials = material::of(key.material, key.materials, folder)?;
    Ok(SeedKey {
        account: account.or_else(|| AccountId::parse(ACCOUNT_DEFAULT).ok()).ok_or_else(no_owner)?,
        region: region.or_else(|| Region::parse(REGION_DEFAULT)).ok_or_else(no_owner)?,
        id,
        spec: spec.unwrap_or(KeySpec::SymmetricDefault),
        usage,
        origin: origin.unwrap_or(OriginType::AwsKms),
        created,
        description: key.description.map(|text| text.value).unwrap_or_default(),
        enabled: key.enabled.unwrap_or(true),
        tags: key.tags.map(|tags| tags.value.0).unwrap_or_default(),
        aliases: key.aliases.unwrap_or_default().into_iter().map(|name| name.value).collect(),
        policy: key.policy.map(|policy| policy.value.0),
        bypass_policy_lockout_safety_check: key.bypass_policy_lockout_safety_check.unwrap_or(false),
        rotation_period_days: key.rotation.map(|rotation| rotation.period_days.value),
        materials,
    })
}

/// The constants are an account and a Region, so nobody sees this.
fn no_owner() -> Mistake {
    Mistake { at: None, message: "the key has no account and Region".to_owned() }
}

fn one_of<T>(
    text: Option<&Spanned<String>>,
    parse: impl Fn(&str) -> Option<T>,
    otherwise: impl Fn(&Spanned<String>) -> Mistake,
) -> Result<Option<T>, Mistake> {
    text.map(|text| parse(&text.value).ok_or_else(|| otherwise(text))).transpose()
}

fn none_of<'a>(text: &Spanned<String>, field: &str, all: impl Iterator<Item = &'a str>) -> Mistake {
    let all = all.collect::<Vec<_>>().join(", ");
    mistake(text, format!("{:?} is no {field}; there are {all}", text.value))
}

fn account(text: Option<&Spanned<String>>) -> Result<Option<AccountId>, Mistake> {
    one_of(
        text,
        |text| AccountId::parse(text).ok(),
        |text| mistake(text, format!("twelve digits are expected, not {:?}", text.value)),
    )
}

fn region(text: Option<&Spanned<String>>) -> Result<Option<Region>, Mistake> {
    one_of(text, Region::parse, |text| {
        mistake(text, format!("a Region's name is expected, not {:?}", text.value))
    })
}

/// Where the fields stand that a key has.
fn fields(key: &Key) -> Vec<(SeedField, At)> {
    let mut fields = vec![(SeedField::Id, At::from(&key.id))];
    let texts = [
        (SeedField::Spec, &key.spec),
        (SeedField::Usage, &key.usage),
        (SeedField::Origin, &key.origin),
        (SeedField::Created, &key.created),
        (SeedField::Description, &key.description),
    ];
    for (field, text) in texts {
        fields.extend(text.as_ref().map(|text| (field, text.into())));
    }
    fields.extend(key.tags.as_ref().map(|tags| (SeedField::Tags, tags.into())));
    fields.extend(key.policy.as_ref().map(|policy| (SeedField::Policy, policy.into())));
    let rotation = key.rotation.as_ref().map(|rotation| &rotation.period_days);
    fields.extend(rotation.map(|days| (SeedField::Rotation, days.into())));
    for (at, name) in key.aliases.iter().flatten().enumerate() {
        fields.push((SeedField::Alias(at), name.into()));
    }
    let materials = key.material.iter().chain(key.materials.iter().flatten());
    for (at, material) in materials.enumerate() {
        fields.push((SeedField::Material(at), material.into()));
    }
    fields
}

#[cfg(test)]
mod tests;
