"""Sign and Verify, against signatures verified outside."""

import hashlib

import pytest
from Crypto.Hash import SHA512
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed, decode_dss_signature, encode_dss_signature,
)

from expectations import (
    DRY_RUN, NO_MESSAGE, blob_fails, longest, refused, shortest, value_fails, violation,
)
from specs import KINDS, SPECS, algorithms

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
MESSAGE = b"to the bearer on demand"
CASES = algorithms("SIGN_VERIFY")
# Where RAW is hashed by the name of the algorithm, and DIGEST is not.
HASHING = [case for case in CASES if case[1].startswith(("RSASSA", "ECDSA"))]
ML_DSA = [spec for spec in SPECS if spec.startswith("ML_DSA")]
PH = "ED25519_PH_SHA_512"
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
INVALID = ("KMSInvalidSignatureException", NO_MESSAGE)


def digest(algorithm, message=MESSAGE):
    """The digest that this algorithm signs, by the hash that its name ends in."""
    return hashlib.new(f"sha{algorithm[-3:]}", message).digest()


def mu(public_key, message=MESSAGE):
    """The representative of a message without context (FIPS 204, algorithm 7, line 6)."""
    tr = hashlib.shake_256(public_key.public_bytes_raw()).digest(64)
    return hashlib.shake_256(tr + b"\0\0" + message).digest(64)


def forms(standing, spec, algorithm, message=MESSAGE):
    """Each way to hand over that message: Message and MessageType."""
    raw = {"Message": message, "MessageType": "RAW"}
    if algorithm == PH:
        return [{"Message": digest(algorithm, message), "MessageType": "DIGEST"}]
    if (spec, algorithm) in HASHING:
        return [raw, {"Message": digest(algorithm, message), "MessageType": "DIGEST"}]
    if spec in ML_DSA:
        outside = standing.public_key(spec, "SIGN_VERIFY")
        return [raw, {"Message": mu(outside, message), "MessageType": "EXTERNAL_MU"}]
    return [raw]


def verify_outside(public_key, algorithm, signature, message):
    """Verifies without KMS; raises InvalidSignature."""
    if algorithm.startswith("RSASSA"):
        hashing = HASHES[algorithm[-3:]]
        pss = padding.PSS(padding.MGF1(hashing), hashing.digest_size)
        scheme = pss if "PSS" in algorithm else padding.PKCS1v15()
        public_key.verify(signature, message, scheme, hashing)
    elif algorithm.startswith("ECDSA"):
        public_key.verify(signature, message, ec.ECDSA(HASHES[algorithm[-3:]]))
    else:
        public_key.verify(signature, message)


class Signer:
    """A standing key that signs by one algorithm."""

    def __init__(self, standing, spec, algorithm):
        self.kms = standing.kms
        self.named = {"KeyId": standing.key_id(spec, "SIGN_VERIFY"), "SigningAlgorithm": algorithm}

    def sign(self, **message):
        """The signature."""
        return self.kms.sign(**self.named, **message)["Signature"]

    def verify(self, signature, **message):
        """What Verify answers, without what botocore adds to it."""
        answer = self.kms.verify(**self.named, Signature=signature, **message)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.fixture
def signer(standing, spec, algorithm):
    """The key and algorithm that a test names."""
    return Signer(standing, spec, algorithm)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_each_way_to_sign_fits_each_way_to_verify(standing, signer, spec, algorithm):
    arn = standing.arn(spec, "SIGN_VERIFY")
    outside = standing.public_key(spec, "SIGN_VERIFY")
    ways = forms(standing, spec, algorithm)
    for way in ways:
        answer = signer.kms.sign(**signer.named, **way)
        signature = answer["Signature"]
        assert (answer["KeyId"], answer["SigningAlgorithm"]) == (arn, algorithm)
        if algorithm != PH:
            verify_outside(outside, algorithm, signature, MESSAGE)
        for other in ways:
            assert signer.verify(signature, **other) == {
                "KeyId": arn, "SignatureValid": True, "SigningAlgorithm": algorithm,
            }


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_raw_is_the_default(signer, spec, algorithm):
    if algorithm == PH:
        with refused("ValidationException"):
            signer.sign(Message=MESSAGE)
        return
    signature = signer.sign(Message=MESSAGE)
    assert signer.verify(signature, Message=MESSAGE)["SignatureValid"]
    assert signer.verify(signature, Message=MESSAGE, MessageType="RAW")["SignatureValid"]


