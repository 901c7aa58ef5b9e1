"""GenerateDataKey, GenerateDataKeyWithoutPlaintext and GenerateRandom."""

import pytest

from expectations import NO_MESSAGE, refused, value_fails, violation

CONTEXT = {"tenant": "a"}
EITHER = "Please specify either number of bytes or key spec."
AT_LEAST_1 = "Member must have value greater than or equal to 1"
AT_MOST_1024 = "Member must have value less than or equal to 1024"
LENGTHS = [
    ({"KeySpec": "AES_256"}, 32),
    ({"KeySpec": "AES_128"}, 16),
    ({"NumberOfBytes": 1}, 1),
    ({"NumberOfBytes": 31}, 31),
    ({"NumberOfBytes": 64}, 64),
    ({"NumberOfBytes": 1024}, 1024),
]
WRONG_REQUESTS = [
    ({}, EITHER),
    ({"KeySpec": "AES_256", "NumberOfBytes": 32}, EITHER),
    ({"NumberOfBytes": 0}, violation(value_fails(0, "numberOfBytes", AT_LEAST_1))),
    ({"NumberOfBytes": -1}, violation(value_fails(-1, "numberOfBytes", AT_LEAST_1))),
    ({"NumberOfBytes": 1025}, violation(value_fails(1025, "numberOfBytes", AT_MOST_1024))),
]


def members(answer):
    """The names of an answer's members, without what botocore adds."""
    return set(answer) - {"ResponseMetadata"}


@pytest.mark.parametrize("size, length", LENGTHS)
def test_a_data_key_is_as_long_as_asked(kms, key, size, length):
    answer = kms.generate_data_key(KeyId=key["KeyId"], **size)
    assert len(answer["Plaintext"]) == length
    assert answer["KeyId"] == key["Arn"]
    assert answer.get("KeyMaterialId") == key["CurrentKeyMaterialId"]
    assert members(answer) == {"Plaintext", "CiphertextBlob", "KeyId", "KeyMaterialId"}
    opened = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])
    assert opened["Plaintext"] == answer["Plaintext"]


@pytest.mark.parametrize("size, length", LENGTHS)
def test_a_data_key_without_plaintext(kms, key, size, length):
    answer = kms.generate_data_key_without_plaintext(KeyId=key["Arn"], **size)
    assert members(answer) == {"CiphertextBlob", "KeyId", "KeyMaterialId"}
    assert answer["KeyId"] == key["Arn"]
    assert len(kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]) == length


@pytest.mark.parametrize("operation", ["generate_data_key", "generate_data_key_without_plaintext"])
def test_the_context_binds_a_data_key(kms, key, operation):
    answer = getattr(kms, operation)(
        KeyId=key["KeyId"], KeySpec="AES_256", EncryptionContext=CONTEXT
    )
    blob = answer["CiphertextBlob"]
    for wrong in ({}, {"tenant": "b"}):
        with refused("InvalidCiphertextException", NO_MESSAGE):
            kms.decrypt(CiphertextBlob=blob, EncryptionContext=wrong)
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"]
    assert opened == answer.get("Plaintext", opened)


@pytest.mark.parametrize("operation", ["generate_data_key", "generate_data_key_without_plaintext"])
@pytest.mark.parametrize("size, message", WRONG_REQUESTS)
def test_wrong_sizes(lenient_kms, key, operation, size, message):
    with refused("ValidationException", message):
        getattr(lenient_kms, operation)(KeyId=key["KeyId"], **size)


def test_data_keys_differ(kms, key):
    name = key["KeyId"]
    keys = {kms.generate_data_key(KeyId=name, KeySpec="AES_256")["Plaintext"] for _ in range(20)}
    assert len(keys) == 20


def test_a_data_key_by_alias(kms, key):
    kms.create_alias(AliasName="alias/wrapping", TargetKeyId=key["KeyId"])
    answer = kms.generate_data_key(KeyId="alias/wrapping", KeySpec="AES_256")
    assert answer["KeyId"] == key["Arn"]


@pytest.mark.parametrize("length", [1, 16, 1023, 1024])
def test_random_bytes(kms, length):
    answer = kms.generate_random(NumberOfBytes=length)
    assert members(answer) == {"Plaintext"}
    assert len(answer["Plaintext"]) == length


def test_random_bytes_differ(kms):
    drawn = {kms.generate_random(NumberOfBytes=32)["Plaintext"] for _ in range(20)}
    assert len(drawn) == 20


@pytest.mark.parametrize("arguments, message", [
    ({}, "NumberOfBytes is required."),
    ({"NumberOfBytes": 0}, violation(value_fails(0, "numberOfBytes", AT_LEAST_1))),
    ({"NumberOfBytes": 1025}, violation(value_fails(1025, "numberOfBytes", AT_MOST_1024))),
])
def test_wrong_numbers_of_random_bytes(lenient_kms, arguments, message):
    with refused("ValidationException", message):
        lenient_kms.generate_random(**arguments)
