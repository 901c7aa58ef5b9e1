"""A KMS key's own life: creation, description, states, deletion."""

import datetime
import re

import pytest

from expectations import (
    ABSENT_KEY_ID, absent_alias, absent_key, key_arn, longest, refused, value_fails, violation,
)
from specs import LISTS, SPECS

MATERIAL_ID = re.compile(r"[0-9a-f]{64}")


def describe(kms, key_id):
    """The metadata that DescribeKey answers."""
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]


def test_metadata_of_a_key_made_with_defaults(server, account, kms):
    before = server.now()
    created = kms.create_key()["KeyMetadata"]
    after = server.now()
    creation = created.pop("CreationDate")
    material = created.pop("CurrentKeyMaterialId")
    key_id = created["KeyId"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key_id)
    assert created == {
        "AWSAccountId": account,
        "KeyId": key_id,
        "Arn": key_arn(key_id, account),
        "Enabled": True,
        "Description": "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    assert MATERIAL_ID.fullmatch(material)
    # Botocore rounds a time to a microsecond at best, AWS to a millisecond.
    assert before - 0.01 <= creation.timestamp() <= after + 0.01
    expected = created | {"CreationDate": creation, "CurrentKeyMaterialId": material}
    assert describe(kms, key_id) == expected


@pytest.mark.parametrize("arguments", [
    {"KeyUsage": "ENCRYPT_DECRYPT"},
    {"KeySpec": "SYMMETRIC_DEFAULT"},
    {"CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"},
    {"Origin": "AWS_KMS"},
    {"MultiRegion": False},
])
def test_the_default_may_be_spelled_out(kms, arguments):
    metadata = kms.create_key(**arguments)["KeyMetadata"]
    assert metadata["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert metadata["KeyUsage"] == "ENCRYPT_DECRYPT"
    assert metadata["KeyState"] == "Enabled"


def test_every_key_has_its_own_id_and_material(kms):
    keys = [kms.create_key()["KeyMetadata"] for _ in range(5)]
    assert len({key["KeyId"] for key in keys}) == 5
    assert len({key["CurrentKeyMaterialId"] for key in keys}) == 5


@pytest.mark.parametrize("description", [
    "for the payroll", "x" * 8192, "ключ — 鍵 \U0001f511", 'a "quoted" \\ line\nand\ttab', "",
], ids=["plain", "longest", "unicode", "escapes", "empty"])
def test_description_is_kept_to_the_letter(kms, description):
    key_id = kms.create_key(Description=description)["KeyMetadata"]["KeyId"]
    assert describe(kms, key_id)["Description"] == description


def test_description_changes(kms, key):
    kms.update_key_description(KeyId=key["Arn"], Description="second")
    assert describe(kms, key["KeyId"]) == key | {"Description": "second"}
    kms.update_key_description(KeyId=key["KeyId"], Description="")
    assert describe(kms, key["KeyId"])["Description"] == ""


def test_description_over_the_limit(kms, key):
    text = "x" * 8193
    message = violation(value_fails(text, "description", longest(8192)))
    with refused("ValidationException", message):
        kms.create_key(Description=text)
    with refused("ValidationException", message):
        kms.update_key_description(KeyId=key["KeyId"], Description=text)
    assert describe(kms, key["KeyId"])["Description"] == ""


@pytest.mark.parametrize("usage", [*LISTS, None])
def test_sm2_keys_are_refused(kms, usage):
    arguments = {} if usage is None else {"KeyUsage": usage}
    with refused("UnsupportedOperationException"):
        kms.create_key(KeySpec="SM2", **arguments)
    assert kms.list_keys()["Keys"] == []


def test_a_usage_that_does_not_suit_the_default_spec(kms):
    message = "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT"
    with refused("ValidationException", message):
        kms.create_key(KeyUsage="SIGN_VERIFY")


@pytest.mark.parametrize("spec", SPECS)
def test_usages_that_do_not_suit_the_spec(kms, spec):
    for usage in LISTS:
        if usage not in SPECS[spec]:
            message = f"KeyUsage {usage} is not compatible with KeySpec {spec}"
            with refused("ValidationException", message):
                kms.create_key(KeySpec=spec, KeyUsage=usage)
    assert kms.list_keys()["Keys"] == []


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec != "SYMMETRIC_DEFAULT"])
def test_other_specs_need_a_usage(kms, spec):
    message = (
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    )
    with refused("ValidationException", message):
        kms.create_key(KeySpec=spec)
    assert kms.list_keys()["Keys"] == []


def test_a_key_is_found_by_each_of_its_names(kms, account, key):
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
    names = [
        key["KeyId"], key["Arn"], "alias/payroll",
        f"arn:aws:kms:us-east-1:{account}:alias/payroll",
    ]
    assert [describe(kms, name) for name in names] == [key] * 4


