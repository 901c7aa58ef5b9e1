"""The AWS Encryption SDK in two languages, behind one face, so that either can read the other.

Owns how keyrings are described and made. Knows nothing of what should open what. Either finds the
server and the credentials in the environment, as any program on it does.
"""

import json

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsDiscoveryMultiKeyringInput, CreateAwsKmsMrkDiscoveryMultiKeyringInput,
    CreateAwsKmsMrkMultiKeyringInput, CreateAwsKmsMultiKeyringInput, DiscoveryFilter,
)
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.identifiers import AlgorithmSuite

import node

# The algorithm suites that commit to their data key; others need a policy that allows them.
COMMITTING = (0x0478, 0x0578)


def strict(generator, *others, multi_region=False):
    """A keyring that encrypts under all of these keys and decrypts by any of them."""
    return {"generator": generator, "keys": list(others), "multiRegion": multi_region}


def discovery(*regions, account=None, multi_region=False):
    """A keyring that decrypts in these regions by whichever key the message names.

    With an account, only by keys of it.
    """
    return {"regions": list(regions), "account": account, "multiRegion": multi_region}


class Failure(Exception):
    """The SDK refused, and these are its words."""


class Python:
    """The SDK for Python with the keyrings of the Material Providers Library."""

    def __init__(self, directory, environment, monkeypatch):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        # boto3 keeps the credentials that it found first.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        self._library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())

    def encrypt(self, keyring, plaintext, context, suite):
        """A message with that content, made in that suite."""
        message, _ = self._client(suite).encrypt(
            source=plaintext, keyring=self._keyring(keyring), encryption_context=context,
            algorithm=AlgorithmSuite.get_by_id(suite),
        )
        return message

    def decrypt(self, keyring, message, suite=COMMITTING[0]):
        """The content of a message and the encryption context that it carries."""
        try:
            plaintext, header = self._client(suite).decrypt(
                source=message, keyring=self._keyring(keyring)
            )
        except Exception as error:
            # The library's own exceptions have no base but this.
            raise Failure(repr(error)) from error
        return plaintext, header.encryption_context

    def _client(self, suite):
        policy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        if suite not in COMMITTING:
            policy = CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
        return aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy)

    def _keyring(self, described):
        aware, library = described["multiRegion"], self._library
        if "generator" in described:
            keys = {"generator": described["generator"], "kms_key_ids": described["keys"]}
            if aware:
                return library.create_aws_kms_mrk_multi_keyring(
                    CreateAwsKmsMrkMultiKeyringInput(**keys)
                )
            return library.create_aws_kms_multi_keyring(CreateAwsKmsMultiKeyringInput(**keys))
        account = described["account"]
        found = {
            "regions": described["regions"],
            "discovery_filter": account and DiscoveryFilter(
                account_ids=[account], partition="aws"
            ),
        }
        if aware:
            return library.create_aws_kms_mrk_discovery_multi_keyring(
                CreateAwsKmsMrkDiscoveryMultiKeyringInput(**found)
            )
        return library.create_aws_kms_discovery_multi_keyring(
            CreateAwsKmsDiscoveryMultiKeyringInput(**found)
        )


class JavaScript:
    """The SDK for JavaScript, in Node."""

    def __init__(self, directory, environment, monkeypatch):
        self._directory = directory
        self._environment = environment

    def encrypt(self, keyring, plaintext, context, suite):
        """The same."""
        return self._run("encrypt", keyring, plaintext, suite, context)[0]

    def decrypt(self, keyring, message, suite=COMMITTING[0]):
        """The same."""
        return self._run("decrypt", keyring, message, suite)

    def _run(self, action, keyring, content, suite, context=None):
        source, target = self._directory / "source", self._directory / "target"
        source.write_bytes(content)
        said = json.loads(node.run("encryption.mjs", self._environment, json.dumps({
            "action": action, "keyring": keyring, "suite": suite, "context": context or {},
            "committing": suite in COMMITTING, "source": str(source), "target": str(target),
        })))
        if "error" in said:
            raise Failure(said["error"])
        return target.read_bytes(), said["context"]
