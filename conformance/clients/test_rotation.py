"""Rotation of key material: on demand, by the clock, and what is told of it."""

import concurrent.futures
import datetime

import pytest

from expectations import NO_MESSAGE, refused, value_fails, violation
from specs import KINDS

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)
UNSUPPORTED = ("UnsupportedOperationException", NO_MESSAGE)
OPERATIONS = [
    "enable_key_rotation", "disable_key_rotation", "get_key_rotation_status",
    "rotate_key_on_demand", "list_key_rotations",
]
CHANGES = ["enable_key_rotation", "disable_key_rotation", "rotate_key_on_demand"]


def instant(server):
    """The server's clock as botocore reads times."""
    return datetime.datetime.fromtimestamp(server.now(), datetime.timezone.utc)


def status(kms, key_id):
    """What GetKeyRotationStatus answers."""
    answer = kms.get_key_rotation_status(KeyId=key_id)
    answer.pop("ResponseMetadata")
    return answer


def rotations(kms, key_id, **arguments):
    """The entries of ListKeyRotations."""
    return kms.list_key_rotations(KeyId=key_id, **arguments)["Rotations"]


def current(kms, key_id):
    """The id of the current material."""
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]


def encrypt(kms, key_id, plaintext=b"secret"):
    """The blob that Encrypt answers."""
    return kms.encrypt(KeyId=key_id, Plaintext=plaintext)["CiphertextBlob"]


def rotating_key(server, days=365):
    """A client, and a fresh key that rotates every so many days."""
    kms = server.kms()
    key = kms.create_key()["KeyMetadata"]
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=days)
    return kms, key


# -- on demand ------------------------------------------------------------------------------


def test_a_new_key_has_not_been_rotated(kms, key):
    assert status(kms, key["KeyId"]) == {"KeyId": key["Arn"], "KeyRotationEnabled": False}
    assert rotations(kms, key["KeyId"]) == []
    assert rotations(kms, key["KeyId"], IncludeKeyMaterial="ROTATIONS_ONLY") == []
    assert rotations(kms, key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL") == [{
        "KeyId": key["Arn"], "KeyMaterialId": key["CurrentKeyMaterialId"],
        "KeyMaterialState": "CURRENT",
    }]


def test_rotating_on_demand(server, kms, key):
    name, first = key["KeyId"], key["CurrentKeyMaterialId"]
    before = encrypt(kms, name)
    assert kms.rotate_key_on_demand(KeyId=name)["KeyId"] == key["Arn"]
    second = current(kms, name)
    assert second != first
    assert kms.describe_key(KeyId=name)["KeyMetadata"] == key | {"CurrentKeyMaterialId": second}

    [entry] = rotations(kms, name)
    date = entry.pop("RotationDate")
    assert abs(date - instant(server)) < MINUTE
    assert entry == {
        "KeyId": key["Arn"], "KeyMaterialId": second, "KeyMaterialState": "CURRENT",
        "RotationType": "ON_DEMAND",
    }
    oldest, newest = rotations(kms, name, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    assert newest == entry | {"RotationDate": date}
    assert oldest == {
        "KeyId": key["Arn"], "KeyMaterialId": first, "KeyMaterialState": "NON_CURRENT",
    }

    opened = kms.decrypt(CiphertextBlob=before)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"secret", first)
    assert kms.decrypt(CiphertextBlob=encrypt(kms, name))["KeyMaterialId"] == second
    assert kms.generate_data_key(KeyId=name, KeySpec="AES_256")["KeyMaterialId"] == second
    moved = kms.re_encrypt(CiphertextBlob=before, DestinationKeyId=name)
    assert moved["SourceKeyMaterialId"] == first
    assert moved["DestinationKeyMaterialId"] == second


