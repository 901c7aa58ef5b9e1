//! The XML encoding of the query protocol's answers (STS, IAM).

use zeroize::Zeroizing;

use crate::buffer::Buffer;
use crate::leaf::{Shape, Write};
use crate::timestamp::Timestamp;
use crate::writer::Writer;

/// Writes the elements of an answer into a buffer that is wiped when it is dropped: answers may
/// hold the secret of an access key.
pub struct XmlWriter {
    out: Buffer,
}

/// Room for most answers, in bytes. More is made when it is needed.
const CAPACITY: usize = 1024;

impl Default for XmlWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl XmlWriter {
    /// An empty writer.
    pub fn new() -> Self {
        Self { out: Buffer::with_capacity(CAPACITY) }
    }

    /// What has been written.
    pub fn finish(self) -> Zeroizing<Vec<u8>> {
        self.out.finish()
    }

    /// Writes what is XML already.
    pub fn raw(&mut self, xml: &[u8]) {
        self.out.put(xml);
    }

    fn plain(&mut self, text: &str) {
        self.out.put(text.as_bytes());
    }

    /// An element with the content that the closure writes.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        for part in ["<", name, ">"] {
            self.plain(part);
        }
        content(self);
        self.end(name);
    }

    /// An element that names its namespace: the outermost one of an answer.
    pub fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        for part in ["<", name, " xmlns=\"", namespace, "\">"] {
            self.plain(part);
        }
        content(self);
        self.end(name);
    }

    fn end(&mut self, name: &str) {
        for part in ["</", name, ">"] {
            self.plain(part);
        }
    }
}

/// What stands for a character that can't stand for itself.
fn escape(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\r' => Some("&#xD;"),
        // XML 1.0 can't hold these in any form.
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
            Some("\u{fffd}")
        }
        _ => None,
    }
}

impl Writer for XmlWriter {
    fn structure(&mut self, members: impl FnOnce(&mut Self)) {
        members(self);
    }

    fn member<T: Shape + Write>(&mut self, name: &'static str, value: &T) {
        self.element(name, |out| value.write(out));
    }

    fn list<T: Write>(&mut self, values: &[T]) {
        for value in values {
            self.element("member", |out| value.write(out));
        }
    }

    fn map<K: AsRef<str>, V: Write>(&mut self, pairs: &[(K, V)]) {
        for (key, value) in pairs {
            self.element("entry", |out| {
                out.element("key", |out| out.text(key.as_ref()));
                out.element("value", |out| value.write(out));
            });
        }
    }

    fn text(&mut self, value: &str) {
        let mut done = 0;
        for (at, c) in value.char_indices() {
            if let Some(escaped) = escape(c) {
                self.plain(&value[done..at]);
                self.plain(escaped);
                done = at + c.len_utf8();
            }
        }
        self.plain(&value[done..]);
    }

    fn blob(&mut self, value: &[u8]) {
        self.out.put_base64(value);
    }

    fn integer(&mut self, value: i64) {
        self.plain(itoa::Buffer::new().format(value));
    }

    fn boolean(&mut self, value: bool) {
        self.plain(if value { "true" } else { "false" });
    }

    fn timestamp(&mut self, value: Timestamp) {
        self.plain(&value.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_lists_have_members() {
        let mut out = XmlWriter::new();
        out.root("A", "urn:x", |out| out.list(&[true, false]));
        out.text("<&>\"\u{1}");
        assert_eq!(
            String::from_utf8(out.finish().to_vec()).unwrap(),
            "<A xmlns=\"urn:x\"><member>true</member><member>false</member></A>\
             &lt;&amp;&gt;&quot;\u{fffd}"
        );
    }

    #[test]
    fn text_is_escaped_wherever_it_needs_it() {
        for (text, xml) in [
            ("", ""),
            ("plain é😀", "plain é😀"),
            ("&é<", "&amp;é&lt;"),
            ("a\tb\nc\rd", "a\tb\nc&#xD;d"),
            ("\0\u{b}\u{1f}\u{fffe}\u{ffff}x", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}x"),
            ("]]>", "]]&gt;"),
        ] {
            let mut out = XmlWriter::new();
            out.text(text);
            assert_eq!(std::str::from_utf8(&out.finish()).unwrap(), xml);
        }
    }
}
