"""Runs the programs in javascript/ under node, with the packages of the lock file there.

Owns their installation. Knows nothing of what they check.
"""

import functools
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent / "javascript"


@functools.cache
def _install():
    lock = HERE / "package-lock.json"
    installed = HERE / "node_modules" / ".installed-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE,
        capture_output=True, text=True, timeout=600, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    installed.write_bytes(lock.read_bytes())


def run(program, environment, *words):
    """Runs a program with these arguments, which must succeed; returns what it printed."""
    _install()
    done = subprocess.run(
        ["node", HERE / program, *words], cwd=HERE, env=environment, capture_output=True,
        text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
