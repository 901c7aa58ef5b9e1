"""Inline policies of users, groups and roles."""

import json

import pytest

from expectations import refused
from iam_world import (
    ALLOW_LISTING, BOUNDED, DENY_ALL, KINDS, aws_policy_arn, as_user, document, pages, statement,
)

SIZES = {"User": 2048, "Group": 5120, "Role": 10_240}
kinds = pytest.mark.parametrize("kind", KINDS, ids=repr)


def put(kind, iam, name, policy="p", text=ALLOW_LISTING):
    """Sets an inline policy."""
    kind.call(iam, "put_{}_policy", name, PolicyName=policy, PolicyDocument=text)


def sized(characters):
    """A document of that many characters, white space not counted, and much of that."""
    bare = document(statement("iam:ListUsers", Sid=""))
    missing = characters - len("".join(bare.split()))
    return document(statement("iam:ListUsers", Sid="x" * missing)) + " \n\t" * 500


@kinds
def test_what_was_put_is_told_and_listed(kind, iam, account):
    kind.make(iam, account, "alice")
    text = document(statement("kms:*", "arn:aws:kms:*:*:key/*", Sid="a"), Id="é/+ ~") + "\n"
    put(kind, iam, "alice", "b", text)
    put(kind, iam, "ALICE", "a")
    got = kind.call(iam, "get_{}_policy", "Alice", PolicyName="b")
    assert (got[kind.member], got["PolicyName"]) == ("alice", "b")
    assert got["PolicyDocument"] == json.loads(text)
    listed = kind.call(iam, "list_{}_policies", "alice")
    assert listed["PolicyNames"] == ["a", "b"]
    assert listed["IsTruncated"] is False

    put(kind, iam, "alice", "b", DENY_ALL)
    got = kind.call(iam, "get_{}_policy", "alice", PolicyName="b")
    assert got["PolicyDocument"] == json.loads(DENY_ALL)
    kind.call(iam, "delete_{}_policy", "alice", PolicyName="b")
    assert kind.call(iam, "list_{}_policies", "alice")["PolicyNames"] == ["a"]


def test_answers_encode_documents(server, account, iam):
    iam.create_user(UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=ALLOW_LISTING)
    raw = []
    iam.meta.events.register(
        "before-parse.iam.GetUserPolicy", lambda response_dict, **_: raw.append(response_dict)
    )
    iam.get_user_policy(UserName="alice", PolicyName="p")
    body = raw[0]["body"].decode()
    assert "<PolicyDocument>%7B%22Version%22%3A%20%222012-10-17%22%2C%20%22Sta" in body


@kinds
def test_a_list_has_pages(kind, iam, account):
    kind.make(iam, account, "alice")
    names = [f"p{number:02}" for number in range(7)]
    for name in reversed(names):
        put(kind, iam, "alice", name)
    call = getattr(iam, f"list_{kind.name.lower()}_policies")
    found = pages(call, "PolicyNames", 3, **{kind.member: "alice"})
    assert found == [names[:3], names[3:6], names[6:]]
    other = kind.call(iam, "list_{}_policies", "alice", MaxItems=1)["Marker"]
    with refused("ValidationError"):
        iam.list_users(Marker=other)
    with refused("ValidationError"):
        kind.call(iam, "list_{}_policies", "alice", Marker="bm9uc2Vuc2U")


@kinds
def test_what_is_not_there(kind, iam, account):
    lower = kind.name.lower()
    absent = f"The {lower} with name nobody cannot be found."
    for operation, more in (
        ("put_{}_policy", {"PolicyName": "p", "PolicyDocument": ALLOW_LISTING}),
        ("get_{}_policy", {"PolicyName": "p"}),
        ("delete_{}_policy", {"PolicyName": "p"}),
        ("list_{}_policies", {}),
    ):
        with refused("NoSuchEntity", absent):
            kind.call(iam, operation, "nobody", **more)
    kind.make(iam, account, "alice")
    for operation in ("get_{}_policy", "delete_{}_policy"):
        with refused("NoSuchEntity", f"The {lower} policy with name p cannot be found."):
            kind.call(iam, operation, "alice", PolicyName="p")


@kinds
def test_documents_must_be_understood(kind, iam, account):
    kind.make(iam, account, "alice")
    for text in (
        "{", "[]", "{}", document(), document(statement("kms")),
        document(statement("kms:*", Principal="*")),
        document({"Effect": "Allow", "Action": "kms:*"}),
        document(statement("kms:*", effect="allow")),
        document(statement("kms:*", Condition={"StringEquals": {"kms:NoSuchKey": "a"}})),
        '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
    ):
        with refused("MalformedPolicyDocument"):
            put(kind, iam, "alice", text=text)
    assert kind.call(iam, "list_{}_policies", "alice")["PolicyNames"] == []


