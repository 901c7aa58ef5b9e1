//! Any body through the JSON reader: it ends, words its refusal within bounds, and what it accepts
//! reads the same again after it was written.
#![no_main]

use fuzz::Sample;
use libfuzzer_sys::fuzz_target;
use wire::{Invalid, JsonWriter, Node, Reader, Write};

fuzz_target!(|body: &[u8]| {
    let Ok(node) = Node::from_json(body) else { return };
    match Reader::json().read::<Sample>(&node) {
        Ok(sample) => {
            let once = written(&sample);
            let again = Node::from_json(&once).expect("what was written is JSON");
            let again = Reader::json().read::<Sample>(&again).expect("what was written is valid");
            assert_eq!(*once, *written(&again));
        }
        // An answer that outgrew its request many times over would be an amplifier.
        Err(Invalid::Violations(text)) => assert!(text.len() <= 65_536 + 8 * body.len()),
        Err(Invalid::Malformed(_)) => {}
    }
});

fn written(sample: &Sample) -> impl std::ops::Deref<Target = Vec<u8>> {
    let mut out = JsonWriter::answer(1024);
    sample.write(&mut out);
    out.finish()
}
