"""AWS Encryption SDK for Python: envelope encryption of a stream over our data keys."""

import hashlib

import aws_encryption_sdk
import botocore.session
import pytest
from aws_encryption_sdk import CommitmentPolicy, StrictAwsKmsMasterKeyProvider
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError

from expectations import alias_arn

MIB = 1024 * 1024
SIZE = 100 * MIB
CONTEXT = {"tenant": "a", "purpose": "backup"}


@pytest.fixture
def sdk():
    """The SDK's client with its strictest commitment policy."""
    return aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )


@pytest.fixture
def provider(server, account, monkeypatch):
    """Makes the master key provider for keys, given by ARN, of this account."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")

    def make(*arns):
        return StrictAwsKmsMasterKeyProvider(
            key_ids=arns, botocore_session=botocore.session.Session()
        )

    return make


def digest(path):
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(stream, path):
    """Writes a stream to a file, a mebibyte at a time."""
    with path.open("wb") as file:
        while chunk := stream.read(MIB):
            file.write(chunk)


def test_a_file_of_100_mb(sdk, provider, key, tmp_path):
    plain, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    # Bytes that repeat nowhere, cheaply: an extendable hash of nothing.
    plain.write_bytes(hashlib.shake_128(b"").digest(SIZE))
    keys = provider(key["Arn"])
    with plain.open("rb") as source, sdk.stream(
        mode="e", source=source, key_provider=keys, encryption_context=CONTEXT,
        frame_length=256 * 1024,
    ) as stream:
        copy(stream, sealed)
    assert sealed.stat().st_size > SIZE
    with sealed.open("rb") as source, sdk.stream(
        mode="d", source=source, key_provider=keys
    ) as stream:
        assert CONTEXT.items() <= stream.header.encryption_context.items()
        copy(stream, opened)
    assert opened.stat().st_size == SIZE
    assert digest(opened) == digest(plain)


def test_the_message_names_the_key_and_its_context(sdk, provider, kms, key):
    message, header = sdk.encrypt(
        source=b"secret", key_provider=provider(key["Arn"]), encryption_context=CONTEXT
    )
    [data_key] = header.encrypted_data_keys
    assert data_key.key_provider.key_info == key["Arn"].encode()
    # The service itself refuses the wrapped data key in any other context.
    for context in ({}, CONTEXT, header.encryption_context | {"tenant": "b"}):
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(
                CiphertextBlob=data_key.encrypted_data_key, EncryptionContext=context
            )
    kms.decrypt(
        CiphertextBlob=data_key.encrypted_data_key, EncryptionContext=header.encryption_context
    )
    assert sdk.decrypt(source=message, key_provider=provider(key["Arn"]))[0] == b"secret"


def test_an_altered_context_fails(sdk, provider, key):
    message, _ = sdk.encrypt(
        source=b"secret", key_provider=provider(key["Arn"]), encryption_context=CONTEXT
    )
    altered = message.replace(b"backup", b"payoff")
    assert altered != message
    with pytest.raises(AWSEncryptionSDKClientError):
        sdk.decrypt(source=altered, key_provider=provider(key["Arn"]))


def test_two_keys_either_of_which_opens(sdk, provider, kms, key):
    other = kms.create_key()["KeyMetadata"]
    message, header = sdk.encrypt(
        source=b"secret", key_provider=provider(key["Arn"], other["Arn"])
    )
    assert len(header.encrypted_data_keys) == 2
    kms.disable_key(KeyId=key["KeyId"])
    for arns in ((other["Arn"],), (key["Arn"], other["Arn"])):
        assert sdk.decrypt(source=message, key_provider=provider(*arns))[0] == b"secret"
    kms.disable_key(KeyId=other["KeyId"])
    with pytest.raises(AWSEncryptionSDKClientError):
        sdk.decrypt(source=message, key_provider=provider(key["Arn"], other["Arn"]))


def test_a_key_that_the_provider_does_not_name(sdk, provider, kms, key):
    other = kms.create_key()["KeyMetadata"]
    message, _ = sdk.encrypt(source=b"secret", key_provider=provider(key["Arn"]))
    with pytest.raises(AWSEncryptionSDKClientError):
        sdk.decrypt(source=message, key_provider=provider(other["Arn"]))


def test_encrypting_by_alias(sdk, provider, account, kms, key):
    kms.create_alias(AliasName="alias/sdk", TargetKeyId=key["KeyId"])
    by_alias = provider(alias_arn("alias/sdk", account))
    message, _ = sdk.encrypt(source=b"secret", key_provider=by_alias)
    assert sdk.decrypt(source=message, key_provider=provider(key["Arn"]))[0] == b"secret"
