"""DynamoDB Encryption Client: items sealed and signed attribute by attribute, under KMS's keys.

The library works on items as they are before they are sent; a table isn't needed.
"""

import pytest
from botocore.exceptions import ClientError
from dynamodb_encryption_sdk.encrypted import CryptoConfig
from dynamodb_encryption_sdk.encrypted.item import decrypt_python_item, encrypt_python_item
from dynamodb_encryption_sdk.exceptions import SignatureVerificationError, UnwrappingError
from dynamodb_encryption_sdk.identifiers import CryptoAction
from dynamodb_encryption_sdk.material_providers.aws_kms import (
    AwsKmsCryptographicMaterialsProvider,
)
from dynamodb_encryption_sdk.structures import AttributeActions, EncryptionContext
from dynamodb_encryption_sdk.transform import dict_to_ddb

ITEM = {"person": "zoë", "year": 2026, "salary": 5000, "note": b"\0\xff", "team": "pay"}
ACTIONS = AttributeActions(
    default_action=CryptoAction.ENCRYPT_AND_SIGN,
    attribute_actions={
        "person": CryptoAction.SIGN_ONLY, "year": CryptoAction.SIGN_ONLY,
        "team": CryptoAction.DO_NOTHING,
    },
)


@pytest.fixture
def config(kms, key):
    """Makes the configuration for an item of a table."""
    def make(item, table="staff"):
        return CryptoConfig(
            materials_provider=AwsKmsCryptographicMaterialsProvider(
                key["Arn"], regional_clients={"us-east-1": kms}
            ),
            encryption_context=EncryptionContext(
                table_name=table, partition_key_name="person", sort_key_name="year",
                attributes=dict_to_ddb(item),
            ),
            attribute_actions=ACTIONS,
        )

    return make


@pytest.fixture
def sealed(config):
    """The item, encrypted."""
    return encrypt_python_item(ITEM, config(ITEM))


def test_an_item_there_and_back(config, sealed):
    assert {name: sealed[name] for name in ("person", "year", "team")} == {
        "person": "zoë", "year": 2026, "team": "pay",
    }
    assert sealed["salary"] != 5000 and sealed["note"] != ITEM["note"]
    assert decrypt_python_item(sealed, config(sealed)) == ITEM


def test_the_data_key_is_bound_to_table_and_primary_key(config, sealed):
    moved = sealed | {"person": "mallory"}
    for item, table in ((sealed, "others"), (moved, "staff")):
        with pytest.raises(UnwrappingError) as caught:
            decrypt_python_item(item, config(item, table))
        assert code(caught.value) == "InvalidCiphertextException"


def test_an_altered_attribute(config, sealed):
    altered = sealed | {"salary": encrypt_python_item(ITEM, config(ITEM))["salary"]}
    with pytest.raises(SignatureVerificationError):
        decrypt_python_item(altered, config(altered))
    # What isn't signed may change.
    assert decrypt_python_item(sealed | {"team": "x"}, config(sealed)) == ITEM | {"team": "x"}


def test_a_disabled_key(config, sealed, kms, key):
    kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(UnwrappingError) as caught:
        decrypt_python_item(sealed, config(sealed))
    assert code(caught.value) == "DisabledException"
    kms.enable_key(KeyId=key["KeyId"])
    assert decrypt_python_item(sealed, config(sealed)) == ITEM


def code(error):
    """The service's error behind one of the library's."""
    cause = error.__cause__ or error.__context__
    assert isinstance(cause, ClientError)
    return cause.response["Error"]["Code"]
