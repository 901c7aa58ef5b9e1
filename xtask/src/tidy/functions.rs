//! Finds the functions of a Rust file and their length. It works on code without comments and
//! literals, and must not know anything else of the grammar.

/// A function's first line (counted from 1) and its number of lines, signature to closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) line: usize,
    pub(super) lines: usize,
}

pub(super) fn all(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let begins = at == 0 || !is_word(bytes[at - 1]);
        let named = bytes.get(at + 3).is_some_and(|&byte| is_word(byte));
        if !begins || !named {
            continue;
        }
        let Some(open) = body(bytes, at) else { continue };
        let close = closing(bytes, open);
        let line = lines(&code[..at]);
        found.push(Function { line, lines: lines(&code[at..close]) });
    }
    found
}

/// Where the body's brace stands; none for a function without one, as in a trait.
fn body(bytes: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (index, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(index),
            _ => {}
        }
    }
    None
}

fn closing(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0_i32;
    for (index, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    bytes.len()
}

/// How many lines the text touches.
fn lines(text: &str) -> usize {
    1 + text.matches('\n').count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_runs_from_signature_to_brace() {
        let code = "\npub(crate) fn a(\n    x: [u8; 2],\n) {\n    if x { y }\n}\nfn b() {}\n";
        let expected = [Function { line: 2, lines: 5 }, Function { line: 7, lines: 1 }];
        assert_eq!(all(code), expected);
    }

    #[test]
    fn declarations_and_pointers_are_none() {
        assert!(all("trait T { fn a(&self); }\ntype F = fn (u8);\nlet not_fn = 1;").is_empty());
    }

    #[test]
    fn nested_functions_count_by_themselves() {
        let code = "fn a() {\n    fn b() {\n    }\n}\n";
        let expected = [Function { line: 1, lines: 4 }, Function { line: 2, lines: 2 }];
        assert_eq!(all(code), expected);
    }
}
