//! Importing material: which keys take it, how it may be wrapped, and where what came in belongs.
//!
//! Must not know the operations' members, nor how material is opened.

use service::Error;
use service::ports::MaterialId;
use wire::enums::{
    AlgorithmSpec, ImportType, KeySpec, KeyState, OriginType, RotationType, WrappingKeySpec,
};
use wire::{ErrorCode, Timestamp};

use crate::key::Key;
use crate::records::{Import, KeyRecord, MaterialRecord, Rotated};

/// The states of a key whose material can come and go.
pub(crate) const IMPORTABLE: &[KeyState] =
    &[KeyState::Enabled, KeyState::Disabled, KeyState::PendingImport];

/// Refuses a key whose material doesn't come from outside.
///
/// # Errors
/// UnsupportedOperationException.
pub(crate) fn takes_imports(key: &Key) -> Result<(), Error> {
    match key.record.origin {
        OriginType::External => Ok(()),
        origin => Err(unsupported(format!(
            "{} origin is {origin} which is not valid for this operation.",
            key.arn
        ))),
    }
}

/// Refuses a way of wrapping that there isn't, or that can't carry material of that spec.
///
/// # Errors
/// UnsupportedOperationException.
pub(crate) fn can_carry(
    material: KeySpec,
    algorithm: AlgorithmSpec,
    wrapping: WrappingKeySpec,
) -> Result<(), Error> {
    if wrapping == WrappingKeySpec::Sm2 {
        return Err(unsupported(format!("WrappingKeySpec {wrapping} is not supported")));
    }
    let alone = match algorithm {
        AlgorithmSpec::RsaesOaepSha1 | AlgorithmSpec::RsaesOaepSha256 => true,
        AlgorithmSpec::RsaAesKeyWrapSha1 | AlgorithmSpec::RsaAesKeyWrapSha256 => false,
        // AWS withdrew the one in October 2023 and has the other in China alone.
        AlgorithmSpec::RsaesPkcs1V15 | AlgorithmSpec::Sm2Pke => {
            return Err(unsupported(format!("WrappingAlgorithm {algorithm} is not supported")));
        }
    };
    let too_long = match material {
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => true,
        KeySpec::EccNistP521 => wrapping == WrappingKeySpec::Rsa2048,
        _ => false,
    };
    if alone && too_long {
        return Err(unsupported(format!(
            "WrappingAlgorithm {algorithm} with WrappingKeySpec {wrapping} is not supported for \
             key material of KeySpec {material}"
        )));
    }
    Ok(())
}

/// The length of what this algorithm makes of material, in bytes, where it is always the same.
pub(crate) fn encrypted_length(
    algorithm: AlgorithmSpec,
    wrapping: WrappingKeySpec,
) -> Option<usize> {
    let modulus = match wrapping {
        WrappingKeySpec::Rsa2048 => 256,
        WrappingKeySpec::Rsa3072 => 384,
        WrappingKeySpec::Rsa4096 => 512,
        WrappingKeySpec::Sm2 => return None,
    };
    let alone = matches!(algorithm, AlgorithmSpec::RsaesOaepSha1 | AlgorithmSpec::RsaesOaepSha256);
    alone.then_some(modulus)
}

pub(crate) fn unsupported(message: String) -> Error {
    Error::new(ErrorCode::UnsupportedOperationException, message)
}

/// Material that came in and was opened.
pub(crate) struct Incoming<'a> {
    pub(crate) id: MaterialId,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) expires: Option<Timestamp>,
    /// What the request says of it, as far as it does.
    pub(crate) kind: Option<ImportType>,
    pub(crate) named: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
}

impl KeyRecord {
    /// Gives the key material that came in. The first is current at once; a further one waits for
    /// its rotation; any other must be one that the key has or had.
    ///
    /// # Errors
    /// IncorrectKeyMaterialException, KMSInvalidStateException (another one waits already).
    pub(crate) fn take_in(
        &mut self,
        key_arn: &str,
        incoming: Incoming<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let waited = self.lacks_material(now);
        self.materials.retain(|material| !material.is_gone(now));
        let known = self.materials.iter().position(|material| material.id == incoming.id);
        let is_named = incoming.named.is_none_or(|named| named == incoming.id.to_string());
        if !is_named || (incoming.named.is_some() && known.is_none()) {
            return Err(incorrect());
        }
        let first = self.materials.is_empty();
        let by_default =
            if first { ImportType::NewKeyMaterial } else { ImportType::ExistingKeyMaterial };
        match (incoming.kind.unwrap_or(by_default), known) {
            (ImportType::NewKeyMaterial, None) => {
                if let Some(place) = self.pending(now) {
                    let other = self.materials[place].id;
                    return Err(another_is_pending(key_arn, incoming.id, other));
                }
                self.materials.push(MaterialRecord {
                    import: Some(Import { pending: !first, ..Import::default() }),
                    ..MaterialRecord::new(incoming.id, Vec::new())
                });
            }
            (ImportType::ExistingKeyMaterial, Some(_)) => {}
            (ImportType::NewKeyMaterial, Some(_)) | (ImportType::ExistingKeyMaterial, None) => {
                return Err(incorrect());
            }
        }
        let place = known.unwrap_or(self.materials.len() - 1);
        let material = &mut self.materials[place];
        material.wrapped = Some(incoming.wrapped);
        let import = material.import.get_or_insert_default();
        import.expires = incoming.expires;
        if let Some(description) = incoming.description {
            import.description = Some(description.to_owned());
        }
        // A key that waited for material is enabled by it; that is the way out of PendingImport.
        self.enabled |= waited;
        Ok(())
    }

