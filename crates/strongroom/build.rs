//! Has the linker keep one copy of functions that are compiled to the same code, of which generic
//! code has many. It must not know what the program does.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    // The compiler brings a linker that can do this for this target only. A profile with debug
    // information is there to tell functions apart.
    if is("TARGET", "x86_64-unknown-linux-gnu") && is("PROFILE", "release") && is("DEBUG", "false")
    {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
