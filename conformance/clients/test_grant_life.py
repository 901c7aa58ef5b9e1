"""Grants: how they are listed, retired and revoked, and what becomes of them with their key."""

import json

import pytest

from expectations import ABSENT_KEY_ID, DRY_RUN, absent_key, default_policy, refused
from grants import SYMMETRIC, listed, root

# -- lists ---------------------------------------------------------------------------------------


def test_pages(kms, account, key, guest, third, grant):
    made = {grant("Decrypt", Name=f"n{n}")["GrantId"] for n in range(120)}
    mine = grant("Decrypt", GranteePrincipal=root(third))["GrantId"]
    answer = kms.list_grants(KeyId=key["KeyId"])
    assert len(answer["Grants"]) == 50 and answer["Truncated"] is True
    for limit in (1, 7, 100):
        seen, marker = [], {}
        while True:
            answer = kms.list_grants(KeyId=key["KeyId"], Limit=limit, **marker)
            seen += [entry["GrantId"] for entry in answer["Grants"]]
            if not answer["Truncated"]:
                break
            assert len(answer["Grants"]) == limit
            marker = {"Marker": answer["NextMarker"]}
        assert "NextMarker" not in answer
        assert len(seen) == 121 and set(seen) == made | {mine}
    ids = [entry["GrantId"] for entry in listed(kms, key, GranteePrincipal=root(guest))]
    assert len(ids) == 120 and set(ids) == made
    assert [e["GrantId"] for e in listed(kms, key, GranteePrincipal=root(third))] == [mine]
    with refused("ValidationException"):
        kms.list_grants(KeyId=key["KeyId"], Limit=101)
    with refused("InvalidMarkerException"):
        kms.list_grants(KeyId=key["KeyId"], Marker="x")
    other = kms.list_grants(KeyId=key["KeyId"], Limit=1)["NextMarker"]
    with refused("InvalidMarkerException"):
        kms.list_retirable_grants(RetiringPrincipal=root(account), Marker=other)


def test_filters(kms, account, key, guest, grant):
    made = [grant("Decrypt")["GrantId"] for _ in range(3)]
    assert [e["GrantId"] for e in listed(kms, key, GrantId=made[1])] == [made[1]]
    assert listed(kms, key, GrantId="0" * 64) == []
    assert listed(kms, key, GranteePrincipal=root(account)) == []
    assert listed(kms, key, GrantId=made[1], GranteePrincipal=root(account)) == []
    assert len(listed(kms, key, GrantId=made[1], GranteePrincipal=root(guest))) == 1
    for bad in ("x", "0" * 63, "0" * 65, made[0].upper() + "A"):
        with refused("InvalidGrantIdException"):
            kms.list_grants(KeyId=key["KeyId"], GrantId=bad)
    with refused("InvalidArnException"):
        kms.list_grants(KeyId=key["KeyId"], GranteePrincipal="alice")
    with refused("ValidationException"):
        kms.list_grants(
            KeyId=key["KeyId"], GranteePrincipal=root(guest),
            GranteeServicePrincipal="s3.amazonaws.com")
    with refused("AccessDeniedException"):
        kms.list_grants(KeyId=key["KeyId"], GranteeServicePrincipal="s3.amazonaws.com")


def test_a_grant_does_not_let_its_grantee_list_or_revoke(key, guest_kms, grant):
    made = grant(*SYMMETRIC)
    with refused("AccessDeniedException"):
        guest_kms.list_grants(KeyId=key["Arn"])
    with refused("AccessDeniedException"):
        guest_kms.revoke_grant(KeyId=key["Arn"], GrantId=made["GrantId"])


