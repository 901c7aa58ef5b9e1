//! What operators do, as the audit log tells of it.
//!
//! Must not know a secret: what is told is chosen by each call.

use keystores::software::SystemEntropy;
use serde_json::Value;
use service::ports::AuditUnavailable;
use service::{Actor, Ids, Record};

use crate::serve::Instance;

/// CloudTrail's `eventSource` of what operators do: no service of AWS's.
pub(crate) const EVENT_SOURCE: &str = "strongroom.internal";

/// Who is at the other end of the socket, as the kernel says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator {
    /// The number of the user.
    pub(crate) user: u32,
}

/// What an operator, or the server by itself, did or tried.
pub(crate) struct Event<'a> {
    /// Who; none for the server itself.
    pub(crate) operator: Option<Operator>,
    /// What, such as `Unseal`.
    pub(crate) name: &'static str,
    /// What may be told of it.
    pub(crate) parameters: Value,
    /// Why nothing came of it.
    pub(crate) error: Option<(&'a str, &'a str)>,
    /// Whether it changes nothing.
    pub(crate) read_only: bool,
}

impl Instance {
    /// Records what an operator did.
    ///
    /// # Errors
    /// [`AuditUnavailable`]: then it must not be done, or not be answered.
    pub(crate) async fn record(&self, event: Event<'_>) -> Result<(), AuditUnavailable> {
        let ids = Ids::draw(&SystemEntropy).map_err(|error| AuditUnavailable(Box::new(error)))?;
        let parameters = event.parameters.to_string();
        let user = event.operator.map(|operator| operator.user.to_string());
        let (actor, address) = match &user {
            Some(user) => (Actor::Operator { user }, "operator's socket"),
            None => (Actor::Server { account_id: "", invoked_by: EVENT_SOURCE }, EVENT_SOURCE),
        };
        let record = Record {
            actor,
            source_ip_address: address,
            user_agent: "strongroom",
            error_code: event.error.map(|(code, _)| code),
            error_message: event.error.map(|(_, message)| message),
            request_parameters: Some(parameters.as_bytes()),
            request_id: Some(ids.request()),
            read_only: event.read_only,
            ..Record::of(EVENT_SOURCE, event.name, self.clock.now(), ids.event())
        };
        record.append_to(self.audit.as_ref()).await
    }
}
