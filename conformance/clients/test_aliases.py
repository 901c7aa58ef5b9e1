"""Aliases: names that point at keys."""

import re

import pytest

from expectations import (
    ABSENT_KEY_ID, absent_alias, absent_key, alias_arn, longest, refused, value_fails, violation,
)

PREFIX_TEXT = (
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)
PATTERN = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"


def aliases(kms, **arguments):
    """The aliases that ListAliases answers, without the reserved ones of AWS's own keys."""
    listed = kms.list_aliases(**arguments)["Aliases"]
    return [alias for alias in listed if not alias["AliasName"].startswith("alias/aws/")]


def test_an_alias_lives(server, kms, account, key):
    other = kms.create_key()["KeyMetadata"]
    before = server.now()
    answer = kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["Arn"])
    assert set(answer) == {"ResponseMetadata"}
    [listed] = aliases(kms)
    created = listed["CreationDate"]
    assert abs(created.timestamp() - before) < 60
    assert listed == {
        "AliasName": "alias/payroll",
        "AliasArn": alias_arn("alias/payroll", account),
        "TargetKeyId": key["KeyId"],
        "CreationDate": created,
        "LastUpdatedDate": listed["LastUpdatedDate"],
    }

    kms.update_alias(AliasName="alias/payroll", TargetKeyId=other["KeyId"])
    [moved] = aliases(kms)
    assert moved["TargetKeyId"] == other["KeyId"]
    assert moved["CreationDate"] == created
    assert moved["LastUpdatedDate"] >= listed["LastUpdatedDate"]

    kms.delete_alias(AliasName="alias/payroll")
    assert aliases(kms) == []
    with refused("NotFoundException", absent_alias("alias/payroll", account)):
        kms.encrypt(KeyId="alias/payroll", Plaintext=b"x")


def test_updating_sets_the_date(own_server):
    kms = own_server.kms()
    target = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=target)
    own_server.advance(days=3)
    kms.update_alias(AliasName="alias/a", TargetKeyId=target)
    [alias] = aliases(kms)
    assert (alias["LastUpdatedDate"] - alias["CreationDate"]).days == 3


def test_an_alias_decides_the_key_at_the_moment_of_use(kms, key):
    other = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/current", TargetKeyId=key["KeyId"])
    old = kms.encrypt(KeyId="alias/current", Plaintext=b"old")
    kms.update_alias(AliasName="alias/current", TargetKeyId=other["KeyId"])
    new = kms.encrypt(KeyId="alias/current", Plaintext=b"new")
    assert (old["KeyId"], new["KeyId"]) == (key["Arn"], other["Arn"])
    # The blob names its key, not the alias.
    assert kms.decrypt(CiphertextBlob=old["CiphertextBlob"])["Plaintext"] == b"old"
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=old["CiphertextBlob"], KeyId="alias/current")


@pytest.mark.parametrize("name", [
    "alias/a", "alias/with/slashes", "alias/Under_score-and-dash", "alias/" + "x" * 250,
])
def test_names_that_are_allowed(kms, key, name):
    kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    assert [alias["AliasName"] for alias in aliases(kms)] == [name]
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key["KeyId"]


@pytest.mark.parametrize("name, code, message", [
    ("payroll", "ValidationException", PREFIX_TEXT),
    ("Alias/payroll", "ValidationException", PREFIX_TEXT),
    ("alias/aws/ebs", "NotAuthorizedException", None),
    ("alias/my:alias", "ValidationException",
     "alias/my:alias contains invalid characters for an alias"),
    ("alias/sp ace", "ValidationException",
     violation(value_fails("alias/sp ace", "aliasName", PATTERN))),
    ("alias/é", "ValidationException", violation(value_fails("alias/é", "aliasName", PATTERN))),
    ("alias/" + "x" * 251, "ValidationException",
     violation(value_fails("alias/" + "x" * 251, "aliasName", longest(256)))),
], ids=["no-prefix", "upper-case", "reserved", "colon", "space", "accent", "too-long"])
def test_names_that_are_refused(kms, key, name, code, message):
    with refused(code, message):
        kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    assert aliases(kms) == []


