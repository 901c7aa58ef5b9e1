//! Why a caller may do something, or may not: the decision with every statement that speaks of it.
//!
//! For those who ask, not for those who decide: it costs more than the decision does.

use policy::{Decision, Layer, Permission, Speaking};

use crate::caller::{Caller, NamedPolicy};

/// A decision, and what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the caller may.
    pub allowed: bool,
    /// What decided, in one line: the statement or grant that allows, or AWS's reason of a refusal.
    pub reason: String,
    /// Every statement that speaks of the caller, the action and the resource.
    pub statements: Vec<Spoken>,
}

/// A statement that speaks of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The kind of its policy.
    pub layer: Layer,
    /// The name of its policy.
    pub policy: String,
    /// Its place in it, from 0.
    pub statement: usize,
    /// Its Sid, if it has one.
    pub sid: Option<String>,
    /// Whether it allows; else it denies.
    pub allows: bool,
    /// Whether its conditions hold.
    pub holds: bool,
    /// Whether it has any.
    pub conditional: bool,
}

impl Caller {
    /// Decides as [`Caller::decide`] does, and tells why.
    pub fn explain(
        &self,
        action: &str,
        resource: &str,
        context: &dyn policy::Context,
        side: Option<policy::Resource<'_>>,
    ) -> Explanation {
        let (allowed, reason) =
            self.decide(action, resource, context, side, |decision| match decision {
                Decision::Allow { identity, resource } => {
                    let sides = [identity, resource].into_iter().flatten().map(worded);
                    (true, sides.collect::<Vec<_>>().join(", and "))
                }
                Decision::Deny(refusal) => (false, refusal.clause(action)),
            });
        let caller = self.as_principal();
        let request = policy::Request { caller: &caller, action, resource, context };
        let mut statements = Vec::new();
        let mut gather = |layer, name: &str, document: &policy::Document| {
            statements.extend(document.speaking(&request).map(|one| spoken(layer, name, &one)));
        };
        for (layer, named) in self.own_policies() {
            gather(layer, &named.name, &named.document);
        }
        if let Some(policy) = side.and_then(|side| side.policy) {
            gather(Layer::Resource, policy.name, policy.document);
        }
        Explanation { allowed, reason, statements }
    }

    fn own_policies(&self) -> impl Iterator<Item = (Layer, &NamedPolicy)> {
        let principal = self.principal.as_deref();
        let identity = principal.into_iter().flat_map(|principal| &principal.policies);
        let boundary = principal.and_then(|principal| principal.boundary.as_ref());
        let session = self.session.as_deref().and_then(|session| session.policies.as_deref());
        let identity = identity.map(|policy| (Layer::Identity, policy));
        let boundary = boundary.map(|policy| (Layer::Boundary, policy));
        identity.chain(boundary).chain(session.into_iter().flatten().map(|p| (Layer::Session, p)))
    }
}

fn spoken(layer: Layer, policy: &str, one: &Speaking<'_>) -> Spoken {
    Spoken {
        layer,
        policy: policy.to_owned(),
        statement: one.ruling.statement,
        sid: one.ruling.sid.map(ToOwned::to_owned),
        allows: one.allows,
        holds: one.holds,
        conditional: one.conditional,
    }
}

/// What allowed, in words.
fn worded(permission: Permission<'_>) -> String {
    match permission {
        Permission::Root => "the root user of the account".to_owned(),
        Permission::Grant(id) => format!("grant {id}"),
        Permission::Statement(source) => {
            let sid = source.sid.map_or_else(String::new, |sid| format!(" ({sid})"));
            format!("{} {}, statement {}{sid}", source.layer, source.policy, source.statement)
        }
    }
}
