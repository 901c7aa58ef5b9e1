//! One statement of a document, compiled. Owns what a statement must have and when it applies to a
//! request. Must not know what other statements say.

use crate::condition::{Condition, available, required};
use crate::document::{DocumentKind, Malformed};
use crate::json::{OneOrMany, RawPrincipal, RawStatement};
use crate::pattern::{Case, Glob, units};
use crate::principal::{Means, Principal, invalid, spared};
use crate::request::{Context, Request};
use crate::template::{Pattern, Syntax, fields};

#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) allow: bool,
    pub(crate) principals: Principals,
    actions: Actions,
    resources: Resources,
    pub(crate) conditions: Box<[Condition]>,
}

/// Whom a statement speaks of.
#[derive(Debug, Clone)]
pub(crate) enum Principals {
    /// The identity that the document is attached to.
    Attached,
    Named(Vec<Principal>),
    AllBut(Vec<Principal>),
}

#[derive(Debug, Clone)]
struct Actions {
    patterns: Box<[Glob]>,
    negated: bool,
}

#[derive(Debug, Clone)]
struct Resources {
    patterns: Box<[Pattern]>,
    negated: bool,
    /// The keys of the variables that the request must have.
    required: Box<[Box<str>]>,
}

impl Statement {
    /// Compiles a statement. `variables` says whether `${…}` is a policy variable.
    ///
    /// # Errors
    /// [`Malformed`] with the first reason.
    pub(crate) fn compile(
        raw: RawStatement,
        kind: DocumentKind,
        variables: bool,
    ) -> Result<Self, Malformed> {
        let allow = match raw.effect.as_str() {
            "Allow" => true,
            "Deny" => false,
            other => return Err(kind.syntax_error(&format!("unknown effect `{other}`"))),
        };
        Ok(Self {
            sid: raw.sid.map(Into::into),
            allow,
            principals: Principals::compile(raw.principal, raw.not_principal, kind)?,
            actions: Actions::compile(raw.action, raw.not_action, kind)?,
            resources: Resources::compile(raw.resource, raw.not_resource, kind, variables)?,
            conditions: Condition::compile_all(raw.condition, variables)?,
        })
    }

    /// Whether it applies to the request, and by which of the caller's names. `bounded` says that
    /// the caller has a permissions boundary.
    pub(crate) fn applies(&self, request: &Request<'_>, bounded: bool) -> Option<Means> {
        if !self.actions.cover(request.action) {
            return None;
        }
        let means = self.means(request, bounded)?;
        let applies =
            self.resources.cover(request.resource, request.context) && self.holds(request);
        applies.then_some(means)
    }

    /// Whether it speaks of the caller, the action and the resource, whatever its conditions say.
    pub(crate) fn speaks(&self, request: &Request<'_>) -> Option<Means> {
        let means = self.means(request, false)?;
        let speaks = self.actions.cover(request.action)
            && self.resources.cover(request.resource, request.context);
        speaks.then_some(means)
    }

    /// Whether its conditions hold.
    pub(crate) fn holds(&self, request: &Request<'_>) -> bool {
        self.conditions.iter().all(|c| c.holds(request.context, !self.allow))
    }

    /// The statement without its conditions, if it allows; nothing of a denial that has any.
    pub(crate) fn favourable(&self) -> Option<Self> {
        if !self.allow && self.is_conditional() {
            return None;
        }
        Some(Self { conditions: Box::default(), ..self.clone() })
    }

    /// Whether it has conditions.
    pub(crate) fn is_conditional(&self) -> bool {
        !self.conditions.is_empty()
    }

    fn means(&self, request: &Request<'_>, bounded: bool) -> Option<Means> {
        let caller = request.caller;
        match &self.principals {
            Principals::Attached => Some(Means::Itself),
            Principals::Named(named) => named.iter().filter_map(|p| p.means(caller)).max(),
            Principals::AllBut(spares) if self.allow => {
                // Whoever has one of the names is not among "all but these".
                let listed = spares.iter().any(|p| p.means(caller).is_some());
                (!listed).then_some(Means::Itself)
            }
            Principals::AllBut(spares) => {
                (!spared(spares, caller, bounded)).then_some(Means::Itself)
            }
        }
    }