@pytest.mark.parametrize("spec, algorithm", HASHING)
def test_a_digest_given_raw_is_hashed_again(standing, signer, spec, algorithm):
    hashed = digest(algorithm)
    signature = signer.sign(Message=hashed, MessageType="RAW")
    verify_outside(standing.public_key(spec, "SIGN_VERIFY"), algorithm, signature, hashed)
    with refused(*INVALID):
        signer.verify(signature, Message=hashed, MessageType="DIGEST")


@pytest.mark.parametrize("spec, algorithm", [("ECC_NIST_EDWARDS25519", PH)])
def test_the_prehash_of_ed25519ph(standing, signer, spec, algorithm):
    # "The input is hashed twice: once by you and once by KMS", says the text of MessageType. So
    # for whoever verifies, the message of Ed25519ph is the digest that KMS was given.
    key_id = standing.key_id(spec, "SIGN_VERIFY")
    public_key = ECC.import_key(standing.kms.get_public_key(KeyId=key_id)["PublicKey"])
    hashed = digest(algorithm)
    signature = signer.sign(Message=hashed, MessageType="DIGEST")
    eddsa.new(public_key, "rfc8032").verify(SHA512.new(hashed), signature)


@pytest.mark.parametrize("spec, algorithm", [("ECC_NIST_EDWARDS25519", PH)])
def test_ed25519ph_is_not_ed25519(standing, signer, spec, algorithm):
    pure = Signer(standing, spec, "ED25519_SHA_512")
    hashed = digest(algorithm)
    signature = signer.sign(Message=hashed, MessageType="DIGEST")
    for message in (hashed, MESSAGE):
        with refused(*INVALID):
            pure.verify(signature, Message=message)
        with pytest.raises(InvalidSignature):
            standing.public_key(spec, "SIGN_VERIFY").verify(signature, message)
    with refused(*INVALID):
        signer.verify(pure.sign(Message=hashed), Message=hashed, MessageType="DIGEST")


@pytest.mark.parametrize("spec, algorithm", CASES)
@pytest.mark.parametrize("length", [1, 4096])
def test_lengths_of_messages(standing, signer, spec, algorithm, length):
    message = b"m" * length
    for way in forms(standing, spec, algorithm, message):
        signature = signer.sign(**way)
        assert signer.verify(signature, **way)["SignatureValid"]
        if algorithm != PH:
            outside = standing.public_key(spec, "SIGN_VERIFY")
            verify_outside(outside, algorithm, signature, message)


