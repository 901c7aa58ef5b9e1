//! A key, resolved: its record, its compiled policy and the handles of its materials.
//!
//! Owns what follows from record and clock: the state, the metadata. It never changes; a change of
//! the record makes another one.

use std::sync::{Arc, OnceLock};

use policy::{Document, DocumentKind};
use service::ports::{Binding, KeyStore, Material, MaterialId, Revision};
use service::{Context, Error, Facts, Resource, StateCache, Target};
use wire::enums::{AnsweredCustomerMasterKeySpec, EncryptionAlgorithmSpec, KeySpec, KeyState};
use wire::shapes::{
    AccountIdText, ArnText, Description, EncapsulationAlgorithms, EncryptionAlgorithms,
    KeyAgreementAlgorithms, KeyMaterialId, KeyMetadata, MacAlgorithms, PendingWindowInDays,
    SigningAlgorithms,
};
use wire::{AccountId, ErrorCode, Region, Timestamp};

use crate::authorization::{permit_all, permit_by_identity, permit_new_key};
use crate::ciphertext;
use crate::key_id::KeyId;
use crate::material::Expiration;
use crate::records::{KeyRecord, decode};
use crate::spec::{self, Algorithms};
use crate::{Kms, layout};

/// A key as requests meet it.
pub(crate) struct Key {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) id: KeyId,
    pub(crate) arn: Arc<str>,
    pub(crate) record: KeyRecord,
    /// The revision at which the record was read; what a change of it is conditional on.
    pub(crate) revision: Revision,
    pub(crate) policy: Document,
    handles: Vec<OnceLock<Arc<dyn Material>>>,
    /// The length of the record as it is stored, in bytes.
    length: usize,
}

/// How many bytes of its record take as much of the cache as a key without a policy of its own:
/// what is made of a record takes a few times as much memory, whatever is in it.
const BYTES_PER_WEIGHT: usize = 2048;

/// The algorithms of a key as answers list them.
#[derive(Default)]
pub(crate) struct AlgorithmLists {
    pub(crate) encryption: Option<EncryptionAlgorithms>,
    pub(crate) signing: Option<SigningAlgorithms>,
    pub(crate) mac: Option<MacAlgorithms>,
    pub(crate) key_agreement: Option<KeyAgreementAlgorithms>,
    pub(crate) encapsulation: Option<EncapsulationAlgorithms>,
}

/// What an audit record calls a key.
pub(crate) const RESOURCE_KIND: &str = "AWS::KMS::Key";

/// The ARN of a key.
pub(crate) fn arn(account: &AccountId, region: &Region, id: &KeyId) -> String {
    format!("arn:{}:kms:{region}:{account}:key/{id}", wire::partition(region.as_str()))
}

/// How an audit record names a key that was just made.
pub(crate) fn made(metadata: &KeyMetadata) -> Option<Resource> {
    Some(Resource {
        account: AccountId::parse(metadata.aws_account_id.as_ref()?.as_str()).ok()?,
        arn: metadata.arn.as_ref()?.as_str().into(),
        kind: RESOURCE_KIND,
    })
}

impl Key {
    /// Makes a key of its stored record. Materials stay wrapped until they are used.
    pub(crate) fn from_record(
        account: AccountId,
        region: Region,
        id: KeyId,
        bytes: &[u8],
        revision: Revision,
    ) -> Result<Self, Error> {
        let record: KeyRecord = decode(bytes)?;
        let policy = Document::parse_stored(&record.policy, DocumentKind::Resource)
            .map_err(|reason| Error::internal(format!("stored policy: {reason}")))?;
        let key = Self::of(account, region, id, record, policy, revision);
        Ok(Self { length: bytes.len(), ..key })
    }

    /// Makes a key of a record that was just stored, with the record's policy, compiled.
    pub(crate) fn of(
        account: AccountId,
        region: Region,
        id: KeyId,
        record: KeyRecord,
        mut policy: Document,
        revision: Revision,
    ) -> Self {
        policy.bind(|arn| {
            let bound = record.bound.iter().find(|(known, _)| known == arn);
            bound.map(|(_, id)| id.clone())
        });
        let arn = arn(&account, &region, &id).into();
        let handles = record.materials.iter().map(|_| OnceLock::new()).collect();
        Self { account, region, id, arn, record, revision, policy, handles, length: 0 }
    }

