//! Wildcards: `*` for any run of characters, `?` for one. Owns how a pattern is taken apart when a
//! document is compiled, and how a text is held against it. Must not know what a text stands for.

use crate::document::Malformed;

/// How many characters may stand between two stars where `?` is among them. One machine word holds
/// the search's state, which keeps it linear in the text.
const HOLES_MAX: usize = 64;

/// One unit of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit<'a> {
    /// These characters, and no others.
    Text(&'a str),
    /// `?`.
    One,
    /// `*`.
    Many,
}

/// Whether the case of letters counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// It counts.
    Counts,
    /// That of ASCII letters doesn't: names of actions.
    Ignored,
}

/// A compiled pattern.
///
/// Matching takes time linear in the text for each piece between stars, whatever the pattern: the
/// first piece is held against the text's beginning, the last against its end, and each in between
/// is searched from where the one before it ended, the leftmost place being as good as any other.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    /// What stands between the stars: one more than there are stars.
    pieces: Box<[Piece]>,
    case: Case,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(Box<str>),
    Holes(Holes),
}

/// Characters of which some may be any.
#[derive(Debug, Clone)]
struct Holes {
    /// A character, or none for `?`.
    units: Box<[Option<char>]>,
    /// For each character of the piece at which places it may stand, sorted by character; for a
    /// piece between two stars.
    places: Box<[(char, u64)]>,
    /// The places of `?`.
    anywhere: u64,
}

impl Glob {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`Malformed`] for more than [`HOLES_MAX`] characters between two stars of which one is `?`.
    pub(crate) fn compile<'a>(
        units: impl Iterator<Item = Unit<'a>>,
        case: Case,
    ) -> Result<Self, Malformed> {
        let mut pieces = Vec::new();
        let mut current: Vec<Unit<'a>> = Vec::new();
        for unit in units {
            if unit == Unit::Many {
                pieces.push(Piece::new(&current, case));
                current.clear();
            } else {
                current.push(unit);
            }
        }
        pieces.push(Piece::new(&current, case));
        if let [_, between @ .., _] = &mut pieces[..] {
            for piece in between {
                piece.prepare_search()?;
            }
        }
        Ok(Self { pieces: pieces.into(), case })
    }

    /// Whether the whole text fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (first, between, last) = match &*self.pieces {
            [] => return false,
            [only] => return only.at_start(text, self.case).is_some_and(str::is_empty),
            [first, between @ .., last] => (first, between, last),
        };
        let Some(mut rest) = first.at_start(text, self.case) else { return false };
        for piece in between {
            match piece.find(rest, self.case) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        last.at_end(rest, self.case)
    }
}

impl Case {
    fn of(self, c: char) -> char {
        if self == Self::Ignored { c.to_ascii_lowercase() } else { c }
    }
}

impl Piece {
    fn new(units: &[Unit<'_>], case: Case) -> Self {
        if units.contains(&Unit::One) {
            let units = units
                .iter()
                .flat_map(|unit| match unit {
                    Unit::Text(text) => text.chars().map(|c| Some(case.of(c))).collect(),
                    Unit::One | Unit::Many => vec![None],
                })
                .collect();
            return Self::Holes(Holes { units, places: Box::default(), anywhere: 0 });
        }
        let text = units.iter().flat_map(|unit| match unit {
            Unit::Text(text) => text.chars(),
            Unit::One | Unit::Many => "".chars(),
        });
        Self::Text(text.map(|c| case.of(c)).collect::<String>().into())
    }

    fn prepare_search(&mut self) -> Result<(), Malformed> {
        let Self::Holes(holes) = self else { return Ok(()) };
        if holes.units.len() > HOLES_MAX {
            return Err(Malformed(format!(
                "A pattern with ? can have at most {HOLES_MAX} characters between two *."
            )));
        }
        let mut places: Vec<(char, u64)> = Vec::new();
        for (place, unit) in holes.units.iter().enumerate() {
            let bit = 1 << place;
            match unit {
                None => holes.anywhere |= bit,
                Some(c) => match places.binary_search_by_key(c, |(known, _)| *known) {
                    Ok(index) => places[index].1 |= bit,
                    Err(index) => places.insert(index, (*c, bit)),
                },
            }
        }
        holes.places = places.into();
        Ok(())
    }

    /// What follows the piece where the text begins with it.
    fn at_start<'t>(&self, text: &'t str, case: Case) -> Option<&'t str> {
        match self {
            Self::Text(piece) if case == Case::Counts => text.strip_prefix(&**piece),
            Self::Text(piece) => {
                let (start, rest) = text.split_at_checked(piece.len())?;
                start.eq_ignore_ascii_case(piece).then_some(rest)
            }
            Self::Holes(holes) => {
                let mut chars = text.chars();
                holes.fits(&mut chars, case).then_some(chars.as_str())
            }
        }
    }

    /// Whether the text ends with the piece.
    fn at_end(&self, text: &str, case: Case) -> bool {
        match self {
            Self::Text(piece) if case == Case::Counts => text.ends_with(&**piece),
            Self::Text(piece) => text
                .len()
                .checked_sub(piece.len())
                .and_then(|at| text.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(piece)),
            Self::Holes(holes) => {
                let start = text.char_indices().rev().nth(holes.units.len() - 1);
                start.is_some_and(|(at, _)| holes.fits(&mut text[at..].chars(), case))
            }
        }
    }

    /// What follows the leftmost place at which the piece stands.
    fn find<'t>(&self, text: &'t str, case: Case) -> Option<&'t str> {
        match self {
            Self::Text(piece) if case == Case::Counts => {
                text.find(&**piece).map(|at| &text[at + piece.len()..])
            }
            // Only names of actions ignore case, and those are short.
            Self::Text(_) => text
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .find_map(|at| self.at_start(&text[at..], case)),
            Self::Holes(holes) => holes.find(text, case),
        }
    }
}

