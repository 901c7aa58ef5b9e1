//! Other names and paths for users and groups: whoever gives them needs the permission on the old
//! ARN and on the new one, and what names the entity goes along.
//!
//! Unique ids stay, so that what is bound to one is of the same entity still.

use service::{Context, Error, Facts, Resource, Target};
use wire::iam::EntityPath;

use crate::Iam;
use crate::attachments::{boundary_way, in_use};
use crate::authorization::{Named, entity_arn, permit};
use crate::directory::{Change, Stored};
use crate::entities::name_taken;
use crate::layout;
use crate::records::{Entity, Permitted};

/// An entity that is to get another name or path.
pub(crate) struct Renamed<R> {
    pub(crate) entity: Named<R>,
    /// The ARN that it is to have.
    new_arn: String,
}

impl<R: Entity> Renamed<R> {
    /// The entity of that name, which is to get these; what isn't given stays.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn find(
        cx: &Context<'_, Iam>,
        name: &str,
        new_name: Option<&str>,
        new_path: Option<&EntityPath>,
    ) -> Result<Self, Error> {
        let entity = Named::<R>::find(cx, name).await?;
        let old_path = entity.stored.as_ref().map_or("/", |stored| stored.record.path());
        let path = new_path.map_or(old_path, EntityPath::as_str);
        let new_arn = entity_arn(cx, R::KIND, path, new_name.unwrap_or(name));
        Ok(Self { entity, new_arn })
    }
}

impl<R: Entity> Target<Iam> for Renamed<R> {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Iam>) -> Result<(), Error> {
        self.entity.authorize(facts, cx).await?;
        let record = self.entity.stored.as_ref().map(|stored| &stored.record);
        let tags = record.map_or(&[][..], |record| record.tags());
        let boundary = record.and_then(|record| record.boundary());
        facts
            .actions
            .iter()
            .try_for_each(|action| permit(cx, action, &self.new_arn, tags, boundary))
    }

    fn check(&self, _: &Facts, _: &Context<'_, Iam>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// Writes an entity under the name that its changed record has, and moves its entries in the index
/// of attachments.
///
/// # Errors
/// EntityAlreadyExistsException where another one has the name.
pub(crate) async fn put_renamed<R: Permitted>(
    cx: &Context<'_, Iam>,
    stored: &Stored<R>,
    record: &R,
    change: &mut Change,
) -> Result<(), Error> {
    let (directory, account) = (&cx.service.directory, cx.account());
    let place = layout::entity(account, R::KIND, record.name());
    if place == stored.place {
        change.replace(stored, record)?;
        return Ok(());
    }
    if directory.entity::<R>(account, record.name()).await?.is_some() {
        return Err(name_taken(R::KIND, record.name()));
    }
    change.delete(stored).create(place, record)?;
    let permissions = record.permissions();
    let boundary = permissions.boundary.iter().map(|arn| (arn, boundary_way::<R>()));
    let attached = permissions.attached.iter().map(|arn| (arn, R::WAY.to_owned()));
    for (arn, way) in attached.chain(boundary) {
        let policy = in_use(cx, arn).await?;
        change.forget(layout::attachment(account, policy.id(), &way, stored.record.name()));
        change.note(layout::attachment(account, policy.id(), &way, record.name()));
    }
    Ok(())
}
