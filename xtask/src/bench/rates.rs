//! Builds the server and the load generator and runs the measurement of rates. It must not know
//! what is measured: that is the crate `benches`.

use std::path::PathBuf;
use std::process::Command;

use super::{peers, programs};
use crate::{Outcome, process};

/// Where the tables and the plot of a whole run go.
const FOLDER: &str = "docs/performance";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How the server is built: `clients` is without optimization across crates, in half the time.
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Install moto's server and OpenBao, and measure them too.
    #[arg(long)]
    peers: bool,
    /// Measure only what begins with this name: a row, `beside`, `cores`, `start-up`, a peer.
    /// May be given several times, or with commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// How often each row is measured.
    #[arg(long)]
    rounds: Option<usize>,
    /// How long each round takes.
    #[arg(long)]
    seconds: Option<f64>,
    /// Keep-alive connections, each with one request under way.
    #[arg(long)]
    connections: Option<usize>,
    /// Where `table.md` and `plot.svg` are written: docs/performance, unless only a part is
    /// measured.
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Profile {
    Release,
    Clients,
}

impl Profile {
    /// Cargo's name for it, and that of its folder.
    const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Clients => "clients",
        }
    }
}

pub(crate) fn run(options: &Options, rest: &[String]) -> Outcome {
    let profile = options.profile.name();
    let (mut benches, server) = programs(profile)?;
    benches.arg("run").arg(server);
    let rustc = process::output(process::command("rustc").arg("--version"))?;
    let rustc = rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    benches.arg("--built").arg(format!("{rustc}, profile {profile}"));
    pass_on(options, &mut benches);
    if options.peers {
        peers::prepare(&mut benches);
    }
    process::run(benches.args(rest))
}

fn pass_on(options: &Options, benches: &mut Command) {
    for only in &options.only {
        benches.arg("--only").arg(only);
    }
    let numbers = [
        ("--rounds", options.rounds.map(|number| number.to_string())),
        ("--seconds", options.seconds.map(|number| number.to_string())),
        ("--connections", options.connections.map(|number| number.to_string())),
    ];
    for (flag, number) in numbers {
        if let Some(number) = number {
            benches.arg(flag).arg(number);
        }
    }
    // A part would take the place of the whole.
    let whole = || options.only.is_empty().then(|| PathBuf::from(FOLDER));
    if let Some(folder) = options.out.clone().or_else(whole) {
        benches.arg("--out").arg(folder);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn passed(words: &[&str]) -> Vec<String> {
        let line = Line::parse_from(["xtask"].iter().chain(words));
        let mut command = Command::new("benches");
        pass_on(&line.options, &mut command);
        command.get_args().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn only_a_whole_run_replaces_the_committed_one() {
        assert_eq!(passed(&[]), ["--out", FOLDER]);
        assert_eq!(passed(&["--only", "Sign,Verify"]), ["--only", "Sign", "--only", "Verify"]);
        let there = ["--only", "Sign", "--out", "there"];
        assert_eq!(passed(&there), there);
        assert_eq!(passed(&["--rounds", "3", "--out", "x"]), ["--rounds", "3", "--out", "x"]);
    }
}
