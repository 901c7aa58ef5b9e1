"""Conditions in key policies: what is known of a request, and how its absence counts."""

import datetime
import json

import pytest

from expectations import default_policy, refused


def policy(account, *statements):
    """A policy by which the account manages the key, and the statements."""
    own = default_policy(account)["Statement"][0]
    manage = own | {"NotAction": ["kms:Encrypt", "kms:Decrypt", "kms:CreateGrant"]}
    del manage["Action"]
    return json.dumps({"Version": "2012-10-17", "Statement": [manage, *statements]})


def allow(action, condition, principal="*"):
    """A statement that allows the action under a condition."""
    return {
        "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*",
        "Condition": condition,
    }


def key_under(kms, account, *statements, **arguments):
    """The id of a fresh key with that policy."""
    answer = kms.create_key(Policy=policy(account, *statements), **arguments)
    return answer["KeyMetadata"]["KeyId"]


def encrypts(kms, key_id, **arguments):
    """Whether Encrypt is allowed; any refusal but that of permission fails the test."""
    try:
        kms.encrypt(KeyId=key_id, Plaintext=b"p", **arguments)
    except kms.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException", error
        return False
    return True


TRUE_OF_ANY = [
    {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}},
    {"StringEquals": {"kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:KeyOrigin": "AWS_KMS"}},
    {"Bool": {"kms:MultiRegion": "false"}},
    {"Null": {"kms:MultiRegionKeyType": "true"}},
    {"Null": {"kms:ViaService": "true"}},
    {"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"StringEqualsIfExists": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:PrincipalType": "Account"}},
    {"StringLike": {"AWS:PrincipalArn": "arn:aws:iam::*:ro?t"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"NumericGreaterThan": {"aws:EpochTime": "1500000000"}},
    {"Bool": {"aws:ViaAWSService": "false"}},
    {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]}},
]
FALSE_OF_ANY = [
    {"StringEquals": {"kms:KeySpec": "RSA_2048"}},
    {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"StringEquals": {"kms:EncryptionContext:tenant": "a"}},
    {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]}},
    {"StringEquals": {"aws:username": "alice"}},
    # Both must hold.
    {"Bool": {"kms:MultiRegion": "false"}, "StringEquals": {"kms:KeySpec": "RSA_2048"}},
]


@pytest.mark.parametrize("condition", TRUE_OF_ANY)
def test_conditions_that_hold(kms, account, condition):
    assert encrypts(kms, key_under(kms, account, allow("kms:Encrypt", condition)))
    denial = allow("kms:Encrypt", condition) | {"Effect": "Deny"}
    freely = allow("kms:Encrypt", {})
    assert not encrypts(kms, key_under(kms, account, freely, denial))


@pytest.mark.parametrize("condition", FALSE_OF_ANY)
def test_conditions_that_do_not(kms, account, condition):
    assert not encrypts(kms, key_under(kms, account, allow("kms:Encrypt", condition)))
    denial = allow("kms:Encrypt", condition) | {"Effect": "Deny"}
    freely = allow("kms:Encrypt", {})
    assert encrypts(kms, key_under(kms, account, freely, denial))


def test_the_encryption_context(kms, account):
    key = key_under(
        kms, account,
        allow(["kms:Encrypt", "kms:Decrypt"],
              {"StringEquals": {"kms:EncryptionContext:Tenant": "a"}}),
    )
    good = {"tenant": "a", "purpose": "test"}
    assert encrypts(kms, key, EncryptionContext=good)
    for bad in ({"tenant": "b"}, {"tenant": "A"}, {"other": "a"}, {}):
        assert not encrypts(kms, key, EncryptionContext=bad)
    blob = kms.encrypt(KeyId=key, Plaintext=b"p", EncryptionContext=good)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=good)["Plaintext"] == b"p"
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext={"tenant": "b"})


def test_the_encryption_contexts_keys(kms, account):
    condition = {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "tenant"}}
    key = key_under(kms, account, allow("kms:Encrypt", condition))
    assert encrypts(kms, key, EncryptionContext={"tenant": "x", "y": "z"})
    assert not encrypts(kms, key, EncryptionContext={"Tenant": "x"})


def test_the_caller_of_another_account(server, account):
    guest = str(int(account) + 300_000_000_000)
    kms, guest_kms = server.kms(account), server.kms(guest)
    key = key_under(
        kms, account, allow("kms:Encrypt", {"StringEquals": {"kms:CallerAccount": guest}})
    )
    arn = f"arn:aws:kms:us-east-1:{account}:key/{key}"
    assert encrypts(guest_kms, arn) and not encrypts(kms, key)


def test_what_a_grant_may_be(kms, account):
    root = f"arn:aws:iam::{account}:root"
    key = key_under(kms, account, allow("kms:CreateGrant", {
        "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]},
        "StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"},
    }))
    subset = {"EncryptionContextSubset": {"a": "b"}}
    equals = {"EncryptionContextEquals": {"a": "b"}}
    named = {"KeyId": key, "GranteePrincipal": root}
    kms.create_grant(**named, Operations=["Encrypt"], Constraints=subset)
    for operations, constraints in (
        (["Encrypt", "GenerateDataKey"], subset), (["Encrypt"], equals), (["Encrypt"], {}),
    ):
        with refused("AccessDeniedException"):
            kms.create_grant(**named, Operations=operations, Constraints=constraints)


