//! Which service and operation a request is for.

use hyper::{Method, header};
use wire::Node;

use crate::inbound::Inbound;

/// The JSON protocol's header that names service and operation.
pub(crate) const TARGET: header::HeaderName = header::HeaderName::from_static("x-amz-target");
/// Below which dev mode's endpoints stand.
pub(crate) const DEV_PREFIX: &str = "/_strongroom/";

const KMS_PREFIX: &str = "TrentService.";
const JSON: &str = "application/x-amz-json-1.1";
const FORM: &str = "application/x-www-form-urlencoded";
const STS_VERSION: &str = "2011-06-15";

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// An operation of KMS.
    Kms(String),
    /// An operation of STS, its parameters in the body or in the target's query.
    Sts {
        /// The operation.
        operation: String,
        /// Where its parameters stand.
        parameters: Parameters,
    },
    /// One of dev mode's endpoints.
    Dev(String),
    /// A query request of a service that isn't here.
    UnknownQuery {
        /// The operation.
        operation: String,
        /// The version that says which service is meant.
        version: String,
    },
    /// Nothing of ours.
    Unknown,
}

/// Where a query request's parameters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    Body,
    Target,
}

impl Route {
    /// Finds the route by method, path and headers; of a query request also by its parameters.
    pub(crate) fn of(inbound: &Inbound) -> Self {
        let path = inbound.head.uri.path();
        if let Some(endpoint) = path.strip_prefix(DEV_PREFIX) {
            return Self::Dev(endpoint.to_owned());
        }
        if path != "/" {
            return Self::Unknown;
        }
        if let Some(target) = inbound.header(TARGET) {
            let operation = target.strip_prefix(KMS_PREFIX);
            return match operation {
                Some(operation)
                    if inbound.head.method == Method::POST && has_type(inbound, JSON) =>
                {
                    Self::Kms(operation.to_owned())
                }
                _ => Self::Unknown,
            };
        }
        let (text, parameters) = match inbound.head.method {
            Method::POST if has_type(inbound, FORM) => (inbound.body.as_slice(), Parameters::Body),
            Method::GET => {
                (inbound.head.uri.query().unwrap_or_default().as_bytes(), Parameters::Target)
            }
            _ => return Self::Unknown,
        };
        let Ok(node) = Node::from_query(text) else { return Self::Unknown };
        match (node.text("Action"), node.text("Version")) {
            (Some(operation), Some(STS_VERSION)) => {
                Self::Sts { operation: operation.to_owned(), parameters }
            }
            (Some(operation), version) => Self::UnknownQuery {
                operation: operation.to_owned(),
                version: version.unwrap_or_default().to_owned(),
            },
            (None, _) => Self::Unknown,
        }
    }
}

fn has_type(inbound: &Inbound, wanted: &str) -> bool {
    let given = inbound.header(header::CONTENT_TYPE).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}
