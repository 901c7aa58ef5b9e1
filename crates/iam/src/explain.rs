//! Questions about permissions on IAM's and STS's own resources: may this caller do that, and why.

use policy::{Attached, ContextEntries, Delegation, Resource};
use service::{Caller, Error, Explanation, Given, GlobalKeys, Hypothetical};
use wire::{AccountId, Arn, Region, Timestamp};

use crate::Iam;
use crate::conditions::Conditions;
use crate::records::{RoleRecord, Tags};

impl Iam {
    /// Whether the caller may do `action` to what has that ARN, and why. Of roles the trust policy
    /// is asked too where the action is one of STS.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn explain(
        &self,
        caller: &Caller,
        region: &Region,
        now: Timestamp,
        action: &str,
        resource: &str,
        context: &[(String, String)],
    ) -> Result<Explanation, Error> {
        let mut entries = ContextEntries::default();
        for (key, value) in context {
            entries.insert(key, value.clone().into());
        }
        let entropy = self.directory.entropy.as_ref();
        let asked = Hypothetical::new(self, entropy, caller.clone(), region.clone(), now)?;
        let cx = asked.context();
        let arn = Arn::parse(resource);
        let owner = arn.and_then(|arn| AccountId::parse(arn.account).ok());
        let role = match (arn, owner) {
            (Some(arn), Some(owner)) if arn.resource.starts_with("role/") => {
                let name = arn.resource.rsplit('/').next().unwrap_or_default();
                self.directory.entity::<RoleRecord>(&owner, name).await?
            }
            _ => None,
        };
        let tags: &Tags = &role.as_ref().map_or_else(Tags::new, |role| role.record.tags.clone());
        let owner = owner.unwrap_or(caller.account);
        let global = GlobalKeys::of(&cx, Some(owner.as_str()), tags);
        let conditions = Conditions { cx: &cx, global, boundary: None, more: Vec::new() };
        let context = Given { entries: &entries, worked_out: &conditions };
        let trust = match &role {
            Some(role) if action.to_ascii_lowercase().starts_with("sts:") => {
                Some(role.record.trust.compiled()?)
            }
            _ => None,
        };
        let side = trust.as_ref().map(|document| Resource {
            account: owner.as_str(),
            policy: Some(Attached { name: "trust policy", document }),
            delegation: Delegation::Needed,
            grant: None,
        });
        Ok(caller.explain(action, resource, &context, side))
    }
}
