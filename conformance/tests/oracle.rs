//! The AWS service models as oracle: what the registries report must be what the models say.
//!
//! `model/*.json` are botocore's service models (Apache-2.0) with the prose stripped.

use std::collections::BTreeSet;

use iam::{Iam, Sts};
use kms::Kms;
use serde_json::Value;
use service::{Service, ports};
use wire::{ShapeInfo, ShapeKind, StructureInfo};

fn model(name: &str) -> Value {
    let path = format!("{}/model/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Collects every difference, so that one run shows them all.
struct Comparison<'m> {
    model: &'m Value,
    differences: Vec<String>,
}

impl Comparison<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, at: &str, ours: &T, theirs: &T) {
        if ours != theirs {
            self.differences.push(format!("{at}: ours {ours:?}, the model's {theirs:?}"));
        }
    }

    fn operations<S: Service>(&mut self, missing: &[&str]) {
        let model = self.model["operations"].as_object().unwrap();
        let ours: Vec<&str> = S::registry().iter().map(|o| o.facts().name).collect();
        assert!(missing.is_sorted(), "the list of missing operations is not sorted");
        let all: BTreeSet<&str> = ours.iter().chain(missing).copied().collect();
        assert_eq!(all.len(), ours.len() + missing.len(), "an operation stands twice");
        assert_eq!(all, model.keys().map(String::as_str).collect());
        for operation in S::registry() {
            let facts = operation.facts();
            let theirs = &model[facts.name];
            let errors: BTreeSet<&str> = facts.errors.iter().map(|code| code.as_str()).collect();
            self.same(&format!("{} errors", facts.name), &errors, &declared_errors(theirs));
            match theirs.get("input") {
                Some(input) => self.structure(facts.name, operation.input(), &input["shape"]),
                None => self.same(facts.name, &operation.input().members.len(), &0),
            }
            match theirs.get("output") {
                Some(output) => self.structure(facts.name, operation.output(), &output["shape"]),
                None => self.same(facts.name, &operation.output().members.len(), &0),
            }
            let dry = operation.input().members.iter().any(|member| member.name == "DryRun");
            self.same(&format!("{} dry run", facts.name), &facts.dry_run, &dry);
        }
    }

    fn structure(&mut self, at: &str, ours: &StructureInfo, name: &Value) {
        let name = name.as_str().unwrap();
        let theirs = &self.model["shapes"][name];
        let at = format!("{at}/{name}");
        self.same(&at, &ours.name, &name);
        let required: BTreeSet<&str> = strings(&theirs["required"]).into_iter().collect();
        let members = theirs["members"].as_object().unwrap();
        let ours_names: BTreeSet<&str> = ours.members.iter().map(|member| member.name).collect();
        self.same(&at, &ours_names, &members.keys().map(String::as_str).collect());
        for member in ours.members {
            let Some(theirs) = members.get(member.name) else { continue };
            let at = format!("{at}.{}", member.name);
            self.same(&format!("{at} required"), &member.required, &required.contains(member.name));
            self.shape(&at, member.shape, theirs["shape"].as_str().unwrap());
        }
    }

    fn shape(&mut self, at: &str, ours: &ShapeInfo, name: &str) {
        let theirs = &self.model["shapes"][name];
        let kind = theirs["type"].as_str().unwrap();
        let at = format!("{at}:{name}");
        // Booleans and timestamps have several names in the models and no difference.
        if !matches!(kind, "boolean" | "timestamp") {
            self.same(&at, &ours.name, &name);
        }
        self.same(&format!("{at} sensitive"), &ours.sensitive, &theirs["sensitive"].eq(&true));
        let (min, max) = (theirs["min"].as_u64(), theirs["max"].as_u64());
        match ours.kind {
            ShapeKind::Boolean => self.same(&at, &"boolean", &kind),
            ShapeKind::Timestamp => self.same(&at, &"timestamp", &kind),
            ShapeKind::Enum { values } => {
                self.same(&at, &values.to_vec(), &strings(&theirs["enum"]));
            }
            ShapeKind::Text { min: from, max: to, pattern } => {
                self.same(&at, &"string", &kind);
                self.same(&at, &"no enum", &theirs.get("enum").map_or("no enum", |_| "an enum"));
                self.bounds(&at, (from, to), (min, max));
                self.same(&at, &pattern.map(|p| p.text), &theirs["pattern"].as_str());
            }
            ShapeKind::Blob { min: from, max: to } => {
                self.same(&at, &"blob", &kind);
                self.bounds(&at, (from, to), (min, max));
            }
            ShapeKind::Integer { min: from, max: to } => {
                self.same(&at, &"integer", &kind);
                // One without bounds is as long as 32 bits.
                let (min, max) = (theirs["min"].as_i64(), theirs["max"].as_i64());
                self.same(&at, &i64::from(from), &min.unwrap_or(i32::MIN.into()));
                self.same(&at, &i64::from(to), &max.unwrap_or(i32::MAX.into()));
            }
            ShapeKind::List { member, min: from, max: to } => {
                self.same(&at, &"list", &kind);
                self.bounds(&at, (from, to), (min, max));
                self.shape(&at, member, theirs["member"]["shape"].as_str().unwrap());
            }
            ShapeKind::Map { key, value } => {
                self.same(&at, &"map", &kind);
                self.shape(&at, key, theirs["key"]["shape"].as_str().unwrap());
                self.shape(&at, value, theirs["value"]["shape"].as_str().unwrap());
            }
            ShapeKind::Structure(structure) => {
                self.structure(&at, structure, &Value::from(name));
            }
        }
    }

    fn bounds(&mut self, at: &str, ours: (usize, usize), theirs: (Option<u64>, Option<u64>)) {
        let unbounded = u64::try_from(usize::MAX).unwrap();
        let theirs = (theirs.0.unwrap_or(0), theirs.1.unwrap_or(unbounded));
        let ours = (u64::try_from(ours.0).unwrap(), u64::try_from(ours.1).unwrap());
        self.same(&format!("{at} bounds"), &ours, &theirs);
    }
}

