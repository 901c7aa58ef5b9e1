"""Imports: the way in, the tokens, and what doesn't come through."""

import os

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from expectations import NO_MESSAGE, refused
from imports import (
    ALGORITHMS, ALONE, DAY, FOR_GOOD, MINUTE, WITH_AES, WRAPPING_SPECS, describe, encrypt, external,
    materials, now, parameters, request, state, wrap,
)

INVALID_CIPHERTEXT = ("InvalidCiphertextException", NO_MESSAGE)
INVALID_TOKEN = ("InvalidImportTokenException", NO_MESSAGE)
EXPIRED_TOKEN = ("ExpiredImportTokenException", NO_MESSAGE)


# -- the way in -------------------------------------------------------------------------------


def test_a_key_without_material(kms, waiting):
    assert (waiting["KeyState"], waiting["Enabled"]) == ("PendingImport", False)
    assert waiting["Origin"] == "EXTERNAL"
    assert not {"ExpirationModel", "ValidTo", "CurrentKeyMaterialId"} & set(waiting)
    assert describe(kms, waiting["KeyId"]) == waiting
    assert materials(kms, waiting["KeyId"]) == []
    message = f"{waiting['Arn']} is pending import."
    for operation in ("enable_key", "disable_key"):
        with refused("KMSInvalidStateException", message):
            getattr(kms, operation)(KeyId=waiting["KeyId"])
    with refused("KMSInvalidStateException", message):
        encrypt(kms, waiting["KeyId"])


