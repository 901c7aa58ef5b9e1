//! The condition keys of KMS and their values in a request; all others are the global ones.
//!
//! A key that isn't known is refused when a policy is written: what nobody sets would, under a
//! negated operator, be a permission for all. Source: the developer guide's "AWS KMS condition
//! keys".

mod keys;

use std::cell::{Cell, OnceCell};

use policy::{Value, Values};
use service::conditions::{KeyInfo, KeyKind, SetBy, is_global, key};
use service::{Context, GlobalKeys};
use wire::Scalar;

use self::keys::{CONTEXTS, lookup};
use crate::Kms;
use crate::grants::Circumstances;
use crate::hex::hex;
use crate::key::Key;

/// What a request's condition keys are worked out from, when a policy asks for one.
pub(crate) struct Conditions<'a> {
    cx: &'a Context<'a, Kms>,
    /// The key that the request acts on; none where it acts on the account.
    key: Option<&'a Key>,
    pub(crate) action: &'a str,
    request: &'a Circumstances,
    global: GlobalKeys<'a>,
    /// The key's aliases, which are looked up only when a policy speaks of them.
    aliases: Option<Vec<String>>,
    aliases_asked: Cell<bool>,
    /// Whom the answer is to be encrypted for, once a policy has asked.
    recipient: OnceCell<Option<attestation::Recipient>>,
}

impl<'a> Conditions<'a> {
    /// Those of a request that acts on a key.
    pub(crate) fn of(
        cx: &'a Context<'a, Kms>,
        key: &'a Key,
        action: &'a str,
        request: &'a Circumstances,
    ) -> Self {
        let global = GlobalKeys::of(cx, Some(key.account.as_str()), &key.record.tags);
        Self::with(cx, Some(key), action, request, global)
    }

    /// Those of a request that acts on no key.
    pub(crate) fn of_account(
        cx: &'a Context<'a, Kms>,
        action: &'a str,
        request: &'a Circumstances,
    ) -> Self {
        let global = GlobalKeys::of(cx, Some(cx.account().as_str()), &[]);
        Self::with(cx, None, action, request, global)
    }

    fn with(
        cx: &'a Context<'a, Kms>,
        key: Option<&'a Key>,
        action: &'a str,
        request: &'a Circumstances,
        global: GlobalKeys<'a>,
    ) -> Self {
        let (aliases_asked, recipient) = (Cell::new(false), OnceCell::new());
        Self { cx, key, action, request, global, aliases: None, aliases_asked, recipient }
    }

    /// Whether a policy asked for the key's aliases and they aren't known: what it decided without
    /// them is void.
    pub(crate) fn lack_aliases(&self) -> bool {
        self.aliases_asked.get() && self.aliases.is_none()
    }

    /// Takes the key's aliases.
    pub(crate) fn learn_aliases(&mut self, aliases: Vec<String>) {
        self.aliases = Some(aliases);
    }
}

/// What precedes the name of a pair in `kms:EncryptionContext:name`.
const ENCRYPTION_CONTEXT: &str = "kms:encryptioncontext:";

/// What precedes the name of a measurement in `kms:RecipientAttestation:PCR0`.
const ATTESTATION: &str = "kms:recipientattestation:";

/// A measurement of an attested recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measurement {
    /// The digest of an enclave's image.
    Image,
    /// A platform configuration register of an enclave.
    Enclave(u8),
    /// One of a NitroTPM.
    Tpm(u8),
}

impl Measurement {
    /// The measurement of that name, in lower case.
    fn parse(name: &str) -> Option<Self> {
        if name == "imagesha384" {
            return Some(Self::Image);
        }
        let (kind, digits): (fn(u8) -> Self, &str) = match name.strip_prefix("nitrotpmpcr") {
            Some(digits) => (Self::Tpm, digits),
            None => (Self::Enclave, name.strip_prefix("pcr")?),
        };
        let number: u8 = digits.parse().ok().filter(|number| *number < 32)?;
        // No sign, no leading zero.
        (number.to_string() == digits).then(|| kind(number))
    }
}

/// Whether that condition key, in lower case, is one that says nothing in a policy of one key.
pub(crate) fn is_forbidden(key: &str) -> bool {
    let name = key.split_once('/').map_or(key, |(name, _)| name);
    matches!(name, "aws:resourcetag" | "kms:resourcetag" | "kms:resourcealiases")
}

