//! Who has access keys: users, and the root users of accounts. Which of them a request means, and
//! the list of access keys that each has.
//!
//! Must not know the secrets.

use service::{Context, Error};
use wire::ErrorCode;
use wire::iam::{AccessKeyId, Status, UserName};

use crate::Iam;
use crate::authorization::UserOrCaller;
use crate::directory::{Account, Change, Stored};
use crate::layout;
use crate::records::{AccessKeyRecord, UserRecord};

/// The name that answers give the root user where they must give one.
const ROOT: &str = "root";

/// Who has access keys.
pub(crate) enum KeyHolder<'a> {
    /// A user.
    User(&'a Stored<UserRecord>),
    /// The root user of the caller's account.
    Root(Box<Account>),
}

impl<'a> KeyHolder<'a> {
    /// The user or root user that a request means.
    ///
    /// # Errors
    /// NoSuchEntityException.
    pub(crate) async fn of(cx: &Context<'_, Iam>, target: &'a UserOrCaller) -> Result<Self, Error> {
        match target {
            UserOrCaller::User(user) => user.existing().map(Self::User),
            UserOrCaller::Root(_) => {
                cx.service.directory.account(cx.account()).await.map(Box::new).map(Self::Root)
            }
        }
    }

    /// The user's name; none of the root user.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::User(user) => Some(&user.record.name),
            Self::Root(_) => None,
        }
    }

    /// The name that answers give.
    pub(crate) fn name(&self) -> UserName {
        UserName::of(self.user().unwrap_or(ROOT))
    }

    /// The ids of the access keys, the oldest first.
    pub(crate) fn access_keys(&self) -> &[String] {
        match self {
            Self::User(user) => &user.record.access_keys,
            Self::Root(account) => &account.record.root_access_keys,
        }
    }

    /// The holder's access key of that id.
    ///
    /// # Errors
    /// NoSuchEntityException for any that isn't the holder's.
    pub(crate) async fn access_key(
        &self,
        cx: &Context<'_, Iam>,
        id: &AccessKeyId,
    ) -> Result<Stored<AccessKeyRecord>, Error> {
        let id = id.as_str();
        let stored = if self.access_keys().iter().any(|known| known == id) {
            cx.service.directory.stored(layout::access_key(id)).await?
        } else {
            None
        };
        stored.ok_or_else(|| {
            Error::new(
                ErrorCode::NoSuchEntityException,
                format!("The Access Key with id {id} cannot be found."),
            )
        })
    }

    /// Gives the holder other access keys, and demands that it be as it was read.
    ///
    /// # Errors
    /// A failure of ours.
    pub(crate) fn set(self, ids: Vec<String>, change: &mut Change) -> Result<&mut Change, Error> {
        match self {
            Self::User(user) => {
                let record = UserRecord { access_keys: ids, ..user.record.clone() };
                change.replace(user, &record)
            }
            Self::Root(mut account) => {
                account.record.root_access_keys = ids;
                change.account(&account)
            }
        }
    }
}

/// Whether an access key admits its holder, as answers tell it.
pub(crate) fn status(record: &AccessKeyRecord) -> Status {
    if record.active { Status::Active } else { Status::Inactive }
}
