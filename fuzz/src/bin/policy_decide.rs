//! Policies and a request, drawn from the input, to both evaluators: neither panics, and they
//! decide alike, so that nothing is allowed that the naive one refuses.
#![no_main]

#[path = "../../../crates/policy/tests/decisions/case.rs"]
mod case;
#[path = "../../../crates/policy/tests/decisions/draw.rs"]
mod draw;
#[path = "../../../crates/policy/tests/decisions/naive/mod.rs"]
mod naive;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let case = draw::case(input);
    assert_eq!(case.decided(), naive::decides(&case), "{case:#?}");
});
