"""Accounts and what one may do with another's key; who STS says the caller is."""

import json

import pytest

from expectations import UNREACHABLE_CIPHERTEXT, alias_arn, default_policy, refused

SHARED = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


@pytest.fixture
def stranger(server, account):
    """A client of another account, whose number follows the first one's."""
    return server.kms(other_account(account))


def other_account(account):
    """An account that no fixture hands out."""
    return str(int(account) + 500_000_000_000)


def share(kms, account, key, actions):
    """Lets the other account's root user do these things with the key."""
    policy = default_policy(account)
    policy["Statement"].append({
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{other_account(account)}:root"},
        "Action": actions,
        "Resource": "*",
    })
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))


def assert_denied(account, action, attempt):
    """The attempt must be refused to that account, for want of that permission."""
    with pytest.raises(Exception) as caught:
        attempt()
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException", error
    caller = f"User: arn:aws:iam::{account}:root is not authorized to perform: {action} on "
    assert error["Message"].startswith(caller), error["Message"]


def test_a_strangers_key_is_closed(account, kms, key, stranger):
    arn = key["Arn"]
    blob = kms.encrypt(KeyId=arn, Plaintext=b"secret")["CiphertextBlob"]
    caller = other_account(account)
    for action, attempt in (
        ("kms:Encrypt", lambda: stranger.encrypt(KeyId=arn, Plaintext=b"x")),
        ("kms:DescribeKey", lambda: stranger.describe_key(KeyId=arn)),
        ("kms:GenerateDataKey",
         lambda: stranger.generate_data_key(KeyId=arn, KeySpec="AES_256")),
        ("kms:Decrypt", lambda: stranger.decrypt(CiphertextBlob=blob, KeyId=arn)),
        ("kms:Encrypt", lambda: stranger.encrypt(KeyId=arn, Plaintext=b"x", DryRun=True)),
        ("kms:ListAliases", lambda: stranger.list_aliases(KeyId=arn)),
    ):
        assert_denied(caller, action, attempt)
    with refused("AccessDeniedException", UNREACHABLE_CIPHERTEXT):
        stranger.decrypt(CiphertextBlob=blob)


def test_the_key_policy_opens_it(account, kms, key, stranger):
    share(kms, account, key, SHARED)
    arn = key["Arn"]
    sealed = stranger.encrypt(KeyId=arn, Plaintext=b"hello", EncryptionContext={"a": "b"})
    assert sealed["KeyId"] == arn
    blob = sealed["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"hello"
    opened = stranger.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", arn)
    assert stranger.describe_key(KeyId=arn)["KeyMetadata"]["AWSAccountId"] == account
    made = stranger.generate_data_key(KeyId=arn, NumberOfBytes=24)
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    own = stranger.create_key()["KeyMetadata"]["KeyId"]
    stranger.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext={"a": "b"}, DestinationKeyId=own
    )


def test_an_alias_arn_of_another_account(account, kms, key, stranger):
    share(kms, account, key, SHARED)
    kms.create_alias(AliasName="alias/shared", TargetKeyId=key["KeyId"])
    name = alias_arn("alias/shared", account)
    assert stranger.encrypt(KeyId=name, Plaintext=b"x")["KeyId"] == key["Arn"]
    # The bare name is looked up in the caller's own account.
    with refused("NotFoundException"):
        stranger.encrypt(KeyId="alias/shared", Plaintext=b"x")
    with refused("NotFoundException"):
        stranger.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_only_what_the_policy_names(account, kms, key, stranger):
    share(kms, account, key, ["kms:Encrypt"])
    blob = stranger.encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException"):
        stranger.decrypt(CiphertextBlob=blob)
    assert_denied(other_account(account), "kms:DescribeKey",
                  lambda: stranger.describe_key(KeyId=key["Arn"]))


@pytest.mark.parametrize("operation, arguments", [
    ("disable_key", {}),
    ("enable_key", {}),
    ("schedule_key_deletion", {}),
    ("get_key_policy", {}),
    ("list_resource_tags", {}),
    ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ("update_key_description", {"Description": "x"}),
])
def test_management_never_crosses_accounts(account, kms, key, stranger, operation, arguments):
    share(kms, account, key, ["kms:*"])
    with refused("AccessDeniedException"):
        getattr(stranger, operation)(KeyId=key["Arn"], **arguments)
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] == key
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == []


def test_taking_the_permission_back_works_at_once(account, kms, key, stranger):
    for _ in range(5):
        share(kms, account, key, SHARED)
        stranger.encrypt(KeyId=key["Arn"], Plaintext=b"x")
        kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(default_policy(account)))
        with refused("AccessDeniedException"):
            stranger.encrypt(KeyId=key["Arn"], Plaintext=b"x")


def test_an_explicit_deny_wins(account, kms, key):
    policy = default_policy(account)
    policy["Statement"].append({
        "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
    })
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob)
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


@pytest.mark.parametrize("access_key, expected", [
    ("111122223333", "111122223333"), ("test", "000000000000"), ("anything", "000000000000"),
])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "xy-nowhere-9"])
def test_who_the_caller_is(server, access_key, expected, region):
    identity = server.client("sts", access_key, region).get_caller_identity()
    del identity["ResponseMetadata"]
    assert identity == {
        "UserId": expected, "Account": expected, "Arn": f"arn:aws:iam::{expected}:root",
    }


def test_an_access_key_that_was_never_made(server):
    kms = server.kms("AKIAIOSFODNN7EXAMPLE")
    with refused("UnrecognizedClientException"):
        kms.list_keys()