    /// Whether it names a resource.
    pub(crate) fn names_resources(&self) -> bool {
        !self.resources.patterns.is_empty()
    }

    /// The condition keys that it reads, in lower case.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let variables = self.resources.patterns.iter().flat_map(Pattern::variables);
        let conditions = self.conditions.iter().flat_map(Condition::keys);
        variables.map(|variable| &*variable.key).chain(conditions)
    }
}

impl Principals {
    fn compile(
        named: Option<RawPrincipal>,
        all_but: Option<RawPrincipal>,
        kind: DocumentKind,
    ) -> Result<Self, Malformed> {
        match (named, all_but) {
            (None, None) if kind.is_attached_to_identity() => Ok(Self::Attached),
            (None, None) => Err(kind.no_principal()),
            _ if kind.is_attached_to_identity() => {
                Err(Malformed("Policy document should not specify a principal.".to_owned()))
            }
            (Some(raw), None) => principals(raw, kind).map(Self::Named),
            (None, Some(raw)) => principals(raw, kind).map(Self::AllBut),
            (Some(_), Some(_)) => Err(kind.syntax_error("Principal beside NotPrincipal")),
        }
    }

    pub(crate) fn listed(&self) -> &[Principal] {
        match self {
            Self::Attached => &[],
            Self::Named(principals) | Self::AllBut(principals) => principals,
        }
    }

    pub(crate) fn listed_mut(&mut self) -> &mut [Principal] {
        match self {
            Self::Attached => &mut [],
            Self::Named(principals) | Self::AllBut(principals) => principals,
        }
    }
}

fn principals(raw: RawPrincipal, kind: DocumentKind) -> Result<Vec<Principal>, Malformed> {
    let kinds = match raw {
        RawPrincipal::Text(text) if text == "*" => return Ok(vec![Principal::Everyone]),
        RawPrincipal::Text(_) => return Err(invalid()),
        RawPrincipal::Kinds(kinds) => kinds.0,
    };
    let mut principals = Vec::new();
    for (name, texts) in kinds {
        for text in texts.0 {
            principals.push(match name.as_str() {
                "AWS" => Principal::parse_aws(&text)?,
                "Service" => Principal::Service(exact(text)?),
                "Federated" => Principal::Federated(exact(text)?),
                "CanonicalUser" => Principal::CanonicalUser(exact(text)?),
                _ => return Err(kind.syntax_error(&format!("unknown principal `{name}`"))),
            });
        }
    }
    if principals.is_empty() { Err(kind.no_principal()) } else { Ok(principals) }
}

/// A name that stands for itself: a wildcard in it would be taken for one.
fn exact(text: String) -> Result<String, Malformed> {
    if text.is_empty() || text.contains(['*', '?', '$']) { Err(invalid()) } else { Ok(text) }
}

/// What stands under an element or under its negation.
fn either(
    plain: Option<OneOrMany<String>>,
    negated: Option<OneOrMany<String>>,
    kind: DocumentKind,
    name: &str,
) -> Result<Option<(Vec<String>, bool)>, Malformed> {
    match (plain, negated) {
        (None, None) => Ok(None),
        (Some(texts), None) => Ok(Some((texts.0, false))),
        (None, Some(texts)) => Ok(Some((texts.0, true))),
        (Some(_), Some(_)) => Err(kind.syntax_error(&format!("{name} beside Not{name}"))),
    }
}

