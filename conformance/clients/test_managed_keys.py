"""AWS managed keys: made when somebody asks for one, seen by all, changed by nobody."""

import concurrent.futures
import json

import pytest

from expectations import absent_alias, alias_arn, refused

S3 = "Default key that protects my S3 objects when no other key is defined"
OPERATIONS = {
    # Management that AWS keeps to itself.
    "DisableKey": {},
    "EnableKey": {},
    "ScheduleKeyDeletion": {"PendingWindowInDays": 7},
    "CancelKeyDeletion": {},
    "PutKeyPolicy": {"PolicyName": "default", "Policy": "{}"},
    "EnableKeyRotation": {},
    "DisableKeyRotation": {},
    "RotateKeyOnDemand": {},
    "UpdateKeyDescription": {"Description": "mine"},
    "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "UntagResource": {"TagKeys": ["a"]},
    # Direct use, which only the service itself has.
    "Encrypt": {"Plaintext": b"x"},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
}


def denied(account, key, action):
    """AWS's words where a key's policy doesn't mention the action."""
    return (
        f"User: arn:aws:iam::{account}:root is not authorized to perform: {action} on resource: "
        f"{key['Arn']} because no resource-based policy allows the {action} action"
    )


def call(kms, operation, **arguments):
    """Calls an operation by its name in the model."""
    words = "".join("_" + c.lower() if c.isupper() else c for c in operation).strip("_")
    return getattr(kms, words)(**arguments)


@pytest.fixture
def managed(kms):
    """The AWS managed key of S3 in that account."""
    return kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]


def test_the_first_who_asks_makes_it(kms, account):
    assert kms.list_keys()["Keys"] == []
    key = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (key["KeyManager"], key["Description"], key["KeyState"]) == ("AWS", S3, "Enabled")
    assert (key["Origin"], key["KeySpec"], key["MultiRegion"]) == (
        "AWS_KMS", "SYMMETRIC_DEFAULT", False,
    )
    assert key["CurrentKeyMaterialId"]
    by_arn = alias_arn("alias/aws/s3", account)
    for name in ("alias/aws/s3", by_arn, key["KeyId"], key["Arn"]):
        assert kms.describe_key(KeyId=name)["KeyMetadata"] == key
    assert [listed["KeyId"] for listed in kms.list_keys()["Keys"]] == [key["KeyId"]]
    [alias] = kms.list_aliases()["Aliases"]
    assert alias["AliasName"] == "alias/aws/s3"
    assert alias["TargetKeyId"] == key["KeyId"]
    assert kms.list_aliases(KeyId=key["KeyId"])["Aliases"] == [alias]


def test_each_account_region_and_service_has_its_own(server, account, kms, managed):
    elsewhere = server.kms(account, region="eu-west-1").describe_key(KeyId="alias/aws/s3")
    other = kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"]
    assert other["Description"] == (
        "Default key that protects my SQS messages when no other key is defined"
    )
    assert len({managed["Arn"], elsewhere["KeyMetadata"]["Arn"], other["Arn"]}) == 3


def test_those_who_ask_at_once_get_one(server, account):
    def ask(_):
        return server.kms(account).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(24)))) == 1
    assert len(server.kms(account).list_keys()["Keys"]) == 1


def test_only_known_services_have_one(kms, account):
    for name in ("alias/aws/nonsense", "alias/aws/", "alias/aws/s3/x"):
        with refused("NotFoundException", absent_alias(name, account)):
            kms.describe_key(KeyId=name)
    # Nothing but DescribeKey makes one.
    with refused("NotFoundException", absent_alias("alias/aws/s3", account)):
        kms.encrypt(KeyId="alias/aws/s3", Plaintext=b"x")
    assert kms.list_keys()["Keys"] == []


def test_another_account_makes_and_sees_none(server, kms, account):
    stranger = server.kms("999900009999")
    arn = alias_arn("alias/aws/s3", account)
    with refused("AccessDeniedException"):
        stranger.describe_key(KeyId=arn)
    assert kms.list_keys()["Keys"] == []
    key = kms.describe_key(KeyId=arn)["KeyMetadata"]
    for name in (arn, key["Arn"]):
        with refused("AccessDeniedException"):
            stranger.describe_key(KeyId=name)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_nobody_may_do(kms, account, managed, operation):
    with refused("AccessDeniedException", denied(account, managed, f"kms:{operation}")):
        call(kms, operation, KeyId=managed["KeyId"], **OPERATIONS[operation])
    assert kms.describe_key(KeyId=managed["KeyId"])["KeyMetadata"] == managed


def test_its_aliases_are_reserved(kms, account, managed, key):
    with refused("AccessDeniedException", denied(account, managed, "kms:CreateAlias")):
        kms.create_alias(AliasName="alias/mine", TargetKeyId=managed["KeyId"])
    with refused("NotAuthorizedException"):
        kms.create_alias(AliasName="alias/aws/sns", TargetKeyId=key["KeyId"])
    with refused("NotAuthorizedException"):
        kms.update_alias(AliasName="alias/aws/s3", TargetKeyId=key["KeyId"])
    with refused("NotAuthorizedException"):
        kms.delete_alias(AliasName="alias/aws/s3")
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    with refused("AccessDeniedException", denied(account, managed, "kms:UpdateAlias")):
        kms.update_alias(AliasName="alias/mine", TargetKeyId=managed["KeyId"])


def test_what_everybody_in_the_account_may_see(kms, account, managed):
    name = managed["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=name)["Policy"])
    [statement] = policy["Statement"]
    assert statement["Action"] == ["kms:Describe*", "kms:Get*", "kms:List*"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{account}:root"}
    assert kms.list_key_policies(KeyId=name)["PolicyNames"] == ["default"]
    assert kms.list_resource_tags(KeyId=name)["Tags"] == []
    assert kms.list_key_rotations(KeyId=name)["Rotations"] == []


def test_it_rotates_every_year(own_server):
    kms = own_server.kms()
    key = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
    assert (status["NextRotationDate"] - key["CreationDate"]).days == 365
    own_server.advance(days=3 * 365)
    rotated = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert rotated["CurrentKeyMaterialId"] != key["CurrentKeyMaterialId"]
    assert len(kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]) == 3


def test_it_survives_a_restart(own_server):
    key = own_server.kms().describe_key(KeyId="alias/aws/ssm")["KeyMetadata"]
    own_server.kill9()
    own_server.restart()
    assert own_server.kms().describe_key(KeyId="alias/aws/ssm")["KeyMetadata"] == key
