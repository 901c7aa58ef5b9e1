//! The rules for Rust files: module docs, length of functions, macros that mark unfinished work,
//! where `unsafe` may stand, and names. It must not know the other languages.

use super::{Violation, functions, names, split};

const FUNCTION_LINES: usize = 70;

/// Where `unsafe` is needed; the reason is at the head of each of these files.
const UNSAFE_ALLOWED: [&str; 2] = ["crates/crypto/src/ffi.rs", "crates/crypto/src/memory.rs"];

/// Macros that are for the moment of writing only.
const MACROS: [&str; 3] = ["dbg!", "todo!", "unimplemented!"];

pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let code = split::of(text).code;
    let mut found = Vec::new();
    let mut report = |line: usize, rule: &'static str, what: String| {
        found.push(Violation { path: path.to_owned(), line, rule, what });
    };
    if !text.starts_with("//!") {
        report(1, "module-doc", "the file doesn't open with `//!`".to_owned());
    }
    for function in functions::all(&code).iter().filter(|one| one.lines > FUNCTION_LINES) {
        let what = format!("{} lines; a function has at most {FUNCTION_LINES}", function.lines);
        report(function.line, "function-length", what);
    }
    for (index, line) in code.lines().enumerate() {
        for name in MACROS.iter().filter(|name| has_word(line, name)) {
            report(index + 1, "unfinished", format!("{name} is left in the code"));
        }
        if has_word(line, "unsafe") && !UNSAFE_ALLOWED.contains(&path) {
            report(index + 1, "unsafe", "`unsafe` outside the places it is allowed in".to_owned());
        }
    }
    found.extend(names::check_types(path, &code));
    found
}

/// Whether the word stands in the line by itself, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !is_part(line[..at].chars().next_back()) && (word.ends_with('!') || !is_part(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        check(path, text).iter().map(|found| (found.rule, found.line)).collect()
    }

    #[test]
    fn a_file_opens_with_its_docs() {
        assert!(rules("a.rs", "//! What it owns.\nfn a() {}\n").is_empty());
        assert_eq!(rules("a.rs", "// A comment.\n"), [("module-doc", 1)]);
        assert_eq!(rules("a.rs", ""), [("module-doc", 1)]);
    }

    #[test]
    fn functions_end_at_70_lines() {
        let of_lines = |count: usize| format!("//!\nfn a() {{\n{}}}\n", "x();\n".repeat(count - 2));
        assert!(rules("a.rs", &of_lines(70)).is_empty());
        assert_eq!(rules("a.rs", &of_lines(71)), [("function-length", 2)]);
    }

    #[test]
    fn macros_of_the_moment_are_found_in_code_only() {
        assert_eq!(rules("a.rs", "//!\nfn a() { todo!() }\n"), [("unfinished", 2)]);
        assert_eq!(rules("a.rs", "//!\nlet x = dbg!(1);\n"), [("unfinished", 2)]);
        assert!(rules("a.rs", "//! dbg!\nlet x = \"todo!()\"; not_todo!();\n").is_empty());
    }

    #[test]
    fn unsafe_stands_in_its_places_only() {
        let text = "//!\nunsafe { x() }\n";
        assert_eq!(rules("crates/kms/src/a.rs", text), [("unsafe", 2)]);
        assert!(rules(UNSAFE_ALLOWED[0], text).is_empty());
        assert!(rules("a.rs", "//!\n#![deny(unsafe_code)]\n// unsafe\n").is_empty());
    }
}
