"""Keys of every spec and usage: their metadata, and GetPublicKey."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from expectations import refused
from specs import KINDS, LISTS, SPECS

# The specs in the model's CustomerMasterKeySpec.
WITH_OLD_NAME = [
    spec for spec in SPECS if not spec.startswith("ML_") and spec != "ECC_NIST_EDWARDS25519"
]
ASYMMETRIC = [
    kind for kind in KINDS if kind[0] != "SYMMETRIC_DEFAULT" and not kind[0].startswith("HMAC")
]
CURVES = {
    "ECC_NIST_P256": "secp256r1", "ECC_NIST_P384": "secp384r1", "ECC_NIST_P521": "secp521r1",
    "ECC_SECG_P256K1": "secp256k1",
}


@pytest.mark.parametrize("spec, usage", KINDS)
def test_metadata(standing, spec, usage):
    metadata = standing.metadata(spec, usage)
    assert standing.kms.describe_key(KeyId=metadata["KeyId"])["KeyMetadata"] == metadata
    assert metadata["KeySpec"] == spec
    assert metadata["KeyUsage"] == usage
    assert (metadata["KeyState"], metadata["Origin"]) == ("Enabled", "AWS_KMS")
    lists = {name: metadata[name] for name in LISTS.values() if name in metadata}
    assert list(lists) == [LISTS[usage]]
    assert sorted(lists[LISTS[usage]]) == sorted(SPECS[spec][usage])
    assert ("CurrentKeyMaterialId" in metadata) == (spec == "SYMMETRIC_DEFAULT")


def check(spec, public_key):
    """The SubjectPublicKeyInfo holds a key of that spec."""
    if spec == "ML_KEM_512":
        # Not in the cryptography package: id-alg-ml-kem-512, and 800 bytes (FIPS 203, table 3).
        assert bytes.fromhex("0609608648016503040401") in public_key
        assert len(public_key) == 800 + 22
        return
    key = load_der_public_key(public_key)
    if spec.startswith("RSA"):
        assert isinstance(key, rsa.RSAPublicKey)
        assert (key.key_size, key.public_numbers().e) == (int(spec[-4:]), 65537)
    elif spec in CURVES:
        assert isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == CURVES[spec]
    elif spec == "ECC_NIST_EDWARDS25519":
        assert isinstance(key, ed25519.Ed25519PublicKey)
    else:
        assert type(key).__name__ == spec.replace("_", "") + "PublicKey"


@pytest.mark.parametrize("spec, usage", ASYMMETRIC)
def test_public_keys(standing, spec, usage):
    answer = standing.kms.get_public_key(KeyId=standing.key_id(spec, usage))
    answer.pop("ResponseMetadata")
    public_key = answer.pop("PublicKey")
    check(spec, public_key)
    assert sorted(answer.pop(LISTS[usage])) == sorted(SPECS[spec][usage])
    answer.pop("CustomerMasterKeySpec", None)
    assert answer == {"KeyId": standing.arn(spec, usage), "KeySpec": spec, "KeyUsage": usage}


@pytest.mark.parametrize("spec, usage", KINDS)
def test_the_spec_stands_under_both_its_names(standing, spec, usage):
    # AWS answers the old name also for specs that the model's CustomerMasterKeySpec lacks.
    metadata = standing.metadata(spec, usage)
    assert metadata["CustomerMasterKeySpec"] == spec
    if (spec, usage) in ASYMMETRIC:
        answer = standing.kms.get_public_key(KeyId=metadata["KeyId"])
        assert answer["CustomerMasterKeySpec"] == spec


@pytest.mark.parametrize("spec, usage", ASYMMETRIC)
def test_a_public_key_stays(standing, spec, usage):
    names = (standing.key_id(spec, usage), standing.arn(spec, usage))
    assert len({standing.kms.get_public_key(KeyId=name)["PublicKey"] for name in names}) == 1


@pytest.mark.parametrize("spec, usage", [kind for kind in KINDS if kind not in ASYMMETRIC])
def test_keys_without_a_public_key(standing, spec, usage):
    with refused("UnsupportedOperationException"):
        standing.kms.get_public_key(KeyId=standing.key_id(spec, usage))


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec in WITH_OLD_NAME[-6:]])
def test_the_old_name_may_be_given(kms, spec):
    [usage, *_] = SPECS[spec]
    metadata = kms.create_key(CustomerMasterKeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert (metadata["KeySpec"], metadata["KeyUsage"]) == (spec, usage)
