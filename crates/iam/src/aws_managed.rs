//! The managed policies that AWS owns, as far as they are of use here: known in every account by
//! `arn:aws:iam::aws:policy/NAME`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use policy::{Document, DocumentKind};
use service::Error;
use wire::Arn;

/// A managed policy of AWS's.
pub(crate) struct AwsManaged {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its path.
    pub(crate) path: &'static str,
    /// Its unique id.
    pub(crate) id: &'static str,
    /// Its document.
    pub(crate) document: &'static str,
}

/// All of them, sorted by name.
pub(crate) const AWS_MANAGED: &[AwsManaged] = &[AwsManaged {
    name: "AdministratorAccess",
    path: "/",
    id: "ANPAIWMBCKSKIEE64ZLYK",
    document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
}];

static COMPILED: LazyLock<HashMap<&'static str, Arc<Document>>> = LazyLock::new(|| {
    let compiled = AWS_MANAGED.iter().filter_map(|policy| {
        let document = Document::parse_stored(policy.document, DocumentKind::Managed).ok()?;
        Some((policy.name, Arc::new(document)))
    });
    compiled.collect()
});

impl AwsManaged {
    /// The policy of that ARN, in whatever partition.
    pub(crate) fn of_arn(arn: &str) -> Option<&'static Self> {
        let arn = Arn::parse(arn)
            .filter(|arn| arn.service == "iam" && arn.region.is_empty() && arn.account == "aws")?;
        let resource = arn.resource.strip_prefix("policy")?;
        AWS_MANAGED
            .iter()
            .find(|one| resource.strip_prefix(one.path).is_some_and(|name| name == one.name))
    }

    /// Its ARN.
    pub(crate) fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:iam::aws:policy{}{}", self.path, self.name)
    }

    /// What it says.
    ///
    /// # Errors
    /// A failure of ours, which a test excludes: the document isn't understood.
    pub(crate) fn compiled(&self) -> Result<Arc<Document>, Error> {
        let document = COMPILED.get(self.name).cloned();
        document.ok_or_else(|| Error::internal("a managed policy of AWS's is not understood"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_understood_and_found_by_their_arns() {
        assert!(AWS_MANAGED.is_sorted_by(|one, next| one.name < next.name));
        for policy in AWS_MANAGED {
            let found = AwsManaged::of_arn(&policy.arn("aws")).unwrap();
            assert_eq!(found.name, policy.name);
            found.compiled().unwrap();
        }
        assert!(AwsManaged::of_arn("arn:aws:iam::aws:policy/Nothing").is_none());
    }
}
