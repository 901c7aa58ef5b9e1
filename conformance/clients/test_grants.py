"""Grants: what they may be, and what they allow to whom. Their ends are in test_grant_life.py."""

import base64
import json
import re

import pytest

from expectations import (
    ABSENT_KEY_ID, DRY_RUN, NO_MESSAGE, default_policy, refused, value_fails, violation,
)
from grants import SERVICE, SYMMETRIC, listed, root

GRANT_ID = re.compile("[0-9a-f]{64}")
ALWAYS = ["CreateGrant", "RetireGrant", "DescribeKey"]


def silence(kms, account, key, *operations):
    """Lets the key policy say nothing of these, to anybody."""
    policy = default_policy(account)
    statement = policy["Statement"][0]
    del statement["Action"]
    statement["NotAction"] = [f"kms:{operation}" for operation in operations]
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))


# -- what a grant is -----------------------------------------------------------------------------


def test_what_is_answered_and_listed(kms, account, key, guest, third, grant):
    made = grant(
        "Decrypt", "Encrypt", Name="Team/blue:1_a", RetiringPrincipal=root(third),
        Constraints={"EncryptionContextSubset": {"Team": "blue"}},
    )
    assert GRANT_ID.fullmatch(made["GrantId"])
    assert 1 <= len(made["GrantToken"]) <= 8192
    entry, = listed(kms, key)
    assert entry.pop("CreationDate").timestamp() > 1_700_000_000
    assert entry == {
        "KeyId": key["Arn"], "GrantId": made["GrantId"], "Name": "Team/blue:1_a",
        "GranteePrincipal": root(guest), "RetiringPrincipal": root(third),
        "IssuingAccount": root(account), "Operations": ["Decrypt", "Encrypt"],
        "Constraints": {"EncryptionContextSubset": {"Team": "blue"}},
    }


def test_what_was_not_given_is_not_listed(kms, key, grant):
    grant("DescribeKey")
    entry, = listed(kms, key)
    absent = {"Name", "RetiringPrincipal", "Constraints", "GranteeServicePrincipal",
              "RetiringServicePrincipal"}
    assert not absent & set(entry)


def test_a_service_as_grantee(kms, key, grant):
    grant("Decrypt", "DescribeKey", **SERVICE)
    entry, = listed(kms, key)
    assert "GranteePrincipal" not in entry and "RetiringPrincipal" not in entry
    assert {name: entry[name] for name in SERVICE} == SERVICE


def test_another_account_issues_a_grant(kms, key, guest, guest_kms, third, grant):
    grant("CreateGrant", "Decrypt")
    guest_kms.create_grant(
        KeyId=key["Arn"], GranteePrincipal=root(third), Operations=["Decrypt"])
    assert {(entry["GranteePrincipal"], entry["IssuingAccount"]) for entry in listed(kms, key)} \
        > {(root(third), root(guest))}


@pytest.mark.parametrize("spec, usage, own", [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", SYMMETRIC),
    ("RSA_2048", "ENCRYPT_DECRYPT",
     ["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"] + ALWAYS),
    ("RSA_2048", "SIGN_VERIFY", ["Sign", "Verify", "GetPublicKey"] + ALWAYS),
    ("ML_DSA_44", "SIGN_VERIFY", ["Sign", "Verify", "GetPublicKey"] + ALWAYS),
    ("HMAC_256", "GENERATE_VERIFY_MAC", ["GenerateMac", "VerifyMac"] + ALWAYS),
    ("ECC_NIST_P256", "KEY_AGREEMENT", ["DeriveSharedSecret", "GetPublicKey"] + ALWAYS),
    ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE",
     ["Encapsulate", "Decapsulate", "GetPublicKey"] + ALWAYS),
])
def test_operations_must_be_the_keys(kms, guest, spec, usage, own):
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    every = kms.meta.service_model.shape_for("GrantOperation").enum
    assert len(every) == 19
    fixed = {"KeyId": key["KeyId"], "GranteePrincipal": root(guest), "DryRun": True}
    for operation in every:
        code = "DryRunOperationException" if operation in own else "ValidationException"
        with refused(code):
            kms.create_grant(Operations=["DescribeKey", operation], **fixed)
    code = "DryRunOperationException" if spec == "SYMMETRIC_DEFAULT" else "ValidationException"
    for constraint in ("EncryptionContextEquals", "EncryptionContextSubset"):
        with refused(code):
            kms.create_grant(
                Operations=["DescribeKey"], Constraints={constraint: {"a": "b"}}, **fixed)
    with refused("DryRunOperationException"):
        kms.create_grant(Operations=own, Constraints=SERVICE["Constraints"], **fixed)


