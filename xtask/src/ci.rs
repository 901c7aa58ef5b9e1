//! What CI runs: the table of steps, and the running of it. A check that isn't in this table isn't
//! part of CI, and CI has none besides. It must not know how a step does its work.

use std::time::{Duration, Instant};

use crate::counts::{self, Counts};
use crate::{Outcome, deny, fuzz, packages, process, project, python, sbom, tidy};

/// Enough to show that a target is alive and survives its seeds; the search itself is by hand.
const FUZZ_SECONDS: u64 = 6;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only these steps.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Leave these steps out.
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Print the steps and why each is there.
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    why: &'static str,
    run: fn(&mut Counts) -> Outcome,
}

const STEPS: [Step; 13] = [
    Step {
        name: "packages",
        why: "programs that the later steps call",
        run: |_| packages::install(),
    },
    Step { name: "fmt", why: "one layout", run: |_| fmt() },
    Step { name: "tidy", why: "the house rules", run: |_| tidy::run() },
    Step { name: "clippy", why: "lints are errors", run: |_| clippy() },
    Step { name: "doc", why: "the docs build, and their links resolve", run: |_| doc() },
    Step {
        name: "deny",
        why: "licences, duplicates and sources of dependencies",
        run: |_| deny::run(&deny::Arguments::default()),
    },
    Step {
        name: "sbom",
        why: "what is linked into the binary can be told",
        run: |_| sbom::run(&sbom::Arguments::default()),
    },
    Step { name: "test", why: "every test in Rust", run: test },
    Step {
        name: "fuzz",
        why: "the parsers survive a short search",
        run: |_| fuzz::run(&fuzz::Arguments { seconds: FUZZ_SECONDS, target: None }),
    },
    Step {
        name: "build",
        why: "the binary that the clients run against",
        run: |_| cargo(&["build", "--profile", "clients", "--package", "strongroom"]),
    },
    Step { name: "python", why: "the Python clients' environment", run: |_| python::prepare() },
    Step {
        name: "vectors",
        why: "the test vectors hold in another implementation",
        run: |_| {
            process::run(python_command().arg("conformance/vectors/check.py"))?;
            process::run(python_command().arg("conformance/vectors/asymmetric.py"))?;
            process::run(python_command().arg("conformance/vectors/seals.py"))
        },
    },
    Step { name: "clients", why: "stock AWS clients, end to end", run: clients },
];

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let chosen = choose(arguments)?;
    if arguments.list {
        for step in chosen {
            println!("{:10} {}", step.name, step.why);
        }
        return Ok(());
    }
    let mut counts = Counts::default();
    let mut times = Vec::new();
    for step in chosen {
        println!("\n== {}: {}", step.name, step.why);
        let start = Instant::now();
        let outcome = (step.run)(&mut counts);
        times.push((step.name, start.elapsed()));
        if let Err(error) = outcome {
            summarize(&times, &counts);
            return Err(format!("step `{}` failed: {error}", step.name));
        }
    }
    summarize(&times, &counts);
    println!("{} passed, {} failed", counts.passed, counts.failed);
    Ok(())
}

/// The steps that the arguments leave, in the table's order; a name that isn't there is an error.
fn choose(arguments: &Arguments) -> Outcome<Vec<&'static Step>> {
    for name in arguments.only.iter().chain(&arguments.skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            return Err(format!("no step `{name}`; `cargo xtask ci --list` names them"));
        }
    }
    let named = |names: &[String], step: &Step| names.iter().any(|name| name == step.name);
    let wanted = |step: &&Step| arguments.only.is_empty() || named(&arguments.only, step);
    Ok(STEPS.iter().filter(wanted).filter(|step| !named(&arguments.skip, step)).collect())
}

fn summarize(times: &[(&str, Duration)], counts: &Counts) {
    println!("\n== summary");
    for (name, time) in times {
        println!("{name:10} {:8.1} s", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("{:10} {:8.1} s", "all", total.as_secs_f64());
    if counts.failed + counts.skipped > 0 {
        println!("tests: {} failed, {} left out", counts.failed, counts.skipped);
    }
}

fn cargo(arguments: &[&str]) -> Outcome {
    process::run(project::cargo().args(arguments))
}

/// The fuzz targets stand outside the workspace, so they are formatted by a call of their own.
fn fmt() -> Outcome {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])
}

fn clippy() -> Outcome {
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn doc() -> Outcome {
    let mut cargo = project::cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    // The crates are read here, private items included: a link to one of those resolves.
    process::run(cargo.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"))
}

fn test(counts: &mut Counts) -> Outcome {
    let mut cargo = project::cargo();
    let (text, outcome) = process::tee(cargo.args(["test", "--workspace", "--no-fail-fast"]))?;
    add(counts, counts::of_cargo(&text), outcome)
}

fn clients(counts: &mut Counts) -> Outcome {
    cargo(&["build", "--package", "rust-sdk-client"])?;
    let target = project::target_directory();
    let mut pytest = python_command();
    pytest.args(["-m", "pytest", "conformance/clients"]);
    pytest.env("STRONGROOM_BIN", target.join("clients/strongroom"));
    pytest.env("STRONGROOM_RUST_CLIENT", target.join("debug/rust-sdk-client"));
    let (text, outcome) = process::tee(&mut pytest)?;
    add(counts, counts::of_pytest(&text), outcome)
}

/// Adds what a step's tests came to. A run in which nothing passed or something failed is no
/// success, whatever the program's status says.
fn add(counts: &mut Counts, ran: Counts, outcome: Outcome) -> Outcome {
    *counts += ran;
    outcome?;
    match ran {
        Counts { failed: 1.., .. } => Err(format!("{} tests failed", ran.failed)),
        Counts { passed: 0, .. } => Err("no test ran".to_owned()),
        Counts { .. } => Ok(()),
    }
}

/// The environment's interpreter, which leaves no caches in the source tree.
fn python_command() -> std::process::Command {
    let mut python = process::command(python::interpreter());
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Outcome<Vec<&'static str>> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let arguments = Arguments { only: owned(only), skip: owned(skip), list: false };
        Ok(choose(&arguments)?.into_iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_keep_the_tables_order() {
        assert_eq!(names(&["test", "fmt"], &[]), Ok(vec!["fmt", "test"]));
        assert_eq!(names(&[], &[]).map(|all| all.len()), Ok(STEPS.len()));
    }

    #[test]
    fn skipped_steps_are_left_out() {
        assert_eq!(names(&["test", "fmt"], &["test"]), Ok(vec!["fmt"]));
    }

    #[test]
    fn unknown_steps_are_refused() {
        assert!(names(&["tests"], &[]).is_err());
        assert!(names(&[], &["tests"]).is_err());
    }

    #[test]
    fn a_run_without_tests_is_no_success() {
        let ran = |passed, failed| Counts { passed, failed, skipped: 0 };
        let mut sum = Counts::default();
        assert_eq!(add(&mut sum, ran(3, 0), Ok(())), Ok(()));
        assert!(add(&mut sum, ran(0, 0), Ok(())).is_err());
        assert!(add(&mut sum, ran(2, 1), Ok(())).is_err());
        assert!(add(&mut sum, ran(2, 0), Err("ended".to_owned())).is_err());
        assert_eq!(sum, ran(7, 1));
    }

    #[test]
    fn names_are_unique() {
        let mut all: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), STEPS.len());
    }
}