    /// Makes room in a replica for material that came into its primary, where it waits.
    pub(crate) fn expect_material(&mut self, new: &MaterialRecord) {
        self.materials.retain(|material| !material.is_pending());
        let description = new.import.as_ref().and_then(|import| import.description.clone());
        let import = Import { description, expires: None, pending: true, expected: true };
        let import = Some(import);
        self.materials.push(MaterialRecord { id: new.id, wrapped: None, rotated: None, import });
    }

    /// Makes the material of that id, which waits, the one that encrypts.
    pub(crate) fn make_current(&mut self, id: MaterialId, now: Timestamp) {
        for material in self.materials.iter_mut().filter(|material| material.id == id) {
            material.rotated = Some(Rotated { at: now, kind: RotationType::OnDemand });
            if let Some(import) = &mut material.import {
                (import.pending, import.expected) = (false, false);
            }
        }
    }

    /// Takes the material at that place away; what waited for its rotation is forgotten, but by a
    /// replica whose primary still has it.
    pub(crate) fn drop_material(&mut self, place: usize) {
        if self.materials[place].is_pending() && !self.materials[place].is_expected() {
            self.materials.remove(place);
            return;
        }
        let material = &mut self.materials[place];
        material.wrapped = None;
        if let Some(import) = &mut material.import {
            import.expires = None;
        }
    }
}

fn incorrect() -> Error {
    Error::bare(ErrorCode::IncorrectKeyMaterialException)
}

fn another_is_pending(key_arn: &str, new: MaterialId, other: MaterialId) -> Error {
    Error::new(
        ErrorCode::KMSInvalidStateException,
        format!(
            "New key material (id: {new}) cannot be imported into KMS key {key_arn}, because \
             another key material (id: {other}) is pending rotation."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::material::tests::key;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn incoming(number: u8, kind: Option<ImportType>) -> Incoming<'static> {
        Incoming {
            id: MaterialId([number; 32]),
            wrapped: vec![9],
            expires: None,
            kind,
            named: None,
            description: None,
        }
    }

    /// The error's code.
    fn refused(record: &mut KeyRecord, incoming: Incoming<'_>) -> ErrorCode {
        let count = record.materials.len();
        let code = record.take_in("arn", incoming, NOW).unwrap_err().code();
        assert_eq!(record.materials.len(), count);
        code
    }

    #[test]
    fn rsa_alone_carries_what_is_short_enough() {
        use AlgorithmSpec::{RsaAesKeyWrapSha1, RsaesOaepSha1, RsaesOaepSha256, RsaesPkcs1V15};
        use WrappingKeySpec::{Rsa2048, Rsa3072, Rsa4096, Sm2};
        let carries = |spec, algorithm, wrapping| can_carry(spec, algorithm, wrapping).is_ok();
        for wrapping in [Rsa2048, Rsa3072, Rsa4096] {
            for spec in KeySpec::ALL {
                let is_rsa = spec.as_str().starts_with("RSA");
                let is_long = *spec == KeySpec::EccNistP521 && wrapping == Rsa2048;
                assert_eq!(carries(*spec, RsaesOaepSha1, wrapping), !is_rsa && !is_long, "{spec}");
                assert!(carries(*spec, RsaAesKeyWrapSha1, wrapping));
                assert!(!carries(*spec, RsaesPkcs1V15, wrapping));
                assert!(!carries(*spec, AlgorithmSpec::Sm2Pke, wrapping));
            }
        }
        assert!(!carries(KeySpec::SymmetricDefault, RsaesOaepSha256, Sm2));
    }

    #[test]
    fn the_first_is_current_and_the_next_one_waits() {
        let mut record = key(&[]);
        record.take_in("arn", incoming(1, None), NOW).unwrap();
        assert_eq!((record.current(), record.pending(NOW)), (Some(0), None));
        assert_eq!(
            refused(&mut record, incoming(2, None)),
            ErrorCode::IncorrectKeyMaterialException
        );
        record.take_in("arn", incoming(2, Some(ImportType::NewKeyMaterial)), NOW).unwrap();
        assert_eq!((record.current(), record.pending(NOW)), (Some(0), Some(1)));
        let third = incoming(3, Some(ImportType::NewKeyMaterial));
        assert_eq!(refused(&mut record, third), ErrorCode::KMSInvalidStateException);
        record.make_current(MaterialId([2; 32]), NOW);
        assert_eq!((record.current(), record.pending(NOW)), (Some(1), None));
    }

    #[test]
    fn what_was_deleted_comes_back_in_its_place() {
        let mut record = key(&[(false, None), (false, None), (true, None)]);
        record.drop_material(0);
        assert!(record.lacks_material(NOW));
        record.drop_material(2);
        assert_eq!(record.materials.len(), 2);
        record.take_in("arn", incoming(0, None), NOW).unwrap();
        assert!(!record.lacks_material(NOW));
        assert_eq!(record.current(), Some(1));
    }

    #[test]
    fn a_disabled_key_stays_so_unless_it_waited() {
        let mut record = key(&[(false, None)]);
        record.enabled = false;
        record.take_in("arn", incoming(0, None), NOW).unwrap();
        assert!(!record.enabled);
        record.drop_material(0);
        record.take_in("arn", incoming(0, None), NOW).unwrap();
        assert!(record.enabled);
    }

    #[test]
    fn what_expired_while_it_waited_makes_room() {
        let mut record = key(&[(false, None), (true, Some(-1))]);
        record.take_in("arn", incoming(7, Some(ImportType::NewKeyMaterial)), NOW).unwrap();
        assert_eq!(record.materials.len(), 2);
        assert_eq!(record.materials[1].id, MaterialId([7; 32]));
    }
}
