"""The life of imported material: expiry, deletion, re-import, several materials of one key."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from expectations import NO_MESSAGE, refused
from imports import (
    DAY, FOR_GOOD, INCORRECT, MINUTE, bring, describe, encrypt, external, materials, now,
    parameters, pkcs8, request, state,
)


@pytest.fixture
def imported(kms, waiting):
    """The id of a symmetric key with imported material, and that material."""
    material = os.urandom(32)
    bring(kms, waiting["KeyId"], material)
    return waiting["KeyId"], material


# -- expiry -----------------------------------------------------------------------------------


def test_expiration_must_be_told(server, kms, waiting):
    made = request(kms, waiting["KeyId"], os.urandom(32))
    message = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
    for arguments in ({}, {"ExpirationModel": "KEY_MATERIAL_EXPIRES"}):
        with refused("ValidationException", message):
            kms.import_key_material(**made, **arguments)
    at = now(server)
    for arguments in (
        FOR_GOOD | {"ValidTo": at + DAY}, {"ValidTo": at - MINUTE}, {"ValidTo": at + 366 * DAY},
    ):
        with refused("ValidationException"):
            kms.import_key_material(**made, **arguments)
    kms.import_key_material(**made, ValidTo=at + 365 * DAY - MINUTE)


def test_material_expires(own_server):
    kms = own_server.kms()
    key, material = external(kms), os.urandom(32)
    key_id = key["KeyId"]
    valid_to = (now(own_server) + 10 * DAY).replace(microsecond=0)
    told = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to}
    made = bring(kms, key_id, material, ValidTo=valid_to)["KeyMaterialId"]
    metadata = describe(kms, key_id)
    assert metadata | told == metadata and metadata["KeyState"] == "Enabled"
    [entry] = materials(kms, key_id)
    assert entry == told | {
        "KeyId": key["Arn"], "KeyMaterialId": made, "ImportState": "IMPORTED",
        "KeyMaterialState": "CURRENT",
    }
    blob = encrypt(kms, key_id)
    own_server.advance(days=10, seconds=-60)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    own_server.advance(seconds=61)
    assert describe(kms, key_id) == key | {"CurrentKeyMaterialId": made}
    [entry] = materials(kms, key_id)
    assert entry["ImportState"] == "PENDING_IMPORT"
    assert not {"ExpirationModel", "ValidTo"} & set(entry)
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        kms.decrypt(CiphertextBlob=blob)
    with refused(*INCORRECT):
        bring(kms, key_id, os.urandom(32))
    bring(kms, key_id, material)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    assert describe(kms, key_id)["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"


def test_importing_again_moves_the_expiry(own_server):
    kms = own_server.kms()
    key_id, material = external(kms)["KeyId"], os.urandom(32)
    bring(kms, key_id, material, ValidTo=now(own_server) + DAY)
    bring(kms, key_id, material, ValidTo=now(own_server) + 5 * DAY)
    own_server.advance(days=4)
    assert state(kms, key_id) == "Enabled"
    bring(kms, key_id, material)
    own_server.advance(days=4000)
    assert state(kms, key_id) == "Enabled"


def own():
    """A private key on P-256, in PKCS#8."""
    return pkcs8(ec.generate_private_key(ec.SECP256R1()))


def test_asymmetric_material_expires_too(own_server):
    kms = own_server.kms()
    key_id, good = external(kms, "ECC_NIST_P256", "SIGN_VERIFY")["KeyId"], own()
    bring(kms, key_id, good, ValidTo=now(own_server) + DAY)
    signing = {"KeyId": key_id, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**signing)["Signature"]
    own_server.advance(days=2)
    for attempt in (
        lambda: kms.sign(**signing), lambda: kms.get_public_key(KeyId=key_id),
        lambda: kms.verify(**signing, Signature=signature),
    ):
        with refused("KMSInvalidStateException"):
            attempt()
    with refused(*INCORRECT):
        bring(kms, key_id, own())
    bring(kms, key_id, good)
    assert kms.verify(**signing, Signature=signature)["SignatureValid"]


# -- deletion and re-import -------------------------------------------------------------------