@kinds
def test_all_together_have_a_greatest_size(kind, iam, account):
    most = SIZES[kind.name]
    kind.make(iam, account, "alice")
    put(kind, iam, "alice", "half", sized(most // 2))
    put(kind, iam, "alice", "rest", sized(most - most // 2))
    message = f"Maximum policy size of {most} bytes exceeded for {kind.name.lower()} alice"
    with refused("LimitExceeded", message):
        put(kind, iam, "ALICE", "half", sized(most // 2 + 1))
    with refused("LimitExceeded", message):
        put(kind, iam, "alice", "more")
    # One in place of another is counted once.
    put(kind, iam, "alice", "half", sized(most // 2 - 1))
    assert kind.call(iam, "list_{}_policies", "alice")["PolicyNames"] == ["half", "rest"]


def test_white_space_has_an_end_too(iam):
    iam.create_user(UserName="alice")
    padded = document(statement("iam:ListUsers")) + "\n" * 30_000
    for number in range(8):
        iam.put_user_policy(UserName="alice", PolicyName=f"p{number}", PolicyDocument=padded)
    with refused("LimitExceeded"):
        iam.put_user_policy(UserName="alice", PolicyName="p8", PolicyDocument=padded)


def test_a_policy_is_in_force_when_it_is_answered(server, account, iam):
    iam.create_user(UserName="alice")
    alice = as_user(server, iam, "alice")
    for _ in range(5):
        with refused("AccessDenied"):
            alice.list_users()
        iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=ALLOW_LISTING)
        alice.list_users()
        iam.put_user_policy(UserName="alice", PolicyName="q", PolicyDocument=DENY_ALL)
        with refused("AccessDenied"):
            alice.list_users()
        iam.delete_user_policy(UserName="alice", PolicyName="q")
        alice.list_users()
        iam.delete_user_policy(UserName="alice", PolicyName="p")


def test_a_groups_policy_is_its_members(server, iam):
    iam.create_user(UserName="alice")
    iam.create_group(GroupName="staff")
    iam.put_group_policy(GroupName="staff", PolicyName="p", PolicyDocument=ALLOW_LISTING)
    alice = as_user(server, iam, "alice")
    with refused("AccessDenied"):
        alice.list_users()
    iam.add_user_to_group(GroupName="staff", UserName="alice")
    alice.list_users()
    iam.delete_group_policy(GroupName="staff", PolicyName="p")
    with refused("AccessDenied"):
        alice.list_users()


@kinds
def test_each_operation_takes_its_permission(kind, server, account, iam):
    iam.create_user(UserName="clerk")
    clerk = as_user(server, iam, "clerk")
    target = kind.make(iam, account, "alice", Path="/team/")["Arn"]
    put(kind, iam, "alice", "there")
    operations = (
        (f"Put{kind}Policy", "put_{}_policy",
         {"PolicyName": "p", "PolicyDocument": ALLOW_LISTING}),
        (f"Get{kind}Policy", "get_{}_policy", {"PolicyName": "there"}),
        (f"List{kind}Policies", "list_{}_policies", {}),
        (f"Delete{kind}Policy", "delete_{}_policy", {"PolicyName": "there"}),
    )
    for action, operation, more in operations:
        # Whether there is such an entity, only those learn who may ask.
        for name, arn in (("alice", target), ("nobody", target.replace("team/alice", "nobody"))):
            with refused("AccessDenied", (
                f"User: arn:aws:iam::{account}:user/clerk is not authorized to perform: "
                f"iam:{action} on resource: {arn} because no identity-based policy allows the "
                f"iam:{action} action"
            )):
                kind.call(clerk, operation, name, **more)
        allowed = document(statement(f"iam:{action}", target))
        iam.put_user_policy(UserName="clerk", PolicyName="p", PolicyDocument=allowed)
        kind.call(clerk, operation, "alice", **more)
        iam.delete_user_policy(UserName="clerk", PolicyName="p")


@pytest.mark.parametrize("kind", BOUNDED, ids=repr)
def test_conditions_on_the_boundary(kind, server, account, iam):
    """A delegated administrator gives permissions only to those who are bounded."""
    bound = aws_policy_arn("IAMReadOnlyAccess")
    iam.create_user(UserName="admin")
    only_bounded = document(statement(
        f"iam:Put{kind}Policy", Condition={"StringEquals": {"iam:PermissionsBoundary": bound}}
    ))
    iam.put_user_policy(UserName="admin", PolicyName="p", PolicyDocument=only_bounded)
    admin = as_user(server, iam, "admin")
    kind.make(iam, account, "free")
    kind.make(iam, account, "bounded", PermissionsBoundary=bound)
    put(kind, admin, "bounded")
    with refused("AccessDenied"):
        put(kind, admin, "free")