    /// A cache of keys with room for `capacity` of ordinary ones. Long policies, many tags and many
    /// materials take the room of several, so that the memory is bounded.
    pub(crate) fn cache(capacity: usize) -> StateCache<Self> {
        StateCache::of_groups(layout::KEYS, capacity, |place| place, Self::weight)
    }

    /// How much of the cache it takes.
    fn weight(&self) -> u64 {
        1 + (self.length / BYTES_PER_WEIGHT) as u64
    }

    /// The state at that moment.
    pub(crate) fn state(&self, now: Timestamp) -> KeyState {
        self.record.state(now)
    }

    /// What its materials are bound to in the key store.
    pub(crate) fn binding(&self) -> Binding<'_> {
        Binding {
            region: self.region.as_str(),
            key_arn: &self.arn,
            identity: ciphertext::identity(&self.account, &self.id),
            spec: self.record.spec,
        }
    }

    /// The handle of the material that encrypts, with its id.
    pub(crate) async fn current_material(
        &self,
        key_store: &dyn KeyStore,
    ) -> Result<(MaterialId, Arc<dyn Material>), Error> {
        let place = self.record.current();
        let place = place.ok_or_else(|| Error::internal("a key without material"))?;
        Ok((self.record.materials[place].id, self.handle(key_store, place).await?))
    }

    /// The handle of the material with that id, if it is one of the key's.
    pub(crate) async fn material(
        &self,
        key_store: &dyn KeyStore,
        id: MaterialId,
    ) -> Result<Option<Arc<dyn Material>>, Error> {
        match self.record.materials.iter().position(|material| material.id == id) {
            Some(place) => self.handle(key_store, place).await.map(Some),
            None => Ok(None),
        }
    }

    async fn handle(
        &self,
        key_store: &dyn KeyStore,
        place: usize,
    ) -> Result<Arc<dyn Material>, Error> {
        if let Some(handle) = self.handles[place].get() {
            return Ok(Arc::clone(handle));
        }
        let material = &self.record.materials[place];
        let wrapped = material.wrapped.as_ref();
        let wrapped = wrapped.ok_or_else(|| Error::internal("a material that isn't there"))?;
        let opened = key_store.open(self.binding(), material.id, wrapped).await?;
        // Two requests may open the same material at once; one handle stays.
        Ok(Arc::clone(self.handles[place].get_or_init(|| opened)))
    }

    /// What DescribeKey and CreateKey tell of it.
    pub(crate) fn metadata(&self, now: Timestamp) -> KeyMetadata {
        let state = self.state(now);
        let algorithms = self.algorithm_lists();
        let expiration = self.record.expiration(now);
        KeyMetadata {
            aws_account_id: Some(AccountIdText::of(self.account.as_str())),
            key_id: wire::shapes::KeyId::of(self.id.as_str()),
            arn: Some(ArnText::of(&*self.arn)),
            creation_date: Some(self.record.created),
            enabled: Some(state == KeyState::Enabled),
            description: Some(Description::of(&self.record.description)),
            key_usage: Some(self.record.usage),
            key_state: Some(state),
            deletion_date: self.record.deletion_date(now),
            valid_to: expiration.and_then(|expiration| expiration.valid_to),
            origin: Some(self.record.origin),
            custom_key_store_id: None,
            cloud_hsm_cluster_id: None,
            expiration_model: expiration.map(Expiration::model),
            key_manager: Some(self.record.manager),
            customer_master_key_spec: Some(AnsweredCustomerMasterKeySpec(self.record.spec)),
            key_spec: Some(self.record.spec),
            encryption_algorithms: algorithms.encryption,
            signing_algorithms: algorithms.signing,
            key_agreement_algorithms: algorithms.key_agreement,
            encapsulation_algorithms: algorithms.encapsulation,
            multi_region: Some(self.record.multi_region.is_some()),
            multi_region_configuration: self.multi_region_configuration(now),
            pending_deletion_window_in_days: self
                .record
                .waiting
                .filter(|_| state == KeyState::PendingReplicaDeletion)
                .map(|waiting| PendingWindowInDays::of(waiting.days)),
            mac_algorithms: algorithms.mac,
            xks_key_configuration: None,
            current_key_material_id: self
                .record
                .current()
                .filter(|_| self.is_symmetric())
                .map(|place| KeyMaterialId::of(self.record.materials[place].id.to_string())),
        }
    }

    /// The ARN as answers carry it in KeyId.
    pub(crate) fn arn_as_key_id(&self) -> wire::shapes::KeyId {
        wire::shapes::KeyId::of(&*self.arn)
    }

    /// Refuses if the key's state or usage doesn't suit the operation.
    pub(crate) fn suits(&self, facts: &Facts, now: Timestamp) -> Result<(), Error> {
        let state = self.state(now);
        if !facts.states.contains(&state) {
            return Err(self.wrong_state(state));
        }
        if facts.usage.is_some_and(|usage| usage != self.record.usage) {
            return Err(Error::new(
                ErrorCode::InvalidKeyUsageException,
                format!(
                    "{} key usage is {} which is not valid for {}.",
                    self.arn, self.record.usage, facts.name
                ),
            ));
        }
        Ok(())
    }

    /// The refusal of an operation in that state.
    pub(crate) fn wrong_state(&self, state: KeyState) -> Error {
        let (code, is) = match state {
            KeyState::Disabled => (ErrorCode::DisabledException, "disabled"),
            KeyState::PendingImport => (ErrorCode::KMSInvalidStateException, "pending import"),
            KeyState::PendingDeletion => (ErrorCode::KMSInvalidStateException, "pending deletion"),
            KeyState::PendingReplicaDeletion => {
                (ErrorCode::KMSInvalidStateException, "pending replica deletion")
            }
            KeyState::Unavailable => (ErrorCode::KMSInvalidStateException, "unavailable"),
            KeyState::Creating => (ErrorCode::KMSInvalidStateException, "creating"),
            KeyState::Updating => (ErrorCode::KMSInvalidStateException, "updating"),
            KeyState::Enabled => (ErrorCode::KMSInvalidStateException, "enabled"),
        };
        Error::new(code, format!("{} is {is}.", self.arn))
    }

    /// Whether it is a symmetric encryption key, the kind whose material rotates.
    pub(crate) fn is_symmetric(&self) -> bool {
        self.record.spec == KeySpec::SymmetricDefault
    }

    /// The algorithms of its spec and usage.
    pub(crate) fn algorithms(&self) -> Option<Algorithms> {
        spec::algorithms(self.record.spec, self.record.usage)
    }

    /// The same, as the lists of which an answer carries one.
    pub(crate) fn algorithm_lists(&self) -> AlgorithmLists {
        let mut lists = AlgorithmLists::default();
        match self.algorithms() {
            Some(Algorithms::Encryption(list)) => {
                lists.encryption = Some(EncryptionAlgorithms(list.to_vec()));
            }
            Some(Algorithms::Signing(list)) => {
                lists.signing = Some(SigningAlgorithms(list.to_vec()));
            }
            Some(Algorithms::Mac(list)) => lists.mac = Some(MacAlgorithms(list.to_vec())),
            Some(Algorithms::KeyAgreement(list)) => {
                lists.key_agreement = Some(KeyAgreementAlgorithms(list.to_vec()));
            }
            Some(Algorithms::Encapsulation(list)) => {
                lists.encapsulation = Some(EncapsulationAlgorithms(list.to_vec()));
            }
            None => {}
        }
        lists
    }

    /// Refuses an encryption algorithm that the key doesn't have; none named is the symmetric one.
    pub(crate) fn encrypts_by(
        &self,
        algorithm: Option<EncryptionAlgorithmSpec>,
    ) -> Result<EncryptionAlgorithmSpec, Error> {
        let algorithm = algorithm.unwrap_or(EncryptionAlgorithmSpec::SymmetricDefault);
        match self.algorithms() {
            Some(Algorithms::Encryption(list)) if list.contains(&algorithm) => Ok(algorithm),
            _ => Err(self.incompatible(algorithm.as_str())),
        }
    }

    /// The refusal of an algorithm that the key's spec doesn't have.
    pub(crate) fn incompatible(&self, algorithm: &str) -> Error {
        Error::new(
            ErrorCode::InvalidKeyUsageException,
            format!("Algorithm {algorithm} is incompatible with key spec {}.", self.record.spec),
        )
    }

    /// How an audit record names it.
    pub(crate) fn resource(&self) -> Resource {
        Resource { account: self.account, arn: Arc::clone(&self.arn), kind: RESOURCE_KIND }
    }
}