def test_deleting_and_importing_again(kms, waiting, imported):
    key_id, material = imported
    blob, made = encrypt(kms, key_id), describe(kms, key_id)["CurrentKeyMaterialId"]
    answer = kms.delete_imported_key_material(KeyId=key_id)
    assert (answer["KeyId"], answer["KeyMaterialId"]) == (waiting["Arn"], made)
    assert describe(kms, key_id) == waiting | {"CurrentKeyMaterialId": made}
    with refused("KMSInvalidStateException", f"{waiting['Arn']} is pending import."):
        kms.decrypt(CiphertextBlob=blob)
    assert kms.delete_imported_key_material(KeyId=key_id)["KeyMaterialId"] == made
    with refused(*INCORRECT):
        bring(kms, key_id, os.urandom(32))
    with refused(*INCORRECT):
        bring(kms, key_id, material, ImportType="NEW_KEY_MATERIAL")
    assert bring(kms, key_id, material)["KeyMaterialId"] == made
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_deleting_nothing(kms, waiting):
    answer = kms.delete_imported_key_material(KeyId=waiting["KeyId"])
    assert answer["KeyId"] == waiting["Arn"] and "KeyMaterialId" not in answer
    assert describe(kms, waiting["KeyId"]) == waiting


def test_the_same_material_in_two_keys_is_two(kms):
    material = os.urandom(32)
    made = [bring(kms, external(kms)["KeyId"], material)["KeyMaterialId"] for _ in range(2)]
    assert made[0] != made[1]


def test_a_disabled_key_stays_disabled(kms, imported):
    key_id, material = imported
    kms.disable_key(KeyId=key_id)
    bring(kms, key_id, material)
    assert state(kms, key_id) == "Disabled"
    # The way out of PendingImport leads to Enabled, wherever the key came from.
    kms.delete_imported_key_material(KeyId=key_id)
    assert state(kms, key_id) == "PendingImport"
    bring(kms, key_id, material)
    assert state(kms, key_id) == "Enabled"


def test_pending_deletion(kms, waiting):
    key_id, material = waiting["KeyId"], os.urandom(32)
    made = request(kms, key_id, material)
    kms.schedule_key_deletion(KeyId=key_id)
    for attempt in (
        lambda: parameters(kms, key_id), lambda: kms.import_key_material(**made, **FOR_GOOD),
        lambda: kms.delete_imported_key_material(KeyId=key_id),
    ):
        with refused("KMSInvalidStateException", f"{waiting['Arn']} is pending deletion."):
            attempt()
    kms.cancel_key_deletion(KeyId=key_id)
    assert state(kms, key_id) == "PendingImport"
    kms.import_key_material(**made, **FOR_GOOD)
    assert state(kms, key_id) == "Enabled"


# -- several materials ------------------------------------------------------------------------