@pytest.mark.parametrize("spec", WRAPPING_SPECS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_way_of_wrapping(server, kms, waiting, algorithm, spec):
    key_id, material = waiting["KeyId"], os.urandom(32)
    got = parameters(kms, key_id, algorithm, spec)
    assert got["KeyId"] == waiting["Arn"]
    assert abs(got["ParametersValidTo"] - now(server) - DAY) < MINUTE
    assert 0 < len(got["ImportToken"]) <= 6144
    public_key = load_der_public_key(got["PublicKey"])
    assert (public_key.key_size, public_key.public_numbers().e) == (int(spec[4:]), 65537)
    answer = kms.import_key_material(
        KeyId=key_id, ImportToken=got["ImportToken"], **FOR_GOOD,
        EncryptedKeyMaterial=wrap(algorithm, got["PublicKey"], material),
    )
    assert answer["KeyId"] == waiting["Arn"]
    assert describe(kms, key_id) == waiting | {
        "KeyState": "Enabled", "Enabled": True,
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "CurrentKeyMaterialId": answer["KeyMaterialId"],
    }
    blob = encrypt(kms, key_id)
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == answer["KeyMaterialId"]


@pytest.mark.parametrize("length", [16, 24, 32])
def test_aes_keys_of_every_length_carry(kms, waiting, length):
    got = parameters(kms, waiting["KeyId"], WITH_AES[1])
    encrypted = wrap(WITH_AES[1], got["PublicKey"], os.urandom(32), os.urandom(length))
    kms.import_key_material(
        KeyId=waiting["KeyId"], ImportToken=got["ImportToken"], **FOR_GOOD,
        EncryptedKeyMaterial=encrypted,
    )
    assert state(kms, waiting["KeyId"]) == "Enabled"


def test_every_public_key_is_fresh(kms, waiting):
    first, second = (parameters(kms, waiting["KeyId"]) for _ in range(2))
    assert first["PublicKey"] != second["PublicKey"]
    made = request(kms, waiting["KeyId"], os.urandom(32))
    for token in (first["ImportToken"], second["ImportToken"]):
        with refused(*INVALID_CIPHERTEXT):
            kms.import_key_material(**made | {"ImportToken": token}, **FOR_GOOD)


@pytest.mark.parametrize("algorithm", ["RSAES_PKCS1_V1_5", "SM2PKE"])
def test_withdrawn_algorithms(kms, waiting, algorithm):
    for spec in (*WRAPPING_SPECS, "SM2"):
        with refused("UnsupportedOperationException"):
            parameters(kms, waiting["KeyId"], algorithm, spec)


def test_sm2_wrapping_keys(kms, waiting):
    for algorithm in ALGORITHMS:
        with refused("UnsupportedOperationException"):
            parameters(kms, waiting["KeyId"], algorithm, "SM2")


@pytest.mark.parametrize("spec, usage", [
    ("RSA_2048", "SIGN_VERIFY"), ("RSA_4096", "ENCRYPT_DECRYPT"), ("ECC_NIST_P521", "SIGN_VERIFY"),
])
def test_material_that_an_rsa_key_can_not_carry(kms, spec, usage):
    key_id = external(kms, spec, usage)["KeyId"]
    for algorithm in ALONE:
        with refused("UnsupportedOperationException"):
            parameters(kms, key_id, algorithm, "RSA_2048")
        if spec.startswith("RSA"):
            with refused("UnsupportedOperationException"):
                parameters(kms, key_id, algorithm, "RSA_4096")
        else:
            parameters(kms, key_id, algorithm, "RSA_3072")


def test_other_origins(kms, key):
    message = f"{key['Arn']} origin is AWS_KMS which is not valid for this operation."
    with refused("UnsupportedOperationException", message):
        parameters(kms, key["KeyId"])
    with refused("UnsupportedOperationException", message):
        kms.delete_imported_key_material(KeyId=key["KeyId"])
    with refused("UnsupportedOperationException", message):
        kms.import_key_material(
            KeyId=key["KeyId"], ImportToken=b"t", EncryptedKeyMaterial=b"m", **FOR_GOOD
        )


@pytest.mark.parametrize("origin", ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
def test_origins_that_need_a_key_store(kms, origin):
    with refused("UnsupportedOperationException"):
        kms.create_key(Origin=origin)


# -- encrypted material that is none ----------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_encrypted_material_that_does_not_open(kms, waiting, algorithm):
    made = request(kms, waiting["KeyId"], os.urandom(32), algorithm)
    good = made.pop("EncryptedKeyMaterial")

    def attempt(encrypted):
        kms.import_key_material(**made, EncryptedKeyMaterial=encrypted, **FOR_GOOD)

    for position in range(0, len(good), 7):
        altered = bytearray(good)
        altered[position] ^= 1 << (position % 8)
        with refused(*INVALID_CIPHERTEXT):
            attempt(bytes(altered))
    for wrong in (good[:-1], good + b"\0", good[:-8], good + bytes(8), good[:1], bytes(6144)):
        code = "ValidationException" if algorithm in ALONE else INVALID_CIPHERTEXT[0]
        with refused(code):
            attempt(wrong)
    # Nothing of all this has used up the token.
    attempt(good)
    assert state(kms, waiting["KeyId"]) == "Enabled"


def test_wrong_padding(kms, waiting):
    got = parameters(kms, waiting["KeyId"], "RSAES_OAEP_SHA_256")
    public_key, material = load_der_public_key(got["PublicKey"]), os.urandom(32)
    sha256, sha1 = hashes.SHA256(), hashes.SHA1()
    for scheme in (
        padding.PKCS1v15(),
        padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None),
        padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha256, label=None),
        padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=b"label"),
    ):
        with refused(*INVALID_CIPHERTEXT):
            kms.import_key_material(
                KeyId=waiting["KeyId"], ImportToken=got["ImportToken"], **FOR_GOOD,
                EncryptedKeyMaterial=public_key.encrypt(material, scheme),
            )


def test_the_wrong_algorithm(kms, waiting):
    for told, done in zip(ALGORITHMS, reversed(ALGORITHMS)):
        got = parameters(kms, waiting["KeyId"], told)
        with refused("ValidationException" if told in ALONE else INVALID_CIPHERTEXT[0]):
            kms.import_key_material(
                KeyId=waiting["KeyId"], ImportToken=got["ImportToken"], **FOR_GOOD,
                EncryptedKeyMaterial=wrap(done, got["PublicKey"], os.urandom(32)),
            )


