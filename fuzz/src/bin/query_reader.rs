//! Any form-encoded body through the query protocol's reader: it ends, and what it accepts can be
//! written as XML.
#![no_main]

use fuzz::Sample;
use libfuzzer_sys::fuzz_target;
use wire::{Invalid, Node, Reader, Write, XmlWriter};

fuzz_target!(|body: &[u8]| {
    let Ok(node) = Node::from_query(body) else { return };
    match Reader::query().read::<Sample>(&node) {
        Ok(sample) => {
            let mut out = XmlWriter::new();
            sample.write(&mut out);
            assert!(!out.finish().is_empty());
        }
        Err(Invalid::Violations(text)) => assert!(text.len() <= 65_536 + 8 * body.len()),
        Err(Invalid::Malformed(_)) => {}
    }
});
