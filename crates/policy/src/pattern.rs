//! Wildcards: `*` for any run of characters, `?` for one.

/// Whether `text` matches `pattern`, in time linear in both for one star and never worse than
/// their product: on a mismatch only the last star is tried further.
pub(crate) fn matches(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let same = |p: u8, t: u8| if ignore_case { p.eq_ignore_ascii_case(&t) } else { p == t };
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut resume: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                resume = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || same(c, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match resume {
                Some((star, from)) => {
                    resume = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("kms:*", "kms:Encrypt", true),
            ("kms:*Key", "kms:DescribeKey", true),
            ("kms:*Key", "kms:ListKeys", false),
            ("k?s:*", "kms:x", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("**", "anything", true),
            ("kms:encrypt", "kms:Encrypt", false),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} {text}");
        }
        assert!(matches("KMS:enc*", "kms:Encrypt", true));
    }

    #[test]
    fn hostile_patterns_end() {
        let text = "a".repeat(10_000);
        assert!(!matches(&format!("{}b", "*a".repeat(1000)), &text, false));
    }
}