def test_lists_of_operations(kms, key, grant):
    at_least_1 = "Member must have length greater than or equal to 1"
    with refused("ValidationException", violation(value_fails("[]", "operations", at_least_1))):
        grant()
    with refused("ValidationException", "Grants must not contain only the CreateGrant operation."):
        grant("CreateGrant")
    with refused("ValidationException"):
        grant("DisableKey")
    grant("Decrypt", "Encrypt", "Decrypt")
    assert [entry["Operations"] for entry in listed(kms, key)] == [["Decrypt", "Encrypt"]]


@pytest.mark.parametrize("principal", [
    "111122223333", "alice", "s3.amazonaws.com", "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::111122223333:role/admin", "arn:aws:iam::1111:root", "arn:aws:s3:::bucket",
    "arn:aws:sts::111122223333:assumed-role/admin/session", "arn:aws-cn:iam::111122223333:root",
])
@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
def test_principals_must_exist(kms, key, grant, member, principal):
    with refused("InvalidArnException", f"ARN does not refer to a valid principal: {principal}"):
        grant("Decrypt", **{member: principal})
    assert listed(kms, key) == []


@pytest.mark.parametrize("arguments", [
    {"GranteePrincipal": "arn:aws:iam::111122223333:root"} | SERVICE,
    SERVICE | {"RetiringPrincipal": "arn:aws:iam::111122223333:root"},
    SERVICE | {"Constraints": {}},
    {name: SERVICE[name] for name in ("GranteeServicePrincipal", "Constraints")},
    {"RetiringPrincipal": "arn:aws:iam::111122223333:root"},
], ids=["both", "both-retiring", "no-source", "no-retiring", "nobody"])
def test_principals_that_do_not_go_together(kms, key, arguments):
    with refused("ValidationException"):
        kms.create_grant(KeyId=key["KeyId"], Operations=["Decrypt"], **arguments)
    assert listed(kms, key) == []


@pytest.mark.parametrize("arguments", [
    {"Name": "a b"}, {"Name": ""}, {"Name": "x" * 257}, {"GranteePrincipal": "a b"},
    {"GranteeServicePrincipal": "amazonaws.com"}, {"GranteePrincipal": "x" * 257},
    {"Constraints": {"SourceArn": "arn:aws:s3:::a-bucket-without-account"}},
    {"Constraints": {"EncryptionContextEquals": {f"k{n}": "v" for n in range(9)}}},
    {"Constraints": {"EncryptionContextSubset": {f"k{n}": "v" for n in range(9)}}},
    {"Constraints": {"EncryptionContextEquals": {"k": "v" * 385}}},
    {"Constraints": {"EncryptionContextSubset": {"k" * 385: "v"}}},
])
def test_bounds(lenient_kms, key, guest, arguments):
    fixed = {"KeyId": key["KeyId"], "GranteePrincipal": root(guest), "Operations": ["Decrypt"]}
    with refused("ValidationException"):
        lenient_kms.create_grant(**fixed | arguments)
    assert listed(lenient_kms, key) == []


def test_within_the_bounds(kms, key, grant):
    pairs = {f"{n}".rjust(384, "k"): "v" * 384 for n in range(8)}
    constraints = {"EncryptionContextEquals": pairs, "EncryptionContextSubset": pairs}
    grant("Decrypt", Constraints=constraints, Name="x" * 256)
    entry, = listed(kms, key)
    assert (entry["Constraints"], entry["Name"]) == (constraints, "x" * 256)


# -- repeating a request -------------------------------------------------------------------------


