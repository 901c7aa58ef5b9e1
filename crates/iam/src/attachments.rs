//! Managed policies and what they are attached to: the index that tells a policy's users, groups
//! and roles, and those whose boundary it is.

use service::{Context, Error};
use wire::iam::{ArnText, AttachedPolicy, PolicyName, PolicyPath};
use wire::{AccountId, Arn, ErrorCode};

use crate::Iam;
use crate::authorization::Named;
use crate::aws_managed::AwsManaged;
use crate::directory::{Change, Directory, Stored};
use crate::entities::quota;
use crate::identity::policy_name;
use crate::inline::modifiable;
use crate::layout;
use crate::paging::{Listing, Page};
use crate::records::{Entity as _, Permitted, PolicyRecord};

/// What the index calls the way in which a boundary is attached, behind the kind of entity.
pub(crate) const BOUNDARY: &str = "-boundary";

/// A managed policy that an account can attach.
pub(crate) enum ManagedPolicy {
    /// One of AWS's.
    Aws(&'static AwsManaged),
    /// One of the account's own.
    Own(Box<Stored<PolicyRecord>>),
}

impl ManagedPolicy {
    /// Its unique id, by which the index knows it.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Aws(policy) => policy.id,
            Self::Own(stored) => &stored.record.id,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Aws(policy) => policy.name,
            Self::Own(stored) => &stored.record.name,
        }
    }

    /// Its ARN.
    pub(crate) fn arn(&self, partition: &str, account: &AccountId) -> String {
        match self {
            Self::Aws(policy) => policy.arn(partition),
            Self::Own(stored) => stored.record.arn(partition, account),
        }
    }

    /// Keeps a policy that can be deleted from being deleted at the same moment. The record is
    /// written anew, since the deletion sees of the index only what stands there already.
    pub(crate) fn hold(&self, change: &mut Change) -> Result<(), Error> {
        if let Self::Own(stored) = self {
            change.touch(stored)?;
        }
        Ok(())
    }

    /// Refuses what only service-linked roles may have.
    ///
    /// # Errors
    /// PolicyNotAttachableException.
    fn attachable(&self) -> Result<(), Error> {
        match self {
            Self::Aws(policy) if policy.path.starts_with("/aws-service-role/") => Err(Error::new(
                ErrorCode::PolicyNotAttachableException,
                "Cannot attach a Service Role Policy to a Customer Role.",
            )),
            _ => Ok(()),
        }
    }
}

/// The way in which the index of attachments has boundaries of such entities.
pub(crate) fn boundary_way<R: Permitted>() -> String {
    format!("{}{BOUNDARY}", R::WAY)
}

impl Directory {
    /// The managed policy of that ARN that the account can attach, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn managed(
        &self,
        account: &AccountId,
        arn: &str,
    ) -> Result<Option<ManagedPolicy>, Error> {
        if let Some(policy) = AwsManaged::of_arn(arn) {
            return Ok(Some(ManagedPolicy::Aws(policy)));
        }
        let Some(name) = policy_name(account, arn) else { return Ok(None) };
        let stored = self.entity::<PolicyRecord>(account, name).await?;
        let partition = Arn::parse(arn).map_or("", |arn| arn.partition);
        // The path is part of the ARN.
        let stored = stored.filter(|stored| stored.record.arn(partition, account) == arn);
        Ok(stored.map(|stored| ManagedPolicy::Own(Box::new(stored))))
    }
}

/// The permissions boundary of an entity that is made, noted in the index.
///
/// # Errors
/// NoSuchEntityException where there is no such policy, InvalidInputException for what is no
/// policy's ARN, PolicyNotAttachableException.
pub(crate) async fn new_boundary<R: Permitted>(
    cx: &Context<'_, Iam>,
    arn: Option<&ArnText>,
    name: &str,
    change: &mut Change,
) -> Result<Option<String>, Error> {
    let Some(arn) = arn else { return Ok(None) };
    let policy = attachable(cx, arn.as_str()).await?;
    policy.hold(change)?;
    change.note(layout::attachment(cx.account(), policy.id(), &boundary_way::<R>(), name));
    Ok(Some(policy.arn(cx.partition(), cx.account())))
}

