//! Tells Rust's code, comments and literals apart, keeping every line where it is, so that a rule
//! about code isn't misled by a word in a string. It must not know any rule.

/// A source text twice, with the same lines: what isn't the part's own is blank.
pub(super) struct Parts {
    pub(super) code: String,
    pub(super) comments: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

pub(super) fn of(text: &str) -> Parts {
    let characters: Vec<char> = text.chars().collect();
    let mut parts = Parts { code: String::new(), comments: String::new() };
    let mut at = 0;
    while at < characters.len() {
        let (kind, end) = segment(&characters, at);
        let end = end.clamp(at + 1, characters.len());
        for &character in &characters[at..end] {
            let blank = if character == '\n' { '\n' } else { ' ' };
            parts.code.push(if kind == Kind::Code { character } else { blank });
            parts.comments.push(if kind == Kind::Comment { character } else { blank });
        }
        at = end;
    }
    parts
}

/// The kind of what begins at `at`, and where it ends (possibly past the end, if unterminated).
fn segment(text: &[char], at: usize) -> (Kind, usize) {
    match (text[at], text.get(at + 1)) {
        ('/', Some('/')) => (Kind::Comment, line_end(text, at)),
        ('/', Some('*')) => (Kind::Comment, block_comment_end(text, at)),
        ('"', _) => (Kind::Literal, string_end(text, at + 1)),
        ('r', _) if begins_word(text, at) => {
            raw_string_end(text, at).map_or((Kind::Code, at + 1), |end| (Kind::Literal, end))
        }
        ('\'', Some('\\')) => (Kind::Literal, escaped_character_end(text, at + 2)),
        // `'a'` is a character, `'a` a lifetime.
        ('\'', Some(_)) if text.get(at + 2) == Some(&'\'') => (Kind::Literal, at + 3),
        _ => (Kind::Code, at + 1),
    }
}

fn line_end(text: &[char], at: usize) -> usize {
    text[at..].iter().position(|&c| c == '\n').map_or(text.len(), |length| at + length)
}

fn block_comment_end(text: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here < text.len() {
        match (text[here], text.get(here + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                here += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                here += 2;
                if depth == 0 {
                    return here;
                }
            }
            _ => here += 1,
        }
    }
    here
}

fn string_end(text: &[char], mut at: usize) -> usize {
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `at` is the character after the backslash, which may itself be the quote.
fn escaped_character_end(text: &[char], at: usize) -> usize {
    let rest = text.get(at + 1..).unwrap_or_default();
    rest.iter().position(|&c| c == '\'').map_or(text.len(), |length| at + length + 2)
}

/// Whether `r` at this place can begin a raw string: alone, or after the `b` or `c` prefix.
fn begins_word(text: &[char], at: usize) -> bool {
    let word = |index: usize| text[index].is_alphanumeric() || text[index] == '_';
    match at {
        0 => true,
        1 => !word(0) || matches!(text[0], 'b' | 'c'),
        _ => !word(at - 1) || (matches!(text[at - 1], 'b' | 'c') && !word(at - 2)),
    }
}

/// The end of a raw string whose `r` stands at `at`; none if it's another word, or `r#name`.
fn raw_string_end(text: &[char], at: usize) -> Option<usize> {
    let hashes = text[at + 1..].iter().take_while(|&&c| c == '#').count();
    let open = at + 1 + hashes;
    if text.get(open) != Some(&'"') {
        return None;
    }
    let closes = |&here: &usize| {
        let after = text[here + 1..].iter().take(hashes);
        text[here] == '"' && after.filter(|&&c| c == '#').count() == hashes
    };
    Some((open + 1..text.len()).find(closes).map_or(text.len(), |close| close + 1 + hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        of(text).code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        assert_eq!(code("a // b\nc"), "a c");
        assert_eq!(code("a /* b /* c */ d */ e"), "a e");
        assert_eq!(code(r#"f("x \" y"); g"#), "f( ); g");
        assert_eq!(code("b\"x\" y"), "b y");
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        assert_eq!(code("r#\"a \" b\"# c"), "c");
        assert_eq!(code("br##\"a \"# b\"## c"), "b c");
        assert_eq!(code("r#type x"), "r#type x");
        assert_eq!(code("for\"x\" y"), "for y");
    }

    #[test]
    fn characters_are_literals_and_lifetimes_are_code() {
        assert_eq!(code("'{' x"), "x");
        assert_eq!(code(r"'\'' x"), "x");
        assert_eq!(code(r"'\u{7b}' x"), "x");
        assert_eq!(code("&'a str"), "&'a str");
    }

    #[test]
    fn lines_stay_where_they_are() {
        let parts = of("a\n/* b\nc */ d\n\"e\nf\" g");
        assert_eq!(parts.code.lines().count(), 5);
        assert_eq!(parts.comments.lines().nth(1).map(str::trim), Some("/* b"));
        assert_eq!(parts.code.lines().nth(4).map(str::trim), Some("g"));
    }

    #[test]
    fn unterminated_text_ends_with_the_file() {
        for text in ["\"abc", "/* abc", "r#\"abc", "'\\", "'", "r", "\"a\\"] {
            assert_eq!(of(text).code.chars().count(), text.chars().count());
        }
    }
}
