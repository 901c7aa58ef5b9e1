//! What a grant allows, and when: a pure function of its terms and of a request.
//!
//! Source: the API's GrantConstraints and CreateGrant, and the developer guide's "Creating grants".

use serde::{Deserialize, Serialize};
use wire::Map;
use wire::enums::GrantOperation;
use wire::shapes::EncryptionContext;

/// What a grant allows, and when. It is kept with the grant and in the index by grantee.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// Without repetitions, in the order in which they were given.
    pub(crate) operations: Vec<GrantOperation>,
    /// The encryption context that a request must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) equals: Option<Map>,
    /// The pairs that a request's encryption context must include.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subset: Option<Map>,
    /// The resource on whose behalf a request must be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_arn: Option<String>,
}

/// What a grant needs to know of a request beside its operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circumstances {
    /// The encryption context that the request uses the key with.
    pub(crate) context: Option<EncryptionContext>,
    /// The resource on whose behalf an AWS service makes the request. No request of this version
    /// is a service's, so grants that ask for one allow nothing.
    pub(crate) source_arn: Option<String>,
    /// The grant that the request wants to create.
    pub(crate) child: Option<Terms>,
    /// Of ReEncrypt alone: whether it leads from a key to the same one.
    pub(crate) same_key: Option<bool>,
}

impl Terms {
    /// Whether a grant of these terms allows its grantee the operation.
    pub(crate) fn allow(&self, operation: GrantOperation, request: &Circumstances) -> bool {
        self.operations.contains(&operation)
            && match operation {
                // No constraint is applied to it.
                GrantOperation::RetireGrant => true,
                GrantOperation::DescribeKey => self.source_holds(request),
                GrantOperation::CreateGrant => {
                    let covered = request.child.as_ref().is_some_and(|child| self.covers(child));
                    covered && self.source_holds(request)
                }
                _ => self.source_holds(request) && self.context_holds(request.context.as_ref()),
            }
    }

    /// The pairs of which each must be in a request's encryption context, or in the constraints of
    /// a grant that is to be created: [`Terms::allow`] says no where one is missing, to all but
    /// DescribeKey and RetireGrant.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.equals.iter().chain(&self.subset).flatten()
    }

    /// What they say of DescribeKey alone, if they allow it.
    pub(crate) fn to_describe(&self) -> Option<Self> {
        self.operations.contains(&GrantOperation::DescribeKey).then(|| Self {
            operations: vec![GrantOperation::DescribeKey],
            equals: None,
            subset: None,
            source_arn: self.source_arn.clone(),
        })
    }

    fn source_holds(&self, request: &Circumstances) -> bool {
        self.source_arn.is_none() || self.source_arn == request.source_arn
    }

    fn context_holds(&self, context: Option<&EncryptionContext>) -> bool {
        let context = context.map_or(&[][..], |context| context.0.as_slice());
        self.equals.as_deref().is_none_or(|pairs| are_same(pairs, context))
            && self.subset.as_deref().is_none_or(|pairs| are_within(pairs, context))
    }

    /// Whether a grant of these terms may beget one of those: nothing more may be allowed, and
    /// nothing less be asked.
    fn covers(&self, child: &Terms) -> bool {
        let context_kept = self
            .equals
            .as_deref()
            .is_none_or(|pairs| child.equals.as_deref().is_some_and(|kept| are_same(pairs, kept)));
        let subset_kept = self.subset.as_deref().is_none_or(|pairs| {
            let kept = [&child.equals, &child.subset];
            kept.into_iter().flatten().any(|kept| are_within(pairs, kept))
        });
        child.operations.iter().all(|operation| self.operations.contains(operation))
            && context_kept
            && subset_kept
            && (self.source_arn.is_none() || self.source_arn == child.source_arn)
    }
}

impl Circumstances {
    /// The pairs that a grant's constraints may ask for.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        let context = self.context.iter().flat_map(|context| context.0.iter());
        context.chain(self.child.iter().flat_map(Terms::pairs))
    }
}

type Pairs = [(String, String)];

/// Whether each of these pairs is among those: a constraint's keys ignore case, its values don't.
fn are_within(pairs: &Pairs, all: &Pairs) -> bool {
    pairs.iter().all(|(key, value)| {
        all.iter().any(|(other, its)| its == value && other.eq_ignore_ascii_case(key))
    })
}

