//! DecodeAuthorizationMessage: what an encoded message of a refusal says. No service here gives
//! such messages, as neither KMS nor IAM nor STS does at AWS: none is valid.
//!
//! Errors, in order: AccessDeniedException, InvalidAuthorizationMessageException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::sts::{DecodedMessage, EncodedMessage};
use wire::{ErrorCode, structure};

use crate::Sts;
use crate::sts::OPERATION;
use crate::sts::authorization::Place;

/// DecodeAuthorizationMessage.
pub(crate) struct DecodeAuthorizationMessage;

structure! {
    /// Input of DecodeAuthorizationMessage.
    pub(crate) struct DecodeAuthorizationMessageRequest {
        encoded_message: EncodedMessage = required "EncodedMessage",
    }

    /// Output of DecodeAuthorizationMessage.
    pub(crate) struct DecodeAuthorizationMessageResponse {
        decoded_message: DecodedMessage = optional "DecodedMessage",
    }
}

impl Operation for DecodeAuthorizationMessage {
    type Service = Sts;
    type Input = DecodeAuthorizationMessageRequest;
    type Output = DecodeAuthorizationMessageResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "DecodeAuthorizationMessage",
        actions: &["sts:DecodeAuthorizationMessage"],
        read_only: true,
        errors: &[ErrorCode::InvalidAuthorizationMessageException],
        ..OPERATION
    };

    async fn resolve(_: &Context<'_, Sts>, _: &Self::Input) -> Result<Place, Error> {
        Ok(Place("*".to_owned()))
    }

    async fn run(
        _: &Context<'_, Sts>,
        _: &Authorized<Place>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        Err(Error::new(ErrorCode::InvalidAuthorizationMessageException, "Message is not valid"))
    }
}
