//! The shapes of STS (2011-06-15), as far as its operations exist.

use crate::leaf::{Shape, ShapeInfo, ShapeKind, Write};
use crate::node::Node;
use crate::path::Path;
use crate::reader::Reader;
use crate::shapes::{pattern, text};
use crate::writer::Writer;

const UNBOUNDED: usize = usize::MAX;

text! {
    /// The unique id of a principal: of root the account id.
    UserId = "userIdType", 0..=UNBOUNDED;
    /// An account id.
    Account = "accountType", 0..=UNBOUNDED;
    /// A principal's ARN.
    PrincipalArn = "arnType", 20..=2048,
        pattern "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+"
        by |text| !text.is_empty() && !text.chars().any(char::is_control);
}
