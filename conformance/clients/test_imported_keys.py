"""Imported keys of every kind: what is made outside is accepted inside, and no other key is."""

import hashlib
import hmac
import os

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from expectations import refused
from imports import (
    ALGORITHMS, ALONE, FOR_GOOD, INCORRECT, WITH_AES, bring, describe, external, oaep, pkcs8,
    request, state,
)
from specs import SPECS

CURVES = {
    "ECC_NIST_P256": (ec.SECP256R1(), hashes.SHA256()),
    "ECC_NIST_P384": (ec.SECP384R1(), hashes.SHA384()),
    "ECC_NIST_P521": (ec.SECP521R1(), hashes.SHA512()),
    "ECC_SECG_P256K1": (ec.SECP256K1(), hashes.SHA256()),
}
ML_DSA = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey, "ML_DSA_65": mldsa.MLDSA65PrivateKey,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey,
}
ML_KEM = {"ML_KEM_768": mlkem.MLKEM768PrivateKey, "ML_KEM_1024": mlkem.MLKEM1024PrivateKey}


# -- what is made outside is accepted inside --------------------------------------------------


@pytest.mark.parametrize("algorithm", WITH_AES)
@pytest.mark.parametrize("spec", ["RSA_2048", "RSA_3072", "RSA_4096"])
def test_rsa_signatures(kms, spec, algorithm):
    private_key = rsa.generate_private_key(65537, int(spec[4:]))
    key_id = external(kms, spec, "SIGN_VERIFY")["KeyId"]
    answer = bring(kms, key_id, pkcs8(private_key), algorithm=algorithm)
    assert "KeyMaterialId" not in answer
    same_public_key(kms, key_id, private_key)
    signature = kms.sign(
        KeyId=key_id, Message=b"m", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"
    )["Signature"]
    assert signature == private_key.sign(b"m", padding.PKCS1v15(), hashes.SHA256())


def test_rsa_ciphertexts(kms):
    private_key = rsa.generate_private_key(65537, 2048)
    key_id = external(kms, "RSA_2048", "ENCRYPT_DECRYPT")["KeyId"]
    bring(kms, key_id, pkcs8(private_key), algorithm=WITH_AES[1])
    for algorithm in SPECS["RSA_2048"]["ENCRYPT_DECRYPT"]:
        blob = oaep(algorithm, private_key.public_key(), b"secret")
        opened = kms.decrypt(KeyId=key_id, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
        assert opened["Plaintext"] == b"secret"


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"])
@pytest.mark.parametrize("spec", CURVES)
def test_elliptic_signatures(kms, spec, algorithm):
    curve, digest = CURVES[spec]
    private_key = ec.generate_private_key(curve)
    key_id = external(kms, spec, "SIGN_VERIFY")["KeyId"]
    wrapping = "RSA_3072" if spec == "ECC_NIST_P521" else "RSA_2048"
    made = request(kms, key_id, pkcs8(private_key), algorithm, wrapping)
    kms.import_key_material(**made, **FOR_GOOD)
    same_public_key(kms, key_id, private_key)
    [signing] = SPECS[spec]["SIGN_VERIFY"]
    signature = kms.sign(KeyId=key_id, Message=b"m", SigningAlgorithm=signing)["Signature"]
    private_key.public_key().verify(signature, b"m", ec.ECDSA(digest))
    outside = private_key.sign(b"m", ec.ECDSA(digest))
    assert kms.verify(
        KeyId=key_id, Message=b"m", SigningAlgorithm=signing, Signature=outside
    )["SignatureValid"]


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"])
def test_agreement(kms, spec):
    curve, _ = CURVES[spec]
    private_key, peer = ec.generate_private_key(curve), ec.generate_private_key(curve)
    key_id = external(kms, spec, "KEY_AGREEMENT")["KeyId"]
    bring(kms, key_id, pkcs8(private_key), algorithm=WITH_AES[1])
    agreed = kms.derive_shared_secret(
        KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer)
    )
    assert agreed["KeyOrigin"] == "EXTERNAL"
    assert agreed["SharedSecret"] == private_key.exchange(ec.ECDH(), peer.public_key())


