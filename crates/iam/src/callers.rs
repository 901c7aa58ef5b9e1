//! Callers that nobody has authenticated: whom questions about permissions are asked for.

use std::sync::Arc;

use service::{Caller, CallerKind, Error, Principal};
use wire::{AccountId, Arn};

use crate::directory::Directory;
use crate::records::{Entity, RoleRecord, UserRecord};

/// How many records are read at once.
const BATCH: usize = 1_000;
/// What a role's session is called in a question that names the role.
const SESSION: &str = "any-session";

impl Directory {
    /// Who would call as the principal of that ARN, or as the root user of the account of that id;
    /// for a role, a session of it without session policies. None where there is no such principal.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn caller(&self, principal: &str) -> Result<Option<Caller>, Error> {
        if let Ok(account) = AccountId::parse(principal) {
            return Ok(Some(Caller::root(account, "aws", "")));
        }
        let Some(arn) = Arn::parse(principal).filter(|arn| arn.region.is_empty()) else {
            return Ok(None);
        };
        let Ok(account) = AccountId::parse(arn.account) else { return Ok(None) };
        let (kind, rest) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        let (partition, name) = (arn.partition, rest.rsplit('/').next().unwrap_or_default());
        Ok(match (arn.service, kind) {
            ("iam", "root") => Some(Caller::root(account, partition, "")),
            ("iam", "user") => {
                self.user(partition, &account, name).await?.map(|user| as_user(account, user))
            }
            ("iam", "role") => self
                .role(partition, &account, name)
                .await?
                .map(|role| as_session(account, partition, role, SESSION)),
            ("sts", "assumed-role") => {
                let (role, session) = rest.split_once('/').unwrap_or((rest, SESSION));
                let role = self.role(partition, &account, role).await?;
                role.map(|role| as_session(account, partition, role, session))
            }
            _ => None,
        })
    }

    /// Who would call as each of an account's users and roles, users first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn callers(
        &self,
        account: &AccountId,
        partition: &str,
    ) -> Result<Vec<Caller>, Error> {
        let mut callers = Vec::new();
        for name in self.names_of::<UserRecord>(account).await? {
            let user = self.user(partition, account, &name).await?;
            callers.extend(user.map(|user| as_user(*account, user)));
        }
        for name in self.names_of::<RoleRecord>(account).await? {
            let role = self.role(partition, account, &name).await?;
            callers.extend(role.map(|role| as_session(*account, partition, role, SESSION)));
        }
        Ok(callers)
    }

    async fn names_of<R: Entity>(&self, account: &AccountId) -> Result<Vec<String>, Error> {
        let (mut names, mut after) = (Vec::new(), String::new());
        loop {
            let (records, more) = self.entities::<R>(account, &after, BATCH).await?;
            names.extend(records.iter().map(|record| record.name().to_lowercase()));
            match names.last() {
                Some(last) if more => after.clone_from(last),
                _ => return Ok(names),
            }
        }
    }
}

fn as_user(account: AccountId, user: Arc<Principal>) -> Caller {
    Caller {
        account,
        arn: user.arn.clone(),
        principal_id: user.unique_id.clone(),
        kind: CallerKind::User,
        access_key_id: String::new(),
        subject: None,
        principal: Some(user),
        session: None,
    }
}

fn as_session(account: AccountId, partition: &str, role: Arc<Principal>, session: &str) -> Caller {
    Caller {
        account,
        arn: format!("arn:{partition}:sts::{account}:assumed-role/{}/{session}", role.name),
        principal_id: format!("{}:{session}", role.unique_id),
        kind: CallerKind::AssumedRole,
        access_key_id: String::new(),
        subject: None,
        principal: Some(role),
        session: None,
    }
}
