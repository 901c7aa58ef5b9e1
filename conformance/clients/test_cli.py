"""The stock `aws` command, version 1, as a user would type it."""

import base64
import json
import pathlib
import subprocess
import sys

import pytest

from expectations import ABSENT_KEY_ID, INCORRECT_KEY, absent_alias, absent_key, alias_arn

# The command installed beside this interpreter, not another one of the machine.
AWS = pathlib.Path(sys.executable).with_name("aws")
# The exit code of version 1 when the service refuses (version 2 has 254 for that).
REFUSED = 255


class CommandLine:
    """Runs `aws` in a directory of its own, for one account."""

    def __init__(self, server, account, directory):
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


@pytest.fixture
def aws(server, account, tmp_path):
    """The command line of a fresh account."""
    return CommandLine(server, account, tmp_path)


def test_the_life_of_a_key(aws, account, tmp_path):
    key = aws("create-key", "--description", "payroll", "--tags", "TagKey=team,TagValue=pay")
    key = key["KeyMetadata"]
    name = key["KeyId"]
    aws("create-alias", "--alias-name", "alias/payroll", "--target-key-id", name)
    assert aws("describe-key", "--key-id", "alias/payroll")["KeyMetadata"] == key
    assert aws("list-resource-tags", "--key-id", name)["Tags"] == [
        {"TagKey": "team", "TagValue": "pay"}
    ]

    (tmp_path / "plain.txt").write_bytes(b"attack at dawn\n\0\xff")
    sealed = aws("encrypt", "--key-id", "alias/payroll", "--plaintext", "fileb://plain.txt",
                 "--encryption-context", "purpose=test,tenant=a")
    assert sealed["KeyId"] == key["Arn"]
    (tmp_path / "sealed.bin").write_bytes(base64.b64decode(sealed["CiphertextBlob"]))
    opened = aws("decrypt", "--ciphertext-blob", "fileb://sealed.bin",
                 "--encryption-context", "tenant=a,purpose=test")
    assert base64.b64decode(opened["Plaintext"]) == b"attack at dawn\n\0\xff"
    assert opened["KeyId"] == key["Arn"]

    other = aws("create-key")["KeyMetadata"]["KeyId"]
    moved = aws("re-encrypt", "--ciphertext-blob", "fileb://sealed.bin",
                "--source-encryption-context", "purpose=test,tenant=a",
                "--destination-key-id", other)
    (tmp_path / "moved.bin").write_bytes(base64.b64decode(moved["CiphertextBlob"]))
    opened = aws("decrypt", "--ciphertext-blob", "fileb://moved.bin", "--key-id", other)
    assert base64.b64decode(opened["Plaintext"]) == b"attack at dawn\n\0\xff"
    aws.refused("Decrypt", "IncorrectKeyException", INCORRECT_KEY,
                "decrypt", "--ciphertext-blob", "fileb://moved.bin", "--key-id", name)

    aws("disable-key", "--key-id", name)
    aws.refused("Encrypt", "DisabledException", f"{key['Arn']} is disabled.",
                "encrypt", "--key-id", name, "--plaintext", "fileb://plain.txt")
    aws("enable-key", "--key-id", name)
    pending = aws("schedule-key-deletion", "--key-id", name, "--pending-window-in-days", "7")
    assert (pending["KeyId"], pending["KeyState"]) == (key["Arn"], "PendingDeletion")
    aws.refused("EnableKey", "KMSInvalidStateException", f"{key['Arn']} is pending deletion.",
                "enable-key", "--key-id", name)
    assert aws("cancel-key-deletion", "--key-id", name) == {"KeyId": key["Arn"]}
    assert aws("describe-key", "--key-id", name)["KeyMetadata"]["KeyState"] == "Disabled"
    aws("delete-alias", "--alias-name", "alias/payroll")
    aws.refused("DescribeKey", "NotFoundException", absent_alias("alias/payroll", account),
                "describe-key", "--key-id", "alias/payroll")


