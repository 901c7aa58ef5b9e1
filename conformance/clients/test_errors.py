"""Requests that can't be served: what is said of them, and in which order."""

import json
import re

import pytest

from expectations import (
    ABSENT_KEY_ID, absent_key, key_arn, longest, refused, shortest, value_fails, violation,
)

NOT_NULL = "Member must not be null"


def parsed(answer):
    """The status, the code and the message of a raw answer, and the answer's headers."""
    status, headers, body = answer
    error = json.loads(body)
    return status, error["__type"].rsplit("#", 1)[-1], error.get("message"), headers


@pytest.mark.parametrize("key_id", [
    "nonsense",
    "0f1e2d3c4b5a49788695a4b3c2d1e0f0",
    "mrk-fake-key-id",
    "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0fg",
    "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0 ",
    "' OR 1=1 --",
])
def test_ids_that_are_none(kms, key_id):
    for operation in (kms.describe_key, kms.disable_key, kms.get_key_policy):
        with refused("NotFoundException", f"Invalid keyId '{key_id}'"):
            operation(KeyId=key_id)
    with refused("NotFoundException", f"Invalid keyId '{key_id}'"):
        kms.encrypt(KeyId=key_id, Plaintext=b"x")


@pytest.mark.parametrize("key_id", [ABSENT_KEY_ID, "mrk-0f1e2d3c4b5a49788695a4b3c2d1e0f0"])
def test_ids_of_nothing(server, account, kms, key_id):
    for operation in (kms.describe_key, kms.enable_key, kms.list_resource_tags):
        with refused("NotFoundException", absent_key(key_id, account)):
            operation(KeyId=key_id)
    abroad = server.kms(account, "ap-southeast-2")
    with refused("NotFoundException", absent_key(key_id, account, "ap-southeast-2")):
        abroad.describe_key(KeyId=key_id)


def test_an_arn_of_another_region(server, account, kms, key):
    abroad = server.kms(account, "eu-west-1")
    for operation in (abroad.describe_key, abroad.disable_key, abroad.get_key_policy):
        with refused("NotFoundException", "Invalid arn us-east-1"):
            operation(KeyId=key["Arn"])
    with refused("NotFoundException", absent_key(key["KeyId"], account, "eu-west-1")):
        abroad.describe_key(KeyId=key["KeyId"])
    with refused("NotFoundException", "Invalid arn eu-west-1"):
        kms.describe_key(KeyId=key_arn(key["KeyId"], account, "eu-west-1"))


@pytest.mark.parametrize("operation, arguments, failures", [
    ("describe_key", {}, [value_fails(None, "keyId", NOT_NULL)]),
    ("describe_key", {"KeyId": ""}, [value_fails("", "keyId", shortest(1))]),
    ("describe_key", {"KeyId": "x" * 2049}, [value_fails("x" * 2049, "keyId", longest(2048))]),
    ("encrypt", {"KeyId": ABSENT_KEY_ID}, [value_fails(None, "plaintext", NOT_NULL)]),
    ("create_alias", {"TargetKeyId": ABSENT_KEY_ID}, [value_fails(None, "aliasName", NOT_NULL)]),
    ("tag_resource", {"KeyId": ABSENT_KEY_ID}, [value_fails(None, "tags", NOT_NULL)]),
    ("tag_resource", {"KeyId": ABSENT_KEY_ID, "Tags": [{"TagKey": "a"}]},
     [value_fails(None, "tags.1.member.tagValue", NOT_NULL)]),
    ("untag_resource", {"KeyId": ABSENT_KEY_ID, "TagKeys": ["a", "x" * 129]}, None),
], ids=[
    "no key", "empty key", "long key", "no plaintext", "no alias", "no tags", "no value",
    "long tag key",
])
def test_violations_come_before_any_lookup(lenient_kms, operation, arguments, failures):
    message = violation(*failures) if failures else re.compile("1 validation error detected: .*")
    with refused("ValidationException", message):
        getattr(lenient_kms, operation)(**arguments)


def test_all_violations_are_told_at_once(lenient_kms):
    with pytest.raises(lenient_kms.exceptions.ClientError) as caught:
        lenient_kms.create_alias(AliasName="", TargetKeyId="")
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    head, failures = error["Message"].split(": ", 1)
    told = failures.split("; ")
    assert head == f"{len(told)} validation errors detected"
    assert value_fails("", "targetKeyId", shortest(1)) in told
    assert value_fails("", "aliasName", shortest(1)) in told