/// A key is the target of an operation that acts on one key.
impl Target<Kms> for Arc<Key> {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        permit_all(cx, facts, self).await
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.resource()]
    }
}

/// The target of an operation that acts on no key but on the caller's account and Region. Only
/// identity policies decide on it.
pub(crate) struct Account;

impl Target<Kms> for Account {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        facts.actions.iter().try_for_each(|action| permit_by_identity(cx, action, "*"))
    }

    fn check(&self, _: &Facts, _: &Context<'_, Kms>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// The target of CreateKey: the account, as far as a new key is made in it.
pub(crate) struct NewKey {
    /// Whether the key gets tags, which takes another permission.
    pub(crate) tagged: bool,
}

impl Target<Kms> for NewKey {
    async fn authorize(&self, _: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        permit_new_key(cx, None, self.tagged)
    }

    fn check(&self, _: &Facts, _: &Context<'_, Kms>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What the documentation of `cached_keys` says of one place in the cache, in bytes.
    const BYTES_PER_PLACE: u64 = 32 << 10;

    /// The weight of a key, and the bytes of memory that it takes.
    fn weighed(policy: &Value, tags: usize) -> (u64, u64) {
        let tags: Vec<_> = (0..tags).map(|n| (format!("tag-{n}"), "v".repeat(20))).collect();
        let record = json!({
            "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS",
            "manager": "CUSTOMER", "created": 0, "description": "", "enabled": true,
            "deletion": null, "policy": policy.to_string(), "tags": tags,
            "materials": [{"id": "00".repeat(32), "wrapped": "AQID"}],
        });
        let bytes = [b"\x01", record.to_string().as_bytes()].concat();
        let (account, region) = (AccountId::parse("111122223333"), Region::parse("us-east-1"));
        let (account, region) = (account.unwrap(), region.unwrap());
        let id = KeyId::parse("12345126-30d5-4b28-98b9-9153da559963").unwrap();
        let mut key = None;
        let memory = allocation_counter::measure(|| {
            let made = Key::from_record(account, region.clone(), id.clone(), &bytes, Revision(1));
            key = Some(Arc::new(made.unwrap()));
        });
        (key.unwrap().weight(), memory.bytes_current.unsigned_abs())
    }

    fn statement(number: usize) -> Value {
        json!({
            "Sid": format!("s{number}"),
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::111122223333:root", "444455556666"]},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringLike": {"kms:EncryptionContext:app": [format!("a-{number}*")]}},
        })
    }

    #[test]
    fn a_place_in_the_cache_is_bounded_in_bytes() {
        let mut weights = Vec::new();
        for (statements, tags) in [(1, 0), (1, 50), (3, 3), (10, 50), (40, 0), (100, 200)] {
            let statements: Vec<_> = (0..statements).map(statement).collect();
            let policy = json!({"Version": "2012-10-17", "Statement": statements});
            let (weight, bytes) = weighed(&policy, tags);
            assert!(bytes <= weight * BYTES_PER_PLACE, "{bytes} bytes weigh {weight}");
            weights.push(weight);
        }
        // What takes the most memory for its length: many short statements, actions, principals
        // and values.
        let short = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
        let with = |member: &str, value: Value| {
            let mut statement = short.clone();
            statement[member] = value;
            vec![statement]
        };
        for statements in [
            vec![short.clone(); 400],
            with("Action", json!(vec!["kms:*"; 2_000])),
            with("Principal", json!({"AWS": vec!["111122223333"; 1_000]})),
            with("Condition", json!({"StringLike": {"aws:userid": vec!["*a"; 2_000]}})),
            with("Condition", json!({"StringEquals": {"aws:userid": vec!["a"; 2_000]}})),
        ] {
            let policy = json!({"Version": "2012-10-17", "Statement": statements});
            let (weight, bytes) = weighed(&policy, 0);
            assert!(bytes <= weight * BYTES_PER_PLACE, "{bytes} bytes weigh {weight}");
        }
        assert_eq!((weights[0], weights.iter().max() > Some(&10)), (1, true), "{weights:?}");
    }
}