def test_twenty_five_times_at_most(kms, key):
    name, blobs = key["KeyId"], {}
    for _ in range(25):
        blobs[current(kms, name)] = encrypt(kms, name)
        kms.rotate_key_on_demand(KeyId=name)
    blobs[current(kms, name)] = encrypt(kms, name)
    message = (
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand "
        f"rotations can be performed for this key: {key['Arn']}"
    )
    for _ in range(2):
        with refused("LimitExceededException", message):
            kms.rotate_key_on_demand(KeyId=name)
    assert len(blobs) == 26
    for material, blob in blobs.items():
        assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == material
    entries = rotations(kms, name, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    assert [entry["KeyMaterialId"] for entry in entries] == list(blobs)
    states = [entry["KeyMaterialState"] for entry in entries]
    assert states == ["NON_CURRENT"] * 25 + ["CURRENT"]


def test_rotating_on_demand_leaves_the_schedule(own_server):
    kms, key = rotating_key(own_server)
    scheduled = status(kms, key["KeyId"])
    own_server.advance(days=100)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert status(kms, key["KeyId"]) == scheduled
    own_server.advance(days=266)
    kinds = [entry["RotationType"] for entry in rotations(kms, key["KeyId"])]
    assert kinds == ["ON_DEMAND", "AUTOMATIC"]


def test_automatic_rotations_do_not_count_as_on_demand(own_server):
    kms, key = rotating_key(own_server, 90)
    own_server.advance(days=90 * 30 + 1)
    for _ in range(25):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    with refused("LimitExceededException"):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    own_server.advance(days=90)
    kinds = [entry["RotationType"] for entry in rotations(kms, key["KeyId"])]
    assert kinds == ["AUTOMATIC"] * 30 + ["ON_DEMAND"] * 25 + ["AUTOMATIC"]


# -- the list -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rotated(standing):
    """The id of a key that has been rotated seven times."""
    key_id = standing.kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(7):
        standing.kms.rotate_key_on_demand(KeyId=key_id)
    return key_id


@pytest.mark.parametrize("everything", [False, True], ids=["rotations", "all material"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9, 1000])
def test_pages(standing, rotated, everything, limit):
    kms, key_id = standing.kms, rotated
    chosen = {"IncludeKeyMaterial": "ALL_KEY_MATERIAL"} if everything else {}
    whole = rotations(kms, key_id, **chosen)
    assert len(whole) == 7 + everything
    seen, marker, pages = [], {}, 0
    while True:
        answer = kms.list_key_rotations(KeyId=key_id, Limit=limit, **chosen, **marker)
        seen += answer["Rotations"]
        pages += 1
        if not answer["Truncated"]:
            assert "NextMarker" not in answer
            break
        assert len(answer["Rotations"]) == limit
        marker = {"Marker": answer["NextMarker"]}
    assert seen == whole and pages == -(-len(whole) // limit)


@pytest.mark.parametrize("marker", ["nonsense", "AAAA", "x" * 1024])
def test_bad_markers(kms, key, marker):
    with refused("InvalidMarkerException"):
        rotations(kms, key["KeyId"], Marker=marker)


@pytest.mark.parametrize("limit, rule", [
    (0, "Member must have value greater than or equal to 1"),
    (1001, "Member must have value less than or equal to 1000"),
])
def test_bad_limits(lenient_kms, key, limit, rule):
    with refused("ValidationException", violation(value_fails(limit, "limit", rule))):
        rotations(lenient_kms, key["KeyId"], Limit=limit)


# -- by the clock ---------------------------------------------------------------------------


@pytest.mark.parametrize("days", [None, 90, 365, 2560])
def test_enabling(server, kms, key, days):
    arguments = {} if days is None else {"RotationPeriodInDays": days}
    kms.enable_key_rotation(KeyId=key["Arn"], **arguments)
    answer = status(kms, key["KeyId"])
    due = answer.pop("NextRotationDate")
    assert answer == {
        "KeyId": key["Arn"], "KeyRotationEnabled": True, "RotationPeriodInDays": days or 365,
    }
    assert abs(due - instant(server) - (days or 365) * DAY) < MINUTE
    kms.disable_key_rotation(KeyId=key["KeyId"])
    assert status(kms, key["KeyId"]) == {"KeyId": key["Arn"], "KeyRotationEnabled": False}
    kms.disable_key_rotation(KeyId=key["KeyId"])


@pytest.mark.parametrize("days, rule", [
    (89, "Member must have value greater than or equal to 90"),
    (0, "Member must have value greater than or equal to 90"),
    (-365, "Member must have value greater than or equal to 90"),
    (2561, "Member must have value less than or equal to 2560"),
])
def test_bounds_of_the_period(lenient_kms, key, days, rule):
    message = violation(value_fails(days, "rotationPeriodInDays", rule))
    with refused("ValidationException", message):
        lenient_kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=days)
    assert not status(lenient_kms, key["KeyId"])["KeyRotationEnabled"]


def test_ten_years(own_server):
    kms, key = rotating_key(own_server)
    name, blobs = key["KeyId"], {key["CurrentKeyMaterialId"]: encrypt(kms, key["KeyId"])}
    for year in range(1, 11):
        due = status(kms, name)["NextRotationDate"]
        own_server.advance(days=364)
        assert len(rotations(kms, name)) == year - 1
        own_server.advance(days=1)
        blob = encrypt(kms, name)
        material = kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"]
        assert material not in blobs and material == current(kms, name)
        blobs[material] = blob
        assert len(rotations(kms, name)) == year
        assert rotations(kms, name)[-1]["RotationDate"] == due
        assert status(kms, name)["NextRotationDate"] == due + 365 * DAY
    own_server.stop()
    kms = own_server.restart().kms()
    for material, blob in blobs.items():
        opened = kms.decrypt(CiphertextBlob=blob)
        assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"secret", material)
    entries = rotations(kms, name, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    assert [entry["KeyMaterialId"] for entry in entries] == list(blobs)
    assert {entry["RotationType"] for entry in entries[1:]} == {"AUTOMATIC"}


def test_what_was_due_while_nobody_looked(own_server):
    kms, key = rotating_key(own_server, 90)
    first = status(kms, key["KeyId"])["NextRotationDate"]
    blob = encrypt(kms, key["KeyId"])
    own_server.advance(days=90 * 60 + 1)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    dates = [entry["RotationDate"] for entry in rotations(kms, key["KeyId"])]
    assert dates == [first + 90 * number * DAY for number in range(60)]
    assert status(kms, key["KeyId"])["NextRotationDate"] == first + 90 * 60 * DAY


def test_a_due_rotation_happens_once(own_server):
    kms, key = rotating_key(own_server)
    own_server.advance(days=366)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        blobs = list(pool.map(lambda _: encrypt(kms, key["KeyId"]), range(64)))
    materials = {kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] for blob in blobs}
    assert materials == {current(kms, key["KeyId"])} != {key["CurrentKeyMaterialId"]}
    assert len(rotations(kms, key["KeyId"])) == 1


