//! Every direct dependency has its reason beside it: a comment above its line, or above the group
//! (lines without a blank one between them) that it stands in. Reads the lines of a Cargo.toml, and
//! must not know TOML beyond that, because a parser would drop the comments.

use super::Violation;

pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut in_dependencies = false;
    let mut explained = false;
    // Brackets that earlier lines opened: a value's later lines declare nothing.
    let mut depth = 0_i32;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if depth == 0 && trimmed.starts_with('[') {
            in_dependencies = is_dependency_table(trimmed);
            // `[dependencies.x]` is a dependency by itself; the comment above it explains it.
            explained = in_dependencies && explained && !trimmed.ends_with("dependencies]");
            continue;
        }
        if trimmed.is_empty() {
            explained = false;
        } else if trimmed.starts_with('#') {
            explained = true;
        } else if in_dependencies {
            if depth == 0 && !explained && !is_inherited(trimmed) {
                let name = trimmed.split(['=', '.', ' ']).next().unwrap_or_default();
                let what = format!("no reason is given for the dependency `{name}`");
                let (path, line) = (path.to_owned(), index + 1);
                found.push(Violation { path, line, rule: "dependency-reason", what });
            }
            depth += brackets(trimmed);
        }
    }
    found
}

/// Whether a table's header names dependencies: normal, dev, build, workspace or target ones.
fn is_dependency_table(header: &str) -> bool {
    header.trim_matches(['[', ']']).split('.').any(|word| word.trim().ends_with("dependencies"))
}

/// Whether the reason stands in the workspace's manifest.
fn is_inherited(line: &str) -> bool {
    let packed: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    packed.contains(".workspace=true")
        || packed.contains("{workspace=true")
        || packed.contains(",workspace=true")
}

/// Opened minus closed brackets. Features and versions hold none.
fn brackets(line: &str) -> i32 {
    let sum = line.chars().map(|c| match c {
        '[' | '{' => 1,
        ']' | '}' => -1,
        _ => 0,
    });
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check("Cargo.toml", text).iter().map(|found| found.line).collect()
    }

    #[test]
    fn a_comment_explains_the_lines_below_it() {
        assert!(lines("[dependencies]\n# Parses.\nserde = \"1\"\nserde_json = \"1\"\n").is_empty());
        assert_eq!(lines("[dependencies]\n# Parses.\n\nserde = \"1\"\n"), [4]);
        assert_eq!(lines("[workspace.dependencies]\nserde = \"1\"\n"), [2]);
    }

    #[test]
    fn a_comment_above_the_table_explains_nothing_in_it() {
        assert_eq!(lines("# All.\n[dev-dependencies]\nserde = \"1\"\n"), [3]);
    }

    #[test]
    fn inherited_dependencies_have_their_reason_elsewhere() {
        let text = "[dependencies]\na.workspace = true\nb = { workspace = true, features = [] }\n";
        assert!(lines(text).is_empty());
    }

    #[test]
    fn values_over_several_lines_are_one_dependency() {
        assert!(lines("[dependencies]\n# Why.\na = { features = [\n  \"b\",\n] }\n").is_empty());
        assert_eq!(lines("[dependencies]\na = { features = [\n  \"b\",\n] }\n"), [2]);
    }

    #[test]
    fn other_tables_need_no_reasons() {
        assert!(lines("[package]\nname = \"x\"\n[features]\nfips = []\n").is_empty());
    }
}
