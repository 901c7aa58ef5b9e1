"""Conditions in users' own policies: what they may ask of keys, tags, callers and networks."""

import contextlib
import json

import pytest
from botocore.exceptions import ClientError

from access import client, new_key
from expectations import refused
from iam_world import document, statement


@pytest.fixture
def user(server, iam):
    """A user with the tag team=red, and a client of KMS that acts as it."""
    iam.create_user(UserName="eve", Tags=[{"Key": "team", "Value": "red"}])
    return client(server, "kms", new_key(iam, "eve"))


@pytest.fixture
def may(iam, user):
    """Says whether the user may do something under a condition of its policy."""

    def ask(action, operator, name, value, call):
        condition = {operator: {name: value}}
        iam.put_user_policy(
            UserName="eve", PolicyName="p",
            PolicyDocument=document(statement(action, Condition=condition)),
        )
        with contextlib.suppress(ClientError):
            call(user)
            return True
        with refused("AccessDeniedException"):
            call(user)
        return False

    return ask


def test_the_aliases_of_a_key(kms, key, account, may):
    kms.create_alias(AliasName=f"alias/red/{account}", TargetKeyId=key["KeyId"])

    def encrypts(operator, value):
        return may("kms:Encrypt", operator, "kms:ResourceAliases", value,
                   lambda user: user.encrypt(KeyId=key["KeyId"], Plaintext=b"x"))

    assert encrypts("ForAnyValue:StringLike", "alias/red/*")
    assert not encrypts("ForAnyValue:StringLike", "alias/blue/*")
    assert not encrypts("ForAnyValue:StringEquals", "alias/red")
    kms.delete_alias(AliasName=f"alias/red/{account}")
    assert not encrypts("ForAnyValue:StringLike", "alias/red/*")


def test_the_tags_of_a_key_and_of_the_caller(kms, key, may):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "Team", "TagValue": "red"}])

    def describes(name, value):
        return may("kms:DescribeKey", "StringEquals", name, value,
                   lambda user: user.describe_key(KeyId=key["KeyId"]))

    assert describes("aws:ResourceTag/Team", "red")
    assert describes("aws:resourcetag/team", "red")
    assert not describes("aws:ResourceTag/Team", "Red")
    assert describes("aws:ResourceTag/Team", "${aws:PrincipalTag/team}")
    assert not describes("aws:ResourceTag/Team", "${aws:PrincipalTag/absent}")
    assert describes("aws:PrincipalTag/team", "red")
    assert describes("aws:username", "eve")
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["Team"])
    assert not describes("aws:ResourceTag/Team", "red")


def test_the_tags_that_a_request_sets(kms, key, may):
    def tags(operator, name, value, key_id=key["KeyId"]):
        return may("kms:TagResource", operator, name, value, lambda user: user.tag_resource(
            KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "1"}],
        ))

    assert tags("StringEquals", "aws:RequestTag/a", "1")
    assert not tags("StringEquals", "aws:RequestTag/a", "2")
    assert tags("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b"])
    assert not tags("ForAllValues:StringEquals", "aws:TagKeys", ["b"])


def test_a_new_key_and_its_tags(iam, user):
    iam.put_user_policy(
        UserName="eve", PolicyName="p", PolicyDocument=document(statement(
            "kms:CreateKey", Condition={"StringEquals": {"kms:KeySpec": "ECC_NIST_P256"}},
        )),
    )
    user.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    with refused("AccessDeniedException"):
        user.create_key()
    with refused("AccessDeniedException"):
        user.create_key(
            KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY",
            Tags=[{"TagKey": "a", "TagValue": "1"}],
        )


def test_where_a_request_comes_from(key, may):
    def describes(operator, name, value):
        return may("kms:DescribeKey", operator, name, value,
                   lambda user: user.describe_key(KeyId=key["KeyId"]))

    assert describes("IpAddress", "aws:SourceIp", "127.0.0.0/8")
    assert not describes("IpAddress", "aws:SourceIp", "10.0.0.0/8")
    assert describes("Bool", "aws:SecureTransport", "false")
    assert not describes("Bool", "aws:SecureTransport", "true")
    assert describes("StringLike", "aws:UserAgent", "*Boto3*")
    assert describes("Null", "aws:MultiFactorAuthPresent", "true")
    assert not describes("StringEquals", "aws:PrincipalOrgID", "o-1")


def test_whether_a_ciphertext_stays_with_its_key(kms, key, may):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]

    def re_encrypts(value, destination):
        return may("kms:ReEncrypt*", "Bool", "kms:ReEncryptOnSameKey", value,
                   lambda user: user.re_encrypt(
                       CiphertextBlob=blob, DestinationKeyId=destination))

    assert re_encrypts("true", key["KeyId"]) and not re_encrypts("true", other)
    assert re_encrypts("false", other) and not re_encrypts("false", key["KeyId"])


def test_an_alias_takes_permission_on_both(iam, kms, key, account, user):
    name = f"alias/both/{account}"
    alias = f"arn:aws:kms:us-east-1:{account}:{name}"

    def create(*resources):
        iam.put_user_policy(
            UserName="eve", PolicyName="p",
            PolicyDocument=document(statement("kms:CreateAlias", list(resources))),
        )
        user.create_alias(AliasName=name, TargetKeyId=key["KeyId"])

    for resource in (alias, key["Arn"]):
        with refused("AccessDeniedException"):
            create(resource)
    create(alias, key["Arn"])
    # An alias in Resource gives no use of the key behind it.
    iam.put_user_policy(
        UserName="eve", PolicyName="p", PolicyDocument=document(statement("kms:Encrypt", alias)),
    )
    with refused("AccessDeniedException"):
        user.encrypt(KeyId=name, Plaintext=b"x")


def test_a_user_that_is_made_again_is_another(server, iam, kms, account):
    arn = iam.create_user(UserName="mallory")["User"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
             "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": arn["Arn"]}, "Action": "kms:Encrypt",
             "Resource": "*"},
        ],
    }
    key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    grant = kms.create_grant(
        KeyId=key, GranteePrincipal=arn["Arn"], Operations=["GenerateDataKey"],
    )["GrantId"]
    first = new_key(iam, "mallory")
    own = client(server, "kms", first)
    own.encrypt(KeyId=key, Plaintext=b"x")
    own.generate_data_key(KeyId=key, KeySpec="AES_256")
    iam.delete_access_key(UserName="mallory", AccessKeyId=first["AccessKeyId"])
    with refused("UnrecognizedClientException"):
        own.encrypt(KeyId=key, Plaintext=b"x")
    iam.delete_user(UserName="mallory")
    assert arn["UserId"] in kms.get_key_policy(KeyId=key)["Policy"]
    shown = kms.list_grants(KeyId=key)["Grants"][0]
    assert (shown["GrantId"], shown["GranteePrincipal"]) == (grant, arn["UserId"])
    iam.create_user(UserName="mallory")
    second = client(server, "kms", new_key(iam, "mallory"))
    for call in (
        lambda: second.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: second.generate_data_key(KeyId=key, KeySpec="AES_256"),
    ):
        with refused("AccessDeniedException"):
            call()
    assert arn["Arn"] not in kms.get_key_policy(KeyId=key)["Policy"]


def test_who_does_not_exist_is_no_principal(kms, account, key):
    nobody = f"arn:aws:iam::{account}:user/nobody"
    policy = document(statement("kms:*", Principal={"AWS": nobody}))
    with refused(
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
    ):
        kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    with refused("InvalidArnException", f"ARN does not refer to a valid principal: {nobody}"):
        kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=nobody, Operations=["Encrypt"])