@pytest.mark.parametrize("spec, algorithm", CASES)
@pytest.mark.parametrize("length, rule", [(0, shortest(1)), (4097, longest(4096))])
def test_messages_out_of_bounds(standing, signer, spec, algorithm, length, rule):
    kms, message = standing.lenient_kms, b"m" * length
    with refused("ValidationException", violation(blob_fails("message", rule))):
        kms.sign(**signer.named, Message=message)
    with refused("ValidationException", violation(blob_fails("message", rule))):
        kms.verify(**signer.named, Message=message, Signature=b"s")


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_altered_signatures_and_messages(standing, signer, spec, algorithm):
    for way in forms(standing, spec, algorithm):
        signature = signer.sign(**way)
        for position in {0, 1, len(signature) // 3, len(signature) // 2, len(signature) - 1}:
            altered = bytearray(signature)
            altered[position] ^= 1 << (position % 8)
            with refused(*INVALID):
                signer.verify(bytes(altered), **way)
        for broken in (signature[:-1], signature[1:], signature + b"\0", b"\0" * len(signature),
                       b"\xff" * len(signature), b"s"):
            with refused(*INVALID):
                signer.verify(broken, **way)
        message = bytearray(way["Message"])
        message[-1] ^= 1
        with refused(*INVALID):
            signer.verify(signature, **way | {"Message": bytes(message)})


@pytest.mark.parametrize("spec, algorithm", [case for case in CASES if "RSA" not in case[0]])
def test_a_signature_of_another_key(standing, signer, kms, spec, algorithm):
    other = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    way = forms(standing, spec, algorithm)[0]
    signature = kms.sign(KeyId=other, SigningAlgorithm=algorithm, **way)["Signature"]
    with refused(*INVALID):
        signer.verify(signature, **way)


@pytest.mark.parametrize("spec, algorithm", [case for case in CASES if "RSA_2" in case[0]])
def test_a_signature_of_another_rsa_key(signer, spec, algorithm):
    hashing = HASHES[algorithm[-3:]]
    pss = padding.PSS(padding.MGF1(hashing), hashing.digest_size)
    scheme = pss if "PSS" in algorithm else padding.PKCS1v15()
    signature = rsa.generate_private_key(65537, 2048).sign(MESSAGE, scheme, hashing)
    with refused(*INVALID):
        signer.verify(signature, Message=MESSAGE)


@pytest.mark.parametrize("spec, algorithm", [case for case in CASES if "RSA_2" in case[0]])
def test_one_algorithms_signature_is_not_anothers(standing, signer, spec, algorithm):
    signature = signer.sign(Message=MESSAGE)
    for other in SPECS[spec]["SIGN_VERIFY"]:
        if other != algorithm:
            with refused(*INVALID):
                Signer(standing, spec, other).verify(signature, Message=MESSAGE)


@pytest.mark.parametrize("spec, algorithm", [("ECC_NIST_EDWARDS25519", "ED25519_SHA_512")])
def test_ed25519_signatures_have_one_form(signer, spec, algorithm):
    signature = signer.sign(Message=MESSAGE)
    # The same scalar, not reduced by the order of the group (RFC 8032, 5.1.7).
    scalar = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    with refused(*INVALID):
        signer.verify(signature[:32] + scalar.to_bytes(32, "little"), Message=MESSAGE)
    assert signer.sign(Message=MESSAGE) == signature


@pytest.mark.parametrize("spec, algorithm", [case for case in CASES if "RSA_2" in case[0]])
def test_rsa_signatures_have_one_form(standing, signer, spec, algorithm):
    modulus = standing.public_key(spec, "SIGN_VERIFY").public_numbers().n
    signature = signer.sign(Message=MESSAGE)
    number = int.from_bytes(signature, "big")
    while (number := number + modulus).bit_length() <= 2048:
        with refused(*INVALID):
            signer.verify(number.to_bytes(256, "big"), Message=MESSAGE)
    for number in (0, 1, modulus - 1, modulus):
        with refused(*INVALID):
            signer.verify(number.to_bytes(256, "big"), Message=MESSAGE)


@pytest.mark.parametrize("spec, algorithm", [c for c in CASES if c[1].startswith("ECDSA")])
def test_ecdsa_signatures_are_der_and_random(standing, signer, spec, algorithm):
    signatures = {signer.sign(Message=MESSAGE) for _ in range(8)}
    assert len(signatures) == 8
    hashing = ec.ECDSA(Prehashed(HASHES[algorithm[-3:]]))
    for signature in signatures:
        assert encode_dss_signature(*decode_dss_signature(signature)) == signature
        outside = standing.public_key(spec, "SIGN_VERIFY")
        outside.verify(signature, digest(algorithm), hashing)


@pytest.mark.parametrize("spec, algorithm", [*HASHING, ("ECC_NIST_EDWARDS25519", PH)])
def test_digests_of_the_wrong_length(signer, spec, algorithm):
    right = len(digest(algorithm))
    message = f"Digest is invalid length for algorithm {algorithm}."
    for length in {1, 20, 32, 48, 64, 4096, right - 1, right + 1} - {right}:
        way = {"Message": b"d" * length, "MessageType": "DIGEST"}
        with refused("ValidationException", message):
            signer.sign(**way)
        with refused("ValidationException", message):
            signer.verify(b"s", **way)


@pytest.mark.parametrize("spec, algorithm", [(spec, "ML_DSA_SHAKE_256") for spec in ML_DSA])
@pytest.mark.parametrize("length", [1, 32, 63, 65, 4096])
def test_mus_of_the_wrong_length(signer, spec, algorithm, length):
    way = {"Message": b"d" * length, "MessageType": "EXTERNAL_MU"}
    with refused("ValidationException"):
        signer.sign(**way)
    with refused("ValidationException"):
        signer.verify(b"s", **way)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_message_types_that_do_not_fit(standing, signer, spec, algorithm):
    fitting = {way["MessageType"] for way in forms(standing, spec, algorithm)}
    for kind in {"RAW", "DIGEST", "EXTERNAL_MU"} - fitting:
        # As long as a digest and a mu have to be.
        way = {"Message": b"d" * 64, "MessageType": kind}
        with refused("ValidationException"):
            signer.sign(**way)
        with refused("ValidationException"):
            signer.verify(b"s" * 64, **way)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if "SIGN_VERIFY" in SPECS[spec]])
