//! Any text as a share of a seal: it is refused, or written as it was read.
#![no_main]

use crypto::Share;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(share) = Share::parse(text) else { return };
    let Ok(written) = share.text() else { panic!("what was read can be written") };
    let plain = |text: &str| -> Vec<u8> {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        // Letters that are easily mistaken stand for the digits that they look like.
        letters
            .map(|letter| match letter.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                letter => letter,
            })
            .collect()
    };
    assert_eq!(plain(&written), plain(text));
    assert!(share.number() >= 1 && share.threshold() >= 2);
});