/// Sets an entity's permissions boundary, in place of the one that it has.
///
/// # Errors
/// NoSuchEntityException for the entity or the policy, UnmodifiableEntityException,
/// InvalidInputException, PolicyNotAttachableException.
pub(crate) async fn set_boundary<R: Permitted>(
    cx: &Context<'_, Iam>,
    target: &Named<R>,
    arn: &ArnText,
) -> Result<(), Error> {
    let stored = modifiable(target)?;
    let mut change = Change::default();
    let policy = attachable(cx, arn.as_str()).await?;
    if stored.record.permissions().boundary.as_deref() == Some(arn.as_str()) {
        return Ok(());
    }
    let mut record = remove_boundary(cx, stored, &mut change).await?;
    policy.hold(&mut change)?;
    let way = boundary_way::<R>();
    change.note(layout::attachment(cx.account(), policy.id(), &way, record.name()));
    record.permissions_mut().boundary = Some(policy.arn(cx.partition(), cx.account()));
    change.replace(stored, &record)?.commit(&cx.service.directory).await
}

/// Removes an entity's permissions boundary, if it has one.
///
/// # Errors
/// NoSuchEntityException, UnmodifiableEntityException.
pub(crate) async fn delete_boundary<R: Permitted>(
    cx: &Context<'_, Iam>,
    target: &Named<R>,
) -> Result<(), Error> {
    let stored = modifiable(target)?;
    let mut change = Change::default();
    let record = remove_boundary(cx, stored, &mut change).await?;
    change.replace(stored, &record)?.commit(&cx.service.directory).await
}

/// The record without its boundary, which the index forgets.
///
/// # Errors
/// A failure of ours.
pub(crate) async fn remove_boundary<R: Permitted>(
    cx: &Context<'_, Iam>,
    stored: &Stored<R>,
    change: &mut Change,
) -> Result<R, Error> {
    let mut record = stored.record.clone();
    if let Some(arn) = record.permissions_mut().boundary.take() {
        let policy = in_use(cx, &arn).await?;
        change.forget(layout::attachment(
            cx.account(),
            policy.id(),
            &boundary_way::<R>(),
            record.name(),
        ));
    }
    Ok(record)
}

/// Attaches a managed policy; one that is attached already stays so.
///
/// # Errors
/// NoSuchEntityException for the entity or the policy, UnmodifiableEntityException,
/// InvalidInputException, PolicyNotAttachableException, LimitExceededException.
pub(crate) async fn attach<R: Permitted>(
    cx: &Context<'_, Iam>,
    target: &Named<R>,
    arn: &ArnText,
) -> Result<(), Error> {
    let directory = &cx.service.directory;
    let stored = modifiable(target)?;
    let policy = attachable(cx, arn.as_str()).await?;
    let mut record = stored.record.clone();
    let attached = &mut record.permissions_mut().attached;
    if attached.iter().any(|known| known == arn.as_str()) {
        return Ok(());
    }
    if attached.len() >= directory.limits.attached_policies {
        return Err(quota(per_entity::<R>(), directory.limits.attached_policies));
    }
    attached.push(policy.arn(cx.partition(), cx.account()));
    let mut change = Change::default();
    policy.hold(&mut change)?;
    change.note(layout::attachment(cx.account(), policy.id(), R::WAY, record.name()));
    change.replace(stored, &record)?.commit(directory).await
}

/// Detaches a managed policy.
///
/// # Errors
/// NoSuchEntityException, UnmodifiableEntityException, InvalidInputException.
pub(crate) async fn detach<R: Permitted>(
    cx: &Context<'_, Iam>,
    target: &Named<R>,
    arn: &ArnText,
) -> Result<(), Error> {
    let stored = modifiable(target)?;
    let arn = policy_arn(cx, arn.as_str())?;
    let mut record = stored.record.clone();
    let attached = &mut record.permissions_mut().attached;
    let place = attached.iter().position(|known| known == arn).ok_or_else(|| not_found(arn))?;
    attached.remove(place);
    let policy = in_use(cx, arn).await?;
    let mut change = Change::default();
    change.forget(layout::attachment(cx.account(), policy.id(), R::WAY, record.name()));
    change.replace(stored, &record)?.commit(&cx.service.directory).await
}