def test_algorithms_of_other_specs(standing, spec):
    named = {"KeyId": standing.key_id(spec, "SIGN_VERIFY"), "Message": MESSAGE}
    for other in {algorithm for _, algorithm in CASES} - set(SPECS[spec]["SIGN_VERIFY"]):
        message = f"Algorithm {other} is incompatible with key spec {spec}."
        with refused("InvalidKeyUsageException", message):
            standing.kms.sign(**named, SigningAlgorithm=other)
        with refused("InvalidKeyUsageException", message):
            standing.kms.verify(**named, SigningAlgorithm=other, Signature=b"s")


@pytest.mark.parametrize("spec, usage", [kind for kind in KINDS if kind[1] != "SIGN_VERIFY"])
def test_keys_of_other_usages(standing, spec, usage):
    named = {
        "KeyId": standing.key_id(spec, usage), "Message": MESSAGE,
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    says = f"{standing.arn(spec, usage)} key usage is {usage} which is not valid for "
    with refused("InvalidKeyUsageException", says + "Sign."):
        standing.kms.sign(**named)
    with refused("InvalidKeyUsageException", says + "Verify."):
        standing.kms.verify(**named, Signature=b"s")


def test_unknown_enum_values(standing):
    kms, key_id = standing.lenient_kms, standing.key_id("ECC_NIST_P256", "SIGN_VERIFY")
    with refused("ValidationException"):
        kms.sign(KeyId=key_id, Message=MESSAGE, SigningAlgorithm="RSA_SHA_256")
    with refused("ValidationException"):
        kms.sign(KeyId=key_id, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256",
                 MessageType="HEX")
    absent = violation(value_fails(None, "signingAlgorithm", "Member must not be null"))
    with refused("ValidationException", absent):
        kms.sign(KeyId=key_id, Message=MESSAGE)


def test_dry_runs(standing):
    signer = Signer(standing, "ECC_NIST_P256", "ECDSA_SHA_256")
    signature = signer.sign(Message=MESSAGE)
    with refused("DryRunOperationException", DRY_RUN):
        signer.sign(Message=MESSAGE, DryRun=True)
    with refused("DryRunOperationException", DRY_RUN):
        signer.verify(signature, Message=MESSAGE, DryRun=True)


def test_each_name_of_the_key(kms, account):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.create_alias(AliasName="alias/notary", TargetKeyId=key["KeyId"])
    alias = f"arn:aws:kms:us-east-1:{account}:alias/notary"
    how = {"Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}
    for name in (key["KeyId"], key["Arn"], "alias/notary", alias):
        signed = kms.sign(KeyId=name, **how)
        verified = kms.verify(KeyId=name, Signature=signed["Signature"], **how)
        public = kms.get_public_key(KeyId=name)
        assert {signed["KeyId"], verified["KeyId"], public["KeyId"]} == {key["Arn"]}


def test_states(kms):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    name, arn = key["KeyId"], key["Arn"]
    how = {"KeyId": name, "Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**how)["Signature"]
    attempts = [
        lambda: kms.sign(**how),
        lambda: kms.verify(**how, Signature=signature),
        lambda: kms.get_public_key(KeyId=name),
    ]
    kms.disable_key(KeyId=name)
    for attempt in attempts:
        with refused("DisabledException", f"{arn} is disabled."):
            attempt()
    kms.schedule_key_deletion(KeyId=name)
    for attempt in attempts:
        with refused("KMSInvalidStateException", f"{arn} is pending deletion."):
            attempt()
    kms.cancel_key_deletion(KeyId=name)
    kms.enable_key(KeyId=name)
    assert kms.verify(**how, Signature=signature)["SignatureValid"]
