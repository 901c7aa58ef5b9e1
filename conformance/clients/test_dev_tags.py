"""The tags by which emulators let a test fix a key's id and material."""

import base64
import hashlib
import hmac
import json
import uuid

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from expectations import NO_MESSAGE, refused

ID = "_custom_id_"
MATERIAL = "_custom_key_material_"


def tags(**values):
    """Tags, with the two special ones named `id` and `material` (bytes)."""
    if "material" in values:
        values[MATERIAL] = base64.b64encode(values.pop("material")).decode()
    if "id" in values:
        values[ID] = values.pop("id")
    return [{"TagKey": name, "TagValue": value} for name, value in values.items()]


def pkcs8(key):
    """The key as KMS takes material."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def listed(kms, key):
    """The tags that the key has."""
    return {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key)["Tags"]}


def test_an_id(kms, account):
    name = str(uuid.uuid4())
    key = kms.create_key(Tags=tags(id=f" {name.upper()} ", other="1"))["KeyMetadata"]
    assert key["KeyId"] == name
    assert key["Arn"] == f"arn:aws:kms:us-east-1:{account}:key/{name}"
    assert listed(kms, name) == {ID: f" {name.upper()} ", "other": "1"}
    blob = kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_an_id_that_is_taken(kms, server, account):
    name = str(uuid.uuid4())
    first = kms.create_key(Tags=tags(id=name), Description="first")["KeyMetadata"]
    words = f"A key with the ARN {first['Arn']} already exists"
    with refused("AlreadyExistsException", words):
        kms.create_key(Tags=tags(id=name), Description="second")
    assert kms.describe_key(KeyId=name)["KeyMetadata"] == first
    # Another account or Region has ids of its own.
    server.kms("888877776666").create_key(Tags=tags(id=name))
    server.kms(account, region="eu-west-1").create_key(Tags=tags(id=name))


def test_an_id_is_free_again_after_its_deletion(own_server):
    kms, name = own_server.kms(), str(uuid.uuid4())
    kms.create_key(Tags=tags(id=name))
    kms.schedule_key_deletion(KeyId=name, PendingWindowInDays=7)
    with refused("AlreadyExistsException"):
        kms.create_key(Tags=tags(id=name))
    own_server.advance(days=7)
    assert kms.create_key(Tags=tags(id=name))["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.parametrize("name", ["my-key", "", "mrk-" + "a" * 32, "a" * 36])
def test_what_is_no_id(kms, name):
    words = f"The value of the tag {ID} must be a UUID, not '{name}'"
    with refused("ValidationException", words):
        kms.create_key(Tags=tags(id=name))
    assert kms.list_keys()["Keys"] == []


def test_symmetric_material_decrypts_after_a_reset(own_memory_server):
    name, material = str(uuid.uuid4()), bytes(range(32))
    kms = own_memory_server.kms()
    kms.create_key(Tags=tags(id=name, material=material))
    blob = kms.encrypt(KeyId=name, Plaintext=b"kept")["CiphertextBlob"]
    own_memory_server.reset()
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob)
    kms.create_key(Tags=tags(id=name, material=material))
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    own_memory_server.reset()
    kms.create_key(Tags=tags(id=name, material=bytes(32)))
    with refused("InvalidCiphertextException", NO_MESSAGE):
        kms.decrypt(CiphertextBlob=blob)


def test_hmac_material(kms):
    material = b"0123456789abcdef0123456789abcdef"
    key = kms.create_key(
        KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", Tags=tags(material=material)
    )["KeyMetadata"]["KeyId"]
    mac = kms.generate_mac(KeyId=key, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert mac == hmac.digest(material, b"m", hashlib.sha256)
    assert listed(kms, key) == {}


def test_elliptic_curve_material(kms):
    for spec, curve in (("ECC_NIST_P256", ec.SECP256R1()), ("ECC_SECG_P256K1", ec.SECP256K1())):
        private = ec.generate_private_key(curve)
        key = kms.create_key(
            KeySpec=spec, KeyUsage="SIGN_VERIFY", Tags=tags(material=pkcs8(private))
        )["KeyMetadata"]["KeyId"]
        signature = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
        private.public_key().verify(signature["Signature"], b"m", ec.ECDSA(hashes.SHA256()))


def test_edwards_curve_material(kms):
    private = ed25519.Ed25519PrivateKey.generate()
    key = kms.create_key(
        KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY",
        Tags=tags(material=pkcs8(private)),
    )["KeyMetadata"]["KeyId"]
    signature = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ED25519_SHA_512")["Signature"]
    assert signature == private.sign(b"m")


def test_rsa_material_is_longer_than_other_tags_may_be(kms):
    private = rsa.generate_private_key(65537, 2048)
    key = kms.create_key(
        KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Tags=tags(other="1", material=pkcs8(private))
    )["KeyMetadata"]["KeyId"]
    signed = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")
    private.public_key().verify(signed["Signature"], b"m", padding.PKCS1v15(), hashes.SHA256())
    assert listed(kms, key) == {"other": "1"}
    with refused("ValidationException"):
        kms.create_key(Tags=tags(other="x" * 257))


def test_material_is_told_to_nobody(own_server):
    kms, material = own_server.kms(), b"neither-list-nor-log-has-these-b"
    text = base64.b64encode(material).decode()
    key = kms.create_key(Tags=tags(a="1", material=material))["KeyMetadata"]["KeyId"]
    for wrong in (material + b"!", material[:-1]):
        with refused("ValidationException"):
            kms.create_key(Tags=tags(material=wrong))
    with refused("TagException", "Duplicate tag keys"):
        kms.create_key(Tags=tags(material=material) * 2)
    assert listed(kms, key) == {"a": "1"}
    records = own_server.audit()
    assert records[0]["requestParameters"]["tags"] == [{"tagKey": "a", "tagValue": "1"}]
    told = json.dumps(records) + own_server.stderr()
    assert text[:12] not in told
    assert material.decode() not in told


@pytest.mark.parametrize("value, says", [
    ("?", "is not base64"),
    ("AAAA", "is no material of a key of spec SYMMETRIC_DEFAULT: "),
    ("", "is no material of a key of spec SYMMETRIC_DEFAULT: "),
])
def test_what_is_no_material(lenient_kms, value, says):
    with pytest.raises(lenient_kms.exceptions.ClientError) as caught:
        lenient_kms.create_key(Tags=[{"TagKey": MATERIAL, "TagValue": value}])
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert f"The value of the tag {MATERIAL} {says}" in caught.value.response["Error"]["Message"]
    assert lenient_kms.list_keys()["Keys"] == []
