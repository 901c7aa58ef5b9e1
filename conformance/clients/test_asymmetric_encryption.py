"""Encrypt, Decrypt and ReEncrypt under RSA keys, with the other side outside."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from expectations import (
    DRY_RUN, INCORRECT_KEY, NO_MESSAGE, refused, value_fails, violation,
)
from specs import KINDS, OAEP, algorithms

USAGE = "ENCRYPT_DECRYPT"
CASES = [case for case in algorithms(USAGE) if case[1] != "SYMMETRIC_DEFAULT"]
# The longest plaintext: the modulus less two hashes and two bytes (RFC 8017, 7.1.1).
LONGEST = {
    ("RSA_2048", "RSAES_OAEP_SHA_1"): 214, ("RSA_2048", "RSAES_OAEP_SHA_256"): 190,
    ("RSA_3072", "RSAES_OAEP_SHA_1"): 342, ("RSA_3072", "RSAES_OAEP_SHA_256"): 318,
    ("RSA_4096", "RSAES_OAEP_SHA_1"): 470, ("RSA_4096", "RSAES_OAEP_SHA_256"): 446,
}
HASHES = {"RSAES_OAEP_SHA_1": hashes.SHA1(), "RSAES_OAEP_SHA_256": hashes.SHA256()}
CONTEXT = {"tenant": "a"}
INVALID = ("InvalidCiphertextException", NO_MESSAGE)


def oaep(algorithm, label=None):
    """The padding, with one hash for both its parts."""
    hashing = HASHES[algorithm]
    return padding.OAEP(padding.MGF1(hashing), hashing, label)


def encrypt(kms, key_id, algorithm, plaintext=b"secret"):
    """The blob that Encrypt answers."""
    return kms.encrypt(
        KeyId=key_id, EncryptionAlgorithm=algorithm, Plaintext=plaintext)["CiphertextBlob"]


def decrypt(kms, key_id, algorithm, blob):
    """The plaintext that Decrypt answers."""
    return kms.decrypt(
        KeyId=key_id, EncryptionAlgorithm=algorithm, CiphertextBlob=blob)["Plaintext"]


@pytest.fixture
def key_id(standing, spec):
    """The id of the key that a test names."""
    return standing.key_id(spec, USAGE)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_every_member_of_the_answers(standing, key_id, spec, algorithm):
    kms, arn = standing.kms, standing.arn(spec, USAGE)
    made = kms.encrypt(KeyId=key_id, EncryptionAlgorithm=algorithm, Plaintext=b"secret")
    made.pop("ResponseMetadata")
    blob = made.pop("CiphertextBlob")
    assert made == {"KeyId": arn, "EncryptionAlgorithm": algorithm}
    # Plain OAEP: as long as the modulus, nothing around it.
    assert len(blob) * 8 == int(spec[-4:])
    opened = kms.decrypt(KeyId=arn, EncryptionAlgorithm=algorithm, CiphertextBlob=blob)
    opened.pop("ResponseMetadata")
    assert opened == {"KeyId": arn, "EncryptionAlgorithm": algorithm, "Plaintext": b"secret"}


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_kms_opens_what_was_encrypted_outside(standing, key_id, spec, algorithm):
    public_key = standing.public_key(spec, USAGE)
    for plaintext in (b"x", b"\0" * 16, b"\xff" * LONGEST[spec, algorithm]):
        blob = public_key.encrypt(plaintext, oaep(algorithm))
        assert decrypt(standing.kms, key_id, algorithm, blob) == plaintext


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_lengths_of_plaintexts(standing, key_id, spec, algorithm):
    most = LONGEST[spec, algorithm]
    for length in (1, most - 1, most):
        blob = encrypt(standing.kms, key_id, algorithm, b"p" * length)
        assert decrypt(standing.kms, key_id, algorithm, blob) == b"p" * length
    message = (
        f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes."
    )
    for length in (most + 1, 4096):
        with refused("ValidationException", message):
            encrypt(standing.kms, key_id, algorithm, b"p" * length)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_broken_ciphertexts(standing, key_id, spec, algorithm):
    kms = standing.kms
    blob = encrypt(kms, key_id, algorithm)
    broken = [blob[:-1], blob[1:], blob + b"\0", b"\0" + blob, b"x", b"\0" * len(blob),
              b"\xff" * len(blob), b"\0" * 6144]
    for position in (0, 1, len(blob) // 2, len(blob) - 1):
        altered = bytearray(blob)
        altered[position] ^= 1
        broken.append(bytes(altered))
    for anything in broken:
        with refused(*INVALID):
            decrypt(kms, key_id, algorithm, anything)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_other_paddings(standing, key_id, spec, algorithm):
    public_key, hashing = standing.public_key(spec, USAGE), HASHES[algorithm]
    other = HASHES[next(name for name in OAEP if name != algorithm)]
    paddings = [
        padding.OAEP(padding.MGF1(other), other, None),
        padding.OAEP(padding.MGF1(other), hashing, None),
        padding.OAEP(padding.MGF1(hashing), other, None),
        oaep(algorithm, b"label"),
        padding.PKCS1v15(),
    ]
    for unexpected in paddings:
        with refused(*INVALID):
            decrypt(standing.kms, key_id, algorithm, public_key.encrypt(b"secret", unexpected))


@pytest.mark.parametrize("spec", ["RSA_2048"])
def test_a_ciphertext_of_another_key(standing, key_id, spec):
    public_key = rsa.generate_private_key(65537, 2048).public_key()
    for algorithm in OAEP:
        with refused(*INVALID):
            decrypt(standing.kms, key_id, algorithm, public_key.encrypt(b"x", oaep(algorithm)))


@pytest.mark.parametrize("spec", ["RSA_2048"])
def test_key_and_algorithm_are_required(standing, key_id, spec):
    kms = standing.kms
    blob = encrypt(kms, key_id, "RSAES_OAEP_SHA_256")
    message = f"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec {spec}."
    with refused("InvalidKeyUsageException", message):
        kms.encrypt(KeyId=key_id, Plaintext=b"x")
    with refused("InvalidKeyUsageException", message):
        kms.decrypt(KeyId=key_id, CiphertextBlob=blob)
    with refused("InvalidKeyUsageException", message):
        kms.re_encrypt(SourceKeyId=key_id, CiphertextBlob=blob, DestinationKeyId=key_id,
                       DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256")
    # Nothing in the ciphertext names the key.
    with refused(*INVALID):
        kms.decrypt(CiphertextBlob=blob)
    with pytest.raises(kms.exceptions.ClientError):
        kms.decrypt(CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_there_is_no_context(standing, key_id, spec, algorithm):
    kms = standing.kms
    blob = encrypt(kms, key_id, algorithm)
    named = {"KeyId": key_id, "EncryptionAlgorithm": algorithm}
    with refused("ValidationException"):
        kms.encrypt(**named, Plaintext=b"x", EncryptionContext=CONTEXT)
    with refused("ValidationException"):
        kms.decrypt(**named, CiphertextBlob=blob, EncryptionContext=CONTEXT)
    source = {"SourceKeyId": key_id, "SourceEncryptionAlgorithm": algorithm}
    target = {"DestinationKeyId": key_id, "DestinationEncryptionAlgorithm": algorithm}
    for context in ("SourceEncryptionContext", "DestinationEncryptionContext"):
        with refused("ValidationException"):
            kms.re_encrypt(CiphertextBlob=blob, **source, **target, **{context: CONTEXT})


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_re_encrypting_from_and_to_a_symmetric_key(standing, key_id, spec, algorithm):
    kms, arn = standing.kms, standing.arn(spec, USAGE)
    symmetric = standing.metadata("SYMMETRIC_DEFAULT", USAGE)
    blob = kms.encrypt(KeyId=symmetric["KeyId"], Plaintext=b"secret",
                       EncryptionContext=CONTEXT)["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext=CONTEXT,
        DestinationKeyId=key_id, DestinationEncryptionAlgorithm=algorithm)
    assert (moved["SourceKeyId"], moved["KeyId"]) == (symmetric["Arn"], arn)
    assert moved["SourceEncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert moved["DestinationEncryptionAlgorithm"] == algorithm
    assert moved["SourceKeyMaterialId"] == symmetric["CurrentKeyMaterialId"]
    assert "DestinationKeyMaterialId" not in moved
    assert decrypt(kms, key_id, algorithm, moved["CiphertextBlob"]) == b"secret"

    back = kms.re_encrypt(
        CiphertextBlob=moved["CiphertextBlob"],
        SourceKeyId=key_id, SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId=symmetric["KeyId"], DestinationEncryptionContext=CONTEXT)
    assert (back["SourceKeyId"], back["KeyId"]) == (arn, symmetric["Arn"])
    assert back["SourceEncryptionAlgorithm"] == algorithm
    assert back["DestinationKeyMaterialId"] == symmetric["CurrentKeyMaterialId"]
    assert "SourceKeyMaterialId" not in back
    opened = kms.decrypt(CiphertextBlob=back["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == b"secret"


def test_re_encrypting_what_is_too_long_for_rsa(standing):
    kms, key_id = standing.kms, standing.key_id("RSA_2048", USAGE)
    symmetric = standing.key_id("SYMMETRIC_DEFAULT", USAGE)
    blob = kms.encrypt(KeyId=symmetric, Plaintext=b"p" * 191)["CiphertextBlob"]
    message = (
        "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than "
        "190 bytes."
    )
    with refused("ValidationException", message):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key_id,
                       DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256")


@pytest.mark.parametrize("spec", ["RSA_2048"])
def test_a_symmetric_ciphertext_under_an_rsa_key(standing, key_id, spec):
    symmetric = standing.key_id("SYMMETRIC_DEFAULT", USAGE)
    blob = standing.kms.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    for algorithm in OAEP:
        with refused(*INVALID):
            decrypt(standing.kms, key_id, algorithm, blob)


@pytest.mark.parametrize("spec, usage", [kind for kind in KINDS if kind[1] != USAGE])
def test_keys_that_encrypt_nothing(standing, spec, usage):
    key_id = standing.key_id(spec, usage)
    symmetric = standing.key_id("SYMMETRIC_DEFAULT", USAGE)
    blob = standing.kms.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    says = f"{standing.arn(spec, usage)} key usage is {usage} which is not valid for "
    for algorithm in ("SYMMETRIC_DEFAULT", *OAEP):
        with refused("InvalidKeyUsageException", says + "Encrypt."):
            encrypt(standing.kms, key_id, algorithm)
    with refused("InvalidKeyUsageException", says + "Decrypt."):
        decrypt(standing.kms, key_id, "RSAES_OAEP_SHA_256", b"x" * 256)
    with refused("InvalidKeyUsageException", says + "ReEncrypt."):
        standing.kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key_id)


@pytest.mark.parametrize("spec", ["HMAC_224", "HMAC_512"])
def test_a_symmetric_ciphertext_under_an_hmac_key(standing, spec):
    # The wrong key is found before the wrong usage.
    symmetric = standing.key_id("SYMMETRIC_DEFAULT", USAGE)
    blob = standing.kms.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    hmac = standing.key_id(spec, "GENERATE_VERIFY_MAC")
    with refused("IncorrectKeyException", INCORRECT_KEY):
        standing.kms.decrypt(CiphertextBlob=blob, KeyId=hmac)


def test_a_key_must_be_named(standing):
    absent = violation(value_fails(None, "keyId", "Member must not be null"))
    with refused("ValidationException", absent):
        standing.lenient_kms.encrypt(Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def test_states_and_dry_runs(kms):
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage=USAGE)["KeyMetadata"]
    name, arn = key["KeyId"], key["Arn"]
    how = {"KeyId": name, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = encrypt(kms, name, "RSAES_OAEP_SHA_256")
    attempts = [
        lambda **more: kms.encrypt(**how, Plaintext=b"x", **more),
        lambda **more: kms.decrypt(**how, CiphertextBlob=blob, **more),
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
