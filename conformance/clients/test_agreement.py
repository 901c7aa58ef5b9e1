"""DeriveSharedSecret, Encapsulate and Decapsulate, with the other side outside."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from expectations import (
    DRY_RUN, NO_MESSAGE, blob_fails, longest, refused, shortest, violation,
)
from specs import KINDS, SPECS

CURVES = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
}
AGREEMENT, ENCAPSULATION = "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"
# The length of a ciphertext (FIPS 203, table 3).
ML_KEM = {"ML_KEM_512": 768, "ML_KEM_768": 1088, "ML_KEM_1024": 1568}
# ML-KEM-512 is not in the cryptography package.
OUTSIDE = ["ML_KEM_768", "ML_KEM_1024"]


def spki(public_key):
    """The public key as SubjectPublicKeyInfo."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def derive(kms, key_id, public_key, **more):
    """What DeriveSharedSecret answers."""
    return kms.derive_shared_secret(
        KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=public_key, **more)


@pytest.mark.parametrize("spec", CURVES)
def test_agreeing_with_a_key_outside(standing, spec):
    ours = standing.public_key(spec, AGREEMENT)
    for _ in range(5):
        peer = ec.generate_private_key(CURVES[spec])
        answer = derive(standing.kms, standing.key_id(spec, AGREEMENT), spki(peer.public_key()))
        answer.pop("ResponseMetadata")
        assert answer == {
            "KeyId": standing.arn(spec, AGREEMENT),
            # The raw x coordinate, as long as the field.
            "SharedSecret": peer.exchange(ec.ECDH(), ours),
            "KeyAgreementAlgorithm": "ECDH",
            "KeyOrigin": "AWS_KMS",
        }
        assert len(answer["SharedSecret"]) == (CURVES[spec].key_size + 7) // 8


@pytest.mark.parametrize("spec", CURVES)
def test_two_kms_keys_agree(standing, kms, spec):
    other = kms.create_key(KeySpec=spec, KeyUsage=AGREEMENT)["KeyMetadata"]["KeyId"]
    one = derive(kms, other, spki(standing.public_key(spec, AGREEMENT)))
    theirs = kms.get_public_key(KeyId=other)["PublicKey"]
    two = derive(standing.kms, standing.key_id(spec, AGREEMENT), theirs)
    assert one["SharedSecret"] == two["SharedSecret"]


def bad_peers(spec):
    """Public keys that a key of that spec can't agree with."""
    curve = CURVES[spec]
    good = spki(ec.generate_private_key(curve).public_key())
    size = (curve.key_size + 7) // 8
    head = good[:-2 * size - 1]
    assert good[len(head)] == 4
    others = [other for name, other in CURVES.items() if name != spec]
    off_curve = bytearray(good)
    off_curve[-1] ^= 1
    return {
        "no key": b"x",
        "zeros": bytes(100),
        "cut": good[:-1],
        "trailing byte": good + b"\0",
        "off the curve": bytes(off_curve),
        "the point at zero": head + b"\x04" + bytes(2 * size),
        "out of the field": head + b"\x04" + b"\xff" * (2 * size),
        "raw point": good[len(head):],
        **{curve.name: spki(ec.generate_private_key(curve).public_key())
           for curve in [*others, ec.SECP256K1(), ec.BrainpoolP256R1()]},
        "X25519": spki(x25519.X25519PrivateKey.generate().public_key()),
        "Ed25519": spki(ed25519.Ed25519PrivateKey.generate().public_key()),
        "RSA": spki(rsa.generate_private_key(65537, 2048).public_key()),
        "PEM": ec.generate_private_key(curve).public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "longest": b"\x30" * 8192,
    }


@pytest.mark.parametrize("spec", CURVES)
def test_bad_peers(standing, spec):
    for what, public_key in bad_peers(spec).items():
        with refused("ValidationException"):
            derive(standing.kms, standing.key_id(spec, AGREEMENT), public_key)
            pytest.fail(f"agreed with {what}")


@pytest.mark.parametrize("length, rule", [(0, shortest(1)), (8193, longest(8192))])
def test_length_of_a_public_key(standing, length, rule):
    key_id = standing.key_id("ECC_NIST_P256", AGREEMENT)
    with refused("ValidationException", violation(blob_fails("publicKey", rule))):
        derive(standing.lenient_kms, key_id, b"x" * length)


@pytest.mark.parametrize("spec, usage", [kind for kind in KINDS if kind[1] != AGREEMENT])
def test_keys_that_agree_with_nobody(standing, spec, usage):
    peer = spki(ec.generate_private_key(ec.SECP256R1()).public_key())
    says = f"{standing.arn(spec, usage)} key usage is {usage} which is not valid for "
    with refused("InvalidKeyUsageException", says + "DeriveSharedSecret."):
        derive(standing.kms, standing.key_id(spec, usage), peer)


def encapsulate(kms, key_id, **more):
    """What Encapsulate answers."""
    return kms.encapsulate(KeyId=key_id, EncapsulationAlgorithm="ML_KEM", **more)


def decapsulate(kms, key_id, ciphertext, **more):
    """What Decapsulate answers."""
    return kms.decapsulate(
        KeyId=key_id, EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=ciphertext,
        **more)


