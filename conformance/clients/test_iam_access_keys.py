"""Access keys of users and of the root user."""

import re
import threading
import time

import pytest

from access import caller, client, new_key
from expectations import refused
from iam_world import document, pages, statement

UNKNOWN = "AKIAIOSFODNN7EXAMPLE"
INVALID_TOKEN = "The security token included in the request is invalid."


def absent(key_id):
    """What AWS says of an access key that its user doesn't have."""
    return f"The Access Key with id {key_id} cannot be found."


@pytest.fixture
def alice(iam):
    """A user's name."""
    return iam.create_user(UserName="alice")["User"]["UserName"]


def test_a_key_speaks_for_its_user(server, account, iam, alice):
    key = new_key(iam, alice)
    assert set(key) == {"UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"}
    assert (key["UserName"], key["Status"]) == ("alice", "Active")
    assert re.fullmatch("AKIA[A-Z2-7]{16}", key["AccessKeyId"])
    assert re.fullmatch("[A-Za-z0-9+/]{40}", key["SecretAccessKey"])
    assert key["CreateDate"].microsecond == 0
    assert caller(server, key) == f"arn:aws:iam::{account}:user/alice"


def test_the_secret_is_checked(server, iam, alice):
    key = new_key(iam, alice)
    wrong = key | {"SecretAccessKey": key["SecretAccessKey"][::-1]}
    with refused("SignatureDoesNotMatch"):
        client(server, "iam", wrong).get_user()


def test_the_secret_is_told_once_and_stored_nowhere(own_server):
    iam = own_server.client("iam", "111122223333")
    iam.create_user(UserName="alice")
    secrets = [new_key(iam, "alice")["SecretAccessKey"], new_key(iam)["SecretAccessKey"]]
    listed = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]
    assert [set(each) for each in listed] == [{"UserName", "AccessKeyId", "Status", "CreateDate"}]
    own_server.stop()
    files = [path for path in own_server.home.rglob("*") if path.is_file()]
    assert any(path.name == "audit.jsonl" for path in files)
    for path in files:
        for secret in secrets:
            assert secret.encode() not in path.read_bytes(), path


def test_keys_outlive_a_restart(own_server):
    iam = own_server.client("iam", "111122223333")
    iam.create_user(UserName="alice")
    key = new_key(iam, "alice")
    own_server.kill9()
    own_server.restart()
    assert caller(own_server, key) == "arn:aws:iam::111122223333:user/alice"


def test_two_keys_at_most(iam, alice):
    keys = [new_key(iam, alice), new_key(iam, alice)]
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        new_key(iam, alice)
    iam.update_access_key(UserName=alice, AccessKeyId=keys[0]["AccessKeyId"], Status="Inactive")
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        new_key(iam, alice)
    iam.delete_access_key(UserName=alice, AccessKeyId=keys[0]["AccessKeyId"])
    third = new_key(iam, alice)
    listed = iam.list_access_keys(UserName=alice)["AccessKeyMetadata"]
    assert [each["AccessKeyId"] for each in listed] in [
        [keys[1]["AccessKeyId"], third["AccessKeyId"]],
        # Both may have been made within one second.
        [third["AccessKeyId"], keys[1]["AccessKeyId"]],
    ]


def test_two_at_most_however_many_ask_at_once(iam, alice):
    made, refusals = [], []

    def make():
        try:
            made.append(new_key(iam, alice)["AccessKeyId"])
        except iam.exceptions.LimitExceededException as error:
            refusals.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refusals)) == (2, 6)
    listed = iam.list_access_keys(UserName=alice)["AccessKeyMetadata"]
    assert {each["AccessKeyId"] for each in listed} == set(made)


def test_keys_page_by_page(iam, alice):
    made = {new_key(iam, alice)["AccessKeyId"], new_key(iam, alice)["AccessKeyId"]}
    found = pages(iam.list_access_keys, "AccessKeyMetadata", 1, UserName=alice)
    assert [len(page) for page in found] == [1, 1]
    assert {page[0]["AccessKeyId"] for page in found} == made
    assert pages(iam.list_access_keys, "AccessKeyMetadata", 2, UserName=alice) == [sum(found, [])]


