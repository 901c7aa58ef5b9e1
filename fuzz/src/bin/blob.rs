//! Any bytes through the parser of ciphertext blobs: what it accepts, it took apart without loss.
//! Whether a blob opens is the cryptography's part; this is the header, which is read before
//! anything is known to be ours.
#![no_main]

use kms::ciphertext::{self, Ciphertext};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(blob) = Ciphertext::parse(bytes) else { return };
    assert_eq!([blob.header, blob.sealed].concat(), bytes);
    // Two headers for one meaning would be two blobs that authenticate differently.
    assert_eq!(ciphertext::header(&blob.account, &blob.key_id, &blob.material), blob.header);
});
