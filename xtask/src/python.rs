//! Environments of Python programs: made in the target directory, and made again when their
//! requirements change. It must not know what the programs do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, process, project};

/// Python with what lists of packages name.
pub(crate) struct Environment {
    /// Its folder in the target directory.
    pub(crate) directory: &'static str,
    pub(crate) lists: &'static [List],
}

/// A list of packages in pip's form.
pub(crate) struct List {
    /// Where it is in the repository.
    pub(crate) path: &'static str,
    /// False for packages whose own bounds contradict the others' versions.
    pub(crate) with_dependencies: bool,
}

/// The environment of the stock clients.
const CLIENTS: Environment = Environment {
    directory: ".venv",
    lists: &[
        List { path: "conformance/clients/requirements.txt", with_dependencies: true },
        List {
            path: "conformance/clients/requirements-without-dependencies.txt",
            with_dependencies: false,
        },
    ],
};

/// The interpreter of the clients' environment; `prepare` puts it there.
pub(crate) fn interpreter() -> PathBuf {
    CLIENTS.interpreter()
}

/// Makes the clients' environment.
pub(crate) fn prepare() -> Outcome {
    CLIENTS.prepare()
}

impl Environment {
    /// Its interpreter; `prepare` puts it there.
    pub(crate) fn interpreter(&self) -> PathBuf {
        self.path().join("bin/python")
    }

    fn path(&self) -> PathBuf {
        project::target_directory().join(self.directory)
    }

    /// Makes it, unless the one that exists has these requirements and this Python.
    pub(crate) fn prepare(&self) -> Outcome {
        let requirements = self.lists.iter().map(|list| read(list.path));
        let requirements = requirements.collect::<Outcome<String>>()?;
        let version = process::output(process::command("python3").arg("--version"))?;
        // What the environment was made of, written last, so that a broken-off installation shows.
        let made_of = format!("# {version}{requirements}");
        let stamp = self.path().join("made-of.txt");
        if fs::read_to_string(&stamp).is_ok_and(|text| text == made_of) {
            println!("the environment {} is up to date", self.directory);
            return Ok(());
        }
        let mut python = process::command("python3");
        process::run(python.args(["-m", "venv", "--clear"]).arg(self.path()))?;
        for list in self.lists {
            let mut install = self.pip_install();
            install.arg(list.path);
            if !list.with_dependencies {
                install.arg("--no-deps");
            }
            process::run(&mut install)?;
        }
        write(&stamp, &made_of)
    }

    /// pip's command, up to the name of a list of requirements.
    fn pip_install(&self) -> Command {
        let mut pip = process::command(self.interpreter());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.arg("--requirement");
        pip
    }
}

fn read(path: &str) -> Outcome<String> {
    fs::read_to_string(project::root().join(path)).map_err(|error| format!("{path}: {error}"))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
