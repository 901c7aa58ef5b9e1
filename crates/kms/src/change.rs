//! Changing a key's record.

use service::Error;
use service::ports::{Commit, Expect};

use crate::key::Key;
use crate::records::{KeyRecord, encode};
use crate::{Kms, layout};

/// A commit that writes `record` in place of the key's, on condition that nobody changed the key
/// since the request was decided on it.
pub(crate) fn replacing(key: &Key, record: &KeyRecord) -> Result<Commit, Error> {
    let mut commit = Commit::default();
    add_replacing(&mut commit, key, record)?;
    Ok(commit)
}

/// Lets a commit write `record` in place of the key's too, on the same condition.
pub(crate) fn add_replacing(
    commit: &mut Commit,
    key: &Key,
    record: &KeyRecord,
) -> Result<(), Error> {
    let place = layout::key(&key.account, &key.region, key.id.as_str());
    commit.preconditions.push((place.clone(), Expect::At(key.revision)));
    commit.puts.push((place, encode(record)?));
    Ok(())
}

impl Kms {
    /// Writes a changed record in place of the key's.
    ///
    /// # Errors
    /// A conflict, which makes the pipeline decide the request again.
    pub(crate) async fn replace(
        &self,
        key: &Key,
        change: impl FnOnce(&mut KeyRecord),
    ) -> Result<(), Error> {
        let mut record = key.record.clone();
        change(&mut record);
        self.store.commit(replacing(key, &record)?).await?;
        Ok(())
    }
}
