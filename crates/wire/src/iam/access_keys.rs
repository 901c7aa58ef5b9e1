//! Access keys of users.

use crate::Timestamp;
use crate::declare::{enums, list, secret, text};
use crate::iam::{AnyText, UserName};
use crate::shapes::{UNBOUNDED, is_word};

text! {
    /// The id of an access key, such as `AKIA…`.
    AccessKeyId = "accessKeyIdType", 16..=128,
        pattern "[\\w]+" by |text| !text.is_empty() && text.chars().all(is_word);
}

secret! {
    /// The secret of an access key, of a user's as of a session's.
    SecretAccessKey = "accessKeySecretType", 0..=UNBOUNDED, sensitive: true;
}

enums! {
    /// Whether an access key admits its holder. `Expired` is only ever answered.
    Status = "statusType" {
        Active = "Active",
        Inactive = "Inactive",
        Expired = "Expired",
    }
}

list! {
    /// Access keys of a page.
    AccessKeyMetadataList = "accessKeyMetadataListType" of AccessKeyMetadata, 0..=UNBOUNDED;
}

crate::structure! {
    /// An access key with its secret, which is told once, when it is made.
    pub struct AccessKey {
        user_name: UserName = required "UserName",
        access_key_id: AccessKeyId = required "AccessKeyId",
        status: Status = required "Status",
        secret_access_key: SecretAccessKey = required "SecretAccessKey",
        create_date: Timestamp = optional "CreateDate",
    }

    /// An access key without its secret.
    pub struct AccessKeyMetadata {
        user_name: UserName = optional "UserName",
        access_key_id: AccessKeyId = optional "AccessKeyId",
        status: Status = optional "Status",
        create_date: Timestamp = optional "CreateDate",
    }

    /// The last use of an access key; of one that was never used, the names are `N/A`.
    pub struct AccessKeyLastUsed {
        last_used_date: Timestamp = optional "LastUsedDate",
        service_name: AnyText = required "ServiceName",
        region: AnyText = required "Region",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DateForm, JsonWriter, Members as _, Scalar, Write as _, XmlWriter};

    #[test]
    fn the_secret_is_answered_and_never_recorded() {
        let key = AccessKey {
            user_name: UserName::of("alice"),
            access_key_id: AccessKeyId::of("AKIA000000000000"),
            status: Status::Active,
            secret_access_key: SecretAccessKey::of("s3cr3t/<>".to_owned().into()),
            create_date: Some(Timestamp::from_millis(1_795_316_645_999)),
        };
        let mut xml = XmlWriter::new();
        key.write(&mut xml);
        assert_eq!(
            String::from_utf8(xml.finish().to_vec()).unwrap(),
            "<UserName>alice</UserName><AccessKeyId>AKIA000000000000</AccessKeyId>\
             <Status>Active</Status><SecretAccessKey>s3cr3t/&lt;&gt;</SecretAccessKey>\
             <CreateDate>2026-11-22T03:04:05Z</CreateDate>"
        );
        let mut record = JsonWriter::record(Vec::new().into(), DateForm::SpelledWithoutComma);
        key.write(&mut record);
        assert_eq!(
            String::from_utf8(record.finish().to_vec()).unwrap(),
            "{\"userName\":\"alice\",\"accessKeyId\":\"AKIA000000000000\",\
             \"status\":\"Active\",\"createDate\":\"Nov 22, 2026 3:04:05 AM\"}"
        );
        assert_eq!(key.scalar("Status"), Some(Scalar::Text("Active".to_owned())));
        assert_eq!(key.scalar("SecretAccessKey"), None);
    }
}
