//! What an operation tells its audit record beside its input and its answer.
//!
//! Owns how such members are gathered while the operation runs. Must not know which members there
//! are; secrets must never be given to it, for it leaves nothing out.

use std::mem;

use parking_lot::Mutex;
use wire::{DateForm, JsonWriter, Writer as _};
use zeroize::Zeroizing;

/// Members of the record of one request, gathered while it is served.
#[derive(Default)]
pub struct Notes(Mutex<Noted>);

/// What was gathered: members of JSON objects, parted by commas.
#[derive(Default)]
pub(crate) struct Noted {
    pub(crate) answer: Vec<u8>,
    pub(crate) additional: Vec<u8>,
}

impl Notes {
    /// A member of `responseElements` that isn't one of the answer.
    pub fn answer(&self, name: &str, value: &str) {
        append(&mut self.0.lock().answer, name, |json| json.text(value));
    }

    /// A member of `additionalEventData`.
    pub fn additional(&self, name: &str, value: &str) {
        append(&mut self.0.lock().additional, name, |json| json.text(value));
    }

    /// A member of `additionalEventData` that has members itself.
    pub fn additional_object(&self, name: &str, members: &[(String, String)]) {
        append(&mut self.0.lock().additional, name, |json| {
            json.map(members);
        });
    }

    pub(crate) fn clear(&self) {
        let mut noted = self.0.lock();
        noted.answer.clear();
        noted.additional.clear();
    }

    pub(crate) fn take(&self) -> Noted {
        mem::take(&mut *self.0.lock())
    }
}

fn append(members: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut JsonWriter)) {
    if !members.is_empty() {
        members.push(b',');
    }
    let mut json = JsonWriter::record(Zeroizing::new(mem::take(members)), DateForm::Iso8601);
    json.text(name);
    json.raw(b":");
    write(&mut json);
    *members = mem::take(&mut *json.finish());
}

/// The object of these members; `None` where there are none.
pub(crate) fn object(members: &[u8]) -> Option<Vec<u8>> {
    (!members.is_empty()).then(|| [b"{", members, b"}"].concat())
}

/// The object `json` with these members behind its own.
pub(crate) fn extend(json: &mut Vec<u8>, members: &[u8]) {
    if members.is_empty() || json.pop() != Some(b'}') {
        return;
    }
    if json.last() != Some(&b'{') {
        json.push(b',');
    }
    json.extend_from_slice(members);
    json.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_gathered_in_their_order_and_escaped() {
        let notes = Notes::default();
        notes.additional("a", "\"1\"");
        notes.additional_object("b", &[("c".to_owned(), "2".to_owned())]);
        notes.answer("keyId", "arn");
        let told = notes.take();
        assert_eq!(object(&told.additional).unwrap(), br#"{"a":"\"1\"","b":{"c":"2"}}"#);
        let mut answer = b"{}".to_vec();
        extend(&mut answer, &told.answer);
        assert_eq!(answer, br#"{"keyId":"arn"}"#);
        extend(&mut answer, br#""more":1"#);
        assert_eq!(answer, br#"{"keyId":"arn","more":1}"#);
        assert_eq!(object(&notes.take().additional), None);
    }

    #[test]
    fn what_a_further_attempt_starts_with_is_empty() {
        let notes = Notes::default();
        notes.additional("a", "1");
        notes.answer("b", "2");
        notes.clear();
        let told = notes.take();
        assert!(told.answer.is_empty() && told.additional.is_empty());
    }
}
