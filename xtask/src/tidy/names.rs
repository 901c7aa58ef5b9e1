//! The words that say nothing about what a file, module or type is for. It owns the list; it must
//! not know why a name was chosen, so that a name of AWS's is an entry in the exceptions.

use super::Violation;

const EMPTY_WORDS: [&str; 11] = [
    "util",
    "utils",
    "utility",
    "utilities",
    "common",
    "commons",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
];

/// Words after which a name is declared, in Rust, Python and JavaScript.
const DECLARATIONS: [&str; 7] = ["mod", "struct", "enum", "trait", "type", "union", "class"];

/// The file's name and the names of its folders.
pub(super) fn check_path(path: &str) -> Option<Violation> {
    let word = path.split('/').find_map(empty_word)?;
    let what = format!("a path with the word `{word}`");
    Some(Violation { path: path.to_owned(), line: 1, rule: "name", what })
}

/// The modules and types that a text without comments declares.
pub(super) fn check_types(path: &str, code: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let tokens = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let tokens: Vec<&str> = tokens.filter(|token| !token.is_empty()).collect();
        let declared = tokens.windows(2).filter(|pair| DECLARATIONS.contains(&pair[0]));
        for name in declared.map(|pair| pair[1]) {
            let Some(word) = empty_word(name) else { continue };
            let what = format!("`{name}` has the word `{word}`");
            found.push(Violation { path: path.to_owned(), line: index + 1, rule: "name", what });
        }
    }
    found
}

/// The first word of a name, in any case convention, that is on the list.
fn empty_word(name: &str) -> Option<&'static str> {
    let mut word = String::new();
    // The final separator ends the last word.
    for character in name.chars().chain(['.']) {
        if character.is_uppercase() || !character.is_alphanumeric() {
            if let Some(found) = EMPTY_WORDS.into_iter().find(|&empty| empty == word) {
                return Some(found);
            }
            word.clear();
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_into_words() {
        assert!(check_path("crates/wire/src/utils.rs").is_some());
        assert!(check_path("crates/common/src/lib.rs").is_some());
        assert!(check_path("tests/test_helper.py").is_some());
        assert_eq!(check_path("crates/wire/src/utilization.rs"), None);
        assert_eq!(check_path("docs/uncommon.md"), None);
    }

    #[test]
    fn declared_names_are_split_into_words() {
        let lines = |code: &str| -> Vec<usize> {
            check_types("a.rs", code).iter().map(|found| found.line).collect()
        };
        assert_eq!(lines("pub struct KeyManager {\nmod helpers;\nenum A {}"), [1, 2]);
        assert!(lines("use hyper_util::rt;\nlet manager = 1;\nstruct Utilization;").is_empty());
        assert_eq!(lines("class StoreHelper:"), [1]);
    }
}