@pytest.mark.parametrize("member", ["ImportToken", "EncryptedKeyMaterial"])
def test_oversize(lenient_kms, waiting, member):
    arguments = {"ImportToken": b"t", "EncryptedKeyMaterial": b"m"} | {member: bytes(6145)}
    with refused("ValidationException"):
        lenient_kms.import_key_material(KeyId=waiting["KeyId"], **arguments, **FOR_GOOD)


# -- tokens -----------------------------------------------------------------------------------


@pytest.mark.parametrize("spec, step", [("RSA_2048", 1), ("RSA_4096", 31)])
def test_every_flipped_byte_of_a_token(kms, waiting, spec, step):
    made = request(kms, waiting["KeyId"], os.urandom(32), spec=spec)
    good = made.pop("ImportToken")
    for position in range(0, len(good), step):
        altered = bytearray(good)
        altered[position] ^= 1 << (position % 8)
        with refused(*INVALID_TOKEN):
            kms.import_key_material(**made, ImportToken=bytes(altered), **FOR_GOOD)
    for wrong in (good[:-1], good + b"\0", good[:5], good[:1], b"x", bytes(6144)):
        with refused(*INVALID_TOKEN):
            kms.import_key_material(**made, ImportToken=wrong, **FOR_GOOD)
    kms.import_key_material(**made, ImportToken=good, **FOR_GOOD)


def test_tokens_of_another_key_region_and_account(server, kms, account, waiting):
    elsewhere, stranger = server.kms(account, "eu-west-1"), server.kms("999988887777")
    for other in (kms, elsewhere, stranger):
        foreign = request(other, external(other)["KeyId"], os.urandom(32))
        with refused(*INVALID_TOKEN):
            kms.import_key_material(**foreign | {"KeyId": waiting["KeyId"]}, **FOR_GOOD)
    assert state(kms, waiting["KeyId"]) == "PendingImport"


def test_a_ciphertext_is_no_token(kms, waiting, key):
    made = request(kms, waiting["KeyId"], os.urandom(32))
    with refused(*INVALID_TOKEN):
        kms.import_key_material(**made | {"ImportToken": encrypt(kms, key["KeyId"])}, **FOR_GOOD)


def test_a_token_is_good_for_a_day(own_server):
    kms = own_server.kms()
    key_id, material = external(kms)["KeyId"], os.urandom(32)
    made = request(kms, key_id, material)
    own_server.advance(seconds=24 * 3600 - 60)
    kms.import_key_material(**made, **FOR_GOOD)
    # It is as good the second time, within its day.
    kms.delete_imported_key_material(KeyId=key_id)
    kms.import_key_material(**made, **FOR_GOOD)
    own_server.advance(seconds=120)
    with refused(*EXPIRED_TOKEN):
        kms.import_key_material(**made, **FOR_GOOD)


def test_tokens_survive_a_restart(own_server):
    kms = own_server.kms()
    key_id = external(kms)["KeyId"]
    made = request(kms, key_id, os.urandom(32))
    own_server.stop()
    kms = own_server.restart().kms()
    kms.import_key_material(**made, **FOR_GOOD)
    blob = encrypt(kms, key_id)
    own_server.stop()
    assert own_server.restart().kms().decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


# -- the record -------------------------------------------------------------------------------


def test_records_tell_no_material(own_server):
    kms = own_server.kms()
    key_id, material = external(kms)["KeyId"], os.urandom(32)
    made = request(kms, key_id, material)
    kms.import_key_material(**made, **FOR_GOOD, KeyMaterialDescription="told")
    kms.delete_imported_key_material(KeyId=key_id)
    records = {record["eventName"]: record for record in own_server.audit()}
    told = records["ImportKeyMaterial"]["requestParameters"]
    assert told == {
        "keyId": key_id, "expirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "keyMaterialDescription": "told",
    }
    elements = records["GetParametersForImport"].get("responseElements") or {}
    assert not {"importToken", "publicKey"} & set(elements)
    assert records["GetParametersForImport"]["readOnly"] is True
    assert records["DeleteImportedKeyMaterial"]["readOnly"] is False
