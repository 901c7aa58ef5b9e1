//! The JSON encodings: AWS's JSON 1.1 for answers, CloudTrail's for audit records.

use zeroize::Zeroizing;

use crate::buffer::Buffer;
use crate::leaf::{Shape, Write};
use crate::timestamp::{DateForm, Timestamp};
use crate::writer::Writer;

/// Writes JSON into a buffer that is wiped when it is dropped: answers may hold plaintext.
pub struct JsonWriter {
    out: Buffer,
    dialect: Dialect,
    first: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Names as in the model, times as seconds, blobs as base64.
    Answer,
    /// Names in camel case, times as text; what is a blob or sensitive is left out.
    Record(DateForm),
}

impl JsonWriter {
    /// A writer of answers in JSON 1.1, with room for `capacity` bytes.
    pub fn answer(capacity: usize) -> Self {
        Self::new(Dialect::Answer, Buffer::with_capacity(capacity))
    }

    /// A writer of audit records, which continues `out`. Members whose shape is a blob or
    /// sensitive are left out, so that no caller can put plaintext into a record by mistake.
    pub fn record(out: Zeroizing<Vec<u8>>, dates: DateForm) -> Self {
        Self::new(Dialect::Record(dates), Buffer::continuing(out))
    }

    fn new(dialect: Dialect, out: Buffer) -> Self {
        Self { out, dialect, first: true }
    }

    /// What has been written.
    pub fn finish(self) -> Zeroizing<Vec<u8>> {
        self.out.finish()
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.put(bytes);
    }

    /// Writes the name of a member of the object that is being written: one that needs no escapes.
    pub fn name(&mut self, name: &'static str) {
        debug_assert!(!name.bytes().any(is_escaped), "{name}");
        self.separate();
        self.out.make_room(name.len() + 3);
        self.out.push(b'"');
        self.out.put(name.as_bytes());
        self.out.put(b"\":");
    }

    /// Writes the name of a member of the model as CloudTrail has it: in camel case.
    fn recorded_name(&mut self, name: &'static str) {
        self.separate();
        let Some((first, rest)) = name.as_bytes().split_first() else { return };
        self.out.make_room(name.len() + 3);
        self.out.push(b'"');
        self.out.push(first.to_ascii_lowercase());
        self.out.put(rest);
        self.out.put(b"\":");
    }

    /// Writes what stands between two members.
    fn separate(&mut self) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
    }

    /// Writes text that is JSON already.
    pub fn raw(&mut self, json: &[u8]) {
        self.put(json);
    }

    /// Writes the name of a member of the object that is being written, and its text.
    pub fn text_member(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.text(value);
    }

    /// Writes null.
    pub fn null(&mut self) {
        self.raw(b"null");
    }

    fn plain(&mut self, text: &str) {
        self.put(text.as_bytes());
    }
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

impl Writer for JsonWriter {
    fn structure(&mut self, members: impl FnOnce(&mut Self)) {
        self.put(b"{");
        self.first = true;
        members(self);
        self.first = false;
        self.put(b"}");
    }

    fn member<T: Shape + Write>(&mut self, name: &'static str, value: &T) {
        match self.dialect {
            Dialect::Answer => self.name(name),
            Dialect::Record(_) if !T::INFO.recorded() => return,
            Dialect::Record(_) => self.recorded_name(name),
        }
        value.write(self);
    }

    fn list<T: Write>(&mut self, values: &[T]) {
        self.put(b"[");
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.put(b",");
            }
            value.write(self);
        }
        self.put(b"]");
    }

    fn map<K: AsRef<str>, V: Write>(&mut self, pairs: &[(K, V)]) {
        self.structure(|out| {
            for (key, value) in pairs {
                out.separate();
                out.text(key.as_ref());
                out.out.push(b':');
                value.write(out);
            }
        });
    }

    fn text(&mut self, value: &str) {
        let mut rest = value.as_bytes();
        self.out.make_room(rest.len() + 2);
        self.out.push(b'"');
        // Nearly all text needs no escapes, which is found out many bytes at a time.
        if !rest.iter().fold(false, |found, byte| found | is_escaped(*byte)) {
            self.out.put(rest);
            self.out.push(b'"');
            return;
        }
        while let Some(at) = rest.iter().position(|byte| is_escaped(*byte)) {
            self.put(&rest[..at]);
            match rest[at] {
                b'"' => self.plain("\\\""),
                b'\\' => self.plain("\\\\"),
                b'\n' => self.plain("\\n"),
                b'\r' => self.plain("\\r"),
                b'\t' => self.plain("\\t"),
                control => {
                    const HEX: &[u8; 16] = b"0123456789abcdef";
                    self.plain("\\u00");
                    self.put(&[HEX[usize::from(control >> 4)], HEX[usize::from(control & 15)]]);
                }
            }
            rest = &rest[at + 1..];
        }
        self.put(rest);
        self.put(b"\"");
    }

    fn blob(&mut self, value: &[u8]) {
        self.put(b"\"");
        self.out.put_base64(value);
        self.put(b"\"");
    }

    fn integer(&mut self, value: i64) {
        self.plain(itoa::Buffer::new().format(value));
    }

    fn boolean(&mut self, value: bool) {
        self.plain(if value { "true" } else { "false" });
    }

    fn timestamp(&mut self, value: Timestamp) {
        if let Dialect::Record(form) = self.dialect {
            return self.text(&value.spelled(form));
        }
        let millis = value.millis();
        let (seconds, fraction) = (millis / 1000, (millis % 1000).unsigned_abs());
        if millis < 0 && seconds == 0 {
            self.put(b"-");
        }
        self.integer(seconds);
        if fraction > 0 {
            self.plain(format!(".{fraction:03}").trim_end_matches('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut JsonWriter)) -> String {
        let mut out = JsonWriter::answer(16);
        write(&mut out);
        String::from_utf8(out.finish().to_vec()).unwrap()
    }

    #[test]
    fn timestamps_are_seconds() {
        for (millis, text) in [
            (1_700_000_000_000, "1700000000"),
            (1_700_000_000_120, "1700000000.12"),
            (-1, "-0.001"),
            (-1_500, "-1.5"),
        ] {
            assert_eq!(written(|out| out.timestamp(Timestamp::from_millis(millis))), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_survives(text in ".*", key in ".*") {
            let json = written(|out| out.map(&[(key.clone(), text.clone())]));
            let parsed: std::collections::HashMap<String, String> =
                serde_json::from_str(&json).unwrap();
            prop_assert_eq!(parsed.get(&key), Some(&text));
        }

        #[test]
        fn any_blob_survives(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let json = written(|out| out.blob(&bytes));
            let text: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(STANDARD.decode(text).unwrap(), bytes);
        }
    }
}
