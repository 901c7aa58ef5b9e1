"""Encrypt, Decrypt and ReEncrypt."""

import re

import pytest

from expectations import (
    ABSENT_KEY_ID, DRY_RUN, INCORRECT_KEY, NO_MESSAGE, UNREACHABLE_CIPHERTEXT, absent_key,
    alias_arn, blob_fails, longest, refused, shortest, violation,
)

CONTEXT = {"tenant": "a", "purpose": "payroll"}
MATERIAL_ID = re.compile(r"[0-9a-f]{64}")


def encrypt(kms, key_id, plaintext=b"secret", **arguments):
    """The blob that Encrypt answers."""
    return kms.encrypt(KeyId=key_id, Plaintext=plaintext, **arguments)["CiphertextBlob"]


def members(answer):
    """An answer without what botocore adds to it."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("plaintext", [b"x", bytes(range(256)), b"\0" * 4096],
                         ids=["one byte", "all bytes", "longest"])
@pytest.mark.parametrize("context", [None, {"a": "b"}, CONTEXT, {"": "", "ключ": "\U0001f511"}],
                         ids=["none", "one", "two", "odd"])
def test_round_trip(kms, key, plaintext, context):
    extra = {} if context is None else {"EncryptionContext": context}
    blob = encrypt(kms, key["KeyId"], plaintext, **extra)
    assert kms.decrypt(CiphertextBlob=blob, **extra)["Plaintext"] == plaintext
    assert len(blob) <= 6144


def test_every_member_of_the_answers(kms, key):
    encrypted = members(kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret"))
    blob = encrypted["CiphertextBlob"]
    assert encrypted == {
        "CiphertextBlob": blob, "KeyId": key["Arn"], "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }
    assert members(kms.decrypt(CiphertextBlob=blob)) == {
        "Plaintext": b"secret",
        "KeyId": key["Arn"],
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": key["CurrentKeyMaterialId"],
    }
    other = kms.create_key()["KeyMetadata"]
    moved = members(kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other["KeyId"]))
    for name in ("SourceKeyMaterialId", "DestinationKeyMaterialId"):
        assert MATERIAL_ID.fullmatch(moved.pop(name))
    assert moved == {
        "CiphertextBlob": moved["CiphertextBlob"],
        "SourceKeyId": key["Arn"],
        "KeyId": other["Arn"],
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }


def test_each_name_of_the_key_gives_its_arn(kms, account, key):
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=key["KeyId"])
    names = [
        key["KeyId"], key["Arn"], "alias/payroll", alias_arn("alias/payroll", account),
    ]
    for name in names:
        answer = kms.encrypt(KeyId=name, Plaintext=b"x")
        assert answer["KeyId"] == key["Arn"]
        for source in names:
            opened = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], KeyId=source)
            assert (opened["Plaintext"], opened["KeyId"]) == (b"x", key["Arn"])
        moved = kms.re_encrypt(
            CiphertextBlob=answer["CiphertextBlob"], SourceKeyId=name, DestinationKeyId=name
        )
        assert (moved["SourceKeyId"], moved["KeyId"]) == (key["Arn"], key["Arn"])


def test_encrypting_twice_gives_different_blobs(kms, key):
    blobs = {encrypt(kms, key["KeyId"]) for _ in range(20)}
    assert len(blobs) == 20
    assert all(b"secret" not in blob for blob in blobs)


def test_the_order_of_context_pairs_means_nothing(kms, key):
    blob = encrypt(kms, key["KeyId"], EncryptionContext={"a": "1", "b": "2", "c": "3"})
    turned = {"c": "3", "a": "1", "b": "2"}
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=turned)["Plaintext"] == b"secret"


@pytest.mark.parametrize("made, given", [
    (CONTEXT, None),
    (CONTEXT, {}),
    (CONTEXT, {"tenant": "a"}),
    (CONTEXT, CONTEXT | {"more": ""}),
    (CONTEXT, {"tenant": "b", "purpose": "payroll"}),
    (CONTEXT, {"Tenant": "a", "purpose": "payroll"}),
    (CONTEXT, {"tenant": "A", "purpose": "payroll"}),
    ({"a": "bc"}, {"ab": "c"}),
    ({"a": "b", "c": "d"}, {"a": "d", "c": "b"}),
    ({"a": "b"}, {"b": "a"}),
    ({"a": ""}, {}),
    ({}, {"": ""}),
    (None, {"a": "b"}),
])
def test_another_context_is_refused(kms, key, made, given):
    making = {} if made is None else {"EncryptionContext": made}
    giving = {} if given is None else {"EncryptionContext": given}
    blob = encrypt(kms, key["KeyId"], **making)
    with refused("InvalidCiphertextException", NO_MESSAGE):
        kms.decrypt(CiphertextBlob=blob, **giving)
    source = {} if given is None else {"SourceEncryptionContext": given}
    with refused("InvalidCiphertextException", NO_MESSAGE):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"], **source)


def test_no_context_equals_an_empty_one(kms, key):
    blob = encrypt(kms, key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={})["Plaintext"] == b"secret"
    blob = encrypt(kms, key["KeyId"], EncryptionContext={})
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_every_altered_byte_is_refused(kms, key):
    blob = encrypt(kms, key["KeyId"])
    for position in range(len(blob)):
        altered = bytearray(blob)
        altered[position] ^= 1 << (position % 8)
        # Altered account and id bytes name another key, which isn't there; no account's number has
        # thirteen digits (docs/internals/blob-format.md).
        account = int.from_bytes(altered[2:10], "big")
        named = position in range(2, 26) and account < 10**12
        code = "AccessDeniedException" if named else "InvalidCiphertextException"
        with refused(code, UNREACHABLE_CIPHERTEXT if named else NO_MESSAGE):
            kms.decrypt(CiphertextBlob=bytes(altered))
        with refused("IncorrectKeyException" if named else "InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=bytes(altered), KeyId=key["KeyId"])


def test_every_cut_and_longer_blob_is_refused(kms, key):
    blob = encrypt(kms, key["KeyId"])
    cuts = [blob[:length] for length in range(1, len(blob))]
    for broken in [*cuts, blob[1:], blob + b"\0", blob + blob, b"\0" + blob]:
        with refused("InvalidCiphertextException", NO_MESSAGE):
            kms.decrypt(CiphertextBlob=broken)


@pytest.mark.parametrize("foreign", [b"x", b"\0" * 6144, b"AQICAHh" * 30, b"\1\2\2\0x" + b"A" * 99])
def test_foreign_blobs_are_refused(kms, key, foreign):
    with refused("InvalidCiphertextException", NO_MESSAGE):
        kms.decrypt(CiphertextBlob=foreign)
    with refused("InvalidCiphertextException", NO_MESSAGE):
        kms.re_encrypt(CiphertextBlob=foreign, DestinationKeyId=key["KeyId"])


def test_halves_of_two_blobs_do_not_fit(kms, key):
    one, two = (encrypt(kms, key["KeyId"], word) for word in (b"first one", b"secondone"))
    assert len(one) == len(two)
    for cut in range(1, len(one), 7):
        if one[:cut] + two[cut:] in (one, two):
            continue
        with refused("InvalidCiphertextException", NO_MESSAGE):
            kms.decrypt(CiphertextBlob=one[:cut] + two[cut:])


@pytest.mark.parametrize("length, rule", [(0, shortest(1)), (4097, longest(4096))])
def test_length_of_a_plaintext(lenient_kms, key, length, rule):
    with refused("ValidationException", violation(blob_fails("plaintext", rule))):
        lenient_kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * length)


@pytest.mark.parametrize("length, rule", [(0, shortest(1)), (6145, longest(6144))])
def test_length_of_a_blob(lenient_kms, key, length, rule):
    message = violation(blob_fails("ciphertextBlob", rule))
    with refused("ValidationException", message):
        lenient_kms.decrypt(CiphertextBlob=b"x" * length)
    with refused("ValidationException", message):
        lenient_kms.re_encrypt(CiphertextBlob=b"x" * length, DestinationKeyId=key["KeyId"])


def test_an_algorithm_of_another_kind_of_key(kms, key):
    blob = encrypt(kms, key["KeyId"])
    message = "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT."
    with refused("InvalidKeyUsageException", message):
        encrypt(kms, key["KeyId"], EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refused("InvalidKeyUsageException", message):
        kms.decrypt(
            CiphertextBlob=blob, KeyId=key["KeyId"], EncryptionAlgorithm="RSAES_OAEP_SHA_256"
        )


def test_decrypting_under_another_key(kms, account, key):
    other = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/other", TargetKeyId=other["KeyId"])
    blob = encrypt(kms, key["KeyId"])
    for name in (other["KeyId"], other["Arn"], "alias/other"):
        with refused("IncorrectKeyException", INCORRECT_KEY):
            kms.decrypt(CiphertextBlob=blob, KeyId=name)
        with refused("IncorrectKeyException", INCORRECT_KEY):
            kms.re_encrypt(
                CiphertextBlob=blob, SourceKeyId=name, DestinationKeyId=key["KeyId"]
            )
    with refused("NotFoundException", absent_key(account=account)):
        kms.decrypt(CiphertextBlob=blob, KeyId=ABSENT_KEY_ID)


@pytest.mark.parametrize("before", [{}, CONTEXT])
@pytest.mark.parametrize("after", [{}, {"tenant": "b"}])
@pytest.mark.parametrize("same_key", [True, False], ids=["same key", "other key"])
def test_re_encrypting(kms, key, before, after, same_key):
    target = key if same_key else kms.create_key()["KeyMetadata"]
    blob = encrypt(kms, key["KeyId"], EncryptionContext=before)
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=before,
        DestinationKeyId=target["KeyId"],
        DestinationEncryptionContext=after,
    )
    assert moved["CiphertextBlob"] != blob
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext=after)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", target["Arn"])
    if before != after:
        with refused("InvalidCiphertextException", NO_MESSAGE):
            kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext=before)
    # The old blob still opens.
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=before)["Plaintext"] == b"secret"


def test_dry_runs(kms, key):
    name, arn = key["KeyId"], key["Arn"]
    blob = encrypt(kms, name)
    attempts = [
        lambda: kms.encrypt(KeyId=name, Plaintext=b"x", DryRun=True),
        lambda: kms.decrypt(CiphertextBlob=blob, DryRun=True),
        lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=name, DryRun=True),
        lambda: kms.generate_data_key(KeyId=name, KeySpec="AES_256", DryRun=True),
        lambda: kms.generate_data_key_without_plaintext(
            KeyId=name, KeySpec="AES_256", DryRun=True),
    ]
    for attempt in attempts:
        with refused("DryRunOperationException", DRY_RUN):
            attempt()
    # What would have failed fails as it would have.
    kms.disable_key(KeyId=name)
    for attempt in attempts:
        with refused("DisabledException", f"{arn} is disabled."):
            attempt()
    assert encrypt(kms, kms.create_key()["KeyMetadata"]["KeyId"], DryRun=False)


def test_a_blob_stays_in_its_region(server, account, kms, key):
    blob = encrypt(kms, key["KeyId"])
    abroad = server.kms(account, "eu-west-1")
    with refused("AccessDeniedException", UNREACHABLE_CIPHERTEXT):
        abroad.decrypt(CiphertextBlob=blob)
    with refused("NotFoundException", "Invalid arn us-east-1"):
        abroad.decrypt(CiphertextBlob=blob, KeyId=key["Arn"])
