//! Any bytes through the parsers of attestation documents: of the envelope, of the document in it,
//! of its certificates and of its public key. No chain that could hold is found by trying, so none
//! may be verified.
#![no_main]

use attestation::{Roots, parse_everything, verify};
use libfuzzer_sys::fuzz_target;

/// 2027-01-15, at which AWS's root is valid.
const NOW: i64 = 1_800_000_000;

fuzz_target!(|bytes: &[u8]| {
    let parsed = parse_everything(bytes);
    let refusal = verify(bytes, &Roots::aws(), NOW).expect_err("nothing is signed here");
    // What one of the two can't take apart, the other one can't either.
    if parsed.is_ok() {
        assert!(!refusal.to_string().contains("not a COSE_Sign1"));
    }
});
