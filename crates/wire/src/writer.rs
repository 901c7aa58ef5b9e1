//! Writing an answer, whatever its encoding.

use crate::leaf::{Shape, Write};
use crate::timestamp::Timestamp;

/// An encoding of answers: [`crate::JsonWriter`], [`crate::XmlWriter`].
///
/// The caller writes a value by exactly one call; members only within [`Writer::structure`].
pub trait Writer: Sized {
    /// A structure, its members written by the closure.
    fn structure(&mut self, members: impl FnOnce(&mut Self));

    /// A member of the structure that is being written.
    fn member<T: Shape + Write>(&mut self, name: &'static str, value: &T);

    /// A list.
    fn list<T: Write>(&mut self, values: &[T]);

    /// A map.
    fn map<K: AsRef<str>, V: Write>(&mut self, pairs: &[(K, V)]);

    /// A string.
    fn text(&mut self, value: &str);

    /// Bytes, as base64.
    fn blob(&mut self, value: &[u8]);

    /// An integer.
    fn integer(&mut self, value: i64);

    /// A boolean.
    fn boolean(&mut self, value: bool);

    /// A point in time.
    fn timestamp(&mut self, value: Timestamp);
}