def test_disabling_rotation_ends_it(own_server):
    kms, key = rotating_key(own_server)
    own_server.advance(days=300)
    kms.disable_key_rotation(KeyId=key["KeyId"])
    own_server.advance(days=1000)
    assert rotations(kms, key["KeyId"]) == []
    # The period counts from when rotation is enabled again.
    kms.enable_key_rotation(KeyId=key["KeyId"])
    own_server.advance(days=364)
    assert rotations(kms, key["KeyId"]) == []
    own_server.advance(days=2)
    assert len(rotations(kms, key["KeyId"])) == 1


def test_the_period_can_be_changed(kms, key):
    for days in (365, 90, 2560):
        kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=days)
        assert status(kms, key["KeyId"])["RotationPeriodInDays"] == days


def idle(kms, key_id, idleness):
    """Takes the key out of use in that way; returns how to bring it back."""
    if idleness == "disabled":
        kms.disable_key(KeyId=key_id)
    else:
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=30)

    def enable():
        if idleness != "disabled":
            kms.cancel_key_deletion(KeyId=key_id)
        kms.enable_key(KeyId=key_id)

    return enable


@pytest.mark.parametrize("idleness", ["disabled", "pending deletion"])
def test_an_idle_key_does_not_rotate(own_server, idleness):
    kms, key = rotating_key(own_server)
    name, scheduled = key["KeyId"], status(kms, key["KeyId"])
    own_server.advance(days=350)
    enable = idle(kms, name, idleness)
    told = status(kms, name)
    if idleness == "disabled":
        assert told == scheduled
    else:
        assert told == {"KeyId": key["Arn"], "KeyRotationEnabled": False}
    own_server.advance(days=20)
    assert current(kms, name) == key["CurrentKeyMaterialId"]
    assert rotations(kms, name) == []
    enable()
    # What is overdue is made up for at once.
    assert current(kms, name) != key["CurrentKeyMaterialId"]
    assert len(rotations(kms, name)) == 1


