//! The first principal of an installation: a user who may do everything in its account, and an
//! access key for it. Nobody is there yet who could be asked for permission.
//!
//! Must not know who demands it, nor where the secret is shown.

use service::Error;
use wire::iam::UserName;
use wire::{AccountId, ErrorCode, Timestamp};

use crate::aws_managed::AwsManaged;
use crate::credentials::SecretAccessKey;
use crate::directory::{Change, Directory};
use crate::entities::{name_taken, path};
use crate::ids::{IdKind, draw_secret};
use crate::layout;
use crate::records::{AccessKeyRecord, Entity as _, Permissions, Permitted as _, UserRecord};

/// The policy of whoever administers an account.
const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The access key of a new administrator. Its secret is nowhere else but sealed.
pub struct Administrator {
    /// The user's ARN.
    pub arn: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: SecretAccessKey,
}

impl Directory {
    /// Makes a user with the policy AdministratorAccess and an access key, all in one commit.
    ///
    /// # Errors
    /// ValidationError for a name that no user can have, EntityAlreadyExistsException, those of
    /// the store and the key store.
    pub async fn found_administrator(
        &self,
        account: &AccountId,
        name: &str,
        now: Timestamp,
    ) -> Result<Administrator, Error> {
        let Some(name) = UserName::parse(name) else {
            let message = format!("{name} is no name of a user");
            return Err(Error::new(ErrorCode::InvalidInputException, message));
        };
        let name = name.as_str();
        if self.entity::<UserRecord>(account, name).await?.is_some() {
            return Err(name_taken(UserRecord::KIND, name));
        }
        let policy = AwsManaged::of_arn(ADMINISTRATOR_ACCESS)
            .ok_or_else(|| Error::internal("the policy AdministratorAccess is missing"))?;
        let id = IdKind::AccessKey.draw(self.entropy.as_ref())?;
        let secret = draw_secret(self.entropy.as_ref())?;
        let user = UserRecord {
            name: name.to_owned(),
            path: path(None),
            id: IdKind::User.draw(self.entropy.as_ref())?,
            created: now.to_the_second(),
            tags: Vec::new(),
            permissions: Permissions {
                attached: vec![policy.arn("aws")],
                ..Permissions::default()
            },
            groups: Vec::new(),
            access_keys: vec![id.clone()],
        };
        let access_key = AccessKeyRecord {
            account: *account,
            user: Some(name.to_owned()),
            active: true,
            created: now.to_the_second(),
            sealed_secret: self.seal_secret(&id, &secret).await?,
        };
        let mut whole = self.account(account).await?;
        whole.record.users += 1;
        let mut change = Change::default();
        change.create(layout::entity(account, UserRecord::KIND, name), &user)?;
        change.create(layout::access_key(&id), &access_key)?;
        change.note(layout::attachment(account, policy.id, UserRecord::WAY, name));
        change.account(&whole)?.commit(self).await?;
        let arn = user.arn("aws", account);
        Ok(Administrator {
            arn,
            access_key_id: id,
            secret_access_key: SecretAccessKey::new(secret),
        })
    }
}