def test_a_name_makes_a_request_repeatable(kms, key, guest, third, grant):
    same = {"Name": "n", "RetiringPrincipal": root(third),
            "Constraints": {"EncryptionContextEquals": {"a": "1", "b": "2"}}}
    first = grant("Decrypt", "Encrypt", **same)
    again = grant("Encrypt", "Decrypt", **same)
    assert again["GrantId"] == first["GrantId"]
    assert again["GrantToken"] != first["GrantToken"]
    assert len(listed(kms, key)) == 1
    for operations, arguments in (
        (["Decrypt"], same),
        (["Decrypt", "Encrypt"], same | {"Name": "N"}),
        (["Decrypt", "Encrypt"], same | {"RetiringPrincipal": root(guest)}),
        (["Decrypt", "Encrypt"], same | {"GranteePrincipal": root(third)}),
        (["Decrypt", "Encrypt"], same | {"Constraints": {"EncryptionContextEquals": {"a": "1"}}}),
    ):
        assert grant(*operations, **arguments)["GrantId"] != first["GrantId"]
    assert len(listed(kms, key)) == 6
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    assert grant("Decrypt", "Encrypt", KeyId=other, **same)["GrantId"] != first["GrantId"]
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=first["GrantId"])
    assert grant("Decrypt", "Encrypt", **same)["GrantId"] != first["GrantId"]


def test_without_a_name_each_request_makes_a_grant(kms, key, grant):
    assert grant("Decrypt")["GrantId"] != grant("Decrypt")["GrantId"]
    assert len(listed(kms, key)) == 2


# -- what a grant allows -------------------------------------------------------------------------


def test_a_grant_opens_a_key_to_another_account(kms, key, guest_kms, grant):
    arn = key["Arn"]
    made = grant("Encrypt", "DescribeKey")
    blob = guest_kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    assert guest_kms.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == arn
    with refused("AccessDeniedException"):
        guest_kms.decrypt(CiphertextBlob=blob)
    with refused("AccessDeniedException"):
        guest_kms.generate_data_key(KeyId=arn, KeySpec="AES_256")
    opening = grant("Decrypt")
    assert guest_kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    for grant_id in (made["GrantId"], opening["GrantId"]):
        kms.revoke_grant(KeyId=arn, GrantId=grant_id)
    for attempt in (
        lambda: guest_kms.encrypt(KeyId=arn, Plaintext=b"x"),
        lambda: guest_kms.describe_key(KeyId=arn),
        lambda: guest_kms.decrypt(CiphertextBlob=blob),
        # A token of a grant that is gone gives nothing.
        lambda: guest_kms.encrypt(KeyId=arn, Plaintext=b"x", GrantTokens=[made["GrantToken"]]),
    ):
        with refused("AccessDeniedException"):
            attempt()


def test_no_grant_but_the_callers_own_on_that_key(server, kms, key, guest_kms, third, grant):
    grant("Encrypt", GranteePrincipal=root(third))
    other = kms.create_key()["KeyMetadata"]
    grant("Encrypt", KeyId=other["KeyId"])
    grant("Encrypt", **SERVICE)
    with refused("AccessDeniedException"):
        guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    guest_kms.encrypt(KeyId=other["Arn"], Plaintext=b"x")
    server.kms(third).encrypt(KeyId=key["Arn"], Plaintext=b"x")


def test_a_grant_speaks_where_the_policy_is_silent(kms, account, key, grant):
    silence(kms, account, key, "Encrypt", "Decrypt")
    with refused("AccessDeniedException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    grant("Encrypt", GranteePrincipal=root(account))
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob)


