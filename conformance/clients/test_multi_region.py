"""Multi-Region keys: replicas, what relatives share and what they don't, primaries, deletion."""

import concurrent.futures
import datetime
import json
import re

import pytest

from expectations import (
    NO_MESSAGE, absent_key, default_policy, key_arn, refused, value_fails, violation,
)
from imports import FOR_GOOD, INCORRECT, bring, encrypt, materials, request
from specs import KINDS

HOME, AWAY, THIRD = "us-east-1", "eu-west-1", "ap-south-1"
DAY = datetime.timedelta(days=1)
FIRST, SECOND, THIRD_ONE = bytes([1] * 32), bytes([2] * 32), bytes([3] * 32)
UNSUPPORTED = ("UnsupportedOperationException", NO_MESSAGE)


class Regions:
    """An account's clients, one a Region."""

    def __init__(self, server, account):
        self.server, self.account = server, account

    def __getitem__(self, region):
        return self.server.kms(self.account, region)

    def arn(self, key_id, region):
        """The ARN of a key of the account in that Region."""
        return key_arn(key_id, self.account, region)

    def describe(self, key_id, region):
        """The key's metadata in that Region."""
        return self[region].describe_key(KeyId=key_id)["KeyMetadata"]

    def state(self, key_id, region):
        """The key's state in that Region."""
        return self.describe(key_id, region)["KeyState"]


@pytest.fixture
def regions(server, account):
    return Regions(server, account)


@pytest.fixture
def own_regions(own_server):
    """On a server of the test's own, whose clock it may move."""
    return Regions(own_server, "111122223333")


def primary(regions, **arguments):
    """The id of a fresh multi-Region key at home."""
    answer = regions[HOME].create_key(MultiRegion=True, **arguments)
    return answer["KeyMetadata"]["KeyId"]


def replicated(regions, *others, **arguments):
    """The id of a fresh multi-Region key at home, with replicas in the other Regions."""
    key_id = primary(regions, **arguments)
    for region in others or (AWAY,):
        regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=region)
    return key_id


# -- making them ----------------------------------------------------------------------------


def test_a_primary_has_an_id_of_its_own_kind(regions):
    key = regions[HOME].create_key(MultiRegion=True)["KeyMetadata"]
    assert re.fullmatch("mrk-[0-9a-f]{32}", key["KeyId"])
    assert key["MultiRegion"] is True
    assert key["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": {"Arn": key["Arn"], "Region": HOME},
        "ReplicaKeys": [],
    }
    single = regions[HOME].create_key(MultiRegion=False)["KeyMetadata"]
    assert single["MultiRegion"] is False and "MultiRegionConfiguration" not in single


def test_a_replica_as_it_is_answered_and_as_it_is(regions):
    home = regions[HOME]
    key_id = primary(regions, Description="the first one", Tags=[{"TagKey": "a", "TagValue": "b"}])
    answer = home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    assert json.loads(answer["ReplicaPolicy"]) == default_policy(regions.account)
    assert "ReplicaTags" not in answer
    made = answer["ReplicaKeyMetadata"]
    assert (made["KeyState"], made["Enabled"], made["Description"]) == ("Creating", False, "")
    assert made["Arn"] == regions.arn(key_id, AWAY) and made["KeyId"] == key_id
    assert "CurrentKeyMaterialId" not in made
    configuration = {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": regions.arn(key_id, HOME), "Region": HOME},
        "ReplicaKeys": [{"Arn": regions.arn(key_id, AWAY), "Region": AWAY}],
    }
    assert made["MultiRegionConfiguration"] == configuration

    replica, first = regions.describe(key_id, AWAY), regions.describe(key_id, HOME)
    assert (replica["KeyState"], replica["Enabled"]) == ("Enabled", True)
    assert replica["CurrentKeyMaterialId"] == first["CurrentKeyMaterialId"]
    assert replica["MultiRegionConfiguration"] == configuration
    assert first["MultiRegionConfiguration"] == configuration | {"MultiRegionKeyType": "PRIMARY"}
    assert regions[AWAY].list_resource_tags(KeyId=key_id)["Tags"] == []
    assert [key["KeyId"] for key in regions[AWAY].list_keys()["Keys"]] == [key_id]
    with refused("NotFoundException", absent_key(key_id, regions.account, THIRD)):
        regions[THIRD].describe_key(KeyId=key_id)