def test_data_keys(aws, tmp_path):
    name = aws("create-key")["KeyMetadata"]["KeyId"]
    made = aws("generate-data-key", "--key-id", name, "--key-spec", "AES_256",
               "--encryption-context", "volume=7")
    (tmp_path / "wrapped").write_bytes(base64.b64decode(made["CiphertextBlob"]))
    opened = aws("decrypt", "--ciphertext-blob", "fileb://wrapped",
                 "--encryption-context", "volume=7")
    assert opened["Plaintext"] == made["Plaintext"]
    assert len(base64.b64decode(made["Plaintext"])) == 32
    hidden = aws("generate-data-key-without-plaintext", "--key-id", name, "--number-of-bytes", "9")
    assert "Plaintext" not in hidden
    drawn = aws("generate-random", "--number-of-bytes", "48")
    assert len(base64.b64decode(drawn["Plaintext"])) == 48
    # The service gives this error no words of its own.
    aws.refused("Decrypt", "InvalidCiphertextException", "",
                "decrypt", "--ciphertext-blob", "fileb://wrapped",
                "--encryption-context", "volume=8")


def test_tags_aliases_and_policies(aws, account, tmp_path):
    key = aws("create-key")["KeyMetadata"]
    name = key["KeyId"]
    aws("tag-resource", "--key-id", name, "--tags", "TagKey=a,TagValue=1", "TagKey=b,TagValue=2")
    aws("untag-resource", "--key-id", name, "--tag-keys", "a")
    tags = aws("list-resource-tags", "--key-id", name)["Tags"]
    assert tags == [{"TagKey": "b", "TagValue": "2"}]
    aws.refused("TagResource", "TagException", "Tags beginning with aws: are reserved",
                "tag-resource", "--key-id", name, "--tags", "TagKey=aws:a,TagValue=1")
    aws("update-key-description", "--key-id", name, "--description", "new words")
    assert aws("describe-key", "--key-id", name)["KeyMetadata"]["Description"] == "new words"

    other = aws("create-key")["KeyMetadata"]["KeyId"]
    aws("create-alias", "--alias-name", "alias/x", "--target-key-id", name)
    aws("update-alias", "--alias-name", "alias/x", "--target-key-id", other)
    [alias] = aws("list-aliases", "--key-id", other)["Aliases"]
    assert alias["AliasArn"] == alias_arn("alias/x", account)

    policy = aws("get-key-policy", "--key-id", name, "--policy-name", "default")["Policy"]
    (tmp_path / "policy.json").write_text(policy)
    aws("put-key-policy", "--key-id", name, "--policy-name", "default",
        "--policy", "file://policy.json")
    assert aws("list-key-policies", "--key-id", name)["PolicyNames"] == ["default"]


def test_paging_by_the_command(aws, kms):
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)}
    listed = aws("list-keys", "--page-size", "2")["Keys"]
    assert {key["KeyId"] for key in listed} == made
    first = aws("list-keys", "--max-items", "3")
    rest = aws("list-keys", "--starting-token", first["NextToken"])
    assert {key["KeyId"] for key in first["Keys"] + rest["Keys"]} == made


@pytest.mark.parametrize("words, operation, error, message", [
    (["describe-key", "--key-id", "nonsense"], "DescribeKey", "NotFoundException",
     "Invalid keyId 'nonsense'"),
    (["describe-key", "--key-id", ABSENT_KEY_ID], "DescribeKey", "NotFoundException", None),
    (["generate-random"], "GenerateRandom", "ValidationException", "NumberOfBytes is required."),
])
def test_refusals(aws, account, words, operation, error, message):
    aws.refused(operation, error, message or absent_key(account=account), *words)


def test_the_endpoint_as_an_option(aws, server, account):
    without = {name: value for name, value in aws.environment.items()
               if name != "AWS_ENDPOINT_URL"}
    done = aws.run("--endpoint-url", server.endpoint, "sts", "get-caller-identity",
                   environment=without)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root",
    }
    done = aws.run("--endpoint-url", server.endpoint, "kms", "list-keys", environment=without)
    assert (done.returncode, json.loads(done.stdout)["Keys"]) == (0, [])


def test_who_am_i(aws, account):
    done = aws.run("sts", "get-caller-identity", "--query", "Arn", "--output", "text")
    assert (done.returncode, done.stdout) == (0, f"arn:aws:iam::{account}:root\n")