def test_retirable_grants(server, kms, account, key, guest, guest_kms, third, grant):
    made = {grant("Decrypt", RetiringPrincipal=root(guest))["GrantId"] for _ in range(3)}
    grant("Decrypt", RetiringPrincipal=root(third))
    grant("Decrypt", RetiringServicePrincipal="s3.amazonaws.com")
    own = guest_kms.create_key()["KeyMetadata"]
    at_home = guest_kms.create_grant(
        KeyId=own["KeyId"], GranteePrincipal=root(account), RetiringPrincipal=root(guest),
        Operations=["Decrypt"])["GrantId"]
    seen, marker = [], {}
    while True:
        answer = guest_kms.list_retirable_grants(
            RetiringPrincipal=root(guest), Limit=2, **marker)
        seen += answer["Grants"]
        if not answer["Truncated"]:
            break
        marker = {"Marker": answer["NextMarker"]}
    assert {(e["KeyId"], e["GrantId"]) for e in seen} \
        == {(key["Arn"], grant_id) for grant_id in made} | {(own["Arn"], at_home)}
    assert len(seen) == 4
    elsewhere = server.kms(guest, region="eu-central-1")
    assert elsewhere.list_retirable_grants(RetiringPrincipal=root(guest))["Grants"] == []
    # Who may list is a matter of the principal's own account.
    with refused("AccessDeniedException"):
        kms.list_retirable_grants(RetiringPrincipal=root(guest))
    with refused("AccessDeniedException"):
        kms.list_retirable_grants(RetiringServicePrincipal="s3.amazonaws.com")
    with refused("InvalidArnException"):
        kms.list_retirable_grants(RetiringPrincipal="alice")
    for arguments in ({}, {"RetiringPrincipal": root(account),
                           "RetiringServicePrincipal": "s3.amazonaws.com"}):
        with refused("ValidationException"):
            kms.list_retirable_grants(**arguments)


# -- retiring and revoking -----------------------------------------------------------------------


def test_who_may_retire(server, kms, key, guest, guest_kms, third, grant):
    def retire(client, made, dry=False):
        client.retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"], DryRun=dry)

    retiring = server.kms(third)
    made = grant("Encrypt", RetiringPrincipal=root(third))
    with refused("AccessDeniedException"):
        retire(guest_kms, made)
    with refused("DryRunOperationException", DRY_RUN):
        retire(retiring, made, dry=True)
    retire(retiring, made)
    made = grant("Encrypt", "RetireGrant", Constraints={"EncryptionContextEquals": {"a": "b"}})
    with refused("AccessDeniedException"):
        retire(retiring, made)
    retire(guest_kms, made)
    retire(kms, grant("Encrypt"))
    # Of a grant that it created, the account that did, whoever the grantee is.
    grant("Encrypt", "CreateGrant", Name="parent")
    child = guest_kms.create_grant(
        KeyId=key["Arn"], GranteePrincipal=root(third), Operations=["Encrypt"])
    with refused("AccessDeniedException"):
        retire(retiring, child)
    retire(guest_kms, child)
    assert [entry["Name"] for entry in listed(kms, key)] == ["parent"]


def test_neither_policy_nor_token_lets_retire(kms, account, key, guest, third, server, grant):
    made = grant("Encrypt")
    policy = default_policy(account)
    policy["Statement"].append({
        "Effect": "Allow", "Principal": {"AWS": root(third)}, "Action": "kms:*", "Resource": "*",
    })
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
    with refused("AccessDeniedException"):
        server.kms(third).retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    with refused("AccessDeniedException"):
        server.kms(third).retire_grant(GrantToken=made["GrantToken"])
    assert len(listed(kms, key)) == 1


