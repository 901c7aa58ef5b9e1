"""`strongroom config`, the completions and the manual pages: the command line as operators type it.

What every single setting takes, the tests under the code cover; here it is the whole way, from a
file, a variable or a flag to the message and the exit code.
"""

import os
import re
import subprocess
import time

import pytest

import strongroom

PACKAGED = strongroom.REPOSITORY / "packaging" / "strongroom.toml"


def run(*words, variables=None, cwd=None):
    """Runs the command line; returns its exit code and what it wrote."""
    clean = {name: value for name, value in os.environ.items() if "STRONGROOM" not in name}
    done = subprocess.run(
        [str(strongroom.binary()), *map(str, words)], env=clean | (variables or {}), cwd=cwd,
        capture_output=True, text=True, timeout=60, check=False,
    )
    return done.returncode, done.stdout, done.stderr


def check(path, *words, variables=None):
    """Checks a file; returns the exit code, the values in force and the lines about faults."""
    code, out, err = run("config", "check", "--config", path, *words, variables=variables)
    return code, out, err.replace(f"{path}:", "FILE:").splitlines()


@pytest.fixture
def write(tmp_path):
    """Writes a configuration file that only its owner may write."""
    def written(text):
        path = tmp_path / "strongroom.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o600)
        return path
    return written


@pytest.mark.parametrize("text, said", [
    ("data_dri = 'x'", ["FILE:1: there is no setting data_dri", "did you mean data_dir?"]),
    ("[tls]\ncertificat = 'x'", ["FILE:2: ", "did you mean certificate?"]),
    ("[tlss]\n", ["FILE:1: there is no section [tlss]; did you mean [tls]?"]),
    ("[log]\nlevel = 'loud'", ["FILE:2: log.level must be", 'not "loud"']),
    ("[log]\nlevel = 3", ["FILE:2: log.level must be", "not 3"]),
    ("[log\nlevel = 3", ["FILE:1: "]),
    ("[log]\nlevel = 'info'\nlevel = 'info'", ["FILE:3: ", "duplicate"]),
    ("\n\n[limits]\nidle_time = '20'", ["FILE:4: limits.idle_time must be a duration"]),
    ("[limits]\nidle_time = '1000000h'", ["from 1s to 1h"]),
    ("[limits]\nheader_size = '128KB'", ["a size from 16KiB to 1MiB"]),
    ("[limits]\nconnections = 1e3", ["a number from 1 to 1000000"]),
    ("[limits]\nconnections = 18446744073709551617", ["a number from 1 to 1000000"]),
    ("[listen]\naddresses = ['[::1']", ["an IP address with a port"]),
    ("[listen]\naddresses = ['0.0.0.0:4566']", ["which other machines can reach", "plain_http"]),
    ("[listen]\nplain_http = 'yes'", ["must be true or false"]),
    ("[tls]\ncertificate = 'x'", ["tls.private_key must be too"]),
    ("[tls]\nmin_version = '1.1'", ['"1.2" or "1.3"']),
    ("[audit.syslog]\naddress = 'siem.example:514'", ["udp://HOST:PORT"]),
    ("[audit.http]\nurl = 'https://u:hidden@x/'", ["without a user name in it"]),
    ("[quotas]\noverrides = ['all']", ["ACCOUNT:CLASS=N"]),
    ("[iam]\njwks = ['idp.json']", ["ISSUER=FILE"]),
    ("[seal]\npassphrase = 'never-shown'", ["there is no setting passphrase in [seal]"]),
    (b"data_dir = '\xff'", ["UTF-8"]),
    (b"data_dir = 'a\x00b'", ["FILE:1: "]),
    ("#" * (2 << 20), ["longer than 1 MiB"]),
    ("x = " + "[" * 50_000, ["FILE:1: "]),
    ("a." * 20_000 + "b = 1", ["FILE:1: "]),
])
def test_a_bad_file_says_what_is_wrong_and_where(write, text, said):
    code, _, lines = check(write(text))
    assert code == 1
    errors = [line for line in lines if line.startswith("error: ")]
    assert errors and all(len(line) < 1_000 for line in lines)
    for part in said:
        assert part in errors[0], errors
    assert "never-shown" not in "".join(lines)


