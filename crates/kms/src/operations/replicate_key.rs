//! ReplicateKey: makes a replica of a multi-Region primary key in another Region.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, DisabledException or
//! KMSInvalidStateException, UnsupportedOperationException (no primary), ValidationException (a
//! Region of another partition), AlreadyExistsException, TagException, LimitExceededException or
//! MalformedPolicyDocumentException (policy), LimitExceededException (replicas, keys).

use std::sync::Arc;

use service::ports::{Expect, Uses};
use service::{Authorized, Context, Error, Facts, FilledIn, Operation, Resource, Target};
use wire::enums::KeyState;
use wire::shapes::{Description, KeyMetadata, PolicyText, RegionText, Tag, Tags};
use wire::{ErrorCode, Region, structure};

use crate::Kms;
use crate::authorization::{permit_all, permit_new_key};
use crate::key::{Key, arn};
use crate::key_id::Aliases;
use crate::multi_region::REPLICAS_MAX;
use crate::operations::MANAGEMENT;
use crate::records::{KeyRecord, Replica, encode};
use crate::{key_policy, layout, tags};

/// ReplicateKey.
pub(crate) struct ReplicateKey;

structure! {
    /// Input of ReplicateKey.
    pub(crate) struct ReplicateKeyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        replica_region: RegionText = required "ReplicaRegion",
        policy: PolicyText = optional "Policy",
        bypass_policy_lockout_safety_check: bool = optional "BypassPolicyLockoutSafetyCheck",
        description: Description = optional "Description",
        tags: Tags = optional "Tags",
    }

    /// Output of ReplicateKey.
    #[expect(clippy::struct_field_names, reason = "so the model names them")]
    pub(crate) struct ReplicateKeyResponse {
        replica_key_metadata: KeyMetadata = optional "ReplicaKeyMetadata",
        replica_policy: PolicyText = optional "ReplicaPolicy",
        replica_tags: Tags = optional "ReplicaTags",
    }
}

/// A key that is to get a replica.
pub(crate) struct Replication {
    primary: Arc<Key>,
    tagged: bool,
}

/// The replica takes the permissions of a new key beside that of ReplicateKey (developer guide,
/// "Controlling access to multi-Region keys").
impl Target<Kms> for Replication {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        permit_all(cx, facts, &self.primary).await?;
        permit_new_key(cx, Some(&self.primary), self.tagged)
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.primary.suits(facts, cx.now)
    }

    fn resources(&self) -> Vec<Resource> {
        vec![self.primary.resource()]
    }
}

impl Operation for ReplicateKey {
    type Service = Kms;
    type Input = ReplicateKeyRequest;
    type Output = ReplicateKeyResponse;
    type Target = Replication;