def test_how_a_grant_is_named(kms, key, guest_kms, grant):
    made = grant("Encrypt")
    pair = {"KeyId": key["KeyId"], "GrantId": made["GrantId"]}
    for arguments in (
        {}, {"KeyId": key["KeyId"]}, {"GrantId": made["GrantId"]},
        pair | {"GrantToken": made["GrantToken"]},
    ):
        with refused("ValidationException"):
            kms.retire_grant(**arguments)
    for operation in (kms.retire_grant, kms.revoke_grant):
        with refused("InvalidGrantIdException"):
            operation(**pair | {"GrantId": "x"})
        with refused("NotFoundException"):
            operation(**pair | {"GrantId": "0" * 64})
        with refused("NotFoundException", absent_key(account=key["AWSAccountId"])):
            operation(**pair | {"KeyId": ABSENT_KEY_ID})
        with refused("DryRunOperationException", DRY_RUN):
            operation(DryRun=True, **pair)
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        with refused("NotFoundException"):
            operation(**pair | {"KeyId": other})
    # Another account learns neither of keys nor of grants.
    messages = set()
    for arn in (key["Arn"], key["Arn"].replace(key["KeyId"], ABSENT_KEY_ID)):
        for grant_id in (made["GrantId"], "0" * 64):
            for operation in (guest_kms.retire_grant, guest_kms.revoke_grant):
                with pytest.raises(guest_kms.exceptions.ClientError) as caught:
                    operation(KeyId=arn, GrantId=grant_id)
                error = caught.value.response["Error"]
                assert error["Code"] == "AccessDeniedException"
                messages.add(error["Message"])
    assert len(messages) == 2
    kms.retire_grant(GrantToken=made["GrantToken"])
    with refused("NotFoundException"):
        kms.retire_grant(GrantToken=made["GrantToken"])
    with refused("NotFoundException"):
        kms.revoke_grant(**pair)


@pytest.mark.parametrize("name", ["x", "alias/none"])
def test_an_unparsable_key(kms, guest, name):
    with refused("NotFoundException", f"Invalid keyId '{name}'"):
        kms.create_grant(KeyId=name, GranteePrincipal=root(guest), Operations=["Decrypt"])
    with refused("NotFoundException", f"Invalid keyId '{name}'"):
        kms.list_grants(KeyId=name)


def test_dry_runs_make_nothing(kms, key, grant):
    with refused("DryRunOperationException", DRY_RUN):
        grant("Encrypt", DryRun=True, Name="n")
    assert listed(kms, key) == []
    grant("Encrypt", Name="n")
    with refused("DryRunOperationException", DRY_RUN):
        grant("Encrypt", DryRun=True, Name="n")
    with refused("ValidationException"):
        grant("Sign", DryRun=True)


# -- states --------------------------------------------------------------------------------------


def test_a_disabled_key(kms, key, guest_kms, grant):
    made = grant("Encrypt", "DescribeKey")
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        grant("Encrypt")
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    guest_kms.describe_key(KeyId=key["Arn"])
    assert len(listed(kms, key)) == 1
    kms.retire_grant(GrantToken=made["GrantToken"])
    assert listed(kms, key) == []


def test_a_key_pending_deletion(kms, key, guest_kms, grant):
    made = [grant("Encrypt", "DescribeKey")["GrantId"] for _ in range(2)]
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    pending = f"{key['Arn']} is pending deletion."
    with refused("KMSInvalidStateException", pending):
        grant("Encrypt")
    with refused("KMSInvalidStateException", pending):
        guest_kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    assert len(listed(kms, key)) == 2
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made[0])
    kms.retire_grant(KeyId=key["KeyId"], GrantId=made[1])
    assert listed(kms, key) == []


def test_a_key_that_is_gone_has_no_grants(own_server):
    kms, guest = own_server.kms(), own_server.kms("444455556666")
    key = kms.create_key()["KeyMetadata"]
    made = kms.create_grant(
        KeyId=key["KeyId"], GranteePrincipal=root("444455556666"),
        RetiringPrincipal=root("444455556666"), Operations=["DescribeKey"])
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    guest.describe_key(KeyId=key["Arn"])
    own_server.advance(days=7, seconds=1)
    with refused("AccessDeniedException"):
        guest.describe_key(KeyId=key["Arn"])
    with refused("NotFoundException", absent_key(key["KeyId"], key["AWSAccountId"])):
        guest.retire_grant(GrantToken=made["GrantToken"])
    with refused("NotFoundException"):
        kms.list_grants(KeyId=key["KeyId"])
    answer = guest.list_retirable_grants(RetiringPrincipal=root("444455556666"))
    assert answer["Grants"] == []
