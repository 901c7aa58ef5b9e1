//! The rules that hold for text in any language: length of files and lines, and marks of unfinished
//! work. It must not know any language's grammar beyond where Rust's comments are.

use super::Violation;
use super::split;

const FILE_LINES: usize = 600;
const CODE_COLUMNS: usize = 100;
const PROSE_COLUMNS: usize = 160;

/// The languages that have rules; a file in any other (data, locks, pictures) has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Python,
    JavaScript,
    Shell,
    Toml,
    Markdown,
}

impl Language {
    /// Tells the language by the file's name, or by its first line where the name has no ending.
    pub(super) fn of(path: &str, bytes: &[u8]) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => match ending {
                "rs" => Some(Self::Rust),
                "py" => Some(Self::Python),
                "js" | "mjs" | "cjs" => Some(Self::JavaScript),
                "sh" | "bash" => Some(Self::Shell),
                "toml" => Some(Self::Toml),
                "md" => Some(Self::Markdown),
                _ => None,
            },
            _ => Self::of_first_line(bytes),
        }
    }

    fn of_first_line(bytes: &[u8]) -> Option<Self> {
        let line = bytes.split(|&byte| byte == b'\n').next()?;
        let interpreter = std::str::from_utf8(line).ok()?.strip_prefix("#!")?;
        if interpreter.contains("python") {
            Some(Self::Python)
        } else if interpreter.contains("node") {
            Some(Self::JavaScript)
        } else {
            interpreter.ends_with("sh").then_some(Self::Shell)
        }
    }

    fn columns(self) -> usize {
        if self == Self::Markdown { PROSE_COLUMNS } else { CODE_COLUMNS }
    }
}

pub(super) fn check(path: &str, language: Language, text: &str) -> Vec<Violation> {
    let mut found = lengths(path, language, text);
    match language {
        Language::Rust => found.extend(open_ends(path, &split::of(text).comments)),
        // Prose may speak about the marks.
        Language::Markdown => {}
        _ => found.extend(open_ends(path, text)),
    }
    found
}

fn lengths(path: &str, language: Language, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let count = text.lines().count();
    if count > FILE_LINES && language != Language::Markdown && language != Language::Toml {
        let what = format!("{count} lines; a file has at most {FILE_LINES}");
        found.push(Violation { path: path.to_owned(), line: 1, rule: "file-length", what });
    }
    for (index, line) in text.lines().enumerate() {
        let columns = line.chars().count();
        // A URL can't be broken.
        if columns > language.columns() && !line.contains("://") {
            let what = format!("{columns} columns; a line has at most {}", language.columns());
            let line = index + 1;
            found.push(Violation { path: path.to_owned(), line, rule: "line-length", what });
        }
    }
    found
}

/// Marks of unfinished work that name no issue. Spelled in two halves, or this file would be found.
fn open_ends(path: &str, text: &str) -> Vec<Violation> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for mark in marks {
            let Some((_, rest)) = line.split_once(mark) else { continue };
            if !names_issue(rest) {
                let what = format!("{mark} without an issue's number: write {mark}(#n)");
                let line = index + 1;
                found.push(Violation { path: path.to_owned(), line, rule: "open-end", what });
            }
        }
    }
    found
}

/// Whether the text begins with `(#` digits `)`.
fn names_issue(text: &str) -> bool {
    let inside = text.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
    inside.is_some_and(|(number, _)| number.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(language: Language, text: &str) -> Vec<(&'static str, usize)> {
        check("x", language, text).iter().map(|found| (found.rule, found.line)).collect()
    }

    #[test]
    fn language_by_ending_and_by_first_line() {
        assert_eq!(Language::of("a/b.rs", b""), Some(Language::Rust));
        assert_eq!(Language::of(".ci/run", b"#!/usr/bin/env bash\n"), Some(Language::Shell));
        assert_eq!(Language::of("tool", b"#!/usr/bin/python3\n"), Some(Language::Python));
        assert_eq!(Language::of("Cargo.lock", b"# x"), None);
        assert_eq!(Language::of(".gitignore", b"#!no"), None);
        assert_eq!(Language::of("LICENSE", b"\xff\xfe"), None);
    }

    #[test]
    fn files_end_at_600_lines() {
        assert!(rules(Language::Python, &"x\n".repeat(600)).is_empty());
        assert_eq!(rules(Language::Python, &"x\n".repeat(601)), [("file-length", 1)]);
        assert!(rules(Language::Markdown, &"x\n".repeat(601)).is_empty());
    }

    #[test]
    fn lines_end_at_100_columns_and_prose_at_160() {
        let line = "é".repeat(101);
        assert_eq!(rules(Language::Shell, &format!("ok\n{line}\n")), [("line-length", 2)]);
        assert!(rules(Language::Shell, &"é".repeat(100)).is_empty());
        assert!(rules(Language::Markdown, &line).is_empty());
        assert_eq!(rules(Language::Markdown, &"x".repeat(161)), [("line-length", 1)]);
        assert!(rules(Language::Shell, &format!("# https://x/{line}")).is_empty());
    }

    #[test]
    fn marks_of_unfinished_work_need_an_issue() {
        let mark = concat!("TO", "DO");
        assert_eq!(rules(Language::Python, &format!("# {mark}: later")), [("open-end", 1)]);
        assert!(rules(Language::Python, &format!("# {mark}(#12): later")).is_empty());
        assert_eq!(rules(Language::Python, &format!("# {mark}(#x): later")), [("open-end", 1)]);
        assert_eq!(rules(Language::Rust, &format!("// {mark} later")), [("open-end", 1)]);
        assert!(rules(Language::Rust, &format!("let a = \"{mark}\";")).is_empty());
        assert!(rules(Language::Markdown, &format!("No {mark} here.")).is_empty());
    }
}