impl Holes {
    fn fits(&self, chars: &mut std::str::Chars<'_>, case: Case) -> bool {
        self.units.iter().all(|unit| {
            chars.next().is_some_and(|c| {
                let c = case.of(c);
                unit.is_none_or(|wanted| wanted == c)
            })
        })
    }

    /// Shift-And (Baeza-Yates and Gonnet, 1992): bit n says that the last n + 1 characters fit the
    /// first n + 1 of the piece.
    fn find<'t>(&self, text: &'t str, case: Case) -> Option<&'t str> {
        let all = 1 << (self.units.len() - 1);
        let mut state: u64 = 0;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let c = case.of(c);
            let here = match self.places.binary_search_by_key(&c, |(known, _)| *known) {
                Ok(index) => self.places[index].1 | self.anywhere,
                Err(_) => self.anywhere,
            };
            state = ((state << 1) | 1) & here;
            if state & all != 0 {
                return Some(chars.as_str());
            }
        }
        None
    }
}

/// Takes a text apart in which `*` and `?` are wildcards.
pub(crate) fn units(text: &str) -> impl Iterator<Item = Unit<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (unit, length) = match rest.as_bytes().first()? {
            b'*' => (Unit::Many, 1),
            b'?' => (Unit::One, 1),
            _ => {
                let length = rest.find(['*', '?']).unwrap_or(rest.len());
                (Unit::Text(&rest[..length]), length)
            }
        };
        rest = &rest[length..];
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str, fold: bool) -> bool {
        let case = if fold { Case::Ignored } else { Case::Counts };
        Glob::compile(units(pattern), case).unwrap().matches(text)
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("?", "a", true),
            ("?", "ä", true),
            ("?", "ab", false),
            ("kms:*", "kms:Encrypt", true),
            ("kms:*Key", "kms:DescribeKey", true),
            ("kms:*Key", "kms:ListKeys", false),
            ("k?s:*", "kms:x", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab*", "ab-ab", true),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aba", false),
            ("*a?c*", "xabxabcx", true),
            ("*a?c*", "xabxabdx", false),
            ("*?*?*", "ab", true),
            ("*?*?*", "a", false),
            ("*x?", "xxä", true),
            ("**", "anything", true),
            ("kms:encrypt", "kms:Encrypt", false),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn case_is_ignored_where_it_is_asked_for() {
        for (pattern, text, expected) in [
            ("KMS:enc*", "kms:Encrypt", true),
            ("kms:*DATA*key", "kms:GenerateDataKey", true),
            ("kms:*?ATA*KEY*", "kms:GenerateDataKeyPair", true),
            ("kms:*d?t*y", "kms:GenerateDataKey", true),
            ("kms:É", "kms:é", false),
            ("kms:ab", "kms:aä", false),
        ] {
            assert_eq!(matches(pattern, text, true), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn hostile_patterns_end() {
        let text = "a".repeat(10_000);
        assert!(!matches(&format!("{}b", "*a".repeat(1000)), &text, false));
        assert!(!matches(&format!("{}b", "*a?".repeat(1000)), &text, false));
        assert!(!matches(&format!("*{}b*", "a".repeat(5000)), &text, false));
        assert!(!matches(&format!("*{}?b*", "a".repeat(HOLES_MAX - 2)), &text, false));
        assert!(
            Glob::compile(units(&format!("*{}?*", "a".repeat(HOLES_MAX))), Case::Counts).is_err()
        );
        assert!(matches(&format!("{}?*", "a".repeat(1000)), &text, false));
    }

    /// The definition, exponential and obviously right.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            (['?', rest @ ..], [_, tail @ ..]) => naive(rest, tail),
            ([c, rest @ ..], [d, tail @ ..]) if c == d => naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn a_compiled_pattern_is_the_pattern(pattern in "[abä*?]{0,9}", text in "[abä]{0,12}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&chars(&pattern), &chars(&text));
            prop_assert_eq!(matches(&pattern, &text, false), expected);
            let upper = pattern.to_uppercase().replace('Ä', "ä");
            prop_assert_eq!(matches(&upper, &text, true), expected);
        }
    }
}
