//! AWS managed keys: one for each account, Region and service, made on its first use.
//!
//! They are visible, rotate every year and serve their service alone: nobody can delete, disable,
//! tag or use them directly or give them a policy, because their policy allows none of that. Must
//! not know the services beyond their names.
//!
//! Sources: the developer guide's "AWS managed keys"; descriptions and statement ids as
//! DescribeKey and GetKeyPolicy have answered for real accounts.

use std::sync::Arc;

use service::ports::{Commit, Expect, Revision, StoreError};
use service::{Error, Uuid};
use wire::enums::{KeyManagerType, KeySpec, KeyUsageType, OriginType};
use wire::{AccountId, Region, Timestamp};

use crate::Kms;
use crate::key::Key;
use crate::key_id::{KeyId, not_found};
use crate::layout;
use crate::lookup::alias_arn;
use crate::records::{AliasRecord, KeyRecord, MaterialRecord, RotationSchedule, encode};
use crate::rotation::PERIOD_DAYS_DEFAULT;

/// The services that have an AWS managed key, by the names in its alias, each with what its key
/// protects in the words of its description. Where those aren't known, the name stands for them.
const SERVICES: &[(&str, Option<&str>)] = &[
    ("acm", Some("ACM private keys")),
    ("appflow", None),
    ("backup", Some("Backup data")),
    ("cloud9", None),
    ("codeartifact", None),
    ("codecommit", None),
    ("connect", None),
    ("dms", None),
    ("dynamodb", Some("DynamoDB data")),
    ("ebs", Some("EBS volumes")),
    ("elasticfilesystem", Some("EFS filesystems")),
    ("es", None),
    ("fsx", None),
    ("glue", Some("Glue data")),
    ("imagebuilder", None),
    ("kafka", None),
    ("kendra", None),
    ("kinesis", None),
    ("kinesisvideo", None),
    ("lambda", Some("Lambda functions")),
    ("lex", None),
    ("lightsail", None),
    ("mq", None),
    ("rds", Some("RDS database volumes")),
    ("redshift", None),
    ("s3", Some("S3 objects")),
    ("secretsmanager", Some("Secrets Manager data")),
    ("ses", None),
    ("sns", Some("SNS data")),
    ("sqs", Some("SQS messages")),
    ("ssm", Some("SSM parameters")),
    ("timestream", None),
    ("workmail", None),
    ("workspaces", None),
    ("xray", None),
];

/// A service that has an AWS managed key.
#[derive(Clone, Copy)]
pub(crate) struct ManagedService {
    name: &'static str,
    protects: Option<&'static str>,
}

impl ManagedService {
    /// The service of that name.
    fn named(name: &str) -> Option<Self> {
        let (name, protects) = SERVICES.iter().find(|(known, _)| *known == name)?;
        Some(Self { name, protects: *protects })
    }

    /// The service whose predefined alias that is.
    pub(crate) fn of_alias(alias: &str) -> Option<Self> {
        alias.strip_prefix("alias/aws/").and_then(Self::named)
    }

    /// Its predefined alias.
    pub(crate) fn alias(self) -> String {
        format!("alias/aws/{}", self.name)
    }

    fn description(self) -> String {
        match self.protects {
            Some(what) => {
                format!("Default key that protects my {what} when no other key is defined")
            }
            None => format!(
                "Default key that protects my {} data when no other key is defined",
                self.name
            ),
        }
    }

    /// The second statement of the policies that AWS gives these keys. The first lets principals
    /// of the account use the key through the service, which is a condition (`kms:ViaService`)
    /// that the policy language doesn't have yet; so nobody may.
    fn policy(self, account: &AccountId, region: &Region) -> String {
        let (name, partition) = (self.name, wire::partition(region.as_str()));
        format!(
            r#"{{
  "Version" : "2012-10-17",
  "Id" : "auto-{name}-1",
  "Statement" : [ {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{partition}:iam::{account}:root"
    }},
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*" ],
    "Resource" : "*"
  }} ]
}}"#
        )
    }
}

/// An AWS managed key that nobody has used yet: all of it but its material. It is not in the
/// store.
pub(crate) struct Unmade {
    pub(crate) key: Arc<Key>,
    service: ManagedService,
}