def test_a_grant_does_not_override_a_denial(kms, account, key, guest_kms, grant):
    grant("Encrypt", "DescribeKey")
    policy = default_policy(account)
    policy["Statement"].append(
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"})
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
    with refused("AccessDeniedException"):
        guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    guest_kms.describe_key(KeyId=key["Arn"])


@pytest.mark.parametrize("constraint, good, bad", [
    ("EncryptionContextEquals",
     [{"Team": "blue", "n": "1"}, {"TEAM": "blue", "n": "1"}],
     [None, {}, {"Team": "blue"}, {"Team": "blue", "n": "1", "m": "2"}, {"Team": "Blue", "n": "1"},
      {"n": "blue", "Team": "1"}, {"Team": "blue", "TEAM": "blue"}]),
    ("EncryptionContextSubset",
     [{"Team": "blue", "n": "1"}, {"tEAM": "blue", "n": "1", "m": "2"}],
     [None, {}, {"Team": "blue"}, {"Team": "red", "n": "1"}, {"Team": "blue", "N ": "1"}]),
])
def test_constraints(kms, key, guest_kms, grant, constraint, good, bad):
    arn = key["Arn"]
    grant("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
          "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom",
          "ReEncryptTo", "DescribeKey", Constraints={constraint: {"Team": "blue", "n": "1"}})
    guest_kms.describe_key(KeyId=arn)

    def attempts(context):
        fixed = {} if context is None else {"EncryptionContext": context}
        blob = kms.encrypt(KeyId=arn, Plaintext=b"x", **fixed)["CiphertextBlob"]
        pair = {"KeyId": arn, "KeyPairSpec": "ECC_NIST_P256"} | fixed
        yield lambda: guest_kms.encrypt(KeyId=arn, Plaintext=b"x", **fixed)
        yield lambda: guest_kms.decrypt(CiphertextBlob=blob, **fixed)
        yield lambda: guest_kms.decrypt(CiphertextBlob=blob, KeyId=arn, **fixed)
        yield lambda: guest_kms.generate_data_key(KeyId=arn, KeySpec="AES_128", **fixed)
        yield lambda: guest_kms.generate_data_key_without_plaintext(
            KeyId=arn, KeySpec="AES_128", **fixed)
        yield lambda: guest_kms.generate_data_key_pair(**pair)
        yield lambda: guest_kms.generate_data_key_pair_without_plaintext(**pair)

    for context in good:
        for attempt in attempts(context):
            attempt()
    for context in bad:
        for attempt in attempts(context):
            with refused("AccessDeniedException"):
                attempt()
    # The source's context is not the destination's.
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=good[0])["CiphertextBlob"]
    fixed = {"CiphertextBlob": blob, "SourceEncryptionContext": good[0], "DestinationKeyId": arn}
    guest_kms.re_encrypt(DestinationEncryptionContext=good[1], **fixed)
    with refused("AccessDeniedException"):
        guest_kms.re_encrypt(DestinationEncryptionContext=bad[3], **fixed)


def test_a_source_that_no_request_has(kms, key, guest_kms, grant):
    grant("Encrypt", "DescribeKey", "RetireGrant", Constraints=SERVICE["Constraints"])
    with refused("AccessDeniedException"):
        guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    with refused("AccessDeniedException"):
        guest_kms.describe_key(KeyId=key["Arn"])


def test_a_dry_run_by_a_grant(key, guest_kms, grant):
    grant("Encrypt", Constraints={"EncryptionContextEquals": {"a": "b"}})
    with refused("DryRunOperationException", DRY_RUN):
        guest_kms.encrypt(
            KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"a": "b"}, DryRun=True)
    with refused("AccessDeniedException"):
        guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x", DryRun=True)


# -- grants that create grants -------------------------------------------------------------------


def test_a_child_allows_no_more_than_its_parent(server, kms, key, guest_kms, third, grant):
    within = {"EncryptionContextSubset": {"a": "1"}}
    parent = grant("CreateGrant", "Encrypt", "DescribeKey", Constraints=within)

    def child(*operations, **constraints):
        return guest_kms.create_grant(
            KeyId=key["Arn"], GranteePrincipal=root(third), Operations=list(operations),
            Constraints=constraints)

    for operations, constraints in (
        (["Encrypt"], {}),
        (["DescribeKey"], {}),
        (["Encrypt", "Decrypt"], within),
        (["Encrypt", "RetireGrant"], within),
        (["Encrypt"], {"EncryptionContextSubset": {"b": "1"}}),
        (["Encrypt"], {"EncryptionContextEquals": {"a": "2"}}),
    ):
        with refused("AccessDeniedException"):
            child(*operations, **constraints)
    child("Encrypt", "CreateGrant", **within)
    child("DescribeKey", EncryptionContextEquals={"a": "1", "b": "2"})
    guest = server.kms(third)
    guest.encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"a": "1"})
    # The guest's own is bound likewise; a child outlives its parent, whose holder creates no more.
    with refused("AccessDeniedException"):
        guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=parent["GrantId"])
    guest.encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"a": "1"})
    with refused("AccessDeniedException"):
        child("Encrypt", **within)