/// A page of the managed policies attached to an entity whose paths begin with `prefix`.
///
/// # Errors
/// NoSuchEntityException.
pub(crate) fn attached<R: Permitted>(
    target: &Named<R>,
    prefix: Option<&PolicyPath>,
    listing: &Listing,
) -> Result<Page<AttachedPolicy>, Error> {
    let prefix = prefix.map_or("/", PolicyPath::as_str);
    let mut arns = target.existing()?.record.permissions().attached.clone();
    // From the slash before the path on.
    arns.retain(|arn| arn.find('/').is_some_and(|path| arn[path..].starts_with(prefix)));
    // Not by the whole ARN, which can be longer than a marker may be.
    arns.sort_unstable_by_key(|arn| owner_and_name(arn));
    let page = listing.part(arns, |arn| owner_and_name(arn));
    let policies = page.items.iter().map(|arn| AttachedPolicy {
        policy_name: arn.rsplit('/').next().map(PolicyName::of),
        policy_arn: Some(ArnText::of(arn)),
    });
    Ok(Page { items: policies.collect(), next: page.next })
}

/// What sets a managed policy's ARN apart from all others that an account can attach.
fn owner_and_name(arn: &str) -> String {
    let owner = Arn::parse(arn).map_or("", |arn| arn.account);
    format!("{owner}/{}", arn.rsplit('/').next().unwrap_or_default())
}

/// The managed policy that a request wants to attach.
///
/// # Errors
/// InvalidInputException for what is no policy's ARN, NoSuchEntityException where there is none,
/// PolicyNotAttachableException.
pub(crate) async fn attachable(cx: &Context<'_, Iam>, arn: &str) -> Result<ManagedPolicy, Error> {
    let arn = policy_arn(cx, arn)?;
    let found = cx.service.directory.managed(cx.account(), arn).await?;
    let policy = found.ok_or_else(|| {
        Error::new(
            ErrorCode::NoSuchEntityException,
            format!("Policy {arn} does not exist or is not attachable."),
        )
    })?;
    policy.attachable()?;
    Ok(policy)
}

/// A policy that is attached, so that it can't have been deleted.
///
/// # Errors
/// A failure of ours.
pub(crate) async fn in_use(cx: &Context<'_, Iam>, arn: &str) -> Result<ManagedPolicy, Error> {
    let found = cx.service.directory.managed(cx.account(), arn).await?;
    found.ok_or_else(|| Error::internal(format!("an attached policy is gone: {arn}")))
}

/// Text that is the ARN of a managed policy of this partition.
///
/// # Errors
/// InvalidInputException.
pub(crate) fn policy_arn<'a>(cx: &Context<'_, Iam>, text: &'a str) -> Result<&'a str, Error> {
    let parsed = Arn::parse(text).filter(|arn| {
        arn.partition == cx.partition() && arn.service == "iam" && arn.region.is_empty()
    });
    let is_policy = parsed.is_some_and(|arn| {
        let owner = arn.account == "aws" || AccountId::parse(arn.account).is_ok();
        owner && arn.resource.strip_prefix("policy/").is_some_and(|name| !name.is_empty())
    });
    if is_policy {
        return Ok(text);
    }
    Err(Error::new(ErrorCode::InvalidInputException, format!("ARN {text} is not valid.")))
}

/// The refusal of an ARN that no policy has, or none that is attached there.
pub(crate) fn not_found(arn: &str) -> Error {
    Error::new(ErrorCode::NoSuchEntityException, format!("Policy {arn} was not found."))
}

fn per_entity<R: Permitted>() -> &'static str {
    match R::KIND {
        "user" => "PoliciesPerUser",
        "group" => "PoliciesPerGroup",
        _ => "PoliciesPerRole",
    }
}