@pytest.mark.parametrize("spec", ML_KEM)
def test_encapsulating_and_decapsulating(standing, spec):
    key_id, arn = standing.key_id(spec, ENCAPSULATION), standing.arn(spec, ENCAPSULATION)
    secrets = set()
    for _ in range(5):
        made = encapsulate(standing.kms, key_id)
        made.pop("ResponseMetadata")
        secret, ciphertext = made["SharedSecret"], made.pop("SharedSecretCiphertextBlob")
        expected = {"KeyId": arn, "SharedSecret": secret, "EncapsulationAlgorithm": "ML_KEM"}
        assert made == expected
        assert (len(secret), len(ciphertext)) == (32, ML_KEM[spec])
        opened = decapsulate(standing.kms, key_id, ciphertext)
        opened.pop("ResponseMetadata")
        assert opened == expected
        secrets.add(secret)
    assert len(secrets) == 5


@pytest.mark.parametrize("spec", OUTSIDE)
def test_decapsulating_what_was_encapsulated_outside(standing, spec):
    public_key = standing.public_key(spec, ENCAPSULATION)
    for _ in range(5):
        secret, ciphertext = public_key.encapsulate()
        opened = decapsulate(standing.kms, standing.key_id(spec, ENCAPSULATION), ciphertext)
        assert opened["SharedSecret"] == secret


@pytest.mark.parametrize("spec", ML_KEM)
def test_an_altered_ciphertext_gives_another_secret(standing, spec):
    kms, key_id = standing.kms, standing.key_id(spec, ENCAPSULATION)
    made = encapsulate(kms, key_id)
    ciphertext = made["SharedSecretCiphertextBlob"]
    for position in (0, len(ciphertext) // 2, len(ciphertext) - 1):
        altered = bytearray(ciphertext)
        altered[position] ^= 1
        first, second = (decapsulate(kms, key_id, bytes(altered)) for _ in range(2))
        assert len(first["SharedSecret"]) == 32
        assert first["SharedSecret"] != made["SharedSecret"]
        # Always the same one, or it could be told from a real secret.
        assert first["SharedSecret"] == second["SharedSecret"]
    for anything in (bytes(len(ciphertext)), b"\xff" * len(ciphertext)):
        assert len(decapsulate(kms, key_id, anything)["SharedSecret"]) == 32


@pytest.mark.parametrize("spec", OUTSIDE)
def test_a_ciphertext_for_another_key(standing, spec):
    public_key = getattr(mlkem, spec.replace("_", "") + "PrivateKey").generate().public_key()
    secret, ciphertext = public_key.encapsulate()
    opened = decapsulate(standing.kms, standing.key_id(spec, ENCAPSULATION), ciphertext)
    assert len(opened["SharedSecret"]) == 32 and opened["SharedSecret"] != secret


@pytest.mark.parametrize("spec", ML_KEM)
def test_ciphertexts_of_the_wrong_length(standing, spec):
    right = ML_KEM[spec]
    for length in {1, 32, right - 1, right + 1, 6144, *ML_KEM.values()} - {right}:
        with refused("InvalidCiphertextException", NO_MESSAGE):
            decapsulate(standing.kms, standing.key_id(spec, ENCAPSULATION), bytes(length))


@pytest.mark.parametrize("length, rule", [(0, shortest(1)), (6145, longest(6144))])
def test_length_of_a_ciphertext(standing, length, rule):
    message = violation(blob_fails("sharedSecretCiphertextBlob", rule))
    with refused("ValidationException", message):
        decapsulate(
            standing.lenient_kms, standing.key_id("ML_KEM_768", ENCAPSULATION), bytes(length))


@pytest.mark.parametrize("spec, usage", [kind for kind in KINDS if kind[1] != ENCAPSULATION])
def test_keys_that_encapsulate_nothing(standing, spec, usage):
    says = f"{standing.arn(spec, usage)} key usage is {usage} which is not valid for "
    with refused("InvalidKeyUsageException", says + "Encapsulate."):
        encapsulate(standing.kms, standing.key_id(spec, usage))
    with refused("InvalidKeyUsageException", says + "Decapsulate."):
        decapsulate(standing.kms, standing.key_id(spec, usage), b"x")


@pytest.mark.parametrize("spec", [*CURVES, *ML_KEM])
def test_states_and_dry_runs(kms, spec):
    usage = AGREEMENT if spec in CURVES else ENCAPSULATION
    assert usage in SPECS[spec]
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    name, arn = key["KeyId"], key["Arn"]
    if spec in CURVES:
        peer = kms.get_public_key(KeyId=name)["PublicKey"]
        attempts = [lambda **more: derive(kms, name, peer, **more)]
    else:
        blob = encapsulate(kms, name)["SharedSecretCiphertextBlob"]
        attempts = [
            lambda **more: encapsulate(kms, name, **more),
            lambda **more: decapsulate(kms, name, blob, **more),
        ]
    for attempt in attempts:
        with refused("DryRunOperationException", DRY_RUN):
            attempt(DryRun=True)
    kms.disable_key(KeyId=name)
    for attempt in attempts:
        with refused("DisabledException", f"{arn} is disabled."):
            attempt()
    kms.schedule_key_deletion(KeyId=name)
    for attempt in attempts:
        with refused("KMSInvalidStateException", f"{arn} is pending deletion."):
            attempt()