def test_a_name_is_taken_once_in_a_region(server, kms, account, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
    arn = alias_arn("alias/payroll", account)
    for target in (key["KeyId"], other):
        with refused(
            "AlreadyExistsException", f"An alias with the name {arn} already exists"
        ):
            kms.create_alias(AliasName="alias/payroll", TargetKeyId=target)
    assert [alias["TargetKeyId"] for alias in aliases(kms)] == [key["KeyId"]]

    abroad = server.kms(account, "eu-west-1")
    target = abroad.create_key()["KeyMetadata"]["KeyId"]
    abroad.create_alias(AliasName="alias/payroll", TargetKeyId=target)
    assert abroad.describe_key(KeyId="alias/payroll")["KeyMetadata"]["KeyId"] == target
    assert kms.describe_key(KeyId="alias/payroll")["KeyMetadata"]["KeyId"] == key["KeyId"]


def test_names_differ_by_case(kms, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
    kms.create_alias(AliasName="alias/Payroll", TargetKeyId=other)
    assert kms.describe_key(KeyId="alias/Payroll")["KeyMetadata"]["KeyId"] == other


def test_a_deleted_name_is_free_again(kms, key):
    for _ in range(2):
        kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
        kms.delete_alias(AliasName="alias/payroll")
    assert aliases(kms) == []


def test_the_target_is_a_key_that_exists(kms, account, key):
    with refused("NotFoundException", absent_key(account=account)):
        kms.create_alias(AliasName="alias/a", TargetKeyId=ABSENT_KEY_ID)
    with refused("NotFoundException", "Invalid keyId 'nonsense'"):
        kms.create_alias(AliasName="alias/a", TargetKeyId="nonsense")
    kms.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    with refused("NotFoundException", absent_key(account=account)):
        kms.update_alias(AliasName="alias/a", TargetKeyId=ABSENT_KEY_ID)
    assert [alias["TargetKeyId"] for alias in aliases(kms)] == [key["KeyId"]]


def test_the_target_is_no_alias(kms, key):
    kms.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    with refused("ValidationException", "Aliases must refer to keys. Not aliases"):
        kms.create_alias(AliasName="alias/b", TargetKeyId="alias/a")


def test_an_absent_alias(kms, account, key):
    message = absent_alias("alias/nobody", account)
    for attempt in (
        lambda: kms.delete_alias(AliasName="alias/nobody"),
        lambda: kms.update_alias(AliasName="alias/nobody", TargetKeyId=key["KeyId"]),
        lambda: kms.describe_key(KeyId="alias/nobody"),
        lambda: kms.describe_key(KeyId=alias_arn("alias/nobody", account)),
        lambda: kms.encrypt(KeyId="alias/nobody", Plaintext=b"x"),
    ):
        with refused("NotFoundException", message):
            attempt()


def test_listing_by_key(kms, account, key):
    other = kms.create_key()["KeyMetadata"]
    for name, target in (("alias/a", key), ("alias/b", other), ("alias/c", key)):
        kms.create_alias(AliasName=name, TargetKeyId=target["KeyId"])
    for name in (key["KeyId"], key["Arn"]):
        listed = aliases(kms, KeyId=name)
        assert sorted(alias["AliasName"] for alias in listed) == ["alias/a", "alias/c"]
    assert [alias["AliasName"] for alias in aliases(kms, KeyId=other["KeyId"])] == ["alias/b"]
    with refused("NotFoundException", absent_key(account=account)):
        kms.list_aliases(KeyId=ABSENT_KEY_ID)


def test_fifty_aliases_a_key(kms, key):
    for number in range(50):
        kms.create_alias(AliasName=f"alias/n{number}", TargetKeyId=key["KeyId"])
    with refused("LimitExceededException", re.compile(".+")):
        kms.create_alias(AliasName="alias/n50", TargetKeyId=key["KeyId"])
    listed = [alias["AliasName"] for alias in aliases(kms, KeyId=key["KeyId"])]
    assert sorted(listed) == sorted(f"alias/n{number}" for number in range(50))


@pytest.mark.parametrize("operation", [
    "disable_key", "get_key_policy", "list_grants", "rotate_key_on_demand",
])
def test_an_alias_is_no_name_where_an_id_is_wanted(kms, account, key, operation):
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
    with refused("NotFoundException", "Invalid keyId 'alias/payroll'"):
        getattr(kms, operation)(KeyId="alias/payroll")
    with refused(
        "InvalidArnException", "Key Aliases are not supported for this operation"
    ):
        getattr(kms, operation)(KeyId=alias_arn("alias/payroll", account))
