//! AWS's names, limits, errors and encodings, written as tables that read like AWS's service model.
//!
//! Owns: the leaf shapes with their bounds ([`shapes`], [`enums`], [`iam`], [`sts`]), the
//! structures built of them (the [`structure!`] macro), the error codes ([`ErrorCode`]), reading a
//! request body of either protocol into values that can't break a bound ([`Reader`]), and writing
//! values back ([`Writer`]). A value of a type of this crate is valid wherever it turns up.
//!
//! Must not know: what any operation does, who calls it, where anything is stored.

mod arn;
mod buffer;
mod declare;
pub mod enums;
mod error_code;
pub mod grants;
pub mod iam;
mod json;
mod leaf;
mod node;
mod path;
mod reader;
mod region;
mod scalar;
pub mod shapes;
mod structure;
pub mod sts;
mod timestamp;
mod writer;
mod xml;

pub use arn::{AccountId, Arn, InvalidAccountId, partition};
pub use buffer::wipe;
pub use error_code::ErrorCode;
pub use json::JsonWriter;
pub use leaf::{Integer, List, Map, Pattern, Shape, ShapeInfo, ShapeKind, Write};
pub use node::{Malformed, Node};
pub use path::{Path, lower_first as recorded_name};
pub use reader::{Invalid, Reader};
pub use region::Region;
pub use scalar::{Members, Scalar};
pub use structure::{MemberInfo, Structure, StructureInfo};
pub use timestamp::{DateForm, Timestamp};
pub use writer::Writer;
pub use xml::XmlWriter;
