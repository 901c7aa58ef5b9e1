"""Amazon S3 Encryption Client: objects sealed before they are sent, under data keys of KMS's.

The bucket is in memory, behind a boto3 client of S3's that sends nothing: only KMS is real.
"""

import io

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.exceptions import S3EncryptionClientError
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

SECRET = bytes(range(256)) * 64
CONTEXT = {"tenant": "a", "purpose": "payroll"}
PLACE = {"Bucket": "bucket", "Key": "object"}
# The suite that commits to its key, and the one from before there was that.
SUITES = [
    (AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
     CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT),
    (AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF,
     CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT),
]


class Body(io.BytesIO):
    """An answer's body, as botocore reads it."""

    def stream(self, **_):
        """The pieces of it."""
        yield self.read()


class Bucket:
    """One object, with the metadata that came with it."""

    def __init__(self):
        self.body = None
        self.metadata = None

    def client(self):
        """A client of S3 whose requests end here."""
        client = boto3.client(
            "s3", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any",
            config=Config(request_checksum_calculation="when_required"),
        )
        client.meta.events.register("before-send.s3", self.answer)
        return client

    def answer(self, request, **_):
        """Keeps what is put, gives back what was."""
        if request.method == "PUT":
            self.body = request.body
            self.metadata = {
                name.lower(): value.decode() if isinstance(value, bytes) else value
                for name, value in request.headers.items()
                if name.lower().startswith("x-amz-meta-")
            }
            return AWSResponse(request.url, 200, {}, Body())
        headers = self.metadata | {"content-length": str(len(self.body))}
        return AWSResponse(request.url, 200, headers, Body(self.body))


@pytest.fixture
def bucket():
    """An empty bucket."""
    return Bucket()


@pytest.fixture
def client(bucket, kms, key):
    """Makes encrypting clients on the bucket, under the key unless another is named."""
    def make(suite=SUITES[0], name=None):
        algorithm, policy = suite
        config = S3EncryptionClientConfig(
            keyring=KmsKeyring(kms, name or key["Arn"]), encryption_algorithm=algorithm,
            commitment_policy=policy,
        )
        return S3EncryptionClient(bucket.client(), config)

    return make


def opened(client, **more):
    """The object's content."""
    return client.get_object(**PLACE, **more)["Body"].read()


@pytest.mark.parametrize("suite", SUITES, ids=["committing", "plain"])
@pytest.mark.parametrize("context", [{}, {"EncryptionContext": CONTEXT}], ids=["", "context"])
def test_an_object_there_and_back(client, bucket, suite, context):
    client(suite).put_object(**PLACE, Body=SECRET, **context)
    assert len(bucket.body) >= len(SECRET) and SECRET[:64] not in bucket.body
    assert opened(client(suite), **context) == SECRET


def test_the_context_is_bound(client, bucket):
    client().put_object(**PLACE, Body=SECRET, EncryptionContext=CONTEXT)
    with pytest.raises(S3EncryptionClientError, match="does not match"):
        opened(client(), EncryptionContext=CONTEXT | {"tenant": "b"})
    # Altered in the bucket too, it passes the client, and the service refuses the data key.
    [name] = [name for name, value in bucket.metadata.items() if "payroll" in value]
    bucket.metadata[name] = bucket.metadata[name].replace("payroll", "payoff")
    with pytest.raises(S3EncryptionClientError, match="InvalidCiphertextException"):
        opened(client(), EncryptionContext=CONTEXT | {"purpose": "payoff"})


def test_an_altered_object(client, bucket):
    client().put_object(**PLACE, Body=SECRET)
    bucket.body = bucket.body[:-1] + bytes([bucket.body[-1] ^ 1])
    with pytest.raises(S3EncryptionClientError):
        opened(client())


def test_other_keys_and_disabled_ones(client, kms, key):
    client().put_object(**PLACE, Body=SECRET)
    other = kms.create_key()["KeyMetadata"]
    with pytest.raises(S3EncryptionClientError, match="IncorrectKeyException"):
        opened(client(name=other["Arn"]))
    kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(S3EncryptionClientError, match="DisabledException"):
        opened(client())
    kms.enable_key(KeyId=key["KeyId"])
    assert opened(client()) == SECRET
