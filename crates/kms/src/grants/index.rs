//! What a principal may do with a key by its grants: the index by grantee, and its cache.
//!
//! A request that needs a grant looks only at the grants of its own caller on its own key; the
//! key's other grants cost it nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use service::{Error, StateCache};
use wire::enums::GrantOperation;

use crate::grants::{Circumstances, Terms};
use crate::key::Key;
use crate::records::decode;
use crate::{Kms, layout};

/// How many entries are read from the store at once.
const BATCH: usize = 1_000;

/// How many terms take as much of the cache as a key does.
const TERMS_PER_WEIGHT: usize = 32;

/// The terms of all grants that one principal has on one key, in such an order that a request
/// looks at few of them: those that ask for an encryption context stand under one of its pairs.
#[derive(Default)]
pub(crate) struct Granted {
    /// Those that ask for no pair.
    free: Vec<Terms>,
    by_pair: HashMap<(String, String), Vec<Terms>>,
    length: usize,
}

impl Granted {
    /// A cache of those that were looked up, also of those that are empty.
    pub(crate) fn cache(capacity: usize) -> StateCache<Self> {
        let weight = |granted: &Self| 1 + (granted.length / TERMS_PER_WEIGHT) as u64;
        StateCache::of_groups(layout::GRANTEES, capacity, grantee_of, weight)
    }

    /// Puts terms in order. Each stands under the rarest of its pairs.
    fn of(terms: HashSet<Terms>) -> Self {
        let mut counts: HashMap<(String, String), usize> = HashMap::new();
        for pair in terms.iter().flat_map(Terms::pairs) {
            *counts.entry(folded(pair)).or_default() += 1;
        }
        // DescribeKey has no encryption context that could be looked for.
        let describes = terms.iter().filter_map(Terms::to_describe).collect::<HashSet<_>>();
        let mut granted = Self { length: terms.len(), ..Self::default() };
        granted.free.extend(describes);
        for terms in terms {
            let rarest = terms.pairs().map(folded).min_by_key(|pair| counts.get(pair).copied());
            match rarest {
                Some(pair) => granted.by_pair.entry(pair).or_default().push(terms),
                None => granted.free.push(terms),
            }
        }
        granted
    }

    /// Whether any of the grants allows the operation. Those that ask for a pair which the request
    /// doesn't have need no look.
    fn allow(&self, operation: GrantOperation, request: &Circumstances) -> bool {
        let allows = |terms: &Terms| terms.allow(operation, request);
        self.free.iter().any(allows)
            || !self.by_pair.is_empty()
                && request
                    .pairs()
                    .filter_map(|pair| self.by_pair.get(&folded(pair)))
                    .any(|terms| terms.iter().any(allows))
    }
}

/// A pair as it is looked for: constraints' keys ignore case.
fn folded((key, value): &(String, String)) -> (String, String) {
    (key.to_ascii_lowercase(), value.clone())
}

/// The part of an entry's store key that all entries of its grantee on its key begin with.
fn grantee_of(entry: &str) -> &str {
    entry.rfind('!').map_or(entry, |at| &entry[..=at])
}

impl Kms {
    /// Whether a grant on the key allows that principal the action.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn is_granted(
        &self,
        key: &Key,
        principal: &str,
        action: &str,
        request: &Circumstances,
    ) -> Result<bool, Error> {
        let operation = action.strip_prefix("kms:").and_then(GrantOperation::parse);
        let Some(operation) = operation else { return Ok(false) };
        Ok(self.granted(key, principal).await?.allow(operation, request))
    }

    async fn granted(&self, key: &Key, principal: &str) -> Result<Arc<Granted>, Error> {
        let place = layout::grantee(&key.account, &key.region, key.id.as_str(), principal);
        if let Some(granted) = self.grants.get(&place) {
            return Ok(granted);
        }
        let ticket = self.grants.before_load(&place);
        // Many grants of one grantee tend to say the same.
        let mut terms = HashSet::new();
        let mut after = String::new();
        loop {
            let page = self.store.range(&place, &after, BATCH).await?;
            for item in &page.items {
                terms.insert(decode::<Terms>(&item.value)?);
            }
            match page.items.into_iter().next_back() {
                Some(last) if page.more => after = last.key,
                _ => break,
            }
        }
        let granted = Arc::new(Granted::of(terms));
        self.grants.keep(&ticket, place, Arc::clone(&granted));
        Ok(granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::shapes::EncryptionContext;

    use GrantOperation::{CreateGrant, Decrypt, DescribeKey, Encrypt};

    const OPERATIONS: [GrantOperation; 4] = [CreateGrant, Decrypt, DescribeKey, Encrypt];

    fn map(bits: usize) -> Option<Vec<(String, String)>> {
        // Of three pairs, two of which differ in the case of their keys alone, those that the bits
        // say; the fourth bit says that there is a map.
        let pairs = [("a", "1"), ("A", "1"), ("b", "2")];
        let chosen = pairs.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
        (bits & 8 != 0)
            .then(|| chosen.map(|(_, (k, v))| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    fn some_terms(n: usize) -> Terms {
        let operations = OPERATIONS.iter().enumerate().filter(|(at, _)| n & (1 << at) != 0);
        Terms {
            operations: operations.map(|(_, operation)| *operation).collect(),
            equals: map(n >> 4),
            subset: map(n >> 8),
            source_arn: None,
        }
    }

    #[test]
    fn the_order_changes_no_answer() {
        // A linear congruential generator is random enough to choose.
        let mut state = 7_usize;
        let mut draw = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            state >> 24
        };
        let mut allowed = 0;
        for _ in 0..20_000 {
            let terms: HashSet<Terms> = (0..draw() % 4).map(|_| some_terms(draw())).collect();
            let request = Circumstances {
                context: map(draw()).map(|pairs| EncryptionContext(Arc::new(pairs))),
                source_arn: None,
                child: Some(some_terms(draw())),
                same_key: None,
            };
            let operation = OPERATIONS[draw() % 4];
            let expected = terms.iter().any(|terms| terms.allow(operation, &request));
            allowed += usize::from(expected);
            assert_eq!(
                Granted::of(terms.clone()).allow(operation, &request),
                expected,
                "{terms:?}"
            );
        }
        assert!((1_000..19_000).contains(&allowed), "{allowed}");
    }
}
