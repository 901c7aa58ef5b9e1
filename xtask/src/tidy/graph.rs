//! The drawing of the crates in ARCHITECTURE.md, held against what cargo says. It owns the form of
//! the drawing: a fenced block `crate-graph` with lines such as `kms -> service, wire, policy`. It
//! must not know which dependency is right; the drawing says that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Violation;
use crate::{Outcome, process, project};

const DRAWING: &str = "ARCHITECTURE.md";
const FENCE: &str = "```crate-graph";

/// Crates and the siblings that each is built with (for tests only doesn't count).
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The drawing's crates with the line of each, counted from 1.
type Drawing = BTreeMap<String, (usize, BTreeSet<String>)>;

pub(super) fn check(root: &Path) -> Outcome<Vec<Violation>> {
    let mut cargo = project::cargo();
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata = process::output(&mut cargo)?;
    let metadata = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    let text = fs::read_to_string(root.join(DRAWING)).unwrap_or_default();
    Ok(compare(&text, &built(&metadata, root)))
}

fn compare(text: &str, built: &Graph) -> Vec<Violation> {
    let report = |line: usize, what: String| Violation {
        path: DRAWING.to_owned(),
        line,
        rule: "crate-graph",
        what,
    };
    let Some(start) = text.lines().position(|line| line.trim() == FENCE) else {
        return vec![report(1, format!("no block that begins with {FENCE}"))];
    };
    let (drawn, mut found) = drawn(text, start, &report);
    for (name, edges) in built {
        match drawn.get(name) {
            None => found.push(report(start + 1, format!("`{name}` is missing"))),
            Some((line, drawn_edges)) => {
                for edge in edges.difference(drawn_edges) {
                    found.push(report(*line, format!("`{name}` is built with `{edge}` too")));
                }
                for edge in drawn_edges.difference(edges) {
                    found.push(report(*line, format!("`{name}` isn't built with `{edge}`")));
                }
            }
        }
    }
    for (name, (line, _)) in drawn.iter().filter(|(name, _)| !built.contains_key(*name)) {
        found.push(report(*line, format!("there is no crate `{name}`")));
    }
    found
}

fn drawn(
    text: &str,
    start: usize,
    report: &impl Fn(usize, String) -> Violation,
) -> (Drawing, Vec<Violation>) {
    let mut graph = Drawing::new();
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate().skip(start + 1) {
        let (line, number) = (line.trim(), index + 1);
        if line == "```" {
            break;
        }
        if line.is_empty() {
            continue;
        }
        let Some((name, edges)) = line.split_once("->") else {
            found.push(report(number, format!("`{line}` isn't `crate -> crate, crate`")));
            continue;
        };
        let edges = edges.split(',').map(str::trim).filter(|edge| !edge.is_empty());
        let edges = edges.map(str::to_owned).collect();
        if graph.insert(name.trim().to_owned(), (number, edges)).is_some() {
            found.push(report(number, format!("`{}` is drawn twice", name.trim())));
        }
    }
    (graph, found)
}

/// The product's crates and, of the others, those that are built with one of them.
fn built(metadata: &Value, root: &Path) -> Graph {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: BTreeSet<&str> = packages.iter().filter_map(|one| one["name"].as_str()).collect();
    let product = root.join("crates");
    let mut graph = Graph::new();
    for package in packages {
        let Some(name) = package["name"].as_str() else { continue };
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice);
        let edges: BTreeSet<String> = dependencies
            .unwrap_or_default()
            .iter()
            .filter(|one| one["kind"].as_str() != Some("dev") && one["path"].is_string())
            .filter_map(|one| one["name"].as_str())
            .filter(|edge| names.contains(edge))
            .map(str::to_owned)
            .collect();
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        if Path::new(manifest).starts_with(&product) || !edges.is_empty() {
            graph.insert(name.to_owned(), edges);
        }
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn whats(text: &str) -> Vec<String> {
        let package = |name: &str, folder: &str, dependencies: Value| {
            let manifest = format!("/r/{folder}/{name}/Cargo.toml");
            json!({"name": name, "manifest_path": manifest, "dependencies": dependencies})
        };
        let sibling = |name: &str, kind: Value| json!({"name": name, "kind": kind, "path": "/x"});
        let metadata = json!({"packages": [
            package("wire", "crates", json!([{"name": "serde", "kind": null, "path": null}])),
            package("kms", "crates", json!([
                sibling("wire", Value::Null),
                sibling("storage", json!("dev")),
            ])),
            package("storage", "crates", json!([])),
            package("xtask", ".", json!([])),
        ]});
        let found = compare(text, &built(&metadata, Path::new("/r")));
        found.iter().map(|one| format!("{}: {}", one.line, one.what)).collect()
    }

    #[test]
    fn the_right_drawing_is_accepted() {
        let none: [String; 0] = [];
        assert_eq!(whats("# A\n```crate-graph\nkms -> wire\nstorage ->\nwire ->\n```\n"), none);
    }

    #[test]
    fn differences_are_found_both_ways() {
        let text = "```crate-graph\nkms -> storage\nwire ->\nxyz ->\nnonsense\n```\nafter -> x\n";
        let expected = [
            "5: `nonsense` isn't `crate -> crate, crate`",
            "2: `kms` is built with `wire` too",
            "2: `kms` isn't built with `storage`",
            "1: `storage` is missing",
            "4: there is no crate `xyz`",
        ];
        assert_eq!(whats(text), expected);
    }

    #[test]
    fn a_missing_drawing_is_found() {
        assert_eq!(whats("# Architecture\n"), ["1: no block that begins with ```crate-graph"]);
    }
}