impl Kms {
    /// The id of the AWS managed key of a service, such as `s3`, in that account and Region. The
    /// first who asks makes it.
    ///
    /// # Errors
    /// NotFoundException for a service that has none, those of the store and the key store.
    pub async fn managed_key(
        &self,
        account: &AccountId,
        region: &Region,
        service: &str,
        now: Timestamp,
    ) -> Result<KeyId, Error> {
        let alias = format!("alias/aws/{service}");
        let Some(service) = ManagedService::named(service) else {
            let arn = alias_arn(account, region, &alias);
            return Err(not_found(format!("Alias {arn} is not found.")));
        };
        loop {
            if let Some(key) = self.key_behind(account, region, &alias, now).await? {
                return Ok(key.id.clone());
            }
            let unmade = self.unmade(account, region, service, now)?;
            match self.make(&unmade).await {
                Ok(key) => return Ok(key.id.clone()),
                // Somebody else has just made it: there is one now, and it stays.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A managed key as it will be.
    ///
    /// # Errors
    /// Those of the generator of ids.
    pub(crate) fn unmade(
        &self,
        account: &AccountId,
        region: &Region,
        service: ManagedService,
        now: Timestamp,
    ) -> Result<Unmade, Error> {
        let uuid = Uuid::draw(self.entropy.as_ref())?;
        let id = KeyId::parse(uuid.as_str()).ok_or_else(|| Error::internal("a UUID is an id"))?;
        let next = now.plus_days(i64::from(PERIOD_DAYS_DEFAULT));
        let record = KeyRecord {
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsageType::EncryptDecrypt,
            origin: OriginType::AwsKms,
            manager: KeyManagerType::Aws,
            created: now,
            description: service.description(),
            enabled: true,
            deletion: None,
            policy: service.policy(account, region),
            bound: Vec::new(),
            tags: Vec::new(),
            materials: Vec::new(),
            rotation: Some(RotationSchedule { period_days: PERIOD_DAYS_DEFAULT, next }),
            multi_region: None,
            waiting: None,
        };
        let value = encode(&record)?;
        let key = Key::from_record(*account, region.clone(), id, &value, Revision::default())?;
        Ok(Unmade { key: Arc::new(key), service })
    }

    /// Makes it: material, key and alias, in one commit.
    ///
    /// # Errors
    /// A conflict if somebody else was faster; those of the store and the key store.
    pub(crate) async fn make(&self, unmade: &Unmade) -> Result<Key, Error> {
        let Unmade { key, service } = unmade;
        let (wrapped, opened) = self.key_store.generate(key.binding()).await?;
        let mut record = key.record.clone();
        record.materials.push(MaterialRecord::new(opened.id, wrapped));
        let (account, region, id) = (&key.account, &key.region, key.id.as_str());
        let name = service.alias();
        let alias =
            AliasRecord { target: id.to_owned(), created: record.created, updated: record.created };
        let (place, value) = (layout::key(account, region, id), encode(&record)?);
        let alias_place = layout::alias(account, region, &name);
        let commit = Commit {
            preconditions: vec![
                (place.clone(), Expect::Absent),
                (alias_place.clone(), Expect::Absent),
            ],
            puts: vec![
                (place, value.clone()),
                (alias_place, encode(&alias)?),
                (layout::key_alias(account, region, id, &name), Vec::new()),
            ],
            deletes: Vec::new(),
        };
        let passage = self.key_counts.pass_by(account, region).await;
        let committed: Result<Revision, StoreError> = self.store.commit(commit).await;
        let revision = committed?;
        passage.took_place();
        Key::from_record(*account, region.clone(), key.id.clone(), &value, revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{Caller, Document, DocumentKind, Outcome, Request};

    #[test]
    fn a_managed_key_lets_its_account_look_and_nothing_else() {
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        for (name, _) in SERVICES {
            let service = ManagedService::named(name).unwrap();
            assert!(ManagedService::of_alias(&service.alias()).is_some());
            let text = service.policy(&account, &region);
            let policy = Document::parse_stored(&text, DocumentKind::Resource).unwrap();
            let allows = |account: &str, action: &str| {
                let arn = format!("arn:aws:iam::{account}:root");
                let caller = &Caller::root(account, &arn);
                let request = Request { caller, action, resource: "k", context: &() };
                matches!(policy.evaluate(&request), Outcome::Allow { .. })
            };
            for action in ["kms:DescribeKey", "kms:GetKeyRotationStatus", "kms:ListGrants"] {
                assert!(allows("111122223333", action), "{name}: {action}");
                assert!(!allows("444455556666", action), "{name}: {action}");
            }
            for action in ["kms:Decrypt", "kms:DisableKey", "kms:PutKeyPolicy", "kms:TagResource"] {
                assert!(!allows("111122223333", action), "{name}: {action}");
            }
        }
        assert!(ManagedService::of_alias("alias/aws/nonsense").is_none());
        assert!(ManagedService::of_alias("alias/s3").is_none());
    }

    #[test]
    fn descriptions_are_aws_words_or_a_plain_likeness() {
        let described = |name| ManagedService::named(name).unwrap().description();
        let s3 = "Default key that protects my S3 objects when no other key is defined";
        assert_eq!(described("s3"), s3);
        let xray = "Default key that protects my xray data when no other key is defined";
        assert_eq!(described("xray"), xray);
    }
}
