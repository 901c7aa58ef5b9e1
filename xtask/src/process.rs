//! Starting other programs: in the repository's root, with their output passed on, and with a
//! message that names the program when it fails. It must not know which programs there are.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::{Outcome, project};

/// A command that will start in the repository's root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project::root());
    command
}

/// Runs a command with our own output streams; a status other than zero is an error.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    judge(command, status)
}

/// Runs a command and returns what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| not_started(command, &error))?;
    judge(command, output.status)?;
    String::from_utf8(output.stdout).map_err(|_| format!("{} wrote no UTF-8", name(command)))
}

/// Runs a command, passes its standard output on line by line as it comes, and returns all of it
/// with the outcome: the caller wants the text of a failed run too.
pub(crate) fn tee(command: &mut Command) -> Outcome<(String, Outcome)> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().map_err(|error| not_started(command, &error))?;
    let mut text = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(|error| error.to_string())? > 0 {
            // Our own output may be closed (`| head`); the command's result still counts.
            let _ = io::stdout().write_all(&line).and_then(|()| io::stdout().flush());
            text.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok((text, judge(command, status)))
}

/// Whether a program of this name can be started: it stands in a directory of `PATH`.
pub(crate) fn exists(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn judge(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", name(command))) }
}

fn not_started(command: &Command, error: &io::Error) -> String {
    format!("{} can't be started: {error}", name(command))
}

/// The program and its first arguments, enough to recognise the command in a message.
fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args().take(4));
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_programs_output_is_kept() {
        let (text, outcome) = tee(command("sh").args(["-c", "echo a; exit 3"])).expect("a shell");
        assert_eq!(text, "a\n");
        assert_eq!(outcome, Err("`sh -c echo a; exit 3` ended with exit status: 3".to_owned()));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut command("/nowhere/no-such-program")).expect_err("there is none");
        assert!(error.starts_with("`no-such-program` can't be started"), "{error}");
        assert!(!exists("no-such-program"));
    }
}
