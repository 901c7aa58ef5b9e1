"""Request quotas, as clients meet them: refusals in AWS's words, and retries that end well."""

import subprocess
import time

import boto3
import pytest
from botocore.config import Config

import strongroom
from expectations import refused
from operations_page import OPTIONS, Metrics

KMS_WORDS = (
    "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
)
# One request in a thousand seconds: as good as one for a test.
ONCE = "0.001"


def serving(home, *options):
    """A running server with those options, and the listener for metrics."""
    return strongroom.Strongroom(home, options=[*OPTIONS, *options]).start()


@pytest.fixture
def throttling(tmp_path):
    """Starts a server with quotas of its own."""
    servers = []

    def start(*quotas):
        options = (word for quota in quotas for word in ("--quota", quota))
        servers.append(serving(tmp_path, *options))
        return servers[-1]
    yield start
    for server in servers:
        server.stop()


def retrying(server, mode, attempts):
    """A KMS client that tries again."""
    retries = {"mode": mode, "total_max_attempts": attempts}
    return boto3.client(
        "kms", endpoint_url=server.endpoint, region_name="us-east-1",
        aws_access_key_id="111122223333", aws_secret_access_key="any",
        config=Config(retries=retries, connect_timeout=5, read_timeout=30),
    )


def test_awss_words_and_nothing_done(throttling):
    server = throttling(f"CreateKey={ONCE}", f"iam={ONCE}", f"sts={ONCE}")
    kms, iam, sts = (server.client(service) for service in ("kms", "iam", "sts"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    with refused("ThrottlingException", KMS_WORDS):
        kms.create_key()
    assert [found["KeyId"] for found in kms.list_keys()["Keys"]] == [key]
    iam.create_user(UserName="first")
    with refused("Throttling", "Rate exceeded"):
        iam.create_user(UserName="second")
    sts.get_caller_identity()
    with refused("Throttling", "Rate exceeded"):
        sts.get_caller_identity()
    code = "ThrottlingException"
    codes = [record.get("errorCode") for record in server.audit()]
    assert codes == [None, code, None, None, code, None, code]
    refusals = [record for record in server.audit() if "errorCode" in record]
    assert {record["userIdentity"]["accountId"] for record in refusals} == {"111122223333"}


def test_each_account_and_region_has_its_own(throttling):
    server = throttling(f"CreateKey={ONCE}", "444455556666:CreateKey=none")
    server.kms().create_key()
    server.kms(region="eu-west-1").create_key()
    server.kms(account="555566667777").create_key()
    with refused("ThrottlingException", KMS_WORDS):
        server.kms(account="555566667777").create_key()
    for _ in range(3):
        server.kms(account="444455556666").create_key()


def test_kinds_of_keys_have_their_own(throttling):
    server = throttling(f"cryptographic-rsa={ONCE}", f"data-key-pair-ecc-nist-p256={ONCE}")
    kms = server.kms()
    symmetric = kms.create_key()["KeyMetadata"]["KeyId"]
    rsa = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    arguments = {"Plaintext": b"x", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    kms.encrypt(KeyId=rsa, **arguments)
    with refused("ThrottlingException", KMS_WORDS):
        kms.encrypt(KeyId=rsa, **arguments)
    blob = kms.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    # Into the other kind counts towards both, and what one refuses the other isn't charged for.
    with refused("ThrottlingException", KMS_WORDS):
        kms.re_encrypt(
            CiphertextBlob=blob, DestinationKeyId=rsa,
            DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        )
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    pair = {"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P256"}
    kms.generate_data_key_pair(**pair)
    with refused("ThrottlingException", KMS_WORDS):
        kms.generate_data_key_pair_without_plaintext(**pair)
    kms.generate_data_key_pair(KeyId=symmetric, KeyPairSpec="ECC_NIST_P384")


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_a_client_that_tries_again_gets_there(throttling, mode):
    server = throttling("CreateAlias=4")
    kms = retrying(server, mode, attempts=10)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    began = time.monotonic()
    names = [f"alias/{mode}-{number}" for number in range(10)]
    attempts = []
    for name in names:
        answer = kms.create_alias(AliasName=name, TargetKeyId=key)
        attempts.append(answer["ResponseMetadata"]["RetryAttempts"])
    assert time.monotonic() - began > 1, "ten at four a second, four of them at once"
    assert sorted(a["AliasName"] for a in kms.list_aliases(KeyId=key)["Aliases"]) == sorted(names)
    throttled = Metrics(server).total(
        "strongroom_throttled_requests_total", service="kms", operation="CreateAlias"
    )
    assert throttled == sum(attempts) > 0


def test_awss_rates(tmp_path):
    server = serving(tmp_path, "--quotas", "--quota", "CreateKey=none")
    kms = server.kms()
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(8)]
    for key in keys[:5]:
        kms.disable_key(KeyId=key)
    with refused("ThrottlingException", KMS_WORDS):
        for key in keys * 4:
            kms.disable_key(KeyId=key)
    server.stop()


def test_nothing_is_limited_unless_asked_for(own_server):
    kms = own_server.kms()
    assert len({kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(30)}) == 30


@pytest.mark.parametrize(("quota", "words"), [
    ("CreateKey", "expected CLASS=N"),
    ("CreateKeys=1", "there is no class CreateKeys"),
    ("CreateKey=0", "a rate is a number"),
    ("1:CreateKey=1", "an account is twelve digits"),
])
def test_a_quota_that_is_none(tmp_path, quota, words):
    command = [strongroom.binary(), "dev", "--listen", "127.0.0.1:0", "--quota", quota]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"strongroom: --quota: {words}"), ended.stderr
