//! GenerateRandom: random bytes.
//!
//! Errors, in order: AccessDeniedException, ValidationException (no length),
//! CustomKeyStoreNotFoundException (there are none), ValidationException (Recipient).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::Integer as _;
use wire::shapes::{Ciphertext, CustomKeyStoreId, NumberOfBytes, Plaintext, RecipientInfo};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Account;
use crate::operations::MANAGEMENT;
use crate::recipient::Audience;

/// GenerateRandom.
pub(crate) struct GenerateRandom;

structure! {
    /// Input of GenerateRandom.
    pub(crate) struct GenerateRandomRequest {
        number_of_bytes: NumberOfBytes = optional "NumberOfBytes",
        custom_key_store_id: CustomKeyStoreId = optional "CustomKeyStoreId",
        recipient: RecipientInfo = optional "Recipient",
    }

    /// Output of GenerateRandom.
    pub(crate) struct GenerateRandomResponse {
        plaintext: Plaintext = optional "Plaintext",
        ciphertext_for_recipient: Ciphertext = optional "CiphertextForRecipient",
    }
}

impl Operation for GenerateRandom {
    type Service = Kms;
    type Input = GenerateRandomRequest;
    type Output = GenerateRandomResponse;
    type Target = Account;

    /// AWS's records tell nothing of how much was asked for.
    const PARAMETERS_RECORDED: bool = false;
    const FACTS: Facts = Facts {
        name: "GenerateRandom",
        actions: &["kms:GenerateRandom"],
        states: &[],
        read_only: true,
        errors: &[
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::CustomKeyStoreNotFoundException,
            ErrorCode::CustomKeyStoreInvalidStateException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(_: &Context<'_, Kms>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Account)
    }

    async fn run(
        cx: &Context<'_, Kms>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let Some(length) = input.number_of_bytes else {
            return Err(Error::validation("NumberOfBytes is required."));
        };
        if input.custom_key_store_id.is_some() {
            return Err(Error::bare(ErrorCode::CustomKeyStoreNotFoundException));
        }
        let audience = Audience::of(cx, input.recipient.as_ref())?;
        // The shape's bounds are 1 to 1,024.
        let length = usize::try_from(length.value()).unwrap_or(1);
        let answered = audience.answer(cx, cx.service.key_store.random(length)?)?;
        Ok(GenerateRandomResponse {
            plaintext: answered.plaintext,
            ciphertext_for_recipient: answered.ciphertext_for_recipient,
        })
    }
}