    const FILLED_IN: &'static [(&'static str, FilledIn)] = &[
        ("Description", FilledIn::Text("")),
        ("BypassPolicyLockoutSafetyCheck", FilledIn::Boolean(false)),
    ];
    const FACTS: Facts = Facts {
        name: "ReplicateKey",
        actions: &["kms:ReplicateKey"],
        states: &[KeyState::Enabled],
        errors: &[
            ErrorCode::AlreadyExistsException,
            ErrorCode::DisabledException,
            ErrorCode::InvalidArnException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::KMSInternalException,
            ErrorCode::LimitExceededException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::NotFoundException,
            ErrorCode::TagException,
            ErrorCode::UnsupportedOperationException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let action = Self::FACTS.actions[0];
        let primary = cx.service.key_named(cx, &input.key_id, Aliases::Refused, action).await?;
        let tagged = input.tags.as_ref().is_some_and(|tags| !tags.0.is_empty());
        Ok(Replication { primary, tagged })
    }

    fn uses(input: &Self::Input, _: &Self::Target) -> Uses {
        Uses { elsewhere: Region::parse(input.replica_region.as_str()), ..Uses::default() }
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let primary = &target.primary;
        primary.is_primary()?;
        let region = replica_region(cx, primary, &input.replica_region).await?;
        let max = cx.service.limits.tags_per_key;
        let key_tags = tags::of_new_key(input.tags.as_ref(), max)?;
        let arn = arn(&primary.account, &region, &primary.id);
        let bypass = input.bypass_policy_lockout_safety_check;
        let asked = input.policy.as_ref();
        let policy = key_policy::of_new_key(cx, asked, bypass, &region, &arn).await?;
        let mut materials = Vec::with_capacity(primary.record.materials.len());
        for material in &primary.record.materials {
            materials.push(cx.service.rebound(primary, material, &region).await?);
        }
        let mut replica = KeyRecord {
            created: cx.now,
            description: input.description.as_ref().map_or("", |text| text.as_str()).to_owned(),
            policy: policy.text,
            bound: policy.bound,
            tags: key_tags,
            materials,
            ..primary.record.clone()
        };
        let new = Replica { region: region.clone(), deletion: None };
        let add = |record: &mut KeyRecord| {
            let related = record.multi_region.iter_mut();
            related.for_each(|related| related.replicas.push(new.clone()));
        };
        add(&mut replica);
        let mut commit =
            cx.service.replacing_family(primary, cx.now, |_, record| add(record)).await?;
        let place = layout::key(&primary.account, &region, primary.id.as_str());
        let value = encode(&replica)?;
        commit.preconditions.push((place.clone(), Expect::Absent));
        commit.puts.push((place, value.clone()));
        let room = cx.service.room_for_key(&primary.account, &region, cx.now).await?;
        let revision = cx.service.store.commit(commit).await?;
        room.took_place();
        let (account, id) = (primary.account, primary.id.clone());
        let key = Key::from_record(account, region, id, &value, revision)?;
        Ok(ReplicateKeyResponse {
            replica_key_metadata: Some(being_created(key.metadata(cx.now))),
            replica_policy: Some(PolicyText::of(&key.record.policy)),
            replica_tags: input.tags.as_ref().map(|tags| {
                let copy = |tag: &Tag| Tag {
                    tag_key: tag.tag_key.clone(),
                    tag_value: tag.tag_value.clone(),
                };
                Tags(tags.0.iter().map(copy).collect())
            }),
        })
    }

    fn made(output: &Self::Output) -> Option<Resource> {
        output.replica_key_metadata.as_ref().and_then(crate::key::made)
    }
}

/// The Region of the new replica.
async fn replica_region(
    cx: &Context<'_, Kms>,
    primary: &Arc<Key>,
    name: &RegionText,
) -> Result<Region, Error> {
    let name = name.as_str();
    let same_partition = wire::partition(name) == wire::partition(primary.region.as_str());
    let region = Region::parse(name).filter(|_| same_partition).ok_or_else(|| {
        Error::validation(format!("Replica Region {name} is not a valid Region for this key."))
    })?;
    let Some(related) = &primary.record.multi_region else {
        return Err(Error::internal("a primary without relatives"));
    };
    // A replica whose date has come makes room; the request is then decided again.
    let (account, id) = (&primary.account, &primary.id);
    if !cx.service.is_free_id(account, &region, id, cx.now).await? {
        let message = format!("{} already exists", arn(account, &region, id));
        return Err(Error::new(ErrorCode::AlreadyExistsException, message));
    }
    if related.replicas.len() >= REPLICAS_MAX {
        return Err(Error::new(
            ErrorCode::LimitExceededException,
            format!("A multi-Region key can have at most {REPLICAS_MAX} replicas"),
        ));
    }
    Ok(region)
}

/// AWS answers while it still copies the key, and its clients wait for that state to pass. Here the
/// replica is ready by then; the answer is AWS's.
fn being_created(metadata: KeyMetadata) -> KeyMetadata {
    KeyMetadata {
        enabled: Some(false),
        key_state: Some(KeyState::Creating),
        current_key_material_id: None,
        ..metadata
    }
}
