//! Inline policies: documents that are part of a user, group or role.

use policy::DocumentKind;
use service::{Context, Error};
use wire::ErrorCode;
use wire::iam::{PolicyDocument, PolicyName};

use crate::Iam;
use crate::authorization::{Named, no_such};
use crate::directory::{Change, Stored};
use crate::document::{encoded, size};
use crate::limits::Limits;
use crate::paging::{Listing, Page};
use crate::records::Permitted;
use crate::roles;

/// Bytes of all inline policies of an entity together, white space counted: what AWS's quotas
/// don't bound, and what a record of the store has room for.
const TEXT_MAX: usize = 256 * 1024;

/// Sets an inline policy, in place of the one of that name if there is one.
///
/// # Errors
/// NoSuchEntityException, UnmodifiableEntityException, MalformedPolicyDocumentException,
/// LimitExceededException.
pub(crate) async fn put<R: Permitted>(
    cx: &Context<'_, Iam>,
    target: &Named<R>,
    name: &PolicyName,
    document: &PolicyDocument,
) -> Result<(), Error> {
    let (directory, text) = (&cx.service.directory, document.as_str());
    let stored = modifiable(target)?;
    directory.identity_document(text, DocumentKind::Identity)?;
    let mut record = stored.record.clone();
    let inline = &mut record.permissions_mut().inline;
    match inline.binary_search_by(|(known, _)| known.as_str().cmp(name.as_str())) {
        Ok(place) => text.clone_into(&mut inline[place].1),
        Err(place) => inline.insert(place, (name.as_str().to_owned(), text.to_owned())),
    }
    let max = size_max::<R>(&directory.limits);
    let sizes = inline.iter().map(|(_, text)| size(text)).sum::<usize>();
    let texts = inline.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>();
    if sizes > max || texts > TEXT_MAX {
        let bytes = if sizes > max { max } else { TEXT_MAX };
        return Err(Error::new(
            ErrorCode::LimitExceededException,
            format!(
                "Maximum policy size of {bytes} bytes exceeded for {} {}",
                R::KIND,
                stored.record.name()
            ),
        ));
    }
    Change::default().replace(stored, &record)?.commit(directory).await
}

/// The document of an inline policy, as answers have it.
///
/// # Errors
/// NoSuchEntityException.
pub(crate) fn document<R: Permitted>(
    target: &Named<R>,
    name: &PolicyName,
) -> Result<PolicyDocument, Error> {
    let inline = &target.existing()?.record.permissions().inline;
    let found = inline.iter().find(|(known, _)| known == name.as_str());
    found.map(|(_, text)| encoded(text)).ok_or_else(|| absent::<R>(name))
}

/// Removes an inline policy.
///
/// # Errors
/// NoSuchEntityException, UnmodifiableEntityException.
pub(crate) async fn delete<R: Permitted>(
    cx: &Context<'_, Iam>,
    target: &Named<R>,
    name: &PolicyName,
) -> Result<(), Error> {
    let stored = modifiable(target)?;
    let mut record = stored.record.clone();
    let inline = &mut record.permissions_mut().inline;
    let place = inline.iter().position(|(known, _)| known == name.as_str());
    inline.remove(place.ok_or_else(|| absent::<R>(name))?);
    Change::default().replace(stored, &record)?.commit(&cx.service.directory).await
}

/// A page of the names of an entity's inline policies.
///
/// # Errors
/// NoSuchEntityException.
pub(crate) fn names<R: Permitted>(
    target: &Named<R>,
    listing: &Listing,
) -> Result<Page<PolicyName>, Error> {
    let inline = &target.existing()?.record.permissions().inline;
    let names = inline.iter().map(|(name, _)| PolicyName::of(name)).collect();
    Ok(listing.part(names, |name| name.as_str().to_owned()))
}

/// The entity, which must exist and be the account's to change.
///
/// # Errors
/// NoSuchEntityException, UnmodifiableEntityException for a service-linked role.
pub(crate) fn modifiable<R: Permitted>(target: &Named<R>) -> Result<&Stored<R>, Error> {
    let stored = target.existing()?;
    roles::modifiable(&stored.record)?;
    Ok(stored)
}

fn size_max<R: Permitted>(limits: &Limits) -> usize {
    match R::KIND {
        "user" => limits.user_policy_size,
        "group" => limits.group_policy_size,
        _ => limits.role_policy_size,
    }
}

fn absent<R: Permitted>(name: &PolicyName) -> Error {
    no_such(&format!("{} policy", R::KIND), name.as_str())
}
