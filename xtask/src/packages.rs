//! Programs that the checks call and that a fresh Debian may lack. It owns the list and how they
//! are installed; it must not know what the checks do with them.

use crate::{Outcome, process};

/// How to find out whether a requirement is there.
enum Probe {
    Program(&'static str),
    /// Modules that Python imports; Debian packs some of its standard library by itself.
    PythonModules(&'static str),
}

struct Requirement {
    probe: Probe,
    package: &'static str,
    why: &'static str,
}

const REQUIREMENTS: [Requirement; 9] = [
    Requirement { probe: Probe::Program("cc"), package: "gcc", why: "AWS-LC and SQLite are C" },
    Requirement { probe: Probe::Program("g++"), package: "g++", why: "libFuzzer is C++" },
    Requirement {
        probe: Probe::Program("openssl"),
        package: "openssl",
        why: "the example encrypts with it",
    },
    Requirement {
        probe: Probe::Program("ps"),
        package: "procps",
        why: "the tests look at the server's process",
    },
    Requirement {
        probe: Probe::Program("node"),
        package: "nodejs",
        why: "the JavaScript SDK runs on it",
    },
    Requirement {
        probe: Probe::Program("strace"),
        package: "strace",
        why: "the system calls of the server are compared with its unit's filter",
    },
    Requirement {
        probe: Probe::Program("systemd-analyze"),
        package: "systemd",
        why: "checks the units",
    },
    Requirement { probe: Probe::Program("npm"), package: "npm", why: "installs that SDK" },
    Requirement {
        probe: Probe::PythonModules("import venv, ensurepip"),
        package: "python3-venv",
        why: "the Python clients get an environment of their own",
    },
];

/// Installs what is missing, where that can be done: as root on a system with apt.
pub(crate) fn install() -> Outcome {
    let missing: Vec<&Requirement> = REQUIREMENTS.iter().filter(|one| !one.is_there()).collect();
    if missing.is_empty() {
        println!("all {} programs are there", REQUIREMENTS.len());
        return Ok(());
    }
    for one in &missing {
        println!("missing: {} ({})", one.package, one.why);
    }
    let packages: Vec<&str> = missing.iter().map(|one| one.package).collect();
    let is_root = process::output(process::command("id").arg("-u"))?.trim() == "0";
    if !is_root || !process::exists("apt-get") {
        return Err(format!("install these first: {}", packages.join(" ")));
    }
    process::run(process::command("apt-get").arg("update"))?;
    let mut install = process::command("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "--yes", "--no-install-recommends"]).args(packages);
    process::run(&mut install)
}

impl Requirement {
    fn is_there(&self) -> bool {
        match self.probe {
            Probe::Program(name) => process::exists(name),
            Probe::PythonModules(statement) => {
                let mut python = process::command("python3");
                python.args(["-c", statement]).output().is_ok_and(|out| out.status.success())
            }
        }
    }
}