def test_a_replicas_own_properties(regions):
    tags = [{"TagKey": "k", "TagValue": "v"}]
    policy = default_policy(regions.account) | {"Id": "mine"}
    answer = regions[HOME].replicate_key(
        KeyId=primary(regions), ReplicaRegion=AWAY, Tags=tags, Description="d",
        Policy=json.dumps(policy),
    )
    assert answer["ReplicaTags"] == tags
    assert json.loads(answer["ReplicaPolicy"]) == policy
    key_id = answer["ReplicaKeyMetadata"]["KeyId"]
    assert regions.describe(key_id, AWAY)["Description"] == "d"
    assert regions[AWAY].list_resource_tags(KeyId=key_id)["Tags"] == tags
    away = regions[AWAY]
    away.create_alias(AliasName="alias/here", TargetKeyId=key_id)
    away.update_key_description(KeyId=key_id, Description="other")
    away.disable_key(KeyId=key_id)
    assert regions.describe(key_id, HOME)["Description"] == ""
    assert regions.state(key_id, HOME) == "Enabled"
    assert regions[HOME].list_aliases(KeyId=key_id)["Aliases"] == []
    assert json.loads(regions[HOME].get_key_policy(KeyId=key_id)["Policy"])["Id"] != "mine"


@pytest.mark.parametrize(("spec", "usage"), KINDS)
def test_every_kind_of_key_is_the_same_everywhere(regions, spec, usage):
    key_id = replicated(regions, KeySpec=spec, KeyUsage=usage)
    home, away = regions[HOME], regions[AWAY]
    ours, theirs = regions.describe(key_id, HOME), regions.describe(key_id, AWAY)
    own = {"Arn", "CreationDate", "MultiRegionConfiguration"}
    assert {k: v for k, v in ours.items() if k not in own} == {
        k: v for k, v in theirs.items() if k not in own
    }
    if usage == "GENERATE_VERIFY_MAC":
        algorithm = ours["MacAlgorithms"][0]
        mac = home.generate_mac(KeyId=key_id, Message=b"m", MacAlgorithm=algorithm)["Mac"]
        away.verify_mac(KeyId=key_id, Message=b"m", MacAlgorithm=algorithm, Mac=mac)
    elif spec == "SYMMETRIC_DEFAULT":
        context = {"purpose": "test"}
        blob = home.encrypt(KeyId=key_id, Plaintext=b"p", EncryptionContext=context)
        opened = away.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext=context)
        assert opened["Plaintext"] == b"p" and opened["KeyId"] == regions.arn(key_id, AWAY)
    else:
        public_key = home.get_public_key(KeyId=key_id)["PublicKey"]
        assert away.get_public_key(KeyId=key_id)["PublicKey"] == public_key


# -- what is refused ------------------------------------------------------------------------


def test_only_a_primary_is_replicated(regions):
    key_id = replicated(regions)
    single = regions[HOME].create_key()["KeyMetadata"]
    arn = regions.arn(key_id, AWAY)
    message = f"{arn} is not a multi-region primary key."
    with refused("UnsupportedOperationException", message):
        regions[AWAY].replicate_key(KeyId=key_id, ReplicaRegion=THIRD)
    message = f"{single['Arn']} is not a multi-region primary key."
    with refused("UnsupportedOperationException", message):
        regions[HOME].replicate_key(KeyId=single["KeyId"], ReplicaRegion=AWAY)


def test_a_region_has_one_of_them(regions):
    key_id = replicated(regions)
    for region in HOME, AWAY:
        with refused("AlreadyExistsException"):
            regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=region)
    # Also where it is on its way out.
    regions[AWAY].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    with refused("AlreadyExistsException"):
        regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=AWAY)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_a_partition_is_not_left(regions, region):
    with refused("ValidationException"):
        regions[HOME].replicate_key(KeyId=primary(regions), ReplicaRegion=region)


@pytest.mark.parametrize("region", ["nowhere", "EU-WEST-1", "eu-west"])
def test_a_region_is_well_formed(regions, region):
    rule = r"Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\d+$"
    with refused("ValidationException", violation(value_fails(region, "replicaRegion", rule))):
        regions[HOME].replicate_key(KeyId=primary(regions), ReplicaRegion=region)


