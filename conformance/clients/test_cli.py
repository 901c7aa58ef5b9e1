"""The stock `aws` command, version 1, as a user would type it."""

import base64
import concurrent.futures
import json

import pytest
from botocore import xform_name
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key, load_der_public_key,
)

from cli import CommandLine
from expectations import ABSENT_KEY_ID, INCORRECT_KEY, absent_alias, absent_key, alias_arn
from operations import assert_all_used

TEXT = b"attack at dawn\n\0\xff"


@pytest.fixture
def aws(server, account, tmp_path):
    """The command line of a fresh account."""
    return CommandLine(server, account, tmp_path)


def test_every_operation(aws, own_server, account, tmp_path):
    def go(station):
        directory = tmp_path / station.__name__
        directory.mkdir()
        (directory / "plain.txt").write_bytes(TEXT)
        station(CommandLine(own_server, account, directory))

    # Two at a time: the command takes most of a second to start.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(go, STATIONS))
    # The command's own service model may be older; asked for nonsense, it says what it knows.
    choices = aws.run("kms", "nonsense").stderr.replace("|", " ").split()
    assert "describe-key" in choices
    assert_all_used(own_server, account, lambda name: xform_name(name, "-") in choices)


def life_of_a_key(aws):
    key = aws("create-key", "--description", "payroll", "--tags", "TagKey=team,TagValue=pay")
    key = key["KeyMetadata"]
    name = key["KeyId"]
    aws("create-alias", "--alias-name", "alias/payroll", "--target-key-id", name)
    assert aws("describe-key", "--key-id", "alias/payroll")["KeyMetadata"] == key
    assert aws("list-resource-tags", "--key-id", name)["Tags"] == [
        {"TagKey": "team", "TagValue": "pay"}
    ]

    sealed = aws("encrypt", "--key-id", "alias/payroll", "--plaintext", "fileb://plain.txt",
                 "--encryption-context", "purpose=test,tenant=a")
    assert sealed["KeyId"] == key["Arn"]
    aws.keep("sealed.bin", sealed["CiphertextBlob"])
    opened = aws("decrypt", "--ciphertext-blob", "fileb://sealed.bin",
                 "--encryption-context", "tenant=a,purpose=test")
    assert base64.b64decode(opened["Plaintext"]) == TEXT
    assert opened["KeyId"] == key["Arn"]

    other = aws("create-key")["KeyMetadata"]["KeyId"]
    assert {name, other} <= {key["KeyId"] for key in aws("list-keys")["Keys"]}
    moved = aws("re-encrypt", "--ciphertext-blob", "fileb://sealed.bin",
                "--source-encryption-context", "purpose=test,tenant=a",
                "--destination-key-id", other)
    aws.keep("moved.bin", moved["CiphertextBlob"])
    opened = aws("decrypt", "--ciphertext-blob", "fileb://moved.bin", "--key-id", other)
    assert base64.b64decode(opened["Plaintext"]) == TEXT
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
    aws.refused("DescribeKey", "NotFoundException", absent_alias("alias/payroll", aws.account),
                "describe-key", "--key-id", "alias/payroll")


def data_keys(aws):
    name = aws("create-key")["KeyMetadata"]["KeyId"]
    made = aws("generate-data-key", "--key-id", name, "--key-spec", "AES_256",
               "--encryption-context", "volume=7")
    wrapped = aws.keep("wrapped", made["CiphertextBlob"])
    opened = aws("decrypt", "--ciphertext-blob", wrapped, "--encryption-context", "volume=7")
    assert opened["Plaintext"] == made["Plaintext"]
    assert len(base64.b64decode(made["Plaintext"])) == 32
    hidden = aws("generate-data-key-without-plaintext", "--key-id", name, "--number-of-bytes", "9")
    assert "Plaintext" not in hidden
    drawn = aws("generate-random", "--number-of-bytes", "48")
    assert len(base64.b64decode(drawn["Plaintext"])) == 48
    # The service gives this error no words of its own.
    aws.refused("Decrypt", "InvalidCiphertextException", "",
                "decrypt", "--ciphertext-blob", wrapped, "--encryption-context", "volume=8")


def tags_aliases_and_policies(aws):
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
    assert alias["AliasArn"] == alias_arn("alias/x", aws.account)

    policy = aws("get-key-policy", "--key-id", name, "--policy-name", "default")["Policy"]
    (aws.directory / "policy.json").write_text(policy)
    aws("put-key-policy", "--key-id", name, "--policy-name", "default",
        "--policy", "file://policy.json")
    assert aws("list-key-policies", "--key-id", name)["PolicyNames"] == ["default"]


def made(aws, spec, usage):
    """The id of a fresh key of that kind."""
    key = aws("create-key", "--key-spec", spec, "--key-usage", usage)["KeyMetadata"]
    return key["KeyId"]


def signatures(aws):
    named = ["--key-id", made(aws, "ECC_NIST_P256", "SIGN_VERIFY"),
             "--signing-algorithm", "ECDSA_SHA_256"]
    signed = aws("sign", *named, "--message", "fileb://plain.txt")
    signature = aws.keep("signature", signed["Signature"])
    verified = aws("verify", *named, "--message", "fileb://plain.txt", "--signature", signature)
    assert verified["SignatureValid"] is True
    aws.refused("Verify", "KMSInvalidSignatureException", "",
                "verify", *named, "--message", signature, "--signature", signature)