def test_a_policy_is_not_bound_by_a_grant(kms, account, key, guest, guest_kms, third, grant):
    grant("CreateGrant", "Encrypt")
    policy = default_policy(account)
    policy["Statement"].append({
        "Effect": "Allow", "Principal": {"AWS": root(guest)}, "Action": "kms:CreateGrant",
        "Resource": "*",
    })
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
    guest_kms.create_grant(
        KeyId=key["Arn"], GranteePrincipal=root(third), Operations=["Decrypt"])


# -- tokens --------------------------------------------------------------------------------------


def test_tokens(kms, key, guest_kms, grant):
    tokens = [grant("Encrypt", Name="n")["GrantToken"] for _ in range(10)]
    assert len(set(tokens)) == 10
    guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x", GrantTokens=tokens)
    kms.describe_key(KeyId=key["KeyId"], GrantTokens=tokens[:1])
    for bad in ("x", "AAAA", base64.b64encode(bytes(200)).decode(), tokens[0][:-4], "x" * 8192):
        for client in (kms, guest_kms):
            with refused("InvalidGrantTokenException", NO_MESSAGE):
                client.encrypt(KeyId=key["Arn"], Plaintext=b"x", GrantTokens=[tokens[0], bad])
    # It tells nothing of keys: who may not, learns nothing more by a bad token.
    for arn in (key["Arn"], key["Arn"].replace(key["KeyId"], ABSENT_KEY_ID)):
        with refused("InvalidGrantTokenException", NO_MESSAGE):
            guest_kms.decrypt(CiphertextBlob=b"x", KeyId=arn, GrantTokens=["x"])


def test_every_flipped_byte_of_a_token_is_refused(kms, key, grant):
    made = grant("Encrypt")
    token = base64.b64decode(made["GrantToken"])
    for place in range(len(token)):
        altered = bytearray(token)
        altered[place] ^= 1 << place % 8
        text = base64.b64encode(altered).decode()
        with refused("InvalidGrantTokenException", NO_MESSAGE):
            kms.describe_key(KeyId=key["KeyId"], GrantTokens=[text])
        with refused("InvalidGrantTokenException", NO_MESSAGE):
            kms.retire_grant(GrantToken=text)
    assert len(listed(kms, key)) == 1


def test_tokens_are_of_their_region(server, account, key, grant):
    token = grant("Encrypt")["GrantToken"]
    elsewhere = server.kms(account, region="eu-central-1")
    with refused("InvalidGrantTokenException", NO_MESSAGE):
        elsewhere.retire_grant(GrantToken=token)


def test_tokens_outlive_a_restart_and_grants_too(own_server):
    kms, guest = own_server.kms(), own_server.kms("444455556666")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    made = kms.create_grant(
        KeyId=arn, GranteePrincipal=root("444455556666"), Operations=["Encrypt", "RetireGrant"])
    own_server.kill9()
    own_server.restart()
    kms, guest = own_server.kms(), own_server.kms("444455556666")
    guest.encrypt(KeyId=arn, Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    guest.retire_grant(GrantToken=made["GrantToken"])
    with refused("AccessDeniedException"):
        guest.encrypt(KeyId=arn, Plaintext=b"x")
    assert kms.list_grants(KeyId=arn)["Grants"] == []


def test_no_token_stands_in_the_audit_log(own_server):
    kms = own_server.kms()
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    token = kms.create_grant(
        KeyId=arn, GranteePrincipal=root("444455556666"), Operations=["Encrypt"])["GrantToken"]
    kms.encrypt(KeyId=arn, Plaintext=b"x", GrantTokens=[token])
    kms.retire_grant(GrantToken=token)
    records = own_server.audit()
    assert "RetireGrant" in [record["eventName"] for record in records]
    assert token not in json.dumps(records)