def test_nothing_is_made_with_bad_properties(regions):
    key_id, home = primary(regions), regions[HOME]
    twice = [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]
    with refused("TagException", "Duplicate tag keys"):
        home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY, Tags=twice)
    with refused("MalformedPolicyDocumentException"):
        home.replicate_key(KeyId=key_id, ReplicaRegion=AWAY, Policy="{")
    assert regions[AWAY].list_keys()["Keys"] == []
    assert regions.describe(key_id, HOME)["MultiRegionConfiguration"]["ReplicaKeys"] == []


def test_fifty_replicas_at_most(regions):
    key_id = primary(regions)
    names = [f"eu-west-{number}" for number in range(1, 51)]
    for name in names:
        regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=name)
    with refused("LimitExceededException"):
        regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=AWAY.replace("1", "99"))
    listed = regions.describe(key_id, names[-1])["MultiRegionConfiguration"]["ReplicaKeys"]
    assert [replica["Region"] for replica in listed] == names
    regions[HOME].rotate_key_on_demand(KeyId=key_id)
    current = regions.describe(key_id, HOME)["CurrentKeyMaterialId"]
    assert all(regions.describe(key_id, n)["CurrentKeyMaterialId"] == current for n in names)


def test_many_replicas_at_once(regions):
    key_id = primary(regions)
    names = [f"eu-west-{number}" for number in range(1, 13)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda name: regions[HOME].replicate_key(
            KeyId=key_id, ReplicaRegion=name), names))
    listed = regions.describe(key_id, HOME)["MultiRegionConfiguration"]["ReplicaKeys"]
    assert sorted(replica["Region"] for replica in listed) == sorted(names)


# -- rotation -------------------------------------------------------------------------------


def test_rotation_is_shared_and_switched_at_the_primary(own_regions):
    regions, server = own_regions, own_regions.server
    key_id = replicated(regions)
    home, away = regions[HOME], regions[AWAY]
    for operation in "enable_key_rotation", "disable_key_rotation", "rotate_key_on_demand":
        with refused(*UNSUPPORTED):
            getattr(away, operation)(KeyId=key_id)
    blobs = [home.encrypt(KeyId=key_id, Plaintext=b"0")["CiphertextBlob"]]
    home.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    ours, theirs = (client.get_key_rotation_status(KeyId=key_id) for client in (home, away))
    assert theirs["KeyRotationEnabled"] and theirs["RotationPeriodInDays"] == 100
    assert theirs["NextRotationDate"] == ours["NextRotationDate"]
    home.rotate_key_on_demand(KeyId=key_id)
    for year in range(1, 11):
        # Whoever asks first after the date meets the new material, be it at a replica.
        client = regions[AWAY] if year % 2 else regions[HOME]
        blob = client.encrypt(KeyId=key_id, Plaintext=str(year).encode())
        blobs.append(blob["CiphertextBlob"])
        server.advance(days=365)
    # The replica that joins later has all of them.
    regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=THIRD)
    seen = set()
    for region in HOME, AWAY, THIRD:
        for index, blob in enumerate(blobs):
            opened = regions[region].decrypt(CiphertextBlob=blob)
            assert opened["Plaintext"] == str(index).encode()
            seen.add(opened["KeyMaterialId"])
    assert len(seen) == 11
    lists = [
        regions[region].list_key_rotations(KeyId=key_id)["Rotations"] for region in (HOME, AWAY)
    ]
    ids = [[entry["KeyMaterialId"] for entry in entries] for entries in lists]
    assert ids[0] == ids[1] and len(ids[0]) == 37
    regions[HOME].disable_key_rotation(KeyId=key_id)
    assert not regions[THIRD].get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


def test_a_disabled_primary_keeps_its_replicas_from_rotating(own_regions):
    regions, server = own_regions, own_regions.server
    key_id = replicated(regions)
    regions[HOME].enable_key_rotation(KeyId=key_id)
    before = regions.describe(key_id, AWAY)["CurrentKeyMaterialId"]
    regions[HOME].disable_key(KeyId=key_id)
    server.advance(days=400)
    assert regions.describe(key_id, AWAY)["CurrentKeyMaterialId"] == before
    regions[HOME].enable_key(KeyId=key_id)
    after = regions.describe(key_id, AWAY)["CurrentKeyMaterialId"]
    assert after != before
    assert regions.describe(key_id, HOME)["CurrentKeyMaterialId"] == after


