//! Links between files of this repository resolve, headings included. It must not know the network:
//! a link with a scheme is never followed.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Violation;

pub(super) fn check(root: &Path, path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, target) in targets(text) {
        if let Err(what) = resolve(root, path, text, &target) {
            found.push(Violation { path: path.to_owned(), line, rule: "link", what });
        }
    }
    found
}

/// The local targets of `[text](target)` and `[label]: target`, with their lines.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in prose(text) {
        let line = without_code(line);
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        let label = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        let label = label.and_then(|(_, rest)| rest.split_whitespace().next());
        for target in inline.chain(label) {
            let is_local = !target.contains("://") && !target.starts_with("mailto:");
            if is_local && !target.is_empty() {
                found.push((index + 1, target.trim_matches(['<', '>']).to_owned()));
            }
        }
    }
    found
}

/// The lines outside fenced blocks, counted from 0.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

/// The line without what stands between backquotes.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

fn resolve(root: &Path, path: &str, text: &str, target: &str) -> Result<(), String> {
    let (file, heading) = target.split_once('#').map_or((target, None), |(f, h)| (f, Some(h)));
    if file.is_empty() {
        return has_heading(text, heading.unwrap_or_default(), target);
    }
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let Some(relative) = normal(&folder.join(file)) else {
        return Err(format!("the link `{target}` leads out of the repository"));
    };
    let full = root.join(relative);
    if !full.exists() {
        return Err(format!("the link `{target}` leads to nothing"));
    }
    match heading {
        Some(heading) => {
            let text = fs::read_to_string(full).unwrap_or_default();
            has_heading(&text, heading, target)
        }
        None => Ok(()),
    }
}

/// The path without `.` and `..`; none if it leaves the root.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => result.push(name),
            Component::CurDir => {}
            Component::ParentDir => result.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(result)
}

fn has_heading(text: &str, wanted: &str, target: &str) -> Result<(), String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    let mut anchors = headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim()));
    if anchors.any(|anchor| anchor == wanted) {
        Ok(())
    } else {
        Err(format!("the link `{target}` names no heading"))
    }
}

/// The anchor that GitHub gives a heading: lower case, hyphens for spaces, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the rule on a page in this repository's own `xtask` folder.
    fn whats(text: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        check(&root, "xtask/page.md", text).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn links_to_files_resolve_from_the_page() {
        let none: [String; 0] = [];
        assert_eq!(whats("[a](Cargo.toml) [b](../LICENSE) [c](src/)\n[d]: src/main.rs\n"), none);
        assert_eq!(whats("[a](missing.md)"), ["the link `missing.md` leads to nothing"]);
        assert_eq!(whats("[x]: ../gone.md\n"), ["the link `../gone.md` leads to nothing"]);
        let outside = ["the link `../../x` leads out of the repository"];
        assert_eq!(whats("[a](../../x)"), outside);
    }

    #[test]
    fn anchors_name_a_heading() {
        let none: [String; 0] = [];
        assert_eq!(whats("# The `life` of a request\n[a](#the-life-of-a-request)\n"), none);
        assert_eq!(whats("# One\n[a](#two)\n"), ["the link `#two` names no heading"]);
    }

    #[test]
    fn code_and_addresses_are_left_alone() {
        let none: [String; 0] = [];
        assert_eq!(whats("```\n[a](nothing)\n```\n`[b](nothing)` [c](https://x/y)\n"), none);
    }
}
