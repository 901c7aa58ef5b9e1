//! Any request through the parser of signatures and the canonical form: it ends, and refuses with a
//! short message. How bytes become a request is written at `sigv4::parse_and_canonicalize`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match sigv4::parse_and_canonicalize(input) {
        // Read as text, a byte that is none becomes the three of U+FFFD; the canonical form encodes
        // each of those in three at most, and adds names and a hash.
        Ok(canonical) => assert!(canonical.len() <= 4096 + 10 * input.len()),
        // A refusal may quote the request, but an answer must not outgrow it.
        Err(refusal) => assert!(refusal.message().len() <= 4096 + 4 * input.len()),
    }
});