# -- the primary moves ----------------------------------------------------------------------


def test_a_replica_becomes_the_primary(regions):
    key_id = replicated(regions, AWAY, THIRD)
    answer = regions[HOME].update_primary_region(KeyId=key_id, PrimaryRegion=THIRD)
    assert set(answer) == {"ResponseMetadata"}
    for region in HOME, AWAY, THIRD:
        configuration = regions.describe(key_id, region)["MultiRegionConfiguration"]
        kind = "PRIMARY" if region == THIRD else "REPLICA"
        assert configuration["MultiRegionKeyType"] == kind
        assert configuration["PrimaryKey"]["Region"] == THIRD
        replicas = [replica["Region"] for replica in configuration["ReplicaKeys"]]
        assert replicas == [AWAY, HOME]
    regions[THIRD].rotate_key_on_demand(KeyId=key_id)
    with refused(*UNSUPPORTED):
        regions[HOME].rotate_key_on_demand(KeyId=key_id)
    regions[THIRD].replicate_key(KeyId=key_id, ReplicaRegion="us-west-2")
    blob = regions[HOME].encrypt(KeyId=key_id, Plaintext=b"p")["CiphertextBlob"]
    assert regions["us-west-2"].decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"


def test_who_cannot_become_the_primary(regions):
    key_id, home = replicated(regions), regions[HOME]
    with refused("NotFoundException", absent_key(key_id, regions.account, THIRD)):
        home.update_primary_region(KeyId=key_id, PrimaryRegion=THIRD)
    message = f"{regions.arn(key_id, AWAY)} is not a multi-region primary key."
    with refused("UnsupportedOperationException", message):
        regions[AWAY].update_primary_region(KeyId=key_id, PrimaryRegion=HOME)
    regions[AWAY].disable_key(KeyId=key_id)
    with refused("DisabledException", f"{regions.arn(key_id, AWAY)} is disabled."):
        home.update_primary_region(KeyId=key_id, PrimaryRegion=AWAY)
    regions[AWAY].enable_key(KeyId=key_id)
    home.disable_key(KeyId=key_id)
    with refused("DisabledException", f"{regions.arn(key_id, HOME)} is disabled."):
        home.update_primary_region(KeyId=key_id, PrimaryRegion=AWAY)


def test_the_replicas_policy_has_a_say(regions):
    key_id = replicated(regions)
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "kms:UpdatePrimaryRegion", "Resource": "*",
    }
    policy = default_policy(regions.account)
    policy["Statement"].append(statement)
    regions[AWAY].put_key_policy(KeyId=key_id, Policy=json.dumps(policy))
    with refused("AccessDeniedException"):
        regions[HOME].update_primary_region(KeyId=key_id, PrimaryRegion=AWAY)
    kind = regions.describe(key_id, HOME)["MultiRegionConfiguration"]["MultiRegionKeyType"]
    assert kind == "PRIMARY"


# -- deletion -------------------------------------------------------------------------------