def test_new_material_waits_for_its_rotation(server, kms, waiting, imported):
    key_id, _ = imported
    first, second = describe(kms, key_id)["CurrentKeyMaterialId"], os.urandom(32)
    with refused(*INCORRECT):
        bring(kms, key_id, second)
    with refused(*INCORRECT):
        bring(kms, key_id, second, ImportType="EXISTING_KEY_MATERIAL")
    arrived = bring(
        kms, key_id, second, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="autumn 2026"
    )["KeyMaterialId"]
    assert describe(kms, key_id)["CurrentKeyMaterialId"] == first
    assert kms.list_key_rotations(KeyId=key_id)["Rotations"] == []
    common = {
        "KeyId": waiting["Arn"], "ImportState": "IMPORTED",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
    waits = common | {
        "KeyMaterialId": arrived, "KeyMaterialDescription": "autumn 2026",
        "KeyMaterialState": "PENDING_ROTATION",
    }
    oldest = common | {"KeyMaterialId": first, "KeyMaterialState": "CURRENT"}
    assert materials(kms, key_id) == [oldest, waits]
    blob = encrypt(kms, key_id)
    assert kms.rotate_key_on_demand(KeyId=key_id)["KeyId"] == waiting["Arn"]
    assert describe(kms, key_id)["CurrentKeyMaterialId"] == arrived
    [rotated] = kms.list_key_rotations(KeyId=key_id)["Rotations"]
    assert abs(rotated.pop("RotationDate") - now(server)) < MINUTE
    assert rotated == waits | {"KeyMaterialState": "CURRENT", "RotationType": "ON_DEMAND"}
    assert materials(kms, key_id)[0] == oldest | {"KeyMaterialState": "NON_CURRENT"}
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    assert kms.decrypt(CiphertextBlob=encrypt(kms, key_id))["KeyMaterialId"] == arrived


def test_one_at_a_time(kms, waiting, imported):
    key_id, _ = imported
    arguments = {"ImportType": "NEW_KEY_MATERIAL"}
    with refused("KMSInvalidStateException", (
        f"No available key material pending rotation for the key: {waiting['Arn']}."
    )):
        kms.rotate_key_on_demand(KeyId=key_id)
    second, third = os.urandom(32), os.urandom(32)
    pending = bring(kms, key_id, second, **arguments)["KeyMaterialId"]
    with pytest.raises(kms.exceptions.KMSInvalidStateException) as caught:
        bring(kms, key_id, third, **arguments)
    said = caught.value.response["Error"]["Message"]
    # Material that waits is forgotten when it is deleted: a third can come in its place.
    answer = kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=pending)
    assert answer["KeyMaterialId"] == pending and state(kms, key_id) == "Enabled"
    assert len(materials(kms, key_id)) == 1
    another = bring(kms, key_id, third, **arguments)["KeyMaterialId"]
    assert said == (
        f"New key material (id: {another}) cannot be imported into KMS key {waiting['Arn']}, "
        f"because another key material (id: {pending}) is pending rotation."
    )
    kms.rotate_key_on_demand(KeyId=key_id)
    assert describe(kms, key_id)["CurrentKeyMaterialId"] == another
    with refused(*INCORRECT):
        bring(kms, key_id, second)


def test_rotating_without_material(kms, waiting):
    with refused("KMSInvalidStateException", f"{waiting['Arn']} is pending import."):
        kms.rotate_key_on_demand(KeyId=waiting["KeyId"])
    asymmetric = external(kms, "ECC_NIST_P256", "SIGN_VERIFY")["KeyId"]
    with refused("UnsupportedOperationException", NO_MESSAGE):
        kms.rotate_key_on_demand(KeyId=asymmetric)


@pytest.mark.parametrize("operation", ["enable_key_rotation", "disable_key_rotation"])
def test_imported_material_does_not_rotate_by_itself(kms, waiting, imported, operation):
    for key_id in (imported[0], external(kms)["KeyId"]):
        with refused("UnsupportedOperationException", NO_MESSAGE):
            getattr(kms, operation)(KeyId=key_id)
    assert not kms.get_key_rotation_status(KeyId=imported[0])["KeyRotationEnabled"]


def test_ten_materials(own_server):
    kms = own_server.kms()
    key = external(kms)
    key_id, known, blobs = key["KeyId"], {}, {}
    for number in range(10):
        material = os.urandom(32)
        kind = {"ImportType": "NEW_KEY_MATERIAL"} if number else {}
        made = bring(kms, key_id, material, **kind)["KeyMaterialId"]
        if number:
            kms.rotate_key_on_demand(KeyId=key_id)
        known[made], blobs[made] = material, encrypt(kms, key_id)
    own_server.stop()
    kms = own_server.restart().kms()
    for made, blob in blobs.items():
        assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == made
    assert [entry["KeyMaterialId"] for entry in materials(kms, key_id)] == list(known)
    # Without any one of them the whole key waits.
    gone = list(known)[3:6]
    for made in gone:
        kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=made)
    states = {entry["KeyMaterialId"]: entry["ImportState"] for entry in materials(kms, key_id)}
    assert {made for made, told in states.items() if told == "PENDING_IMPORT"} == set(gone)
    for made in gone:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
            kms.decrypt(CiphertextBlob=blobs[made])
        assert state(kms, key_id) == "PendingImport"
        bring(kms, key_id, known[made], KeyMaterialId=made)
    assert state(kms, key_id) == "Enabled"
    for made, blob in blobs.items():
        assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == made