fn are_same(pairs: &Pairs, others: &Pairs) -> bool {
    pairs.len() == others.len() && are_within(pairs, others) && are_within(others, pairs)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    use GrantOperation::{CreateGrant, Decrypt, DescribeKey, Encrypt, RetireGrant};

    fn map(pairs: &[(&str, &str)]) -> Map {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn terms(operations: &[GrantOperation]) -> Terms {
        Terms { operations: operations.to_vec(), equals: None, subset: None, source_arn: None }
    }

    fn equal(pairs: &[(&str, &str)]) -> Terms {
        Terms { equals: Some(map(pairs)), ..terms(&[Decrypt, DescribeKey, RetireGrant]) }
    }

    fn including(pairs: &[(&str, &str)]) -> Terms {
        Terms { subset: Some(map(pairs)), ..terms(&[Decrypt, DescribeKey, RetireGrant]) }
    }

    fn with(pairs: &[(&str, &str)]) -> Circumstances {
        let context = EncryptionContext(Arc::new(map(pairs)));
        Circumstances { context: Some(context), ..Circumstances::default() }
    }

    #[test]
    fn only_the_operations_that_it_lists() {
        let nothing = Circumstances::default();
        assert!(terms(&[Decrypt]).allow(Decrypt, &nothing));
        assert!(!terms(&[Decrypt]).allow(Encrypt, &nothing));
        assert!(!terms(&[]).allow(Decrypt, &nothing));
    }

    #[test]
    fn the_context_must_be_the_very_one() {
        let grant = equal(&[("a", "1"), ("b", "2")]);
        assert!(grant.allow(Decrypt, &with(&[("a", "1"), ("b", "2")])));
        assert!(grant.allow(Decrypt, &with(&[("A", "1"), ("b", "2")])), "keys ignore case");
        for other in [
            &[][..],
            &[("a", "1")],
            &[("a", "1"), ("b", "3")],
            &[("a", "1"), ("b", "2"), ("c", "3")],
            &[("A", "1"), ("a", "1")],
        ] {
            assert!(!grant.allow(Decrypt, &with(other)), "{other:?}");
        }
        assert!(!grant.allow(Decrypt, &Circumstances::default()));
        assert!(!equal(&[("a", "x")]).allow(Decrypt, &with(&[("a", "X")])), "values don't");
        assert!(equal(&[]).allow(Decrypt, &with(&[])));
        assert!(!equal(&[]).allow(Decrypt, &with(&[("a", "1")])));
    }

    #[test]
    fn the_context_must_include_the_pairs() {
        let grant = including(&[("a", "1")]);
        assert!(grant.allow(Decrypt, &with(&[("a", "1")])));
        assert!(grant.allow(Decrypt, &with(&[("A", "1"), ("b", "2")])));
        assert!(!grant.allow(Decrypt, &with(&[("a", "2")])));
        assert!(!grant.allow(Decrypt, &with(&[("b", "1")])));
        assert!(!grant.allow(Decrypt, &Circumstances::default()));
    }

    #[test]
    fn operations_without_a_context_are_not_held_to_one() {
        for grant in [equal(&[("a", "1")]), including(&[("a", "1")])] {
            assert!(grant.allow(DescribeKey, &Circumstances::default()));
            assert!(grant.allow(RetireGrant, &Circumstances::default()));
        }
    }

    #[test]
    fn a_source_is_asked_of_all_but_retiring() {
        let source = "arn:aws:s3:::bucket".to_owned();
        let grant = Terms {
            source_arn: Some(source.clone()),
            ..terms(&[Decrypt, DescribeKey, RetireGrant, CreateGrant])
        };
        let child = Some(grant.clone());
        let nobody = Circumstances { child: child.clone(), ..Circumstances::default() };
        let other = Circumstances { source_arn: Some("arn:b".to_owned()), ..nobody.clone() };
        let same = Circumstances { source_arn: Some(source), child, ..Circumstances::default() };
        for operation in [Decrypt, DescribeKey, CreateGrant] {
            assert!(!grant.allow(operation, &nobody));
            assert!(!grant.allow(operation, &other));
            assert!(grant.allow(operation, &same));
        }
        assert!(grant.allow(RetireGrant, &nobody));
    }

    fn begets(parent: &Terms, child: &Terms) -> bool {
        let child = Some(child.clone());
        let parent = Terms {
            operations: [parent.operations.as_slice(), &[CreateGrant]].concat(),
            ..parent.clone()
        };
        parent.allow(CreateGrant, &Circumstances { child, ..Circumstances::default() })
    }

    #[test]
    fn a_child_is_no_freer_than_its_parent() {
        assert!(begets(&terms(&[Decrypt, Encrypt]), &terms(&[Decrypt])));
        assert!(begets(&terms(&[Decrypt]), &terms(&[Decrypt, CreateGrant])));
        assert!(!begets(&terms(&[Decrypt]), &terms(&[Decrypt, Encrypt])));
        assert!(begets(&terms(&[Decrypt, DescribeKey, RetireGrant]), &equal(&[("a", "1")])));
        let equals = equal(&[("a", "1")]);
        assert!(begets(&equals, &equals));
        for freer in [
            terms(&[Decrypt]),
            including(&[("a", "1")]),
            equal(&[("a", "2")]),
            equal(&[("a", "1"), ("b", "2")]),
        ] {
            assert!(!begets(&equals, &freer), "{freer:?}");
        }
        let subset = including(&[("a", "1")]);
        for stricter in [
            including(&[("a", "1")]),
            including(&[("a", "1"), ("b", "2")]),
            equal(&[("a", "1"), ("b", "2")]),
        ] {
            assert!(begets(&subset, &stricter), "{stricter:?}");
        }
        for freer in [terms(&[Decrypt]), including(&[("b", "2")]), equal(&[("b", "2")])] {
            assert!(!begets(&subset, &freer), "{freer:?}");
        }
        assert!(!terms(&[CreateGrant]).allow(CreateGrant, &Circumstances::default()));
    }
}