@pytest.mark.parametrize("idleness", ["disabled", "pending deletion"])
def test_an_idle_key_keeps_its_schedule(own_server, idleness):
    kms, key = rotating_key(own_server)
    scheduled = status(kms, key["KeyId"])
    own_server.advance(days=20)
    enable = idle(kms, key["KeyId"], idleness)
    own_server.advance(days=20)
    enable()
    assert status(kms, key["KeyId"]) == scheduled
    assert rotations(kms, key["KeyId"]) == []


def test_years_of_idleness_are_one_rotation(own_server):
    kms, key = rotating_key(own_server)
    kms.disable_key(KeyId=key["KeyId"])
    own_server.advance(days=1100)
    kms.enable_key(KeyId=key["KeyId"])
    # AWS rotates immediately, and every period thereafter.
    [entry] = rotations(kms, key["KeyId"])
    assert abs(entry["RotationDate"] - instant(own_server)) < MINUTE
    due = status(kms, key["KeyId"])["NextRotationDate"]
    assert abs(due - entry["RotationDate"] - 365 * DAY) < MINUTE


def test_conflict_with_a_rotation_that_is_near(own_server):
    kms, key = rotating_key(own_server)
    name = key["KeyId"]
    own_server.advance(days=365, seconds=-25 * 60)
    kms.rotate_key_on_demand(KeyId=name)
    own_server.advance(seconds=6 * 60)
    with refused("ConflictException"):
        kms.rotate_key_on_demand(KeyId=name)
    own_server.advance(seconds=20 * 60)
    kms.rotate_key_on_demand(KeyId=name)
    kinds = [entry["RotationType"] for entry in rotations(kms, name)]
    assert kinds == ["ON_DEMAND", "AUTOMATIC", "ON_DEMAND"]


# -- who can't ------------------------------------------------------------------------------


@pytest.mark.parametrize("spec, usage", [
    kind for kind in KINDS if kind[0] != "SYMMETRIC_DEFAULT"
])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_symmetric_keys_rotate(standing, spec, usage, operation):
    with refused(*UNSUPPORTED):
        getattr(standing.kms, operation)(KeyId=standing.key_id(spec, usage))


@pytest.mark.parametrize("operation", CHANGES)
def test_states(kms, key, operation):
    attempt = getattr(kms, operation)
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    # That the key is disabled is found before its kind.
    for disabled in (key, other):
        kms.disable_key(KeyId=disabled["KeyId"])
        with refused("DisabledException", f"{disabled['Arn']} is disabled."):
            attempt(KeyId=disabled["KeyId"])
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        attempt(KeyId=key["KeyId"])
    assert rotations(kms, key["KeyId"]) == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_alias_is_taken(kms, key, operation):
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
    with refused("NotFoundException", "Invalid keyId 'alias/payroll'"):
        getattr(kms, operation)(KeyId="alias/payroll")