@pytest.mark.parametrize("operation, member, shape, path", [
    ("create_key", "KeySpec", "KeySpec", "keySpec"),
    ("create_key", "KeyUsage", "KeyUsageType", "keyUsage"),
    ("create_key", "Origin", "OriginType", "origin"),
    ("generate_data_key", "KeySpec", "DataKeySpec", "keySpec"),
    ("encrypt", "EncryptionAlgorithm", "EncryptionAlgorithmSpec", "encryptionAlgorithm"),
])
def test_values_of_an_enum(kms, key, operation, member, shape, path):
    fixed = {
        "create_key": {},
        "generate_data_key": {"KeyId": key["KeyId"]},
        "encrypt": {"KeyId": key["KeyId"], "Plaintext": b"x"},
    }[operation]
    with pytest.raises(kms.exceptions.ClientError) as caught:
        getattr(kms, operation)(**fixed, **{member: "NONSENSE"})
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    expected = violation(value_fails("NONSENSE", path, "Member must satisfy enum value set: "))
    assert error["Message"].startswith(expected), error["Message"]
    # AWS lists the values in an order that comes from a hash: only the set is compared.
    listed = error["Message"].removeprefix(expected)
    assert (listed[0], listed[-1]) == ("[", "]")
    model = kms.meta.service_model.shape_for(shape).enum
    assert sorted(listed[1:-1].split(", ")) == sorted(model)


def test_an_enum_error_outranks_an_absent_key(kms):
    with refused("ValidationException", re.compile(".*Member must satisfy enum value set: .*")):
        kms.generate_data_key(KeyId=ABSENT_KEY_ID, KeySpec="AES_512")


@pytest.mark.parametrize("target", ["TrentService.Nonsense", "Nonsense", "Other.CreateKey", ""])
def test_unknown_operations(server, account, target):
    status, code, _, headers = parsed(server.send_kms(target, b"{}", account))
    assert (status, code) == (400, "UnknownOperationException")
    assert headers["x-amzn-RequestId"]


@pytest.mark.parametrize("body", [
    b"{", b"[]", b'"x"', b"\xff\xfe", b'{"KeyId": "a"', b'{"KeyId": "a"}}',
    b'{"KeyId": 7}', b'{"KeyId": ["a"]}', b'{"KeyId": {"a": "b"}}', b"[" * 50_000,
    b'{"KeyId": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
])
def test_bodies_that_are_no_request(server, account, body):
    status, code, _, _ = parsed(server.send_kms("TrentService.DescribeKey", body, account))
    assert (status, code) == (400, "SerializationException")


@pytest.mark.parametrize("member", [b'"Plaintext": "%%%"', b'"Plaintext": 7',
                                    b'"EncryptionContext": {"a": 7}, "Plaintext": "eA=="'])
def test_members_of_the_wrong_kind(server, account, key, member):
    body = b'{"KeyId": "' + key["KeyId"].encode() + b'", ' + member + b"}"
    status, code, _, _ = parsed(server.send_kms("TrentService.Encrypt", body, account))
    assert (status, code) == (400, "SerializationException")


def test_unknown_members_are_ignored(server, account, key):
    body = json.dumps({"KeyId": key["KeyId"], "Surprise": {"a": [1]}}).encode()
    status, headers, answer = server.send_kms("TrentService.DescribeKey", body, account)
    assert status == 200
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert json.loads(answer)["KeyMetadata"]["KeyId"] == key["KeyId"]


def test_the_shape_of_an_error(server, account):
    body = json.dumps({"KeyId": ABSENT_KEY_ID}).encode()
    status, headers, answer = server.send_kms("TrentService.DescribeKey", body, account)
    assert status == 400
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert json.loads(answer) == {
        "__type": "NotFoundException", "message": absent_key(account=account),
    }


def test_a_request_without_a_signature(server):
    headers = {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.ListKeys",
    }
    status, code, _, _ = parsed(server.send("POST", "/", b"{}", headers))
    assert (status, code) == (400, "MissingAuthenticationTokenException")


def test_an_answer_of_no_members_has_none(server, account, key):
    body = json.dumps({"KeyId": key["KeyId"]}).encode()
    status, _, answer = server.send_kms("TrentService.DisableKey", body, account)
    assert status == 200
    assert answer in (b"", b"{}")