def test_a_primary_waits_for_its_replicas(own_regions):
    regions, server = own_regions, own_regions.server
    key_id = replicated(regions, AWAY, THIRD)
    blob = regions[HOME].encrypt(KeyId=key_id, Plaintext=b"p")["CiphertextBlob"]
    answer = regions[HOME].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=10)
    assert answer["KeyState"] == "PendingReplicaDeletion" and "DeletionDate" not in answer
    assert answer["PendingWindowInDays"] == 10
    key = regions.describe(key_id, HOME)
    assert (key["KeyState"], key["PendingDeletionWindowInDays"]) == ("PendingReplicaDeletion", 10)
    assert key["Enabled"] is False and "DeletionDate" not in key
    with refused("KMSInvalidStateException",
                 f"{regions.arn(key_id, HOME)} is pending replica deletion."):
        regions[HOME].encrypt(KeyId=key_id, Plaintext=b"p")
    with refused("KMSInvalidStateException"):
        regions[HOME].schedule_key_deletion(KeyId=key_id)
    assert regions[AWAY].decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"

    regions[AWAY].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    third = regions[THIRD].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=20)
    server.advance(days=8)
    assert regions.state(key_id, HOME) == "PendingReplicaDeletion"
    listed = regions.describe(key_id, HOME)["MultiRegionConfiguration"]["ReplicaKeys"]
    assert [replica["Region"] for replica in listed] == [THIRD]
    with refused("NotFoundException"):
        regions[AWAY].describe_key(KeyId=key_id)
    server.advance(days=13)
    key = regions.describe(key_id, HOME)
    assert key["KeyState"] == "PendingDeletion" and "PendingDeletionWindowInDays" not in key
    assert key["DeletionDate"] - third["DeletionDate"] == 10 * DAY
    assert key["MultiRegionConfiguration"]["ReplicaKeys"] == []
    server.advance(days=10)
    for region in HOME, AWAY, THIRD:
        assert regions[region].list_keys()["Keys"] == []


def test_the_same_when_nobody_looked_meanwhile(own_regions):
    regions, server = own_regions, own_regions.server
    key_id = replicated(regions)
    regions[HOME].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    regions[AWAY].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    server.advance(days=15)
    assert regions[HOME].list_keys()["Keys"] == []
    assert regions[AWAY].list_keys()["Keys"] == []


def test_deletions_are_cancelled(own_regions):
    regions, server = own_regions, own_regions.server
    key_id = replicated(regions)
    regions[HOME].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    regions[AWAY].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    server.advance(days=6)
    regions[AWAY].cancel_key_deletion(KeyId=key_id)
    assert regions.state(key_id, AWAY) == "Disabled"
    server.advance(days=30)
    assert regions.state(key_id, HOME) == "PendingReplicaDeletion"
    regions[HOME].cancel_key_deletion(KeyId=key_id)
    assert regions.state(key_id, HOME) == "Disabled"
    regions[HOME].enable_key(KeyId=key_id)
    regions[AWAY].enable_key(KeyId=key_id)
    blob = regions[HOME].encrypt(KeyId=key_id, Plaintext=b"p")["CiphertextBlob"]
    assert regions[AWAY].decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
    server.advance(days=400)
    assert regions.state(key_id, HOME) == "Enabled"


def test_a_deleted_replica_can_be_made_again(own_regions):
    regions, server = own_regions, own_regions.server
    key_id = replicated(regions)
    blob = regions[AWAY].encrypt(KeyId=key_id, Plaintext=b"p")["CiphertextBlob"]
    regions[AWAY].schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    server.advance(days=7)
    regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    assert regions[AWAY].decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"


def test_relatives_survive_a_kill(own_server):
    regions = Regions(own_server, "111122223333")
    key_id = replicated(regions, AWAY, THIRD)
    regions[HOME].rotate_key_on_demand(KeyId=key_id)
    blob = regions[AWAY].encrypt(KeyId=key_id, Plaintext=b"p")["CiphertextBlob"]
    regions[HOME].update_primary_region(KeyId=key_id, PrimaryRegion=AWAY)
    own_server.kill9()
    own_server.restart()
    for region in HOME, AWAY, THIRD:
        assert regions[region].decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
        configuration = regions.describe(key_id, region)["MultiRegionConfiguration"]
        assert configuration["PrimaryKey"]["Region"] == AWAY


# -- imported material ----------------------------------------------------------------------


@pytest.fixture
def imported(regions):
    """The id of a primary with imported material, and of its replica, which has none yet."""
    key_id = primary(regions, Origin="EXTERNAL")
    bring(regions[HOME], key_id, FIRST)
    regions[HOME].replicate_key(KeyId=key_id, ReplicaRegion=AWAY)
    return key_id


