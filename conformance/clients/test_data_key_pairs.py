"""GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding, PublicFormat, load_der_private_key, load_der_public_key,
)

from expectations import DRY_RUN, NO_MESSAGE, refused
from specs import KINDS

CONTEXT = {"tenant": "a"}
MESSAGE = b"to the bearer on demand"
CURVES = {
    "ECC_NIST_P256": "secp256r1", "ECC_NIST_P384": "secp384r1", "ECC_NIST_P521": "secp521r1",
    "ECC_SECG_P256K1": "secp256k1",
}
# RSA pairs are slow to make: the longest ones are made once only.
PAIRS = ["RSA_2048", "RSA_3072", *CURVES, "ECC_NIST_EDWARDS25519", "ML_KEM_768", "ML_KEM_1024"]
OPERATIONS = ["generate_data_key_pair", "generate_data_key_pair_without_plaintext"]


def spki(public_key):
    """The public key as SubjectPublicKeyInfo."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def check(spec, private_key, public_key):
    """The two are a pair of that spec, and do what such a pair is for."""
    if spec.startswith("RSA"):
        assert isinstance(private_key, rsa.RSAPrivateKey)
        assert private_key.key_size == int(spec[-4:])
        assert public_key.public_numbers().e == 65537
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        signature = private_key.sign(MESSAGE, scheme, hashes.SHA256())
        public_key.verify(signature, MESSAGE, scheme, hashes.SHA256())
    elif spec in CURVES:
        assert private_key.curve.name == CURVES[spec]
        signature = private_key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
        public_key.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
    elif spec == "ECC_NIST_EDWARDS25519":
        assert isinstance(private_key, ed25519.Ed25519PrivateKey)
        public_key.verify(private_key.sign(MESSAGE), MESSAGE)
    else:
        assert type(private_key).__name__.endswith(spec.replace("_", "") + "PrivateKey")
        secret, ciphertext = public_key.encapsulate()
        assert private_key.decapsulate(ciphertext) == secret


@pytest.mark.parametrize("spec", [*PAIRS, "RSA_4096"])
def test_pairs(kms, key, spec):
    made = kms.generate_data_key_pair(
        KeyId=key["KeyId"], KeyPairSpec=spec, EncryptionContext=CONTEXT)
    made.pop("ResponseMetadata")
    private, blob, public = (
        made.pop(name)
        for name in ("PrivateKeyPlaintext", "PrivateKeyCiphertextBlob", "PublicKey")
    )
    assert made == {
        "KeyId": key["Arn"], "KeyPairSpec": spec, "KeyMaterialId": key["CurrentKeyMaterialId"],
    }
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    assert (opened["Plaintext"], opened["KeyId"]) == (private, key["Arn"])
    private_key, public_key = load_der_private_key(private, None), load_der_public_key(public)
    assert spki(private_key.public_key()) == public == spki(public_key)
    check(spec, private_key, public_key)


@pytest.mark.parametrize("spec", PAIRS)
def test_pairs_without_plaintext(kms, key, spec):
    made = kms.generate_data_key_pair_without_plaintext(KeyId=key["KeyId"], KeyPairSpec=spec)
    made.pop("ResponseMetadata")
    blob, public = made.pop("PrivateKeyCiphertextBlob"), made.pop("PublicKey")
    assert made == {
        "KeyId": key["Arn"], "KeyPairSpec": spec, "KeyMaterialId": key["CurrentKeyMaterialId"],
    }
    private = kms.decrypt(CiphertextBlob=blob)["Plaintext"]
    assert spki(load_der_private_key(private, None).public_key()) == public


def test_the_ml_kem_512_pair(kms, key):
    # The cryptography package has no ML-KEM-512: what can be read is that it is another size.
    one, two = (
        kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ML_KEM_512") for _ in range(2)
    )
    opened = kms.decrypt(CiphertextBlob=one["PrivateKeyCiphertextBlob"])["Plaintext"]
    assert opened == one["PrivateKeyPlaintext"] != two["PrivateKeyPlaintext"]
    # The public key ends in 800 bytes (FIPS 203, table 3); both name id-alg-ml-kem-512.
    oid = bytes.fromhex("0609608648016503040401")
    for made in (one, two):
        assert len(made["PublicKey"]) == 800 + 22
        assert oid in made["PublicKey"] and oid in made["PrivateKeyPlaintext"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_pair_is_another(kms, key, operation):
    make = getattr(kms, operation)
    made = [make(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256") for _ in range(5)]
    assert len({pair["PublicKey"] for pair in made}) == 5


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("made, given", [
    (CONTEXT, {}), ({}, CONTEXT), (CONTEXT, {"tenant": "b"}), (CONTEXT, CONTEXT | {"more": ""}),
])
def test_another_context_is_refused(kms, key, operation, made, given):
    pair = getattr(kms, operation)(
        KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256", EncryptionContext=made)
    blob = pair["PrivateKeyCiphertextBlob"]
    with refused("InvalidCiphertextException", NO_MESSAGE):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=given)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=made)["Plaintext"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_sm2_is_refused(kms, key, operation):
    with refused("UnsupportedOperationException"):
        getattr(kms, operation)(KeyId=key["KeyId"], KeyPairSpec="SM2")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("spec", ["AES_256", "ML_DSA_44", "HMAC_256", "SYMMETRIC_DEFAULT"])
def test_unknown_specs(lenient_kms, key, operation, spec):
    with refused("ValidationException"):
        getattr(lenient_kms, operation)(KeyId=key["KeyId"], KeyPairSpec=spec)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("spec, usage", [
    kind for kind in KINDS if kind[0] != "SYMMETRIC_DEFAULT"
])
def test_only_a_symmetric_key_encrypts_private_keys(standing, operation, spec, usage):
    # Of RSA keys that encrypt AWS's text for this is not on record.
    name = "".join(word.title() for word in operation.split("_"))
    message = (
        f"{standing.arn(spec, usage)} key usage is {usage} which is not valid for {name}."
        if usage != "ENCRYPT_DECRYPT" else None
    )
    with refused("InvalidKeyUsageException", message):
        getattr(standing.kms, operation)(
            KeyId=standing.key_id(spec, usage), KeyPairSpec="ECC_NIST_P256")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_states_and_dry_runs(kms, key, operation):
    def attempt(**more):
        getattr(kms, operation)(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256", **more)

    with refused("DryRunOperationException", DRY_RUN):
        attempt(DryRun=True)
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        attempt()
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        attempt()
