//! Managed policies and what they are attached to: the index that tells a policy's users, groups
//! and roles, and those whose boundary it is.

use service::{Context, Error};
use wire::iam::ArnText;
use wire::{AccountId, Arn, ErrorCode};

use crate::Iam;
use crate::aws_managed::AwsManaged;
use crate::directory::{Change, Directory, Stored};
use crate::identity::policy_name;
use crate::layout;
use crate::records::{Entity as _, Permitted, PolicyRecord};

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

    /// Demands, of a policy that can be deleted, that it be as it was read.
    pub(crate) fn expect(&self, change: &mut Change) {
        if let Self::Own(stored) = self {
            change.expect(stored);
        }
    }
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
/// NoSuchEntityException where there is no such policy, ValidationException for what is no
/// policy's ARN.
pub(crate) async fn new_boundary<R: Permitted>(
    cx: &Context<'_, Iam>,
    arn: Option<&ArnText>,
    name: &str,
    change: &mut Change,
) -> Result<Option<String>, Error> {
    let Some(arn) = arn else { return Ok(None) };
    let policy = attachable(cx, arn.as_str()).await?;
    policy.expect(change);
    let way = format!("{}-boundary", R::WAY);
    change.note(layout::attachment(cx.account(), policy.id(), &way, name));
    Ok(Some(policy.arn(cx.partition(), cx.account())))
}

/// The managed policy that a request wants to attach.
///
/// # Errors
/// ValidationException for what is no policy's ARN, NoSuchEntityException where there is none.
pub(crate) async fn attachable(cx: &Context<'_, Iam>, arn: &str) -> Result<ManagedPolicy, Error> {
    let is_policy = Arn::parse(arn)
        .is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("policy/"));
    if !is_policy {
        return Err(Error::new(
            ErrorCode::InvalidInputException,
            format!("ARN {arn} is not valid."),
        ));
    }
    let found = cx.service.directory.managed(cx.account(), arn).await?;
    found.ok_or_else(|| {
        Error::new(
            ErrorCode::NoSuchEntityException,
            format!("Policy {arn} does not exist or is not attachable."),
        )
    })
}
