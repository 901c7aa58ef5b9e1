//! Roles as those see them who want to assume them: with their trust policies, compiled once and
//! kept until anything in their account changes.

use std::sync::Arc;

use policy::Document;
use service::Error;
use wire::AccountId;

use crate::directory::Directory;
use crate::records::{Entity as _, RoleRecord};

/// A role that may be assumed by those whom its trust policy names.
pub(crate) struct Assumable {
    pub(crate) record: RoleRecord,
    /// What its trust policy says.
    pub(crate) trust: Document,
}

impl Directory {
    /// The role of that ARN, whose path counts.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn assumable(
        &self,
        arn: &str,
        partition: &str,
        account: &AccountId,
    ) -> Result<Option<Arc<Assumable>>, Error> {
        let known = self.identities_of(account);
        if let Some(role) = known.assumable.get(arn) {
            return Ok(Some(role));
        }
        let name = arn.rsplit('/').next().unwrap_or_default();
        let Some(stored) = self.entity::<RoleRecord>(account, name).await? else { return Ok(None) };
        let record = stored.record;
        if record.arn(partition, account) != arn {
            return Ok(None);
        }
        let role = Arc::new(Assumable { trust: record.trust.compiled()?, record });
        known.assumable.insert(arn.to_owned(), Arc::clone(&role));
        Ok(Some(role))
    }
}
