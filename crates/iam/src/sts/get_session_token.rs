//! GetSessionToken: temporary credentials of the user, or the root user, who calls. It needs no
//! permission, and no policy can deny it.
//!
//! Errors: AccessDeniedException for sessions, and for a second factor.

use service::{Authorized, CallerKind, Context, Error, Facts, Operation};
use wire::sts::{
    Credentials, DurationSeconds, MinimumSessionTokenSize, SerialNumber, SessionTokenSize,
    SessionTokenUtilization, TokenCode,
};
use wire::{ErrorCode, Integer as _, structure};

use crate::Sts;
use crate::session::SessionKind;
use crate::sts::OPERATION;
use crate::sts::authorization::session_credentials;
use crate::sts::get_caller_identity::Oneself;
use crate::sts::new_session::{no_second_factor, open, session_of};

/// GetSessionToken.
pub(crate) struct GetSessionToken;

structure! {
    /// Input of GetSessionToken.
    pub(crate) struct GetSessionTokenRequest {
        duration_seconds: DurationSeconds = optional "DurationSeconds",
        serial_number: SerialNumber = optional "SerialNumber",
        token_code: TokenCode = optional "TokenCode",
        minimum_session_token_size: MinimumSessionTokenSize = optional "MinimumSessionTokenSize",
    }

    /// Output of GetSessionToken.
    pub(crate) struct GetSessionTokenResponse {
        credentials: Credentials = optional "Credentials",
        session_token_utilization: SessionTokenUtilization = optional "SessionTokenUtilization",
        session_token_size: SessionTokenSize = optional "SessionTokenSize",
    }
}

impl Operation for GetSessionToken {
    type Service = Sts;
    type Input = GetSessionTokenRequest;
    type Output = GetSessionTokenResponse;
    type Target = Oneself;

    const ANSWER_RECORDED: bool = true;
    const FACTS: Facts = Facts {
        name: "GetSessionToken",
        errors: &[ErrorCode::RegionDisabledException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Sts>, _: &Self::Input) -> Result<Oneself, Error> {
        match cx.caller.session {
            Some(_) => Err(session_credentials(Self::FACTS.name)),
            None => Ok(Oneself),
        }
    }

    async fn run(
        cx: &Context<'_, Sts>,
        _: &Authorized<Oneself>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        no_second_factor(input.serial_number.as_ref(), input.token_code.as_ref())?;
        let user = cx.caller.principal.as_deref();
        let principal = user.map(|user| (user.name.clone(), user.unique_id.clone()));
        let seconds = seconds(cx, input.duration_seconds);
        let record = session_of(SessionKind::User, principal, cx.now, seconds);
        let opened = open(cx, cx.account(), record, input.minimum_session_token_size).await?;
        Ok(GetSessionTokenResponse {
            credentials: Some(opened.credentials),
            session_token_utilization: Some(opened.session_token_utilization),
            session_token_size: Some(opened.session_token_size),
        })
    }
}

/// How long a session of a user or federated user lasts if the request doesn't say, in seconds.
const DEFAULT: i32 = 43_200;
/// How long one of the root user's lasts at most.
const ROOT_MAX: i32 = 3_600;

/// How long a session lasts that the caller opens with its long-term credentials. The root user's
/// last an hour, whatever longer time was asked for.
pub(crate) fn seconds(cx: &Context<'_, Sts>, asked: Option<DurationSeconds>) -> i32 {
    let asked = asked.map_or(DEFAULT, DurationSeconds::value);
    if cx.caller.kind == CallerKind::Root { asked.min(ROOT_MAX) } else { asked }
}
