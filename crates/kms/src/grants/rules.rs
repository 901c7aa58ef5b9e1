//! What a new grant must be: rules on its operations and constraints.
//!
//! Source: the API's CreateGrant; which operations a grant may allow on which key, the developer
//! guide's "Grant operations". Where AWS's words aren't known, `docs/divergences.md` says so.

use service::Error;
use wire::Map;
use wire::enums::{GrantOperation, KeyUsageType};
use wire::grants::{GrantConstraints, GrantOperations};
use wire::shapes::EncryptionContext;

use crate::grants::Terms;
use crate::key::Key;
use crate::spec::is_asymmetric;

/// How many pairs the encryption context of a constraint may have.
const PAIRS_MAX: usize = 8;
/// How long a key or a value of such a pair may be, in characters. AWS names the value alone; a
/// key needs a bound as well.
const TEXT_MAX: usize = 384;

/// The terms that a request asks for, as far as they can be judged without the key.
///
/// # Errors
/// ValidationException.
pub(crate) fn requested(
    operations: &GrantOperations,
    constraints: Option<&GrantConstraints>,
) -> Result<Terms, Error> {
    let mut listed = Vec::with_capacity(operations.0.len().min(GrantOperation::ALL.len()));
    for operation in &operations.0 {
        if !listed.contains(operation) {
            listed.push(*operation);
        }
    }
    if listed.is_empty() {
        return Err(Error::validation(
            "1 validation error detected: Value '[]' at 'operations' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
        ));
    }
    if listed == [GrantOperation::CreateGrant] {
        return Err(Error::validation("Grants must not contain only the CreateGrant operation."));
    }
    let context = |of: fn(&GrantConstraints) -> &Option<EncryptionContext>| {
        constraints.and_then(|constraints| of(constraints).as_ref()).map(bounded).transpose()
    };
    Ok(Terms {
        operations: listed,
        equals: context(|constraints| &constraints.encryption_context_equals)?,
        subset: context(|constraints| &constraints.encryption_context_subset)?,
        source_arn: constraints
            .and_then(|constraints| constraints.source_arn.as_ref())
            .map(|arn| arn.as_str().to_owned()),
    })
}

fn bounded(context: &EncryptionContext) -> Result<Map, Error> {
    if context.0.len() > PAIRS_MAX {
        return Err(Error::validation(format!(
            "A grant constraint can have at most {PAIRS_MAX} encryption context pairs."
        )));
    }
    let is_long = |text: &String| text.chars().count() > TEXT_MAX;
    if context.0.iter().any(|(key, value)| is_long(key) || is_long(value)) {
        return Err(Error::validation(format!(
            "The encryption context of a grant constraint cannot exceed {TEXT_MAX} characters."
        )));
    }
    Ok(context.0.as_ref().clone())
}

/// Refuses terms that don't go with the key.
///
/// # Errors
/// ValidationException for an operation that the key doesn't have, and for an encryption context
/// where no operation has one.
pub(crate) fn suits(terms: &Terms, key: &Key) -> Result<(), Error> {
    let (spec, usage) = (key.record.spec, key.record.usage);
    let fits = |operation: GrantOperation| is_fit(operation, usage, key);
    if let Some(operation) = terms.operations.iter().find(|operation| !fits(**operation)) {
        return Err(Error::validation(format!(
            "The operation {operation} is not supported on a KMS key with key spec {spec} and key \
             usage {usage}."
        )));
    }
    if !key.is_symmetric() && (terms.equals.is_some() || terms.subset.is_some()) {
        return Err(Error::validation(format!(
            "Encryption context grant constraints are not supported on a KMS key with key spec \
             {spec}."
        )));
    }
    Ok(())
}

fn is_fit(operation: GrantOperation, usage: KeyUsageType, key: &Key) -> bool {
    use GrantOperation as Operation;
    match operation {
        Operation::CreateGrant | Operation::RetireGrant | Operation::DescribeKey => true,
        Operation::GetPublicKey => is_asymmetric(key.record.spec),
        Operation::Encrypt
        | Operation::Decrypt
        | Operation::ReEncryptFrom
        | Operation::ReEncryptTo => usage == KeyUsageType::EncryptDecrypt,
        Operation::GenerateDataKey
        | Operation::GenerateDataKeyWithoutPlaintext
        | Operation::GenerateDataKeyPair
        | Operation::GenerateDataKeyPairWithoutPlaintext => key.is_symmetric(),
        Operation::Sign | Operation::Verify => usage == KeyUsageType::SignVerify,
        Operation::GenerateMac | Operation::VerifyMac => usage == KeyUsageType::GenerateVerifyMac,
        Operation::DeriveSharedSecret => usage == KeyUsageType::KeyAgreement,
        Operation::Encapsulate | Operation::Decapsulate => {
            usage == KeyUsageType::EncapsulateDecapsulate
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn constrained(pairs: Vec<(String, String)>) -> Result<Terms, Error> {
        let constraints = GrantConstraints {
            encryption_context_subset: None,
            encryption_context_equals: Some(EncryptionContext(Arc::new(pairs))),
            source_arn: None,
        };
        requested(&GrantOperations(vec![GrantOperation::Decrypt]), Some(&constraints))
    }

    #[test]
    fn a_repeated_operation_counts_once() {
        let operations = [GrantOperation::Decrypt, GrantOperation::Encrypt];
        let repeated = GrantOperations(operations.repeat(1000));
        assert_eq!(requested(&repeated, None).unwrap().operations, operations);
    }

    #[test]
    fn constraints_have_limits() {
        let pair = |n: usize, length: usize| (format!("k{n}"), "ä".repeat(length));
        assert!(constrained((0..8).map(|n| pair(n, 384)).collect()).is_ok());
        assert!(constrained((0..9).map(|n| pair(n, 1)).collect()).is_err());
        assert!(constrained(vec![pair(0, 385)]).is_err());
        assert!(constrained(vec![("k".repeat(385), String::new())]).is_err());
    }
}
