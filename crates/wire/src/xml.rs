//! The XML encoding of the query protocol's answers (STS, IAM).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::leaf::{Shape, Write};
use crate::timestamp::Timestamp;
use crate::writer::Writer;

/// Writes the elements of an answer; the envelope around them is the caller's.
#[derive(Default)]
pub struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been written.
    pub fn finish(self) -> String {
        self.out
    }

    /// An element with the content that the closure writes.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.out.extend(["<", name, ">"]);
        content(self);
        self.out.extend(["</", name, ">"]);
    }

    /// An element that names its namespace: the outermost one of an answer.
    pub fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        self.out.extend(["<", name, " xmlns=\"", namespace, "\">"]);
        content(self);
        self.out.extend(["</", name, ">"]);
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

    fn map(&mut self, pairs: &[(String, String)]) {
        for (key, value) in pairs {
            self.element("entry", |out| {
                out.element("key", |out| out.text(key));
                out.element("value", |out| out.text(value));
            });
        }
    }

    fn text(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\r' => self.out.push_str("&#xD;"),
                // XML 1.0 can't hold these in any form.
                '\0'..='\u{8}'
                | '\u{b}'
                | '\u{c}'
                | '\u{e}'..='\u{1f}'
                | '\u{fffe}'
                | '\u{ffff}' => {
                    self.out.push('\u{fffd}');
                }
                c => self.out.push(c),
            }
        }
    }

    fn blob(&mut self, value: &[u8]) {
        STANDARD.encode_string(value, &mut self.out);
    }

    fn integer(&mut self, value: i64) {
        self.out.push_str(itoa::Buffer::new().format(value));
    }

    fn boolean(&mut self, value: bool) {
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn timestamp(&mut self, value: Timestamp) {
        self.out.push_str(&value.to_string());
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
            out.finish(),
            "<A xmlns=\"urn:x\"><member>true</member><member>false</member></A>\
             &lt;&amp;&gt;&quot;\u{fffd}"
        );
    }
}
