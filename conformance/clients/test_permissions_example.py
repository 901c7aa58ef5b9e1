"""The walk-throughs in examples/permissions, as a reader would run them."""

import os
import pathlib
import subprocess
import sys

import pytest

import strongroom

EXAMPLES = strongroom.REPOSITORY / "examples" / "permissions"


def walk_through(name):
    """Runs one script with the `aws` command of this interpreter; returns what it printed."""
    commands = pathlib.Path(sys.executable).parent
    environment = os.environ | {
        "STRONGROOM_BIN": str(strongroom.binary()),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [str(EXAMPLES / name)], env=environment, capture_output=True, text=True, timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("== done\n")
    return done.stdout


def test_every_script_is_run_here():
    scripts = {path.name for path in EXAMPLES.glob("[0-9]*.sh")}
    assert scripts == {
        "1-a-grant.sh", "2-two-accounts.sh", "3-only-through-a-service.sh",
        "4-an-administrator.sh",
    }


@pytest.mark.parametrize("name, refusals", [
    ("1-a-grant.sh", 3), ("2-two-accounts.sh", 3), ("3-only-through-a-service.sh", 2),
])
def test_a_walk_through(name, refusals):
    printed = walk_through(name)
    said = [line for line in printed.splitlines() if line.startswith("refused: ")]
    assert len(said) == refusals
    assert all("is not authorized to perform: kms:" in line for line in said)


def test_the_administrator():
    printed = walk_through("4-an-administrator.sh")
    assert printed.count("refused: ") == 4
    users = printed.split("== Who can use the key")[1]
    assert "arn:aws:iam::111122223333:role/workload" in users
    assert "user/dora\n" not in users
    assert "REFUSED: User: arn:aws:iam::111122223333:user/dora" in users