def test_twenty_five_rotations_at_most(kms, waiting, imported):
    key_id, _ = imported
    for _ in range(25):
        bring(kms, key_id, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
        kms.rotate_key_on_demand(KeyId=key_id)
    bring(kms, key_id, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    with refused("LimitExceededException"):
        kms.rotate_key_on_demand(KeyId=key_id)


def test_one_of_several_expires(own_server):
    kms = own_server.kms()
    key = external(kms)
    key_id, first, second = key["KeyId"], os.urandom(32), os.urandom(32)
    soon = (now(own_server) + 3 * DAY).replace(microsecond=0)
    old = bring(kms, key_id, first, ValidTo=soon)["KeyMaterialId"]
    bring(kms, key_id, second, ImportType="NEW_KEY_MATERIAL")
    kms.rotate_key_on_demand(KeyId=key_id)
    assert describe(kms, key_id)["ValidTo"] == soon
    own_server.advance(days=4)
    assert state(kms, key_id) == "PendingImport"
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        kms.rotate_key_on_demand(KeyId=key_id)
    bring(kms, key_id, first, KeyMaterialId=old)
    assert state(kms, key_id) == "Enabled"


def test_what_expires_while_it_waits_is_forgotten(own_server):
    kms = own_server.kms()
    key = external(kms)
    key_id = key["KeyId"]
    bring(kms, key_id, os.urandom(32))
    soon, kind = now(own_server) + DAY, {"ImportType": "NEW_KEY_MATERIAL"}
    pending = bring(kms, key_id, os.urandom(32), ValidTo=soon, **kind)["KeyMaterialId"]
    assert describe(kms, key_id)["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    own_server.advance(days=2)
    assert state(kms, key_id) == "Enabled" and len(materials(kms, key_id)) == 1
    with refused("KMSInvalidStateException"):
        kms.rotate_key_on_demand(KeyId=key_id)
    with refused("NotFoundException"):
        kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=pending)
    bring(kms, key_id, os.urandom(32), **kind)
    kms.rotate_key_on_demand(KeyId=key_id)


def test_ids_and_descriptions(kms, imported):
    key_id, material = imported
    made, other = describe(kms, key_id)["CurrentKeyMaterialId"], "0" * 64
    with refused(*INCORRECT):
        bring(kms, key_id, material, KeyMaterialId=other)
    with refused(*INCORRECT):
        bring(kms, key_id, os.urandom(32), KeyMaterialId=made)
    with refused("ValidationException"):
        bring(kms, key_id, material, KeyMaterialId=made, ImportType="NEW_KEY_MATERIAL")
    with refused("NotFoundException"):
        kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=other)
    bring(kms, key_id, material, KeyMaterialId=made, KeyMaterialDescription="first: a/b_c.d-1")
    bring(kms, key_id, material, ImportType="EXISTING_KEY_MATERIAL")
    [entry] = materials(kms, key_id)
    assert entry["KeyMaterialDescription"] == "first: a/b_c.d-1"
    kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=made)
    bring(kms, key_id, material, KeyMaterialDescription="second")
    [entry] = materials(kms, key_id)
    assert entry["KeyMaterialDescription"] == "second"


def test_a_first_import_of_known_material(kms, waiting):
    with refused(*INCORRECT):
        bring(kms, waiting["KeyId"], os.urandom(32), ImportType="EXISTING_KEY_MATERIAL")
    with refused(*INCORRECT):
        bring(kms, waiting["KeyId"], os.urandom(32), KeyMaterialId="0" * 64)
    bring(kms, waiting["KeyId"], os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    assert state(kms, waiting["KeyId"]) == "Enabled"


@pytest.mark.parametrize("arguments", [
    {"ImportType": "NEW_KEY_MATERIAL"}, {"ImportType": "EXISTING_KEY_MATERIAL"},
    {"KeyMaterialDescription": "d"}, {"KeyMaterialId": "0" * 64},
], ids=["new", "existing", "description", "id"])
def test_what_is_for_symmetric_keys_alone(kms, arguments):
    key_id = external(kms, "HMAC_256", "GENERATE_VERIFY_MAC")["KeyId"]
    with refused("UnsupportedOperationException"):
        bring(kms, key_id, os.urandom(32), **arguments)
    assert state(kms, key_id) == "PendingImport"
