//! What one document says to a request. Must not know what other documents say.

use crate::document::Document;
use crate::principal::Means;
use crate::request::Request;

/// A statement that spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling<'d> {
    /// Its place in the document, from 0.
    pub statement: usize,
    /// Its Sid, if it has one.
    pub sid: Option<&'d str>,
}

/// A statement that speaks of a request, whether or not its conditions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaking<'d> {
    /// The statement.
    pub ruling: Ruling<'d>,
    /// Whether it allows; else it denies.
    pub allows: bool,
    /// By which of its names the caller is meant.
    pub means: Means,
    /// Whether its conditions hold.
    pub holds: bool,
    /// Whether it has any.
    pub conditional: bool,
}

/// What a document says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'d> {
    /// A statement denies it, which nothing overrides.
    Deny(Ruling<'d>),
    /// A statement allows it.
    Allow {
        /// The statement.
        by: Ruling<'d>,
        /// By which of its names the caller is meant; the strongest, of the statements that allow.
        means: Means,
    },
    /// No statement speaks of it.
    Silent,
}

impl Document {
    /// What this document says to the request: a denial if any statement denies, else a permission
    /// if any allows.
    pub fn evaluate(&self, request: &Request<'_>) -> Outcome<'_> {
        self.evaluate_as(request, false)
    }

    /// The same for a caller that has a permissions boundary, if `bounded`.
    pub(crate) fn evaluate_as(&self, request: &Request<'_>, bounded: bool) -> Outcome<'_> {
        let mut allowed: Option<(Ruling<'_>, Means)> = None;
        for (index, statement) in self.statements.iter().enumerate() {
            let settled = allowed.is_some_and(|(_, means)| means == Means::Itself);
            if statement.allow && settled {
                continue;
            }
            let Some(means) = statement.applies(request, bounded) else { continue };
            let ruling = Ruling { statement: index, sid: statement.sid.as_deref() };
            if !statement.allow {
                return Outcome::Deny(ruling);
            }
            if allowed.is_none_or(|(_, known)| known < means) {
                allowed = Some((ruling, means));
            }
        }
        allowed.map_or(Outcome::Silent, |(by, means)| Outcome::Allow { by, means })
    }

    /// Every statement that speaks of the caller, the action and the resource, with what its
    /// conditions say: for those who explain what a principal may do, be it only under conditions.
    pub fn speaking(&self, request: &Request<'_>) -> impl Iterator<Item = Speaking<'_>> {
        self.statements.iter().enumerate().filter_map(|(index, statement)| {
            let means = statement.speaks(request)?;
            Some(Speaking {
                ruling: Ruling { statement: index, sid: statement.sid.as_deref() },
                allows: statement.allow,
                means,
                holds: statement.holds(request),
                conditional: statement.is_conditional(),
            })
        })
    }

    /// Every statement that applies to the request, with whether it allows: for those who explain
    /// a decision, and need more than what decided it.
    pub fn applying(&self, request: &Request<'_>) -> impl Iterator<Item = (Ruling<'_>, bool)> {
        self.statements
            .iter()
            .enumerate()
            .filter(|(_, statement)| statement.applies(request, false).is_some())
            .map(|(index, statement)| {
                (Ruling { statement: index, sid: statement.sid.as_deref() }, statement.allow)
            })
    }
}
