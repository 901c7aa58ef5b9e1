//! What is stored of accounts' users, groups, roles, policies, providers and access keys. How it is
//! written down is [`service::records`]'s.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use service::records::{millis, optional_millis};
use wire::{AccountId, Timestamp};

/// Tags, in the order in which they were first set.
pub(crate) type Tags = Vec<(String, String)>;

/// A thing that has a name, a path and a unique id within an account.
pub(crate) trait Entity:
    Serialize + DeserializeOwned + Clone + Send + Sync + 'static
{
    /// What ARNs call it.
    const KIND: &'static str;

    /// Its name, as it was given.
    fn name(&self) -> &str;

    /// Its path, from `/` to `/`.
    fn path(&self) -> &str;

    /// Its tags; none where it has no tags at all.
    fn tags(&self) -> &[(String, String)] {
        &[]
    }

    /// The ARN of its permissions boundary, if it has one.
    fn boundary(&self) -> Option<&str> {
        None
    }

    /// Its ARN.
    fn arn(&self, partition: &str, account: &AccountId) -> String {
        format!("arn:{partition}:iam::{account}:{}{}{}", Self::KIND, self.path(), self.name())
    }
}

/// What permissions an entity has.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Permissions {
    /// Inline policies: name and document, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inline: Vec<(String, String)>,
    /// The ARNs of attached policies, in the order in which they were attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attached: Vec<String>,
    /// The ARN of the permissions boundary; groups have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boundary: Option<String>,
}

/// What has permissions: users, groups, roles.
pub(crate) trait Permitted: Entity {
    /// The way in which policies are attached to it, as the index of attachments has it.
    const WAY: &'static str;

    /// Its permissions.
    fn permissions(&self) -> &Permissions;

    /// The same, to be changed.
    fn permissions_mut(&mut self) -> &mut Permissions;

    /// The service that a service-linked role serves, which alone may change it.
    fn linked_service(&self) -> Option<&str> {
        None
    }
}

/// A user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Tags,
    #[serde(flatten)]
    pub(crate) permissions: Permissions,
    /// The unique ids of its groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<String>,
    /// The ids of its access keys, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) access_keys: Vec<String>,
}

/// A group.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    #[serde(flatten)]
    pub(crate) permissions: Permissions,
}

/// A role.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RoleRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// The longest session, in seconds.
    pub(crate) max_session_duration: i32,
    pub(crate) trust: BoundDocument,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Tags,
    #[serde(flatten)]
    pub(crate) permissions: Permissions,
    /// Of a service-linked role: the service that it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) linked_service: Option<String>,
}

/// A document that names principals, each bound to the one that had its ARN when it was saved.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BoundDocument {
    /// As it was given.
    pub(crate) text: String,
    /// The ARNs of users and roles in it, each with its unique id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bound: Vec<(String, String)>,
}

/// A customer managed policy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    #[serde(with = "millis")]
    pub(crate) updated: Timestamp,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// The number of the default version.
    pub(crate) default_version: u32,
    /// The number that the next version gets; none is given twice.
    pub(crate) next_version: u32,
    /// Its versions, the oldest first.
    pub(crate) versions: Vec<VersionRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Tags,
}

/// A version of a customer managed policy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct VersionRecord {
    pub(crate) number: u32,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    pub(crate) document: String,
}

/// An OpenID Connect provider.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ProviderRecord {
    /// Its URL without the scheme, which is its name in ARNs and condition keys.
    pub(crate) url: String,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Tags,
}

/// An access key of a user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessKeyRecord {
    #[serde(with = "account_id")]
    pub(crate) account: AccountId,
    /// The user's name; none of the root user's keys.
    pub(crate) user: Option<String>,
    pub(crate) active: bool,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    /// The secret access key, sealed by the key store under the access key's id; in base64.
    pub(crate) sealed_secret: String,
}

/// What an account has beside its entities, and how many of these there are.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AccountRecord {
    /// Its alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alias: Option<String>,
    /// The ids of the root user's access keys, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) root_access_keys: Vec<String>,
    /// How many users there are.
    pub(crate) users: usize,
    /// How many groups there are.
    pub(crate) groups: usize,
    /// How many roles there are.
    pub(crate) roles: usize,
    /// How many customer managed policies there are.
    pub(crate) policies: usize,
    /// How many versions these have.
    pub(crate) policy_versions: usize,
    /// How many OpenID Connect providers there are.
    pub(crate) providers: usize,
}

/// When an access key or a role was last used, and for what.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LastUseRecord {
    #[serde(with = "optional_millis")]
    pub(crate) at: Option<Timestamp>,
    pub(crate) service: String,
    pub(crate) region: String,
}

mod account_id {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use wire::AccountId;

    pub(super) fn serialize<S: Serializer>(account: &AccountId, to: S) -> Result<S::Ok, S::Error> {
        account.as_str().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AccountId, D::Error> {
        let text = String::deserialize(from)?;
        AccountId::parse(&text).map_err(|_| serde::de::Error::custom("not an account id"))
    }
}

macro_rules! entity {
    ($($record:ident $kind:literal $(tags $tags:ident)? $(bounded by $own:ident)?),*) => {$(
        impl Entity for $record {
            const KIND: &'static str = $kind;

            fn name(&self) -> &str {
                &self.name
            }

            fn path(&self) -> &str {
                &self.path
            }

            $(fn tags(&self) -> &[(String, String)] {
                &self.$tags
            })?

            $(fn boundary(&self) -> Option<&str> {
                self.$own.boundary.as_deref()
            })?
        }
    )*};
}

entity! {
    UserRecord "user" tags tags bounded by permissions,
    GroupRecord "group",
    RoleRecord "role" tags tags bounded by permissions,
    PolicyRecord "policy" tags tags
}

/// Its ARN is `arn:aws:iam::ACCOUNT:oidc-provider/URL`, without a path.
impl Entity for ProviderRecord {
    const KIND: &'static str = "oidc-provider";

    fn name(&self) -> &str {
        &self.url
    }

    fn path(&self) -> &'static str {
        "/"
    }

    fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

macro_rules! permitted {
    ($($record:ident $(linked by $service:ident)?),*) => {$(
        impl Permitted for $record {
            const WAY: &'static str = Self::KIND;

            fn permissions(&self) -> &Permissions {
                &self.permissions
            }

            fn permissions_mut(&mut self) -> &mut Permissions {
                &mut self.permissions
            }

            $(fn linked_service(&self) -> Option<&str> {
                self.$service.as_deref()
            })?
        }
    )*};
}

permitted!(UserRecord, GroupRecord, RoleRecord linked by linked_service);
