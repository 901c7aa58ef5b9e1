"""GenerateMac and VerifyMac."""

import pytest

from expectations import (
    DRY_RUN, NO_MESSAGE, blob_fails, longest, refused, shortest, violation,
)
from specs import KINDS, algorithms

MESSAGE = b"to the bearer on demand"
CASES = algorithms("GENERATE_VERIFY_MAC")
USAGE = "GENERATE_VERIFY_MAC"
INVALID = ("KMSInvalidMacException", NO_MESSAGE)


@pytest.fixture
def named(standing, spec, algorithm):
    """The arguments that name the key and the algorithm."""
    return {"KeyId": standing.key_id(spec, USAGE), "MacAlgorithm": algorithm}


@pytest.mark.parametrize("spec, algorithm", CASES)
@pytest.mark.parametrize("message", [b"m", MESSAGE, bytes(range(256)), b"\0" * 4096],
                         ids=["one byte", "words", "all bytes", "longest"])
def test_round_trip(standing, named, spec, algorithm, message):
    made = standing.kms.generate_mac(**named, Message=message)
    made.pop("ResponseMetadata")
    mac = made["Mac"]
    arn = standing.arn(spec, USAGE)
    assert made == {"KeyId": arn, "Mac": mac, "MacAlgorithm": algorithm}
    assert len(mac) * 8 == int(algorithm[-3:])
    verified = standing.kms.verify_mac(**named, Message=message, Mac=mac)
    verified.pop("ResponseMetadata")
    assert verified == {"KeyId": arn, "MacValid": True, "MacAlgorithm": algorithm}
    assert standing.kms.generate_mac(**named, Message=message)["Mac"] == mac


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_every_key_has_a_secret_of_its_own(standing, named, kms, spec, algorithm):
    other = kms.create_key(KeySpec=spec, KeyUsage=USAGE)["KeyMetadata"]["KeyId"]
    mac = kms.generate_mac(KeyId=other, MacAlgorithm=algorithm, Message=MESSAGE)["Mac"]
    assert standing.kms.generate_mac(**named, Message=MESSAGE)["Mac"] != mac
    with refused(*INVALID):
        standing.kms.verify_mac(**named, Message=MESSAGE, Mac=mac)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_every_altered_byte_is_refused(standing, named, spec, algorithm):
    kms = standing.kms
    mac = kms.generate_mac(**named, Message=MESSAGE)["Mac"]
    for position in range(len(mac)):
        altered = bytearray(mac)
        altered[position] ^= 1 << (position % 8)
        with refused(*INVALID):
            kms.verify_mac(**named, Message=MESSAGE, Mac=bytes(altered))
    for message in (MESSAGE[:-1], MESSAGE + b"\0", b"T" + MESSAGE[1:]):
        with refused(*INVALID):
            kms.verify_mac(**named, Message=message, Mac=mac)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_cut_and_longer_macs_are_refused(standing, named, spec, algorithm):
    mac = standing.kms.generate_mac(**named, Message=MESSAGE)["Mac"]
    cuts = [mac[:length] for length in range(1, len(mac))]
    for broken in [*cuts, mac + b"\0", mac + mac, mac[1:], b"\0" * len(mac), b"\0" * 6144]:
        with refused(*INVALID):
            standing.kms.verify_mac(**named, Message=MESSAGE, Mac=broken)


@pytest.mark.parametrize("spec, algorithm", CASES)
@pytest.mark.parametrize("length, rule", [(0, shortest(1)), (4097, longest(4096))])
def test_length_of_a_message(standing, named, spec, algorithm, length, rule):
    kms = standing.lenient_kms
    with refused("ValidationException", violation(blob_fails("message", rule))):
        kms.generate_mac(**named, Message=b"m" * length)
    with refused("ValidationException", violation(blob_fails("message", rule))):
        kms.verify_mac(**named, Message=b"m" * length, Mac=b"m")


@pytest.mark.parametrize("spec, algorithm", CASES)
@pytest.mark.parametrize("length, rule", [(0, shortest(1)), (6145, longest(6144))])
def test_length_of_a_mac(standing, named, spec, algorithm, length, rule):
    with refused("ValidationException", violation(blob_fails("mac", rule))):
        standing.lenient_kms.verify_mac(**named, Message=MESSAGE, Mac=b"m" * length)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_algorithms_of_other_specs(standing, spec, algorithm):
    key_id = standing.key_id(spec, USAGE)
    for _, other in CASES:
        if other == algorithm:
            continue
        message = f"Algorithm {other} is incompatible with key spec {spec}."
        with refused("InvalidKeyUsageException", message):
            standing.kms.generate_mac(KeyId=key_id, MacAlgorithm=other, Message=MESSAGE)
        with refused("InvalidKeyUsageException", message):
            standing.kms.verify_mac(
                KeyId=key_id, MacAlgorithm=other, Message=MESSAGE, Mac=b"m" * 32)


@pytest.mark.parametrize("spec, usage", [kind for kind in KINDS if kind[1] != USAGE])
def test_keys_of_other_usages(standing, spec, usage):
    named = {
        "KeyId": standing.key_id(spec, usage), "MacAlgorithm": "HMAC_SHA_256",
        "Message": MESSAGE,
    }
    says = f"{standing.arn(spec, usage)} key usage is {usage} which is not valid for "
    with refused("InvalidKeyUsageException", says + "GenerateMac."):
        standing.kms.generate_mac(**named)
    with refused("InvalidKeyUsageException", says + "VerifyMac."):
        standing.kms.verify_mac(**named, Mac=b"m" * 32)


@pytest.mark.parametrize("spec, algorithm", CASES)
def test_an_hmac_key_encrypts_nothing(standing, spec, algorithm):
    key_id = standing.key_id(spec, USAGE)
    says = f"{standing.arn(spec, USAGE)} key usage is {USAGE} which is not valid for "
    with refused("InvalidKeyUsageException", says + "Encrypt."):
        standing.kms.encrypt(KeyId=key_id, Plaintext=b"x")
    with refused("InvalidKeyUsageException", says + "GenerateDataKey."):
        standing.kms.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    with refused("InvalidKeyUsageException", says + "Sign."):
        standing.kms.sign(
            KeyId=key_id, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")


def test_an_unknown_algorithm(standing):
    key_id = standing.key_id("HMAC_256", USAGE)
    # The order of the set is a matter of AWS's hash.
    with refused("ValidationException"):
        standing.lenient_kms.generate_mac(
            KeyId=key_id, MacAlgorithm="HMAC_SHA_1", Message=MESSAGE)


def test_states_and_dry_runs(kms):
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage=USAGE)["KeyMetadata"]
    how = {"KeyId": key["KeyId"], "MacAlgorithm": "HMAC_SHA_256", "Message": MESSAGE}
    mac = kms.generate_mac(**how)["Mac"]
    attempts = [
        lambda **more: kms.generate_mac(**how, **more),
        lambda **more: kms.verify_mac(**how, Mac=mac, **more),
    ]
    for attempt in attempts:
        with refused("DryRunOperationException", DRY_RUN):
            attempt(DryRun=True)
    kms.disable_key(KeyId=key["KeyId"])
    for attempt in attempts:
        with refused("DisabledException", f"{key['Arn']} is disabled."):
            attempt()
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    for attempt in attempts:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
            attempt()
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.verify_mac(**how, Mac=mac)["MacValid"]