def test_imported_material_is_brought_to_each_region(regions, imported):
    home, away = regions[HOME], regions[AWAY]
    blob = encrypt(home, imported)
    assert regions.state(imported, AWAY) == "PendingImport"
    with refused(*INCORRECT):
        bring(away, imported, SECOND)
    there = bring(away, imported, FIRST)["KeyMaterialId"]
    assert there == regions.describe(imported, HOME)["CurrentKeyMaterialId"]
    opened = away.decrypt(CiphertextBlob=blob)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"secret", there)
    # Their states are independent of each other.
    home.delete_imported_key_material(KeyId=imported)
    assert regions.state(imported, HOME) == "PendingImport"
    assert away.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_a_token_is_for_one_region(regions, imported):
    made = request(regions[HOME], imported, FIRST)
    with refused("InvalidImportTokenException"):
        regions[AWAY].import_key_material(**made, **FOR_GOOD)


def test_new_material_goes_round_before_it_is_rotated_to(regions, imported):
    home, away = regions[HOME], regions[AWAY]
    bring(away, imported, FIRST)
    old = encrypt(home, imported)
    with refused("UnsupportedOperationException"):
        bring(away, imported, SECOND, ImportType="NEW_KEY_MATERIAL")
    new = bring(home, imported, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    waiting = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert [(m["KeyMaterialState"], m["ImportState"]) for m in materials(home, imported)] == [
        ("CURRENT", "IMPORTED"), (waiting, "IMPORTED"),
    ]
    assert [(m["KeyMaterialState"], m["ImportState"]) for m in materials(away, imported)] == [
        ("CURRENT", "IMPORTED"), (waiting, "PENDING_IMPORT"),
    ]
    assert regions.state(imported, AWAY) == "Enabled"
    none = (
        "No available key material pending rotation for the key: "
        f"{regions.arn(imported, HOME)}."
    )
    with refused("KMSInvalidStateException", none):
        home.rotate_key_on_demand(KeyId=imported)
    bring(away, imported, SECOND)
    assert materials(home, imported)[1]["KeyMaterialState"] == "PENDING_ROTATION"
    with refused(*UNSUPPORTED):
        away.rotate_key_on_demand(KeyId=imported)
    home.rotate_key_on_demand(KeyId=imported)
    for region in HOME, AWAY:
        assert regions.describe(imported, region)["CurrentKeyMaterialId"] == new
        assert regions[region].decrypt(CiphertextBlob=old)["Plaintext"] == b"secret"
    assert home.decrypt(CiphertextBlob=encrypt(away, imported))["KeyMaterialId"] == new


def test_the_primarys_new_material_takes_its_replicas_along(regions, imported):
    home, away = regions[HOME], regions[AWAY]
    bring(away, imported, FIRST)
    new = bring(home, imported, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    bring(away, imported, SECOND)
    away.delete_imported_key_material(KeyId=imported, KeyMaterialId=new)
    assert materials(away, imported)[1]["ImportState"] == "PENDING_IMPORT"
    assert materials(home, imported)[1]["ImportState"] == "IMPORTED"
    home.delete_imported_key_material(KeyId=imported, KeyMaterialId=new)
    assert len(materials(away, imported)) == len(materials(home, imported)) == 1
    bring(home, imported, THIRD_ONE, ImportType="NEW_KEY_MATERIAL")


def test_a_replica_with_new_material_becomes_the_primary(regions, imported):
    home, away = regions[HOME], regions[AWAY]
    bring(away, imported, FIRST)
    bring(home, imported, SECOND, ImportType="NEW_KEY_MATERIAL")
    bring(away, imported, SECOND)
    home.update_primary_region(KeyId=imported, PrimaryRegion=AWAY)
    away.rotate_key_on_demand(KeyId=imported)
    assert home.decrypt(CiphertextBlob=encrypt(away, imported))["Plaintext"] == b"secret"


def test_a_late_replica_needs_all_of_them(regions, imported):
    home, away = regions[HOME], regions[AWAY]
    bring(away, imported, FIRST)
    bring(home, imported, SECOND, ImportType="NEW_KEY_MATERIAL")
    bring(away, imported, SECOND)
    home.rotate_key_on_demand(KeyId=imported)
    home.replicate_key(KeyId=imported, ReplicaRegion=THIRD)
    bring(regions[THIRD], imported, SECOND)
    assert regions.state(imported, THIRD) == "PendingImport"
    bring(regions[THIRD], imported, FIRST)
    assert regions.state(imported, THIRD) == "Enabled"
    opened = regions[THIRD].decrypt(CiphertextBlob=encrypt(home, imported))
    assert opened["Plaintext"] == b"secret"
