//! The environment of the Python clients: made in the target directory, and made again when its
//! requirements change. It must not know what the clients test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, process, project};

const REQUIREMENTS: &str = "conformance/clients/requirements.txt";
/// Packages whose own bounds contradict the others' versions.
const WITHOUT_DEPENDENCIES: &str = "conformance/clients/requirements-without-dependencies.txt";

/// The environment's interpreter; `prepare` puts it there.
pub(crate) fn interpreter() -> PathBuf {
    directory().join("bin/python")
}

fn directory() -> PathBuf {
    project::target_directory().join(".venv")
}

/// Makes the environment, unless the one that exists has these requirements and this Python.
pub(crate) fn prepare() -> Outcome {
    let requirements = [REQUIREMENTS, WITHOUT_DEPENDENCIES].map(read);
    let requirements = requirements.into_iter().collect::<Outcome<String>>()?;
    let version = process::output(process::command("python3").arg("--version"))?;
    // What the environment was made of, written last, so that a broken-off installation shows.
    let made_of = format!("# {version}{requirements}");
    let stamp = directory().join("made-of.txt");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == made_of) {
        println!("the environment is up to date");
        return Ok(());
    }
    process::run(process::command("python3").args(["-m", "venv", "--clear"]).arg(directory()))?;
    process::run(pip_install().arg(REQUIREMENTS))?;
    process::run(pip_install().arg(WITHOUT_DEPENDENCIES).arg("--no-deps"))?;
    write(&stamp, &made_of)
}

/// pip's command, up to the name of a list of requirements.
fn pip_install() -> Command {
    let mut pip = process::command(interpreter());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    pip
}

fn read(path: &str) -> Outcome<String> {
    fs::read_to_string(project::root().join(path)).map_err(|error| format!("{path}: {error}"))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
