"""Runs the stock `aws` command, as a user would type it.

Owns the command's environment and the comparison of its refusals. Knows nothing of what KMS
answers.
"""

import base64
import json
import pathlib
import subprocess
import sys

# The command installed beside this interpreter, not another one of the machine.
AWS = pathlib.Path(sys.executable).with_name("aws")
# The exit code of version 1 when the service refuses (version 2 has 254 for that).
REFUSED = 255


class CommandLine:
    """Runs `aws` in a directory of its own, for one account."""

    def __init__(self, server, account, directory):
        self.account = account
        self.environment = server.environment(account)
        self.directory = directory

    def run(self, *words, environment=None):
        """Runs the command and returns what became of it."""
        return subprocess.run(
            [str(AWS), *map(str, words)], cwd=self.directory, capture_output=True, text=True,
            env=environment or self.environment, timeout=60, check=False,
        )

    def __call__(self, *words):
        """Runs `aws kms`, which must succeed; returns its answer, parsed."""
        done = self.run("kms", *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, operation, error, message, *words):
        """Runs `aws kms`, which must be refused in exactly these words."""
        done = self.run("kms", *words)
        assert done.returncode == REFUSED, done.stdout
        assert done.stdout == ""
        said = f"An error occurred ({error}) when calling the {operation} operation"
        assert " ".join(done.stderr.split()) == f"{said}: {message}".strip()

    def root(self):
        """The ARN of the account's root user."""
        return f"arn:aws:iam::{self.account}:root"

    def arn(self, key_id):
        """The ARN of a key."""
        return f"arn:aws:kms:us-east-1:{self.account}:key/{key_id}"

    def keep(self, name, blob):
        """Writes what an answer holds in base64 into a file; returns the word that names it."""
        (self.directory / name).write_bytes(base64.b64decode(blob))
        return f"fileb://{name}"
