//! One condition of a statement: an operator, a key and the values it may have. Owns what becomes
//! of absent keys, of negation, of several values and of values that an operator can't read. Must
//! not know the operators' own comparisons.

use crate::document::Malformed;
use crate::json::{Members, OneOrMany, Scalar};
use crate::operator::{Expected, Operator, Set};
use crate::request::{Context, Value, Values};
use crate::template::{Variable, is_key};

#[derive(Debug, Clone)]
pub(crate) struct Condition {
    operator: Operator,
    /// In lower case.
    key: Box<str>,
    expected: Expected,
    /// The keys of the variables that the request must have.
    required: Box<[Box<str>]>,
}

impl Condition {
    /// Compiles a statement's conditions.
    ///
    /// # Errors
    /// [`Malformed`] for an operator that there isn't, a key that isn't of the form of one, and no
    /// values or values not of the operator's type.
    pub(crate) fn compile_all(
        blocks: Members<Members<OneOrMany<Scalar>>>,
        variables: bool,
    ) -> Result<Box<[Self]>, Malformed> {
        let mut conditions = Vec::new();
        for (name, keys) in blocks.0 {
            let operator = Operator::parse(&name).ok_or_else(|| {
                Malformed(format!("The condition operator \"{name}\" isn't known."))
            })?;
            for (key, values) in keys.0 {
                let values: Vec<String> = values.0.into_iter().map(|scalar| scalar.0).collect();
                conditions.push(Self::compile(operator, &key, &values, variables)?);
            }
        }
        Ok(conditions.into())
    }

    fn compile(
        operator: Operator,
        key: &str,
        values: &[String],
        variables: bool,
    ) -> Result<Self, Malformed> {
        if !is_key(key) {
            return Err(Malformed(format!("\"{key}\" is no condition key.")));
        }
        if values.is_empty() {
            return Err(Malformed(format!("The condition on {key} has no values.")));
        }
        let expected = Expected::compile(operator.comparison, values, variables)?;
        let required = required(expected.variables().into_iter());
        Ok(Self { operator, key: key.to_lowercase().into(), expected, required })
    }

    /// Whether the request meets it. `unclear` is the answer where a value isn't of the operator's
    /// type: a statement that allows then doesn't, one that denies does.
    pub(crate) fn holds(&self, context: &dyn Context, unclear: bool) -> bool {
        let values = match context.values(&self.key) {
            Values::Many(values) if values.is_empty() => Values::Absent,
            values => values,
        };
        if let Expected::Null(wanted) = &self.expected {
            return wanted.contains(&(values == Values::Absent));
        }
        if values == Values::Absent && self.operator.if_exists {
            return true;
        }
        if !available(&self.required, context) {
            return false;
        }
        let meets = |value: &Value<'_>| {
            let fits = self.expected.fits(value, context);
            fits.map_or(unclear, |fits| fits != self.operator.negated)
        };
        // Of several values without a qualifier one must fit, or none if the operator is negated.
        let all = match self.operator.set {
            Some(Set::ForAllValues) => true,
            Some(Set::ForAnyValue) => false,
            None => self.operator.negated,
        };
        match &values {
            Values::Absent => all,
            // To a qualifier an empty text alone is an empty set.
            Values::One(Value::Text(text)) if text.is_empty() && self.operator.set.is_some() => all,
            Values::One(value) => meets(value),
            Values::Many(values) if all => values.iter().all(meets),
            Values::Many(values) => values.iter().any(meets),
        }
    }

    /// The condition keys that it reads, in lower case.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let variables = self.expected.variables().into_iter().map(|variable| &*variable.key);
        std::iter::once(&*self.key).chain(variables)
    }
}

/// The keys of variables that have no default.
pub(crate) fn required<'a>(variables: impl Iterator<Item = &'a Variable>) -> Box<[Box<str>]> {
    variables.filter(|variable| variable.default.is_none()).map(|v| v.key.clone()).collect()
}

/// Whether the request has a value for each of these keys, so that the variables can be replaced.
pub(crate) fn available(required: &[Box<str>], context: &dyn Context) -> bool {
    required.iter().all(|key| matches!(context.values(key), Values::One(_)))
}