/// The condition keys of KMS, for documentation.
pub fn condition_keys() -> impl Iterator<Item = KeyInfo> {
    let of = SetBy::Members(&["Recipient"]);
    let more = [
        key("kms:EncryptionContext:context-key", KeyKind::Text, SetBy::Members(CONTEXTS)),
        key("kms:RecipientAttestation:ImageSha384", KeyKind::Text, of),
        key("kms:RecipientAttestation:NitroTPMPCR<ID>", KeyKind::Text, of),
        key("kms:RecipientAttestation:PCR<ID>", KeyKind::Text, of),
    ];
    keys::infos().chain(more)
}

/// Whether policies may speak of that condition key, which is in lower case.
pub fn is_known(key: &str) -> bool {
    lookup(key).is_some()
        || is_global(key)
        || key.strip_prefix(ENCRYPTION_CONTEXT).is_some_and(|name| !name.is_empty())
        || key.strip_prefix(ATTESTATION).is_some_and(|name| Measurement::parse(name).is_some())
}

impl policy::Context for Conditions<'_> {
    fn values(&self, key: &str) -> Values<'_> {
        if let Some(name) = key.strip_prefix(ENCRYPTION_CONTEXT) {
            return self.encryption_context(name);
        }
        if let Some(name) = key.strip_prefix(ATTESTATION) {
            return Measurement::parse(name).map_or(Values::Absent, |name| self.measured(name));
        }
        lookup(key).map_or_else(|| self.global.values(key), |lookup| lookup(self))
    }
}

impl Conditions<'_> {
    /// A member of the request.
    fn member(&self, name: &str) -> Values<'_> {
        self.cx.member(name).map_or(Values::Absent, |member| Values::One(value(member)))
    }

    /// A member of the request, or what the operation takes where it is absent.
    fn member_or<'a>(&'a self, name: &str, default: Value<'a>) -> Values<'a> {
        Values::One(self.cx.member(name).map_or(default, value))
    }

    /// What is true of the key, or of the one that CreateKey is asked for by that member.
    fn of_key<'b>(
        &'b self,
        name: &str,
        default: &'static str,
        of: impl FnOnce(&'b Key) -> Values<'b>,
    ) -> Values<'b> {
        match self.key {
            Some(key) => of(key),
            None if self.action == "kms:CreateKey" => self.member_or(name, default.into()),
            None => Values::Absent,
        }
    }

    /// A measurement of the recipient, in hex, if the request names one whose document holds. It is
    /// verified only where a policy asks; the operation verifies it for itself.
    fn measured(&self, measurement: Measurement) -> Values<'_> {
        let recipient = self.recipient.get_or_init(|| {
            let document = self.cx.blob("Recipient", "AttestationDocument")?;
            let roots = &self.cx.service.attestation_roots;
            attestation::verify(&document, roots, self.cx.now.seconds()).ok()
        });
        let Some(recipient) = recipient else { return Values::Absent };
        let of = |source, number: u8| {
            let own = recipient.source == source;
            recipient.pcrs.get(&number).filter(|_| own).map(Vec::as_slice)
        };
        let bytes = match measurement {
            Measurement::Image => recipient.image_sha384(),
            Measurement::Enclave(number) => of(attestation::Source::NitroEnclave, number),
            Measurement::Tpm(number) => of(attestation::Source::NitroTpm, number),
        };
        bytes.map_or(Values::Absent, |bytes| Values::One(hex(bytes).into()))
    }

    /// The values of the pairs of that name, whose case doesn't count.
    fn encryption_context(&self, name: &str) -> Values<'_> {
        let pairs = self.request.context.iter().flat_map(|context| context.0.iter());
        let named = pairs.filter(|(key, _)| key.to_lowercase() == name);
        let mut values: Vec<_> = named.map(|(_, value)| Value::from(value.as_str())).collect();
        match values.len() {
            0 => Values::Absent,
            1 => Values::One(values.remove(0)),
            _ => Values::Many(values),
        }
    }
}

fn value<'a>(member: Scalar) -> Value<'a> {
    match member {
        Scalar::Text(text) => text.into(),
        Scalar::Integer(number) => Value::Number(number),
        Scalar::Boolean(yes) => Value::Bool(yes),
        Scalar::Time(time) => Value::Time(time.millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sets_is_not_known() {
        assert!(is_known("kms:viaservice") && is_known("kms:encryptioncontext:purpose"));
        for key in ["kms:encryptioncontext:", "kms:viaservices", "aws:unheardof", "s3:prefix"] {
            assert!(!is_known(key), "{key}");
        }
    }
}