def test_an_inactive_key_is_refused_at_once(server, account, iam, alice):
    key = new_key(iam, alice)
    name = {"UserName": alice, "AccessKeyId": key["AccessKeyId"]}
    for _ in range(3):
        assert caller(server, key).endswith("user/alice")
        iam.update_access_key(**name, Status="Inactive")
        with refused("InvalidClientTokenId", INVALID_TOKEN):
            caller(server, key)
        assert iam.list_access_keys(UserName=alice)["AccessKeyMetadata"][0]["Status"] == "Inactive"
        iam.update_access_key(**name, Status="Active")
    iam.delete_access_key(**name)
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        caller(server, key)
    assert iam.list_access_keys(UserName=alice)["AccessKeyMetadata"] == []


def test_no_reader_is_let_in_after_the_answer(server, iam, alice):
    """Readers that never stop, on a key that goes on and off."""
    key = new_key(iam, alice)
    name = {"UserName": alice, "AccessKeyId": key["AccessKeyId"]}
    state, faults, done = {"on": True, "changing": False, "round": 0}, [], threading.Event()

    def read():
        reader = client(server, "sts", key)
        while not done.is_set():
            before = dict(state)
            try:
                reader.get_caller_identity()
                admitted = True
            except reader.exceptions.ClientError:
                admitted = False
            # Only what began and ended between two changes has one right answer.
            if before == state and not before["changing"] and admitted != before["on"]:
                faults.append(before)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(30):
        on = number % 2 == 1
        state.update(changing=True, round=number)
        iam.update_access_key(**name, Status="Active" if on else "Inactive")
        state.update(on=on)
        state.update(changing=False)
        time.sleep(0.02)
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []


def test_the_last_use(server, account, iam, alice):
    key = new_key(iam, alice)
    name = {"AccessKeyId": key["AccessKeyId"]}
    unused = iam.get_access_key_last_used(**name)
    assert unused["UserName"] == alice
    assert unused["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    client(server, "sts", key, region="eu-central-1").get_caller_identity()
    used = iam.get_access_key_last_used(**name)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "eu-central-1")
    assert abs(used["LastUsedDate"].timestamp() - server.now()) < 60
    with refused("AccessDeniedException"):
        client(server, "kms", key).list_keys()
    used = iam.get_access_key_last_used(**name)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("kms", "us-east-1")


def test_the_last_use_of_what_is_not_the_accounts(server, guest, iam, alice):
    theirs = server.client("iam", guest)
    theirs.create_user(UserName="alice")
    for key_id in [UNKNOWN, new_key(theirs, "alice")["AccessKeyId"]]:
        message = (
            f"User: {iam_root(iam)} is not authorized to perform: iam:GetAccessKeyLastUsed on "
            f"resource: access key {key_id}"
        )
        with refused("AccessDenied", message):
            iam.get_access_key_last_used(AccessKeyId=key_id)


def iam_root(iam):
    """The ARN of the root user who calls."""
    return iam.get_user()["User"]["Arn"]


@pytest.mark.parametrize("change", [
    lambda iam, **name: iam.update_access_key(**name, Status="Inactive"),
    lambda iam, **name: iam.delete_access_key(**name),
], ids=["update", "delete"])
def test_a_key_is_its_users_alone(server, guest, iam, alice, change):
    iam.create_user(UserName="bob")
    bobs, roots = new_key(iam, "bob")["AccessKeyId"], new_key(iam)["AccessKeyId"]
    theirs = new_key(server.client("iam", guest))["AccessKeyId"]
    for key_id in [UNKNOWN, bobs, roots, theirs]:
        with refused("NoSuchEntity", absent(key_id)):
            change(iam, UserName=alice, AccessKeyId=key_id)
    # Without a name it is the root user's own keys.
    for key_id in [UNKNOWN, bobs, theirs]:
        with refused("NoSuchEntity", absent(key_id)):
            change(iam, AccessKeyId=key_id)
    change(iam, AccessKeyId=roots)
    change(iam, UserName="BOB", AccessKeyId=bobs)