def macs(aws):
    named = ["--key-id", made(aws, "HMAC_256", "GENERATE_VERIFY_MAC"),
             "--mac-algorithm", "HMAC_SHA_256"]
    mac = aws.keep("mac", aws("generate-mac", *named, "--message", "fileb://plain.txt")["Mac"])
    verified = aws("verify-mac", *named, "--message", "fileb://plain.txt", "--mac", mac)
    assert verified["MacValid"] is True
    aws.refused("VerifyMac", "KMSInvalidMacException", "",
                "verify-mac", *named, "--message", mac, "--mac", mac)


def agreement(aws):
    pair = [made(aws, "ECC_NIST_P256", "KEY_AGREEMENT") for _ in range(2)]
    public = [aws("get-public-key", "--key-id", name)["PublicKey"] for name in pair]
    secrets = [
        aws("derive-shared-secret", "--key-id", name, "--key-agreement-algorithm", "ECDH",
            "--public-key", aws.keep("theirs", theirs))["SharedSecret"]
        for name, theirs in zip(pair, reversed(public))
    ]
    assert secrets[0] == secrets[1]
    assert len(base64.b64decode(secrets[0])) == 32


def data_key_pairs(aws):
    wrapping = ["--key-id", made(aws, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
                "--key-pair-spec", "ECC_NIST_P384"]
    pair = aws("generate-data-key-pair", *wrapping)
    hidden = aws("generate-data-key-pair-without-plaintext", *wrapping)
    assert "PrivateKeyPlaintext" not in hidden
    blob = aws.keep("pair", pair["PrivateKeyCiphertextBlob"])
    assert aws("decrypt", "--ciphertext-blob", blob)["Plaintext"] == pair["PrivateKeyPlaintext"]
    secret = load_der_private_key(base64.b64decode(pair["PrivateKeyPlaintext"]), None)
    assert secret.curve.name == "secp384r1"


def rotation(aws):
    name = made(aws, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    aws("enable-key-rotation", "--key-id", name, "--rotation-period-in-days", "90")
    status = aws("get-key-rotation-status", "--key-id", name)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    aws("disable-key-rotation", "--key-id", name)
    assert not aws("get-key-rotation-status", "--key-id", name)["KeyRotationEnabled"]
    aws("rotate-key-on-demand", "--key-id", name)
    [rotated] = aws("list-key-rotations", "--key-id", name)["Rotations"]
    assert rotated["RotationType"] == "ON_DEMAND"


def imports(aws):
    name = aws("create-key", "--origin", "EXTERNAL")["KeyMetadata"]["KeyId"]
    given = aws("get-parameters-for-import", "--key-id", name, "--wrapping-algorithm",
                "RSAES_OAEP_SHA_256", "--wrapping-key-spec", "RSA_2048")
    padding = OAEP(MGF1(SHA256()), SHA256(), None)
    wrapping = load_der_public_key(base64.b64decode(given["PublicKey"]))
    (aws.directory / "wrapped").write_bytes(wrapping.encrypt(bytes(range(32)), padding))
    aws("import-key-material", "--key-id", name, "--encrypted-key-material", "fileb://wrapped",
        "--import-token", aws.keep("token", given["ImportToken"]),
        "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    assert aws("describe-key", "--key-id", name)["KeyMetadata"]["KeyState"] == "Enabled"
    aws("delete-imported-key-material", "--key-id", name)
    assert aws("describe-key", "--key-id", name)["KeyMetadata"]["KeyState"] == "PendingImport"


def grants(aws):
    name, root = made(aws, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), aws.root()
    asked = ["--key-id", name, "--grantee-principal", root, "--retiring-principal", root]
    first = aws("create-grant", *asked, "--operations", "Encrypt", "Decrypt", "--name", "one")
    second = aws("create-grant", *asked, "--operations", "DescribeKey")
    listed = {grant["GrantId"] for grant in aws("list-grants", "--key-id", name)["Grants"]}
    assert listed == {first["GrantId"], second["GrantId"]}
    aws("retire-grant", "--key-id", aws.arn(name), "--grant-id", first["GrantId"])
    [left] = aws("list-retirable-grants", "--retiring-principal", root)["Grants"]
    assert left["GrantId"] == second["GrantId"]
    aws("revoke-grant", "--key-id", name, "--grant-id", second["GrantId"])
    assert aws("list-grants", "--key-id", name)["Grants"] == []


def replicas(aws):
    name = aws("create-key", "--multi-region")["KeyMetadata"]["KeyId"]
    aws("replicate-key", "--key-id", name, "--replica-region", "eu-west-1")
    sealed = aws("encrypt", "--key-id", name, "--plaintext", "fileb://plain.txt")
    used = aws("get-key-last-usage", "--key-id", name)["KeyLastUsage"]
    assert used["Operation"] == "Encrypt"
    blob = aws.keep("sealed", sealed["CiphertextBlob"])
    opened = aws("decrypt", "--region", "eu-west-1", "--ciphertext-blob", blob)
    assert base64.b64decode(opened["Plaintext"]) == TEXT
    aws("update-primary-region", "--key-id", name, "--primary-region", "eu-west-1")
    about = aws("describe-key", "--key-id", name)["KeyMetadata"]["MultiRegionConfiguration"]
    assert about["MultiRegionKeyType"] == "REPLICA"


STATIONS = [
    life_of_a_key, tags_aliases_and_policies, rotation, data_keys, agreement, signatures, macs,
    data_key_pairs, imports, grants, replicas,
]


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
