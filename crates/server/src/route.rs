//! Which service and operation a request is for.

use hyper::http::request::Parts;
use hyper::{Method, header};
use wire::{Malformed, Node};

use crate::inbound::Inbound;

/// The JSON protocol's header that names service and operation.
pub(crate) const TARGET: header::HeaderName = header::HeaderName::from_static("x-amz-target");
/// Below which the unsigned endpoints stand.
pub(crate) const UNSIGNED_PREFIX: &str = "/_strongroom/";

const KMS_PREFIX: &str = "TrentService.";
const JSON: &str = "application/x-amz-json-1.1";
const FORM: &str = "application/x-www-form-urlencoded";
const IAM_VERSION: &str = "2010-05-08";
const STS_VERSION: &str = "2011-06-15";

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// An operation of KMS.
    Kms(&'a str),
    /// An operation of a service of the query protocol.
    Query {
        /// The service.
        service: QueryService,
        /// The operation.
        operation: String,
        /// Where its parameters stand.
        parameters: Parameters,
    },
    /// One of the unsigned endpoints.
    Unsigned(&'a str),
    /// A query request of a service that isn't here.
    UnknownQuery {
        /// The operation.
        operation: String,
        /// The version that says which service is meant.
        version: String,
    },
    /// A form that is none.
    MalformedQuery(Malformed),
    /// Nothing of ours.
    Unknown,
}

/// A service of the query protocol, which its requests name by its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryService {
    Iam,
    Sts,
}

/// Where a query request's parameters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    Body,
    Target,
}

impl<'a> Route<'a> {
    /// Finds the route by method, path and headers; of a query request also by its parameters.
    pub(crate) fn of(inbound: &'a Inbound) -> Self {
        let path = inbound.head.uri.path();
        if let Some(endpoint) = path.strip_prefix(UNSIGNED_PREFIX) {
            return Self::Unsigned(endpoint);
        }
        if path != "/" {
            return Self::Unknown;
        }
        if inbound.head.headers.contains_key(TARGET) {
            return kms_operation(&inbound.head).map_or(Self::Unknown, Self::Kms);
        }
        let (text, parameters) = match inbound.head.method {
            Method::POST if has_type(&inbound.head, FORM) => {
                (inbound.body.as_bytes(), Parameters::Body)
            }
            Method::GET => {
                (inbound.head.uri.query().unwrap_or_default().as_bytes(), Parameters::Target)
            }
            _ => return Self::Unknown,
        };
        let node = match Node::from_query(text) {
            Ok(node) => node,
            Err(malformed) => return Self::MalformedQuery(malformed),
        };
        match (node.text("Action"), node.text("Version")) {
            (Some(operation), Some(version @ (IAM_VERSION | STS_VERSION))) => {
                let is_iam = version == IAM_VERSION;
                let service = if is_iam { QueryService::Iam } else { QueryService::Sts };
                Self::Query { service, operation: operation.to_owned(), parameters }
            }
            (None, _) if parameters == Parameters::Target => Self::Unknown,
            (operation, version) => Self::UnknownQuery {
                operation: operation.unwrap_or_default().to_owned(),
                version: version.unwrap_or_default().to_owned(),
            },
        }
    }
}

/// The operation of KMS that a head names: POST, JSON 1.1 and KMS's target.
pub(crate) fn kms_operation(head: &Parts) -> Option<&str> {
    let target = head.headers.get(TARGET)?.to_str().ok()?;
    let operation = target.strip_prefix(KMS_PREFIX)?;
    (head.method == Method::POST && has_type(head, JSON)).then_some(operation)
}

fn has_type(head: &Parts, wanted: &str) -> bool {
    let given = head.headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok());
    let given = given.unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}