@pytest.mark.parametrize("operation, arguments", [
    ("enable_key", {}),
    ("disable_key", {}),
    ("update_key_description", {"Description": "x"}),
    ("schedule_key_deletion", {}),
    ("cancel_key_deletion", {}),
    ("get_key_policy", {}),
    ("list_key_policies", {}),
    ("list_resource_tags", {}),
    ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ("untag_resource", {"TagKeys": ["a"]}),
])
def test_management_takes_no_alias(kms, key, operation, arguments):
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
    with refused("NotFoundException", "Invalid keyId 'alias/payroll'"):
        getattr(kms, operation)(KeyId="alias/payroll", **arguments)
    assert describe(kms, key["KeyId"]) == key


def test_disabling_and_enabling(kms, key):
    off = key | {"Enabled": False, "KeyState": "Disabled"}
    for name in (key["KeyId"], key["Arn"]):
        kms.disable_key(KeyId=name)
        assert describe(kms, key["KeyId"]) == off
    for name in (key["KeyId"], key["Arn"]):
        kms.enable_key(KeyId=name)
        assert describe(kms, key["KeyId"]) == key


def test_a_disabled_key_does_no_cryptography(kms, key):
    name, arn = key["KeyId"], key["Arn"]
    blob = kms.encrypt(KeyId=name, Plaintext=b"secret")["CiphertextBlob"]
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    foreign = kms.encrypt(KeyId=other, Plaintext=b"secret")["CiphertextBlob"]
    kms.disable_key(KeyId=name)
    attempts = [
        lambda: kms.encrypt(KeyId=name, Plaintext=b"x"),
        lambda: kms.encrypt(KeyId=name, Plaintext=b"x", DryRun=True),
        lambda: kms.decrypt(CiphertextBlob=blob),
        lambda: kms.decrypt(CiphertextBlob=blob, KeyId=arn),
        lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other),
        lambda: kms.re_encrypt(CiphertextBlob=foreign, DestinationKeyId=name),
        lambda: kms.generate_data_key(KeyId=name, KeySpec="AES_256"),
        lambda: kms.generate_data_key_without_plaintext(KeyId=name, KeySpec="AES_256"),
    ]
    for attempt in attempts:
        with refused("DisabledException", f"{arn} is disabled."):
            attempt()
    kms.enable_key(KeyId=name)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_a_disabled_key_is_still_managed(kms, key):
    name = key["KeyId"]
    kms.disable_key(KeyId=name)
    kms.update_key_description(KeyId=name, Description="resting")
    kms.tag_resource(KeyId=name, Tags=[{"TagKey": "a", "TagValue": "b"}])
    kms.create_alias(AliasName="alias/resting", TargetKeyId=name)
    kms.put_key_policy(KeyId=name, Policy=kms.get_key_policy(KeyId=name)["Policy"])
    assert describe(kms, name)["Description"] == "resting"
    assert describe(kms, "alias/resting")["KeyState"] == "Disabled"


@pytest.mark.parametrize("days", [7, 8, 29, 30, None])
def test_scheduling_deletion(server, kms, key, days):
    arguments = {} if days is None else {"PendingWindowInDays": days}
    window = days or 30
    now = server.now()
    answer = kms.schedule_key_deletion(KeyId=key["KeyId"], **arguments)
    due = answer["DeletionDate"]
    assert (answer["KeyId"], answer["KeyState"]) == (key["Arn"], "PendingDeletion")
    assert answer["PendingWindowInDays"] == window
    assert abs(due.timestamp() - now - window * 86_400) < 60
    pending = {"Enabled": False, "KeyState": "PendingDeletion", "DeletionDate": due}
    assert describe(kms, key["KeyId"]) == key | pending


@pytest.mark.parametrize("days", [1, 6, 31, 365])
def test_the_service_bounds_the_waiting_period(kms, key, days):
    with refused("ValidationException", "PendingWindowInDays must be between 7 and 30"):
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)
    assert describe(kms, key["KeyId"]) == key


@pytest.mark.parametrize("days, rule", [
    (0, "Member must have value greater than or equal to 1"),
    (-7, "Member must have value greater than or equal to 1"),
    (366, "Member must have value less than or equal to 365"),
])
def test_the_model_bounds_the_waiting_period(lenient_kms, key, days, rule):
    message = violation(value_fails(days, "pendingWindowInDays", rule))
    with refused("ValidationException", message):
        lenient_kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)


def test_cancelling_deletion_leaves_the_key_disabled(kms, key):
    name = key["KeyId"]
    blob = kms.encrypt(KeyId=name, Plaintext=b"secret")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=name)
    assert kms.cancel_key_deletion(KeyId=name)["KeyId"] == key["Arn"]
    assert describe(kms, name) == key | {"Enabled": False, "KeyState": "Disabled"}
    kms.enable_key(KeyId=name)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


@pytest.mark.parametrize("prepare", ["enable_key", "disable_key"])
def test_cancelling_what_is_not_pending(kms, key, prepare):
    getattr(kms, prepare)(KeyId=key["KeyId"])
    with refused("KMSInvalidStateException", f"{key['Arn']} is not pending deletion."):
        kms.cancel_key_deletion(KeyId=key["KeyId"])