impl Actions {
    fn compile(
        plain: Option<OneOrMany<String>>,
        negated: Option<OneOrMany<String>>,
        kind: DocumentKind,
    ) -> Result<Self, Malformed> {
        let (texts, negated) =
            either(plain, negated, kind, "Action")?.unwrap_or((Vec::new(), false));
        if texts.is_empty() {
            return Err(Malformed("Policy statement must contain actions.".to_owned()));
        }
        for text in &texts {
            check_action(text, kind)?;
        }
        let patterns: Result<Box<[Glob]>, Malformed> =
            texts.iter().map(|text| Glob::compile(units(text), Case::Ignored)).collect();
        Ok(Self { patterns: patterns?, negated })
    }

    fn cover(&self, action: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(action)) != self.negated
    }
}

fn check_action(text: &str, kind: DocumentKind) -> Result<(), Malformed> {
    let refuse = |message: &str| Err(Malformed(message.to_owned()));
    let Some((vendor, name)) = text.split_once(':') else {
        if text == "*" && kind != DocumentKind::Trust {
            return Ok(());
        }
        return refuse(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        );
    };
    if name.contains(':') {
        return refuse("Actions/Condition can contain only one colon.");
    }
    let is_vendor = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if vendor.is_empty() || !vendor.bytes().all(is_vendor) {
        return refuse(&format!("Vendor {vendor} is not valid"));
    }
    if name.is_empty() {
        return Err(kind.syntax_error("an action without a name"));
    }
    if kind == DocumentKind::Trust && !vendor.eq_ignore_ascii_case("sts") {
        return refuse("AssumeRole policy may only specify STS AssumeRole actions.");
    }
    Ok(())
}

impl Resources {
    fn compile(
        plain: Option<OneOrMany<String>>,
        negated: Option<OneOrMany<String>>,
        kind: DocumentKind,
        variables: bool,
    ) -> Result<Self, Malformed> {
        let (texts, negated) = match (either(plain, negated, kind, "Resource")?, kind) {
            // The role is the resource.
            (None, DocumentKind::Trust) => (Vec::new(), true),
            (Some(_), DocumentKind::Trust) => {
                return Err(Malformed("Has prohibited field Resource".to_owned()));
            }
            // A statement of a resource's policy without a resource matches nothing.
            (None, DocumentKind::Resource) => (Vec::new(), false),
            (Some((texts, negated)), _) if !texts.is_empty() => (texts, negated),
            _ => return Err(Malformed("Policy statement must contain resources.".to_owned())),
        };
        let syntax = Syntax { wildcards: true, variables, lower: false };
        let mut patterns = Vec::with_capacity(texts.len());
        for text in &texts {
            for pattern in readings(text, kind, variables)? {
                patterns.push(Pattern::compile(&pattern, syntax)?);
            }
        }
        let required = required(patterns.iter().flat_map(Pattern::variables));
        Ok(Self { patterns: patterns.into(), negated, required })
    }

    fn cover(&self, resource: &str, context: &dyn Context) -> bool {
        available(&self.required, context)
            && self.patterns.iter().any(|p| p.matches(resource, context)) != self.negated
    }
}

/// A resource as it is matched: a star may reach beyond a colon, and an ARN of fewer than six
/// components stands for whatever could follow (IAM User Guide, "IAM JSON policy elements:
/// Resource"). A star may be what the missing components stand in, so that such an ARN is read both
/// ways.
fn readings(text: &str, kind: DocumentKind, variables: bool) -> Result<Vec<String>, Malformed> {
    let mut readings = vec![text.to_owned()];
    // A resource's policy may name it by any pattern; nothing but the resource is at stake.
    if text == "*" || (kind == DocumentKind::Resource && text.starts_with('*')) {
        return Ok(readings);
    }
    if !text.starts_with("arn:") || text.len() == "arn:".len() {
        return Err(Malformed(format!("Resource {text} must be in ARN format or \"*\".")));
    }
    let missing = 6 - fields(text, variables).len();
    if missing > 0 {
        readings.push(format!("{text}{}", ":*".repeat(missing)));
    }
    Ok(readings)
}
