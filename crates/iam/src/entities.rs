//! Records as answers tell of them, and what requests say of new ones.

use service::{Context, Error};
use wire::iam::{
    ArnText, AttachedPermissionsBoundary, EntityPath, Group, GroupName,
    PermissionsBoundaryAttachment, Tag, TagKey, TagKeys, TagValue, Tags, UniqueId, User, UserName,
};
use wire::{AccountId, ErrorCode};

use crate::Iam;
use crate::records::{self, Entity as _, GroupRecord, Permissions, UserRecord};

/// The path of a new entity; `/` unless the request says another.
pub(crate) fn path(asked: Option<&EntityPath>) -> String {
    asked.map_or("/", EntityPath::as_str).to_owned()
}

/// The tags of a new entity that may have `max` of them.
///
/// # Errors
/// Those of [`set_tags`].
pub(crate) fn new_tags(asked: Option<&Tags>, max: usize) -> Result<records::Tags, Error> {
    let mut tags = Vec::new();
    if let Some(asked) = asked {
        set_tags(&mut tags, asked, max)?;
    }
    Ok(tags)
}

/// Sets tags; the case of their keys doesn't count (IAM User Guide, "Tags for IAM resources").
///
/// # Errors
/// InvalidInputException for a key that stands twice or is AWS's own, LimitExceededException.
pub(crate) fn set_tags(tags: &mut records::Tags, new: &Tags, max: usize) -> Result<(), Error> {
    let mut seen: Vec<String> = Vec::with_capacity(new.0.len());
    for Tag { key, value } in &new.0 {
        let folded = key.as_str().to_lowercase();
        if folded.starts_with("aws:") {
            return Err(invalid("Tag keys cannot start with 'aws:'."));
        }
        if seen.contains(&folded) {
            return Err(invalid(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        let (key, value) = (key.as_str().to_owned(), value.as_str().to_owned());
        match tags.iter_mut().find(|(known, _)| known.to_lowercase() == folded) {
            Some(tag) => *tag = (key, value),
            None => tags.push((key, value)),
        }
        seen.push(folded);
    }
    if tags.len() > max {
        return Err(Error::new(
            ErrorCode::LimitExceededException,
            "The number of tags has reached the maximum limit.",
        ));
    }
    Ok(())
}

/// Removes tags; those that aren't there need no removing.
pub(crate) fn remove_tags(tags: &mut records::Tags, keys: &TagKeys) {
    let is = |known: &str, key: &TagKey| known.to_lowercase() == key.as_str().to_lowercase();
    tags.retain(|(known, _)| !keys.0.iter().any(|key| is(known, key)));
}

/// The refusal of one more than a quota allows, in AWS's words.
pub(crate) fn quota(name: &str, max: usize) -> Error {
    Error::new(ErrorCode::LimitExceededException, format!("Cannot exceed quota for {name}: {max}"))
}

/// The refusal of an input that no shape excludes.
pub(crate) fn invalid(message: &'static str) -> Error {
    Error::new(ErrorCode::InvalidInputException, message)
}

/// The refusal of a name that is taken.
pub(crate) fn already_exists(message: String) -> Error {
    Error::new(ErrorCode::EntityAlreadyExistsException, message)
}

/// The refusal of a name that another entity of that kind has.
pub(crate) fn name_taken(kind: &str, name: &str) -> Error {
    let (initial, rest) = kind.split_at_checked(1).unwrap_or((kind, ""));
    already_exists(format!("{}{rest} with name {name} already exists.", initial.to_uppercase()))
}

/// Tags as answers list them; none at all are left out.
pub(crate) fn tags(tags: &[(String, String)]) -> Option<Tags> {
    let tag =
        |(key, value): &(String, String)| Tag { key: TagKey::of(key), value: TagValue::of(value) };
    (!tags.is_empty()).then(|| Tags(tags.iter().map(tag).collect()))
}

/// A permissions boundary as answers tell of it.
pub(crate) fn boundary(permissions: &Permissions) -> Option<AttachedPermissionsBoundary> {
    permissions.boundary.as_ref().map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some(PermissionsBoundaryAttachment::PermissionsBoundaryPolicy),
        permissions_boundary_arn: Some(ArnText::of(arn)),
    })
}

/// A user as answers tell of it. Lists leave out its tags and its boundary.
pub(crate) fn user(record: &UserRecord, partition: &str, account: &AccountId) -> User {
    User {
        path: EntityPath::of(&record.path),
        user_name: UserName::of(&record.name),
        user_id: UniqueId::of(&record.id),
        arn: ArnText::of(record.arn(partition, account)),
        create_date: record.created,
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    }
}

/// A user with all that GetUser tells of it.
pub(crate) fn whole_user(cx: &Context<'_, Iam>, record: &UserRecord) -> User {
    User {
        permissions_boundary: boundary(&record.permissions),
        tags: tags(&record.tags),
        ..user(record, cx.partition(), cx.account())
    }
}

/// A group as answers tell of it.
pub(crate) fn group(record: &GroupRecord, partition: &str, account: &AccountId) -> Group {
    Group {
        path: EntityPath::of(&record.path),
        group_name: GroupName::of(&record.name),
        group_id: UniqueId::of(&record.id),
        arn: ArnText::of(record.arn(partition, account)),
        create_date: record.created,
    }
}

/// The root user as GetUser tells of it: an account without a name.
pub(crate) fn root_user(cx: &Context<'_, Iam>) -> User {
    let account = cx.account().as_str();
    User {
        path: EntityPath::of("/"),
        user_name: UserName::of("root"),
        user_id: UniqueId::of(account),
        arn: ArnText::of(format!("arn:{}:iam::{account}:root", cx.partition())),
        create_date: cx.now.to_the_second(),
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    }
}