@pytest.mark.parametrize("line", ["a{}=1\n", "[a{}]\n", "=\n", "[", '"', "a{}='\n", "[[a.b]]\n"])
def test_a_long_bad_file_is_refused_soon(write, line):
    text = "".join(line.format(number) for number in range((1 << 20) // (len(line) + 5)))
    began = time.monotonic()
    code, _, lines = check(write(text))
    assert code == 1 and 1 <= len(lines) <= 100
    assert time.monotonic() - began < 20


def test_every_fault_is_told_at_once(write):
    path = write("[log]\nlevel = 'loud'\nformat = 'xml'\ncolour = true\n[tls]\nclient_ca = 'a'\n")
    code, _, lines = check(
        path, "--limits-drain-time", "1y", variables={"STRONGROOM_LOG_LEVEL": "quiet"},
    )
    assert code == 1
    assert [line.split(": ")[1] for line in lines] == [
        "FILE:2", "FILE:3", "FILE:4", "STRONGROOM_LOG_LEVEL", "--limits-drain-time", "FILE:6",
    ]


def test_values_in_force_are_shown_with_their_origin(write):
    path = write("[log]\nlevel = 'warn'\nformat = 'text'\n[listen]\naddresses = ['[::1]:1']\n")
    code, out, lines = check(
        path, "--log-level", "debug", "--audit-stdout-enabled",
        variables={"STRONGROOM_LIMITS_DRAIN_TIME": "1m"},
    )
    assert (code, lines) == (0, [])
    for line in (
        'level = "debug"  # --log-level',
        f'format = "text"  # {path}:3',
        f'addresses = ["[::1]:1"]  # {path}:5',
        'drain_time = "1m"  # STRONGROOM_LIMITS_DRAIN_TIME',
        "enabled = true  # --audit-stdout-enabled",
        'data_dir = "/var/lib/strongroom"  # default',
    ):
        assert line in out.splitlines(), out


def test_what_is_shown_can_be_a_file(write):
    """Values in force are a file again, with the same meaning."""
    _, out, _ = check(PACKAGED)
    code, again, lines = check(write(out))
    assert (code, lines) == (0, [])
    strip = lambda text: [line.split("  # ")[0] for line in text.splitlines()]
    assert strip(again) == strip(out)


def test_the_file_is_found_by_variable_and_may_be_left_out(write):
    path = write("[log]\nlevel = 'warn'\n")
    _, out, _ = run("config", "check", variables={"STRONGROOM_CONFIG": str(path)})
    assert f'level = "warn"  # {path}:2' in out
    code, out, _ = run("config", "check")
    assert code == 0 and 'level = "info"  # default' in out


def test_a_file_that_others_may_write_is_warned_of(write):
    path = write("")
    path.chmod(0o666)
    code, _, lines = check(path)
    assert code == 0 and lines[0].startswith("warning: FILE:1: others than its owner may write")


@pytest.mark.parametrize("path, said", [
    ("none.toml", "No such file"), (".", "it is no file"), ("pipe", "it is no file"),
])
def test_a_file_that_is_none(tmp_path, path, said):
    os.mkfifo(tmp_path / "pipe")
    code, _, lines = check(tmp_path / path)
    assert code == 1 and said in lines[0]


def test_flags_that_are_none():
    code, _, err = run("config", "check", "--log-levle", "debug")
    assert code == 2 and "--log-level" in err
    code, _, err = run("config", "check", "--log-level", "debug", "--log-level", "info")
    assert code == 2 and "multiple times" in err


def test_the_reference_is_the_page():
    code, out, _ = run("config", "reference")
    assert code == 0
    assert out == (strongroom.REPOSITORY / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(shell, tmp_path):
    code, out, _ = run("completions", shell)
    assert code == 0 and "config" in out and "log-level" in out
    if shell == "bash":
        script = tmp_path / "completions"
        script.write_text(out)
        words = "COMP_WORDS=(strongroom config ''); COMP_CWORD=2; _strongroom strongroom '' config"
        done = subprocess.run(
            ["bash", "-c", f"source {script}; {words}; echo ${{COMPREPLY[@]}}"],
            capture_output=True, text=True, timeout=30, check=True,
        )
        assert {"check", "reference"} <= set(done.stdout.split())


def test_manual_pages(tmp_path):
    directory = tmp_path / "man" / "man1"
    code, _, err = run("man", directory)
    assert (code, err) == (0, "")
    pages = {page.name: page.read_text() for page in directory.iterdir()}
    # Of each command that the help names there is a page.
    _, out, _ = run("--help")
    commands = re.findall(r"^  ([a-z]+) ", out.split("Commands:")[1].split("Options:")[0], re.M)
    assert {"dev", "config", "policy"} <= set(commands)
    for command in set(commands) - {"help"}:
        assert f"strongroom-{command}.1" in pages
    assert "audit\\-http\\-url" in pages["strongroom-config-check.1"]


def test_manual_pages_need_a_directory(tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("man", tmp_path / "file")
    assert code == 1 and "can't be written" in err