def test_edwards_signatures(kms):
    private_key = ed25519.Ed25519PrivateKey.generate()
    key_id = external(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY")["KeyId"]
    bring(kms, key_id, pkcs8(private_key))
    same_public_key(kms, key_id, private_key)
    signature = kms.sign(KeyId=key_id, Message=b"m", SigningAlgorithm="ED25519_SHA_512")
    assert signature["Signature"] == private_key.sign(b"m")


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_1"])
@pytest.mark.parametrize("spec", ML_DSA)
def test_lattice_signatures(kms, spec, algorithm):
    private_key = ML_DSA[spec].generate()
    key_id = external(kms, spec, "SIGN_VERIFY")["KeyId"]
    bring(kms, key_id, pkcs8(private_key), algorithm=algorithm)
    same_public_key(kms, key_id, private_key)
    signature = kms.sign(KeyId=key_id, Message=b"m", SigningAlgorithm="ML_DSA_SHAKE_256")
    private_key.public_key().verify(signature["Signature"], b"m")


@pytest.mark.parametrize("spec", ML_KEM)
def test_encapsulation(kms, spec):
    private_key = ML_KEM[spec].generate()
    key_id = external(kms, spec, "ENCAPSULATE_DECAPSULATE")["KeyId"]
    bring(kms, key_id, pkcs8(private_key))
    same_public_key(kms, key_id, private_key)
    secret, ciphertext = private_key.public_key().encapsulate()
    opened = kms.decapsulate(
        KeyId=key_id, EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=ciphertext
    )
    assert opened["SharedSecret"] == secret


def test_encapsulation_of_the_least_strength(kms):
    # The cryptography package has no ML-KEM-512: the seed's form is written by hand (RFC 9935).
    seed = os.urandom(64)
    oid = bytes.fromhex("0609608648016503040401")
    key = b"\x30\x54\x02\x01\x00\x30\x0b" + oid + b"\x04\x42\x80\x40" + seed
    names = []
    for _ in range(2):
        key_id = external(kms, "ML_KEM_512", "ENCAPSULATE_DECAPSULATE")["KeyId"]
        bring(kms, key_id, key)
        names.append(key_id)
    made = kms.encapsulate(KeyId=names[0], EncapsulationAlgorithm="ML_KEM")
    opened = kms.decapsulate(
        KeyId=names[1], EncapsulationAlgorithm="ML_KEM",
        SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"],
    )
    assert opened["SharedSecret"] == made["SharedSecret"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_macs(kms, bits, algorithm):
    material = os.urandom(bits // 8)
    key_id = external(kms, f"HMAC_{bits}", "GENERATE_VERIFY_MAC")["KeyId"]
    assert "KeyMaterialId" not in bring(kms, key_id, material, algorithm=algorithm)
    mac = hmac.new(material, b"message", getattr(hashlib, f"sha{bits}")).digest()
    named = {"KeyId": key_id, "MacAlgorithm": f"HMAC_SHA_{bits}", "Message": b"message"}
    assert kms.generate_mac(**named)["Mac"] == mac
    assert kms.verify_mac(**named, Mac=mac)["MacValid"]
    assert "CurrentKeyMaterialId" not in describe(kms, key_id)


def spki(private_key):
    """The public key of a private one: SubjectPublicKeyInfo in DER."""
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def same_public_key(kms, key_id, private_key):
    """GetPublicKey answers the public key of the material."""
    assert kms.get_public_key(KeyId=key_id)["PublicKey"] == spki(private_key)


# -- wrong material ---------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_symmetric_material_of_a_wrong_length(kms, waiting, algorithm):
    # RFC 5649 wraps no empty key.
    for length in (1, 16, 31, 33, 64) + ((0,) if algorithm in ALONE else (4096,)):
        with refused(*INCORRECT):
            bring(kms, waiting["KeyId"], b"\x07" * length, algorithm=algorithm)
    assert state(kms, waiting["KeyId"]) == "PendingImport"


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_mac_material_of_a_wrong_length(kms, bits):
    key_id = external(kms, f"HMAC_{bits}", "GENERATE_VERIFY_MAC")["KeyId"]
    for length in (bits // 8 - 1, bits // 8 + 1):
        with refused(*INCORRECT):
            bring(kms, key_id, b"\x07" * length)
    assert state(kms, key_id) == "PendingImport"


@pytest.mark.parametrize("spec, usage", [
    (spec, next(iter(usages))) for spec, usages in SPECS.items()
    if not spec.startswith(("SYM", "HMAC"))
])
def test_asymmetric_material_that_is_none(kms, spec, usage):
    others = [
        pkcs8(rsa.generate_private_key(65537, 3072 if spec == "RSA_2048" else 2048)),
        pkcs8(ec.generate_private_key(
            ec.SECP384R1() if spec == "ECC_NIST_P256" else ec.SECP256R1()
        )),
        os.urandom(32), b"\x30\x00",
    ]
    if not spec.startswith("RSA"):
        others.append(pkcs8(rsa.generate_private_key(65537, 4096)))
    key_id = external(kms, spec, usage)["KeyId"]
    for other in others:
        with refused(*INCORRECT):
            bring(kms, key_id, other, algorithm=WITH_AES[1])
    assert state(kms, key_id) == "PendingImport"


def own(spec):
    """A private key of that spec, in PKCS#8."""
    if spec.startswith("RSA"):
        return pkcs8(rsa.generate_private_key(65537, int(spec[4:])))
    if spec in CURVES:
        return pkcs8(ec.generate_private_key(CURVES[spec][0]))
    if spec in ML_DSA:
        return pkcs8(ML_DSA[spec].generate())
    return pkcs8(ed25519.Ed25519PrivateKey.generate())


@pytest.mark.parametrize("spec", [
    "RSA_2048", *CURVES, "ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_87",
])
def test_malformed_pkcs8(kms, spec):
    key_id, good = external(kms, spec, "SIGN_VERIFY")["KeyId"], own(spec)
    algorithm = good.index(b"\x06")
    wrong_parameters = bytearray(good)
    wrong_parameters[algorithm + 1 + good[algorithm + 1]] ^= 1
    wrong_version = good.replace(b"\x02\x01\x00", b"\x02\x01\x02", 1)
    for bad in (good + b"\0", good[:-1], bytes(wrong_parameters), wrong_version, good[::-1]):
        with refused(*INCORRECT):
            bring(kms, key_id, bad, algorithm=WITH_AES[0])
    bring(kms, key_id, good, algorithm=WITH_AES[0])
    assert state(kms, key_id) == "Enabled"


def test_rsa_material_with_another_exponent(kms):
    key_id = external(kms, "RSA_2048", "SIGN_VERIFY")["KeyId"]
    with refused(*INCORRECT):
        bring(kms, key_id, pkcs8(rsa.generate_private_key(3, 2048)), algorithm=WITH_AES[1])
