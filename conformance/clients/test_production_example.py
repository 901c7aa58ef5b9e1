"""The example examples/production: the whole journey, as a reader would run it."""

import os
import pathlib
import subprocess
import sys

import strongroom

EXAMPLE = strongroom.REPOSITORY / "examples" / "production"


def test_the_journey():
    commands = pathlib.Path(sys.executable).parent
    # Variables of the tests' own are no settings, and would be refused.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("STRONGROOM_")}
    environment = plain | {
        "STRONGROOM_BIN": str(strongroom.binary()),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [str(EXAMPLE / "journey.sh")], env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert said.endswith("== done\n")
    # Sealed, an administrator of keys who may not use them (twice), a lost machine, tampering.
    for reason, times in [
        ("state: sealed", 1), ("The server is sealed.", 1), ("keeper is not authorized", 2),
        ("Could not connect", 1), ("was altered", 1),
    ]:
        refusals = [line for line in said.splitlines() if line.startswith("refused: ")]
        assert sum(reason in line for line in refusals) == times, (reason, said)
    for opened in ("sealed: attack at dawn\n", "sealed-later: attack at dawn\n"):
        assert opened in said
    assert said.count("\nOK\n") == 2
    # One request was recorded after the backup: who keeps records elsewhere has it.
    assert "records of Encrypt: 4 were sent, 3 were in the backup\n" in said
    # What the ceremony handed out is nowhere in what the scripts print.
    assert "SRS1-" not in said
