//! Random histories, against a map that does the same.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use service::ports::{Commit, Expect, Item, Page, Revision, StoreError};

use super::Fixture;

/// How many histories are tried on each store.
const HISTORIES: usize = 60;

/// A step of a history. Keys are few, so that steps meet on them.
#[derive(Debug, Clone)]
enum Step {
    Commit { conditions: Vec<(usize, Guess)>, changes: Vec<(usize, Option<Vec<u8>>)> },
    Get(usize),
    Range { prefix: String, after: usize, limit: usize },
}

/// What a precondition expects, relative to what is there.
#[derive(Debug, Clone, Copy)]
enum Guess {
    Absent,
    Current,
    Revision(u64),
}

const KEYS: [&str; 9] = ["a", "a/", "a/b", "a/b/c", "a0", "b", "é", "é/1", "\u{10ffff}"];

fn step() -> impl Strategy<Value = Step> {
    let key = 0..KEYS.len();
    let guess = prop_oneof![
        3 => Just(Guess::Current),
        1 => Just(Guess::Absent),
        1 => (0_u64..40).prop_map(Guess::Revision),
    ];
    let value = proptest::option::weighted(0.7, vec(any::<u8>(), 0..40));
    let prefix = prop_oneof![
        Just(String::new()),
        key.clone().prop_map(|key| KEYS[key].to_owned()),
        Just("a/b".to_owned()),
    ];
    prop_oneof![
        4 => (vec((key.clone(), guess), 0..3), vec((key.clone(), value), 0..4))
            .prop_map(|(conditions, changes)| Step::Commit { conditions, changes }),
        1 => key.clone().prop_map(Step::Get),
        2 => (prefix, 0..=KEYS.len(), 0_usize..12)
            .prop_map(|(prefix, after, limit)| Step::Range { prefix, after, limit }),
    ]
}

/// The map, and the revision it stands at.
struct Model {
    records: BTreeMap<&'static str, (Vec<u8>, Revision)>,
    revision: Revision,
}

impl Model {
    fn item(&self, key: &str) -> Option<Item> {
        let (value, revision) = self.records.get(key)?;
        Some(Item { key: key.to_owned(), value: value.clone(), revision: *revision })
    }

    fn range(&self, prefix: &str, after: &str, limit: usize) -> Page {
        let matching: Vec<_> = self
            .records
            .keys()
            .filter(|key| key.starts_with(prefix) && **key > after)
            .filter_map(|key| self.item(key))
            .collect();
        let more = matching.len() > limit;
        Page { items: matching.into_iter().take(limit).collect(), more }
    }

    fn expected(&self, key: &str, guess: Guess) -> Expect {
        match (guess, self.records.get(key)) {
            (Guess::Revision(revision), _) => Expect::At(Revision(revision)),
            (Guess::Absent, _) | (Guess::Current, None) => Expect::Absent,
            (Guess::Current, Some((_, revision))) => Expect::At(*revision),
        }
    }

    fn commit(&mut self, commit: &Commit) -> Option<Revision> {
        let holds = commit.preconditions.iter().all(|(key, expect)| {
            let found = self.records.get(key.as_str()).map(|(_, revision)| *revision);
            match expect {
                Expect::Absent => found.is_none(),
                Expect::At(revision) => found == Some(*revision),
            }
        });
        if !holds {
            return None;
        }
        self.revision.0 += 1;
        let known = |key: &String| KEYS.iter().find(|known| *known == key).unwrap();
        for (key, value) in &commit.puts {
            self.records.insert(known(key), (value.clone(), self.revision));
        }
        for key in &commit.deletes {
            self.records.remove(known(key));
        }
        Some(self.revision)
    }
}

pub(crate) async fn random_histories(store: Fixture) {
    let mut runner = TestRunner::new(Config::default());
    let histories = vec(step(), 1..60);
    for _ in 0..HISTORIES {
        let history = histories.new_tree(&mut runner).unwrap().current();
        clear(&store).await;
        let mut model = Model { records: BTreeMap::new(), revision: store.revision() };
        for (at, step) in history.iter().enumerate() {
            let outcome = follow(&store, &mut model, step).await;
            assert!(outcome, "step {at} of {history:#?}");
        }
        assert_eq!(store.range("", "", 99).await.unwrap(), model.range("", "", 99), "{history:#?}");
    }
}

async fn clear(store: &Fixture) {
    let commit = Commit { deletes: KEYS.map(str::to_owned).to_vec(), ..Commit::default() };
    store.commit(commit).await.unwrap();
}

/// Does the step to both; whether they agree.
async fn follow(store: &Fixture, model: &mut Model, step: &Step) -> bool {
    match step {
        Step::Get(key) => store.item(KEYS[*key]).await == model.item(KEYS[*key]),
        Step::Range { prefix, after, limit } => {
            let after = KEYS.get(*after).copied().unwrap_or_default();
            store.range(prefix, after, *limit).await.unwrap() == model.range(prefix, after, *limit)
        }
        Step::Commit { conditions, changes } => {
            let mut commit = Commit::default();
            for (key, guess) in conditions {
                let expect = model.expected(KEYS[*key], *guess);
                commit.preconditions.push((KEYS[*key].to_owned(), expect));
            }
            let changes: BTreeMap<_, _> = changes.iter().cloned().collect();
            for (key, value) in changes {
                match value {
                    Some(value) => commit.puts.push((KEYS[key].to_owned(), value)),
                    None => commit.deletes.push(KEYS[key].to_owned()),
                }
            }
            let expected = model.commit(&commit);
            match store.commit(commit).await {
                Ok(revision) => expected == Some(revision),
                Err(StoreError::Conflict) => expected.is_none(),
                Err(other) => panic!("{other}"),
            }
        }
    }
}