def test_users_that_are_not_there(iam):
    name, message = {"UserName": "nobody"}, "The user with name nobody cannot be found."
    key = {"AccessKeyId": UNKNOWN}
    with refused("NoSuchEntity", message):
        iam.create_access_key(**name)
    with refused("NoSuchEntity", message):
        iam.list_access_keys(**name)
    with refused("NoSuchEntity", message):
        iam.update_access_key(**name, **key, Status="Active")
    with refused("NoSuchEntity", message):
        iam.delete_access_key(**name, **key)


def test_a_status_that_is_only_answered(server, account, iam, alice):
    key = new_key(iam, alice)["AccessKeyId"]
    with refused("InvalidInput"):
        iam.update_access_key(UserName=alice, AccessKeyId=key, Status="Expired")
    with refused("ValidationError"):
        iam.update_access_key(UserName=alice, AccessKeyId=key, Status="On")
    with refused("ValidationError"):
        lenient = server.client("iam", account, validate=False)
        lenient.delete_access_key(UserName=alice, AccessKeyId="AKIA")


def test_the_root_user_has_keys_too(server, account, iam):
    root = f"arn:aws:iam::{account}:root"
    key = new_key(iam)
    assert key["UserName"] == "root"
    assert caller(server, key) == root
    own = client(server, "iam", key)
    other = new_key(own)
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        new_key(own)
    listed = {each["AccessKeyId"] for each in own.list_access_keys()["AccessKeyMetadata"]}
    assert listed == {key["AccessKeyId"], other["AccessKeyId"]}
    last = own.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    assert "UserName" not in last and last["AccessKeyLastUsed"]["ServiceName"] == "iam"
    own.update_access_key(AccessKeyId=other["AccessKeyId"], Status="Inactive")
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        caller(server, other)
    # The key that signs may delete itself.
    own.delete_access_key(AccessKeyId=key["AccessKeyId"])
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        own.list_access_keys()
    assert len(iam.list_access_keys()["AccessKeyMetadata"]) == 1


def test_users_manage_their_own_keys_only_with_permission(server, account, iam, alice):
    key = new_key(iam, alice)
    own = client(server, "iam", key)
    arn = f"arn:aws:iam::{account}:user/alice"

    def denied(action, resource=arn):
        return (
            f"User: {arn} is not authorized to perform: iam:{action} on resource: {resource} "
            f"because no identity-based policy allows the iam:{action} action"
        )

    with refused("AccessDenied", denied("CreateAccessKey")):
        own.create_access_key()
    with refused("AccessDenied", denied("ListAccessKeys")):
        own.list_access_keys()
    with refused("AccessDenied", denied("DeleteAccessKey")):
        own.delete_access_key(AccessKeyId=key["AccessKeyId"])
    # Whether a user exists is not told to those who may not know.
    somebody = f"arn:aws:iam::{account}:user/nobody"
    with refused("AccessDenied", denied("ListAccessKeys", somebody)):
        own.list_access_keys(UserName="nobody")
    last_used = (
        f"User: {arn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: "
        f"access key {key['AccessKeyId']}"
    )
    with refused("AccessDenied", last_used):
        own.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    policy = document(statement(
        ["iam:*AccessKey*"], resource="arn:aws:iam::*:user/${aws:username}"))
    iam.put_user_policy(UserName=alice, PolicyName="own-keys", PolicyDocument=policy)
    second = own.create_access_key()["AccessKey"]
    assert second["UserName"] == alice
    assert len(own.list_access_keys()["AccessKeyMetadata"]) == 2
    assert own.get_access_key_last_used(AccessKeyId=second["AccessKeyId"])["UserName"] == alice
    own.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Inactive")
    own.delete_access_key(AccessKeyId=second["AccessKeyId"])
    iam.create_user(UserName="bob")
    with refused("AccessDenied"):
        own.create_access_key(UserName="bob")


def test_no_secret_in_the_audit_log(own_server):
    iam = own_server.client("iam", "111122223333")
    iam.create_user(UserName="alice")
    key = new_key(iam, "alice")
    record = next(r for r in own_server.audit() if r["eventName"] == "CreateAccessKey")
    assert record["requestParameters"] == {"userName": "alice"}
    told = record["responseElements"]["accessKey"]
    assert told["accessKeyId"] == key["AccessKeyId"]
    assert set(told) == {"userName", "accessKeyId", "status", "createDate"}
