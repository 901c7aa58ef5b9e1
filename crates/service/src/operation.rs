//! What an operation is: facts, an input, a target, a body.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use wire::enums::{KeySpec, KeyState, KeyUsageType};
use wire::{AccountId, DateForm, ErrorCode, Node, Structure, Timestamp};
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::filled_in::FilledIn;
use crate::ports::{Position, Uses};
use crate::success::Success;

/// What is true of an operation whoever calls it: one row of the registry, read by dispatch, the
/// audit record, the documentation and the tests that hold for every operation.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, not a state")]
pub struct Facts {
    /// Its name in the model.
    pub name: &'static str,
    /// The permissions that it needs; of several, which one is for which resource is its target's
    /// affair.
    pub actions: &'static [&'static str],
    /// The states of a key in which it works; empty where there is no key.
    pub states: &'static [KeyState],
    /// The usage that its key must have; `None` where any serves.
    pub usage: Option<KeyUsageType>,
    /// Whether a grant can allow it.
    pub grantable: bool,
    /// Whether it has a DryRun member.
    pub dry_run: bool,
    /// Whether it takes keys of another account.
    pub cross_account: bool,
    /// Whether it changes nothing, as CloudTrail's readOnly says.
    pub read_only: bool,
    /// The errors that the model declares for it.
    pub errors: &'static [ErrorCode],
}

/// Every state of a key.
pub const ANY_STATE: &[KeyState] = KeyState::ALL;

/// The states of a key that isn't on its way out: all but those of a pending deletion.
pub const NOT_PENDING_DELETION: &[KeyState] = &[
    KeyState::Creating,
    KeyState::Enabled,
    KeyState::Disabled,
    KeyState::PendingImport,
    KeyState::Unavailable,
    KeyState::Updating,
];

/// The states in which a key's material can be used.
pub const USABLE: &[KeyState] = &[KeyState::Enabled, KeyState::Updating];

/// A service: KMS, IAM, STS.
pub trait Service: Send + Sync + Sized + 'static {
    /// Its name in credential scopes: `kms`.
    const SIGNING_NAME: &'static str;
    /// CloudTrail's name for it: `kms.amazonaws.com`.
    const EVENT_SOURCE: &'static str;
    /// How it is spoken to.
    const PROTOCOL: Protocol;
    /// How its records write dates.
    const RECORDED_DATES: DateForm;
    /// Whether its records have `resources` also where nothing is acted on.
    const RESOURCES_RECORDED: bool;

    /// Its operations: a static's value, not a constant's, of which every crate that reads it would
    /// compile all operations anew.
    fn registry() -> &'static [&'static dyn crate::AnyOperation<Self>];

    /// Told of each request that succeeded, before it is answered: its record is in the audit log,
    /// at that place, and no later one is. Called under the log's lock: it must be quick, must not
    /// block and must not call the log.
    fn succeeded(&self, _success: &Success<'_>, _at: Position) {}
}

/// How a service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// JSON 1.1, the operation named by `X-Amz-Target`.
    Json,
    /// A form in, XML out, the operation named by `Action`.
    Query {
        /// The namespace of the answers.
        namespace: &'static str,
    },
}

/// What an operation acts on, as its input resolved to.
pub trait Target<S: Service>: Send + Sync {
    /// Refuses unless the caller may do this to it.
    ///
    /// # Errors
    /// AccessDeniedException.
    fn authorize<'a>(
        &'a self,
        facts: &'a Facts,
        cx: &'a Context<'_, S>,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'a;

    /// Refuses if its state or its usage don't suit.
    ///
    /// # Errors
    /// As AWS answers for that state: DisabledException, KMSInvalidStateException,
    /// InvalidKeyUsageException.
    fn check(&self, facts: &Facts, cx: &Context<'_, S>) -> Result<(), Error>;

    /// What the audit record names.
    fn resources(&self) -> Vec<Resource>;

    /// The kinds of keys that it stands for, where request quotas may depend on them.
    fn key_specs(&self) -> [Option<KeySpec>; 2] {
        [None; 2]
    }
}

/// A resource, as an audit record names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The account that owns it.
    pub account: AccountId,
    /// Its ARN.
    pub arn: Arc<str>,
    /// CloudTrail's type, such as `AWS::KMS::Key`.
    pub kind: &'static str,
}

/// A target that the caller is allowed to act on and whose state suits; only the pipeline makes
/// one.
pub struct Authorized<T>(T);

impl<T> Authorized<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Authorized<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// One operation of a service.
pub trait Operation: Send + Sync + 'static {
    /// The service it belongs to.
    type Service: Service;
    /// What it takes.
    type Input: Structure + Send + Sync;
    /// What it gives.
    type Output: Structure + Send + Sync;
    /// What it acts on.
    type Target: Target<Self::Service>;
    /// What is true of it.
    const FACTS: Facts;
    /// Whether its requests are signed. Those of an operation whose input is itself the evidence of
    /// who calls are not, and [`Operation::identify`] finds that out; a signature means nothing.
    const SIGNED: bool = true;

    /// Whether its audit records hold its parameters.
    const PARAMETERS_RECORDED: bool = true;

    /// What its audit records show of parameters that a request leaves out, by the model's names.
    const FILLED_IN: &'static [(&'static str, FilledIn)] = &[];

    /// Whether its audit records hold its answer, without secrets. Where nothing changes, they
    /// needn't, unless who gets the answer can do something with it.
    const ANSWER_RECORDED: bool = !Self::FACTS.read_only;

    /// Who calls, by the evidence in the input; asked where requests aren't signed, and only there.
    ///
    /// # Errors
    /// As AWS refuses evidence that doesn't hold.
    fn identify<'a>(
        _service: &'a Self::Service,
        _input: &'a Self::Input,
        _now: Timestamp,
    ) -> impl Future<Output = Result<Caller, Error>> + Send + 'a {
        std::future::ready(Err(Error::internal("an operation that takes signed requests")))
    }

    /// Takes a secret that isn't of the model out of a request before it is decoded, so that
    /// neither the model's bounds nor the audit record meet it. [`Context::withheld`] gives it.
    fn withhold(_: &Self::Service, _: &mut Node<'_>) -> Option<Zeroizing<String>> {
        None
    }

    /// Finds what the input names.
    fn resolve<'a>(
        cx: &'a Context<'a, Self::Service>,
        input: &'a Self::Input,
    ) -> impl Future<Output = Result<Self::Target, Error>> + Send + 'a;

    /// What the request uses, where its quota depends on that.
    fn uses(_input: &Self::Input, target: &Self::Target) -> Uses {
        Uses { keys: target.key_specs(), elsewhere: None }
    }

    /// Does it. An operation with a dry run changes state by [`Context::unless_dry_run`] only.
    fn run<'a>(
        cx: &'a Context<'a, Self::Service>,
        target: &'a Authorized<Self::Target>,
        input: &'a Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send + 'a;

    /// What the operation made, for the audit record; nothing of what it only acted on.
    fn made(_: &Self::Output) -> Option<Resource> {
        None
    }
}
