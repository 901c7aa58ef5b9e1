//! Roles that are linked to a service: which there are, and the tasks that delete them. (IAM User
//! Guide, "Create a service-linked role".)

use service::ports::Entropy;
use service::{Error, Uuid};
use wire::{AccountId, ErrorCode};

use crate::aws_managed::AwsManaged;
use crate::directory::Directory;
use crate::layout;

/// The path of all such roles, but for the service's name.
const PATH: &str = "aws-service-role";

/// A service that has a role linked to it.
pub(crate) struct LinkedService {
    /// Its principal, which alone may assume the role.
    pub(crate) principal: &'static str,
    /// The role's name.
    pub(crate) role: &'static str,
    /// The name of the role's policy.
    policy: &'static str,
}

/// The services of KMS (KMS Developer Guide, "Using service-linked roles for AWS KMS").
const SERVICES: [LinkedService; 2] = [
    LinkedService {
        principal: "cks.kms.amazonaws.com",
        role: "AWSServiceRoleForKeyManagementServiceCustomKeyStores",
        policy: "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy",
    },
    LinkedService {
        principal: "mrk.kms.amazonaws.com",
        role: "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
        policy: "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
    },
];

impl LinkedService {
    /// The service of that principal.
    pub(crate) fn of_principal(principal: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.principal == principal)
    }

    /// The role's trust policy.
    pub(crate) fn trust(&self) -> String {
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":\
             {{\"Service\":\"{}\"}},\"Action\":\"sts:AssumeRole\"}}]}}",
            self.principal
        )
    }

    /// The role's policy, which is one of AWS's.
    pub(crate) fn policy(&self, partition: &str) -> Option<&'static AwsManaged> {
        AwsManaged::of_arn(&format!("arn:{partition}:iam::aws:policy/{PATH}/{}", self.policy))
    }
}

/// The path of the roles of a service.
pub(crate) fn path(principal: &str) -> String {
    format!("/{PATH}/{principal}/")
}

/// A task that deletes a role: `task/aws-service-role/SERVICE/ROLE/UUID`.
pub(crate) struct DeletionTask<'a> {
    /// The service's principal.
    pub(crate) principal: &'a str,
    /// The role's name.
    pub(crate) role: &'a str,
}

impl<'a> DeletionTask<'a> {
    /// Reads a task's id.
    ///
    /// # Errors
    /// InvalidInputException for what is none.
    pub(crate) fn parse(id: &'a str) -> Result<Self, Error> {
        let parts: Vec<&str> = id.split('/').collect();
        match parts[..] {
            ["task", PATH, principal, role, uuid]
                if !principal.is_empty() && !role.is_empty() && Uuid::parse(uuid).is_some() =>
            {
                Ok(Self { principal, role })
            }
            _ => Err(Error::new(
                ErrorCode::InvalidInputException,
                format!("The deletion task id {id} is not valid."),
            )),
        }
    }

    /// A new id of a task.
    ///
    /// # Errors
    /// A failure of ours: there is no randomness.
    pub(crate) fn draw(
        principal: &str,
        role: &str,
        entropy: &dyn Entropy,
    ) -> Result<String, Error> {
        let uuid = Uuid::draw(entropy)?;
        Ok(format!("task/{PATH}/{principal}/{role}/{}", uuid.as_str()))
    }
}

impl Directory {
    /// The id of the task that last deleted the service-linked role of that name.
    pub(crate) async fn last_deletion(
        &self,
        account: &AccountId,
        role: &str,
    ) -> Result<Option<String>, Error> {
        let item = self.store.get(&layout::deletion_task(account, role)).await?;
        item.map(|item| String::from_utf8(item.value).map_err(Error::internal)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use policy::{Document, DocumentKind};

    use super::*;

    #[test]
    fn trust_policies_are_understood_and_name_the_service() {
        for service in &SERVICES {
            let trust = Document::parse_stored(&service.trust(), DocumentKind::Trust).unwrap();
            let principal = policy::Principal::Service(service.principal.to_owned());
            assert_eq!(trust.principals().collect::<Vec<_>>(), [&principal]);
            assert!(LinkedService::of_principal(service.principal).is_some());
            assert!(service.policy("aws").is_some(), "{}", service.policy);
            assert!(service.role.len() <= 64, "{}", service.role);
        }
        assert!(LinkedService::of_principal("kms.amazonaws.com").is_none());
    }

    #[test]
    fn tasks_are_told_by_their_form() {
        let uuid = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0";
        let id = format!("task/aws-service-role/s.amazonaws.com/Role/{uuid}");
        let task = DeletionTask::parse(&id).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((task.principal, task.role), ("s.amazonaws.com", "Role"));
        for bad in [
            String::new(),
            uuid.to_owned(),
            id.replace("task", "Task"),
            id.replace("Role", ""),
            id.replace("Role", "Ro/le"),
            id.replace(uuid, "x"),
            format!("{id}/"),
        ] {
            assert!(DeletionTask::parse(&bad).is_err(), "{bad}");
        }
    }
}