fn declared_errors(operation: &Value) -> BTreeSet<&str> {
    let errors = operation["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| error["shape"].as_str().unwrap()).collect()
}

fn strings(value: &Value) -> Vec<&str> {
    let values = value.as_array().map_or(&[][..], Vec::as_slice);
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

fn compare<S: Service>(name: &str, missing: &[&str]) {
    let model = model(name);
    let mut comparison = Comparison { model: &model, differences: Vec::new() };
    comparison.operations::<S>(missing);
    let differences = comparison.differences;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn kms_is_what_its_model_says() {
    compare::<Kms>("kms", kms::MISSING);
}

#[test]
fn sts_is_what_its_model_says() {
    compare::<Sts>("sts", iam::MISSING_STS);
}

#[test]
fn iam_is_what_its_model_says() {
    compare::<Iam>("iam", iam::MISSING);
}

#[test]
fn a_difference_would_be_found() {
    let mut model = model("kms");
    model["shapes"]["KeyIdType"]["max"] = Value::from(7);
    model["shapes"]["EncryptRequest"]["required"] = Value::from(vec!["KeyId"]);
    model["shapes"]["DataKeySpec"]["enum"] = Value::from(vec!["AES_256"]);
    model["operations"]["Encrypt"]["errors"] = Value::Array(Vec::new());
    let mut comparison = Comparison { model: &model, differences: Vec::new() };
    comparison.operations::<Kms>(kms::MISSING);
    for at in ["KeyIdType bounds", "Plaintext required", "DataKeySpec", "Encrypt errors"] {
        assert!(comparison.differences.iter().any(|text| text.contains(at)), "{at}");
    }
}

/// Every shape with a pattern, over all inputs and outputs.
fn patterns() -> Vec<(&'static str, wire::Pattern)> {
    fn walk(shape: &ShapeInfo, found: &mut Vec<(&'static str, wire::Pattern)>) {
        match shape.kind {
            ShapeKind::Text { pattern: Some(pattern), .. }
                if !found.iter().any(|(name, p)| *name == shape.name && p.text == pattern.text) =>
            {
                found.push((shape.name, pattern));
            }
            ShapeKind::List { member, .. } => walk(member, found),
            ShapeKind::Structure(structure) => {
                structure.members.iter().for_each(|member| walk(member.shape, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    let structures = Kms::registry().iter().flat_map(|o| [o.input(), o.output()]);
    let structures = structures.chain(Iam::registry().iter().flat_map(|o| [o.input(), o.output()]));
    let structures = structures.chain(Sts::registry().iter().flat_map(|o| [o.input(), o.output()]));
    let structures = structures.chain(Iam::registry().iter().flat_map(|o| [o.input(), o.output()]));
    structures.flat_map(|s| s.members).for_each(|member| walk(member.shape, &mut found));
    found
}

/// The checks by hand agree with the patterns that they stand for: on texts made from the pattern,
/// and on texts that are a step away from those.
#[test]
fn patterns_by_hand_are_the_models() {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    use proptest::test_runner::TestRunner;

    let patterns = patterns();
    assert!(patterns.len() >= 8, "{patterns:?}");
    let mut runner = TestRunner::deterministic();
    let other = proptest::string::string_regex("[ -~\\n\u{80}-\u{17f}]{0,12}").unwrap();
    for (name, pattern) in patterns {
        // The one is written for UTF-16, the other looks ahead, which the crate `regex` doesn't;
        // they are tested beside the shapes.
        if matches!(name, "arnType" | "accountAliasType") {
            continue;
        }
        // Java's classes are ASCII, and AWS matches the whole value.
        let bare = pattern.text.replace("\\w", "A-Za-z0-9_").replace("[[A-Za-z0-9_]]", "\\w");
        let bare = bare.trim_start_matches('^').trim_end_matches('$').replace("\\d", "[0-9]");
        let bare = bare.replace("\\s", " \\t\\n\\x0B\\x0C\\r");
        let regex = regex::Regex::new(&format!("^(?:{bare})$")).unwrap();
        let made = proptest::string::string_regex(&bare).unwrap();
        for _ in 0..300 {
            let good = made.new_tree(&mut runner).unwrap().current();
            let noise = other.new_tree(&mut runner).unwrap().current();
            for text in
                [good.clone(), noise.clone(), format!("{good}{noise}"), format!("{noise}{good}")]
            {
                assert_eq!((pattern.matches)(&text), regex.is_match(&text), "{name} {text:?}");
            }
        }
    }
}

/// The port of the store and the largest record that can arise fit each other: the longest policy
/// and description, all tags, in JSON's longest escapes.
#[test]
fn the_largest_key_record_fits_the_store() {
    const POLICY: usize = 32_768;
    const DESCRIPTION: usize = 8_192 * 6;
    const TAGS: usize = 50 * (128 + 256) * 6;
    const MATERIALS: usize = 1_000 * 400;
    const { assert!(POLICY * 2 + DESCRIPTION + TAGS + MATERIALS < ports::VALUE_MAX) }
}