def test_the_time(own_server):
    kms, account = own_server.kms("111122223333"), "111122223333"
    now = datetime.datetime.fromtimestamp(own_server.now(), datetime.timezone.utc)
    until = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"DateLessThan": {"aws:CurrentTime": until}}
    key = key_under(kms, account, allow("kms:Encrypt", condition))
    assert encrypts(kms, key)
    own_server.advance(seconds=7200)
    assert not encrypts(kms, key)


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"kms:KeySpecs": "x"}},
    {"StringEquals": {"s3:prefix": "x"}},
    {"StringEquals": {"aws:ResourceTag/a": "x"}},
    {"StringAlmostEquals": {"kms:KeySpec": "x"}},
    {"Bool": {"kms:MultiRegion": "perhaps"}},
    {"StringEquals": "x"},
    {"DateLessThan": {"aws:CurrentTime": "soon"}},
])
def test_what_is_not_understood_is_refused(kms, account, condition):
    with refused("MalformedPolicyDocumentException"):
        key_under(kms, account, allow("kms:Encrypt", condition))


@pytest.mark.parametrize("name", ["aws:ResourceTag/a", "kms:ResourceAliases"])
def test_what_says_nothing_of_one_key(kms, account, name):
    message = (
        "These condition keys are not permitted in a key policy: aws:ResourceTag, "
        "kms:ResourceTag, kms:ResourceAliases"
    )
    with refused("MalformedPolicyDocumentException", message):
        key_under(kms, account, allow("kms:Encrypt", {"StringEquals": {name: "x"}}))


def test_a_condition_may_not_lock_its_author_out(kms, account):
    statement = allow("kms:*", {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with refused("MalformedPolicyDocumentException"):
        kms.create_key(Policy=document)
    kms.create_key(Policy=document, BypassPolicyLockoutSafetyCheck=True)


# -- what a request says --------------------------------------------------------------------

SIGNER = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
SIGNING = {"Message": b"m", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
OTHER_ACCOUNT = "arn:aws:iam::999988887777:root"
# The kind of key, the operation, the condition, a request that meets it, and one that doesn't.
ASKED = [
    (SIGNER, "sign", {"kms:SigningAlgorithm": "RSASSA_PSS_SHA_256"}, SIGNING,
     SIGNING | {"SigningAlgorithm": "RSASSA_PSS_SHA_384"}),
    (SIGNER, "sign", {"kms:MessageType": "RAW"}, SIGNING,
     SIGNING | {"Message": bytes(32), "MessageType": "DIGEST"}),
    ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, "generate_mac",
     {"kms:MacAlgorithm": "HMAC_SHA_256"}, {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}, None),
    ({}, "generate_data_key_pair", {"kms:DataKeyPairSpec": "ECC_NIST_P256"},
     {"KeyPairSpec": "ECC_NIST_P256"}, {"KeyPairSpec": "ECC_NIST_P384"}),
    ({}, "encrypt", {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, {"Plaintext": b"p"}, None),
    ({}, "schedule_key_deletion", {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"},
     {}, {"PendingWindowInDays": 7}),
    ({}, "enable_key_rotation", {"kms:RotationPeriodInDays": "365"}, {},
     {"RotationPeriodInDays": 90}),
    ({"MultiRegion": True}, "replicate_key", {"kms:ReplicaRegion": "eu-west-1"},
     {"ReplicaRegion": "eu-west-1"}, {"ReplicaRegion": "us-west-2"}),
    ({"Origin": "EXTERNAL"}, "get_parameters_for_import",
     {"kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256", "kms:WrappingKeySpec": "RSA_2048"},
     {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
     {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_3072"}),
    ({}, "create_grant", {"kms:GranteePrincipal": OTHER_ACCOUNT},
     {"GranteePrincipal": OTHER_ACCOUNT, "Operations": ["Decrypt"]},
     {"GranteePrincipal": OTHER_ACCOUNT.replace("9999", "1111"), "Operations": ["Decrypt"]}),
]


@pytest.mark.parametrize(
    ("kind", "operation", "condition", "good", "bad"), ASKED,
    ids=[next(iter(row[2])) for row in ASKED],
)
def test_what_a_request_asks_for(kms, account, kind, operation, condition, good, bad):
    action = "kms:" + "".join(word.capitalize() for word in operation.split("_"))
    manage = default_policy(account)["Statement"][0] | {"NotAction": action}
    del manage["Action"]
    numeric = all(value.isdigit() for value in condition.values())
    operator = "NumericEquals" if numeric else "StringEquals"
    document = json.dumps({"Version": "2012-10-17", "Statement": [
        manage, allow(action, {operator: condition}),
    ]})
    key = kms.create_key(Policy=document, **kind)["KeyMetadata"]["KeyId"]
    if bad is not None:
        with refused("AccessDeniedException"):
            getattr(kms, operation)(KeyId=key, **bad)
    getattr(kms, operation)(KeyId=key, **good)


def test_the_alias_by_which_a_key_is_named(kms, account):
    key = key_under(
        kms, account, allow("kms:Encrypt", {"StringEquals": {"kms:RequestAlias": "alias/payroll"}})
    )
    for name in "alias/payroll", "alias/other":
        kms.create_alias(AliasName=name, TargetKeyId=key)
    assert encrypts(kms, "alias/payroll")
    assert encrypts(kms, f"arn:aws:kms:us-east-1:{account}:alias/payroll")
    assert not encrypts(kms, "alias/other") and not encrypts(kms, key)
