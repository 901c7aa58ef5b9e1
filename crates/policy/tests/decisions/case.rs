//! One question to both evaluators: who asks for what, with which condition keys, and every policy
//! that applies; and the answer of this crate in words. Must not know how a policy is evaluated.

use std::rc::Rc;

use policy::{
    Attached, Caller, CallerKind, ContextEntries, Decision, Delegation, Document, DocumentKind,
    Grant, Identity, Layer, Malformed, Means, Permission, Policies, Refusal, Request, Resource,
    Source, Values, decide,
};
use serde_json::Value;

/// Who asks: [`Caller`] with texts of its own.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) kind: CallerKind,
    pub(crate) account: String,
    pub(crate) arn: String,
    pub(crate) identity_arn: String,
    pub(crate) identity_id: String,
    pub(crate) canonical_user: Option<String>,
}

impl From<Caller<'_>> for Who {
    fn from(caller: Caller<'_>) -> Self {
        Self {
            kind: caller.kind,
            account: caller.account.to_owned(),
            arn: caller.arn.to_owned(),
            identity_arn: caller.identity_arn.to_owned(),
            identity_id: caller.identity_id.to_owned(),
            canonical_user: caller.canonical_user.map(str::to_owned),
        }
    }
}

impl Who {
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller {
            kind: self.kind,
            account: &self.account,
            arn: &self.arn,
            identity_arn: &self.identity_arn,
            identity_id: &self.identity_id,
            canonical_user: self.canonical_user.as_deref(),
        }
    }
}

/// A policy: as it was written, for the one evaluator, and compiled, for the other.
#[derive(Debug)]
pub(crate) struct Paper {
    pub(crate) name: String,
    pub(crate) kind: DocumentKind,
    pub(crate) json: Value,
    /// The unique ids of the users and roles that had these ARNs when the policy was saved.
    pub(crate) bound: Vec<(String, String)>,
    document: Document,
}

impl Paper {
    pub(crate) fn read(name: &str, kind: DocumentKind, text: &str) -> Result<Self, Malformed> {
        let document = Document::parse_stored(text, kind)?;
        let json = serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))?;
        Ok(Self { name: name.to_owned(), kind, json, bound: Vec::new(), document })
    }

    pub(crate) fn bind(mut self, ids: &[(String, String)]) -> Self {
        self.bound = ids.to_vec();
        self.document.bind(|arn| {
            ids.iter().find(|(known, _)| known == arn).map(|(_, unique_id)| unique_id.clone())
        });
        self
    }

    fn attached(&self) -> Attached<'_> {
        Attached { name: &self.name, document: &self.document }
    }
}

/// The resource's side.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) account: String,
    pub(crate) policy: Option<Rc<Paper>>,
    pub(crate) delegation: Delegation,
    pub(crate) grant: Option<Means>,
}

/// A question.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) who: Who,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: Vec<(String, Values<'static>)>,
    /// Of the root user they aren't looked at: no policy can be attached to it.
    pub(crate) identity: Vec<Rc<Paper>>,
    pub(crate) boundary: Option<Rc<Paper>>,
    pub(crate) session: Option<Vec<Rc<Paper>>>,
    pub(crate) side: Option<Side>,
}

impl Case {
    /// This crate's decision, with its reason.
    pub(crate) fn decided(&self) -> String {
        let identity = attached(&self.identity);
        let session = self.session.as_deref().map(attached);
        let caller = self.who.caller();
        let policies = Policies {
            identity: match caller.kind {
                CallerKind::Root => Identity::Root,
                _ => Identity::Policies(&identity),
            },
            boundary: self.boundary.as_deref().map(Paper::attached),
            session: session.as_deref(),
            resource: self.side.as_ref().map(|side| Resource {
                account: &side.account,
                policy: side.policy.as_deref().map(Paper::attached),
                delegation: side.delegation,
                grant: side.grant.map(|means| Grant { id: "g", means }),
            }),
        };
        let context = self.entries();
        let (action, resource) = (&*self.action, &*self.resource);
        let request = Request { caller: &caller, action, resource, context: &context };
        words(&decide(&request, &policies))
    }

    fn entries(&self) -> ContextEntries {
        let mut entries = ContextEntries::default();
        for (key, values) in &self.context {
            match values {
                Values::Absent => {}
                Values::One(value) => entries.insert(key, value.clone()),
                Values::Many(values) => entries.insert_all(key, values.iter().cloned()),
            }
        }
        entries
    }
}

fn attached(papers: &[Rc<Paper>]) -> Vec<Attached<'_>> {
    papers.iter().map(|paper| paper.attached()).collect()
}

/// A decision in the words of the table.
fn words(decision: &Decision<'_>) -> String {
    match decision {
        Decision::Allow { identity, resource } => {
            let sides: Vec<_> =
                [identity, resource].into_iter().flatten().map(permission).collect();
            format!("allow by {}", sides.join(" and "))
        }
        Decision::Deny(Refusal::Explicit(source)) => format!("deny explicit {}", statement(source)),
        Decision::Deny(Refusal::Implicit(layer)) => format!("deny implicit {}", word(*layer)),
    }
}

fn permission(permission: &Permission<'_>) -> String {
    match permission {
        Permission::Root => "root".to_owned(),
        Permission::Grant(_) => "grant".to_owned(),
        Permission::Statement(source) => statement(source),
    }
}

fn statement(source: &Source<'_>) -> String {
    format!("{} {}#{}", word(source.layer), source.policy, source.statement)
}

const fn word(layer: Layer) -> &'static str {
    match layer {
        Layer::Identity => "identity",
        Layer::Resource => "resource",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
    }
}