def test_what_a_key_pending_deletion_refuses(kms, key):
    name = key["KeyId"]
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=name, Plaintext=b"secret")["CiphertextBlob"]
    kms.create_alias(AliasName="alias/other", TargetKeyId=other)
    kms.schedule_key_deletion(KeyId=name)
    attempts = [
        lambda: kms.schedule_key_deletion(KeyId=name),
        lambda: kms.enable_key(KeyId=name),
        lambda: kms.disable_key(KeyId=name),
        lambda: kms.update_key_description(KeyId=name, Description="x"),
        lambda: kms.tag_resource(KeyId=name, Tags=[{"TagKey": "a", "TagValue": "b"}]),
        lambda: kms.untag_resource(KeyId=name, TagKeys=["a"]),
        lambda: kms.create_alias(AliasName="alias/late", TargetKeyId=name),
        lambda: kms.update_alias(AliasName="alias/other", TargetKeyId=name),
        lambda: kms.encrypt(KeyId=name, Plaintext=b"x"),
        lambda: kms.decrypt(CiphertextBlob=blob),
        lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other),
        lambda: kms.generate_data_key(KeyId=name, KeySpec="AES_128"),
        lambda: kms.generate_data_key_without_plaintext(KeyId=name, NumberOfBytes=8),
    ]
    for attempt in attempts:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
            attempt()


def test_what_a_key_pending_deletion_allows(kms, key):
    name = key["KeyId"]
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    for alias in ("alias/leaving", "alias/going"):
        kms.create_alias(AliasName=alias, TargetKeyId=name)
    kms.schedule_key_deletion(KeyId=name)
    policy = kms.get_key_policy(KeyId=name)["Policy"]
    kms.put_key_policy(KeyId=name, Policy=policy)
    kms.update_alias(AliasName="alias/leaving", TargetKeyId=other)
    kms.delete_alias(AliasName="alias/going")
    assert kms.list_resource_tags(KeyId=name)["Tags"] == []
    assert kms.list_key_policies(KeyId=name)["PolicyNames"] == ["default"]
    assert name in [key["KeyId"] for key in kms.list_keys()["Keys"]]
    assert describe(kms, "alias/leaving")["KeyId"] == other


def test_deletion_happens_when_its_date_has_come(own_server):
    account = "111122223333"
    kms = own_server.kms(account)
    doomed = kms.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    kept = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/doomed", TargetKeyId=doomed["KeyId"])
    kms.create_alias(AliasName="alias/kept", TargetKeyId=kept["KeyId"])
    blob = kms.encrypt(KeyId=doomed["KeyId"], Plaintext=b"gone")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=doomed["KeyId"], PendingWindowInDays=7)

    own_server.advance(days=7, seconds=-60)
    assert describe(kms, "alias/doomed")["KeyState"] == "PendingDeletion"

    own_server.advance(seconds=61)
    gone = absent_key(doomed["KeyId"], account)
    name = doomed["KeyId"]
    for attempt in (
        lambda: kms.describe_key(KeyId=name),
        lambda: kms.describe_key(KeyId=doomed["Arn"]),
        lambda: kms.cancel_key_deletion(KeyId=name),
        lambda: kms.schedule_key_deletion(KeyId=name),
        lambda: kms.list_resource_tags(KeyId=name),
        lambda: kms.encrypt(KeyId=name, Plaintext=b"x"),
    ):
        with refused("NotFoundException", gone):
            attempt()
    with refused("NotFoundException", absent_alias("alias/doomed", account)):
        kms.describe_key(KeyId="alias/doomed")
    # What the deleted key encrypted is lost; AWS's own code for it isn't on record.
    with pytest.raises(kms.exceptions.ClientError):
        kms.decrypt(CiphertextBlob=blob)
    assert [key["KeyId"] for key in kms.list_keys()["Keys"]] == [kept["KeyId"]]
    aliases = [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]]
    assert "alias/doomed" not in aliases and "alias/kept" in aliases
    kms.create_alias(AliasName="alias/doomed", TargetKeyId=kept["KeyId"])
    assert describe(kms, "alias/doomed")["KeyId"] == kept["KeyId"]


def test_cancelling_stops_the_clock(own_server):
    kms = own_server.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    own_server.advance(days=40)
    assert describe(kms, key)["KeyState"] == "Disabled"


def test_the_creation_date_follows_the_servers_clock(own_server):
    kms = own_server.kms()
    own_server.advance(days=400)
    created = kms.create_key()["KeyMetadata"]["CreationDate"]
    ahead = created - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=399) < ahead < datetime.timedelta(days=401)


def test_an_absent_key(kms, account):
    for name in (ABSENT_KEY_ID, key_arn(ABSENT_KEY_ID, account)):
        with refused("NotFoundException", absent_key(account=account)):
            kms.describe_key(KeyId=name)
