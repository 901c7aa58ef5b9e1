"""Deleting, renaming and tagging users."""

import pytest

from access import caller, client, new_key
from expectations import refused
from iam_world import document, pages, policy_arn, statement

ABSENT = "The user with name nobody cannot be found."


def tag(key, value=""):
    """A tag as IAM writes it."""
    return {"Key": key, "Value": value}


def tags(iam, name):
    """The tags that ListUserTags answers."""
    return iam.list_user_tags(UserName=name)["Tags"]


def names(iam, **arguments):
    """The names that ListUsers answers."""
    return [user["UserName"] for user in iam.list_users(**arguments)["Users"]]


@pytest.fixture
def alice(iam):
    """What CreateUser answered of a user."""
    return iam.create_user(UserName="Alice")["User"]


# -- DeleteUser -----------------------------------------------------------------------------


def test_a_deleted_user_is_gone(server, iam, alice):
    iam.delete_user(UserName="aLICE")
    with refused("NoSuchEntity", "The user with name Alice cannot be found."):
        iam.get_user(UserName="Alice")
    assert names(iam) == []
    again = iam.create_user(UserName="Alice")["User"]
    assert again["UserId"] != alice["UserId"]


def test_what_a_user_has_is_deleted_first(account, iam, alice):
    name = {"UserName": "Alice"}
    key = iam.create_access_key(**name)["AccessKey"]["AccessKeyId"]
    with refused("DeleteConflict", "Cannot delete entity, must delete access keys first."):
        iam.delete_user(**name)
    iam.delete_access_key(**name, AccessKeyId=key)

    iam.put_user_policy(**name, PolicyName="p", PolicyDocument=document(statement("kms:*")))
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
        iam.delete_user(**name)
    iam.delete_user_policy(**name, PolicyName="p")

    iam.create_policy(PolicyName="m", PolicyDocument=document(statement("kms:*")))
    iam.attach_user_policy(**name, PolicyArn=policy_arn(account, "m"))
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
        iam.delete_user(**name)
    iam.detach_user_policy(**name, PolicyArn=policy_arn(account, "m"))

    iam.create_group(GroupName="g")
    iam.add_user_to_group(**name, GroupName="g")
    with refused("DeleteConflict", "Cannot delete entity, must remove users from group first."):
        iam.delete_user(**name)
    iam.remove_user_from_group(**name, GroupName="g")
    iam.delete_user(**name)


def test_a_boundary_and_tags_go_with_the_user(account, iam):
    arn = policy_arn(account, "m")
    iam.create_policy(PolicyName="m", PolicyDocument=document(statement("kms:*")))
    iam.create_user(UserName="bob", PermissionsBoundary=arn, Tags=[tag("a")])
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    iam.delete_user(UserName="bob")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 0
    iam.delete_policy(PolicyArn=arn)


def test_users_that_are_not_there(iam):
    name = {"UserName": "nobody"}
    for call, more in [
        (iam.delete_user, {}), (iam.update_user, {"NewUserName": "x"}), (iam.list_user_tags, {}),
        (iam.tag_user, {"Tags": [tag("a")]}), (iam.untag_user, {"TagKeys": ["a"]}),
    ]:
        with refused("NoSuchEntity", ABSENT):
            call(**name, **more)


def test_permission_is_asked_for_before_it_is_told_what_exists(server, account, iam, alice):
    own = client(server, "iam", new_key(iam, "Alice"))
    me = f"arn:aws:iam::{account}:user/Alice"
    for call, action, more in [
        (own.delete_user, "DeleteUser", {}), (own.update_user, "UpdateUser", {}),
        (own.list_user_tags, "ListUserTags", {}), (own.tag_user, "TagUser", {"Tags": [tag("a")]}),
        (own.untag_user, "UntagUser", {"TagKeys": ["a"]}),
    ]:
        for name in ["nobody", "Alice"]:
            message = (
                f"User: {me} is not authorized to perform: iam:{action} on resource: "
                f"arn:aws:iam::{account}:user/{name} because no identity-based policy allows "
                f"the iam:{action} action"
            )
            with refused("AccessDenied", message):
                call(UserName=name, **more)


# -- UpdateUser -----------------------------------------------------------------------------


def test_a_renamed_user_stays_who_it_is(server, account, iam, alice):
    key = new_key(iam, "Alice")
    iam.tag_user(UserName="Alice", Tags=[tag("a", "1")])
    iam.update_user(UserName="alice", NewUserName="Robert", NewPath="/staff/")
    arn = f"arn:aws:iam::{account}:user/staff/Robert"
    user = iam.get_user(UserName="robert")["User"]
    assert (user["UserName"], user["Path"], user["Arn"]) == ("Robert", "/staff/", arn)
    for member in ["UserId", "CreateDate"]:
        assert user[member] == alice[member]
    assert user["Tags"] == [tag("a", "1")]
    with refused("NoSuchEntity", "The user with name Alice cannot be found."):
        iam.get_user(UserName="Alice")
    assert names(iam) == ["Robert"]
    # Its key speaks for the new name, from the answer on.
    assert caller(server, key) == arn
    listed = iam.list_access_keys(UserName="Robert")["AccessKeyMetadata"]
    assert [each["UserName"] for each in listed] == ["Robert"]
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == "Robert"
    iam.create_user(UserName="Alice")


def test_a_path_alone_and_a_case_alone(account, iam, alice):
    iam.update_user(UserName="Alice", NewPath="/a/b/")
    assert iam.get_user(UserName="Alice")["User"]["Arn"].endswith(":user/a/b/Alice")
    assert names(iam, PathPrefix="/a/") == ["Alice"]
    iam.update_user(UserName="ALICE", NewUserName="ALICE")
    user = iam.get_user(UserName="alice")["User"]
    assert (user["UserName"], user["Path"]) == ("ALICE", "/a/b/")
    iam.update_user(UserName="Alice")
    assert iam.get_user(UserName="alice")["User"] == user


def test_a_renamed_user_keeps_groups_and_policies(server, account, iam, alice):
    arn = policy_arn(account, "m")
    iam.create_policy(PolicyName="m", PolicyDocument=document(statement("iam:ListUsers")))
    iam.create_group(GroupName="g")
    iam.add_user_to_group(UserName="Alice", GroupName="g")
    iam.attach_user_policy(UserName="Alice", PolicyArn=arn)
    iam.put_user_permissions_boundary(UserName="Alice", PermissionsBoundary=arn)
    own = client(server, "iam", new_key(iam, "Alice"))
    iam.update_user(UserName="Alice", NewUserName="Robert")
    assert len(own.list_users()["Users"]) == 1
    members = iam.get_group(GroupName="g")["Users"]
    assert [member["UserName"] for member in members] == ["Robert"]
    groups = iam.list_groups_for_user(UserName="Robert")["Groups"]
    assert [group["GroupName"] for group in groups] == ["g"]
    attached = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsPolicy")
    assert [user["UserName"] for user in attached["PolicyUsers"]] == ["Robert"]
    bounded = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert [user["UserName"] for user in bounded["PolicyUsers"]] == ["Robert"]
    iam.detach_user_policy(UserName="Robert", PolicyArn=arn)
    iam.delete_user_permissions_boundary(UserName="Robert")
    iam.delete_policy(PolicyArn=arn)
    iam.remove_user_from_group(UserName="Robert", GroupName="g")
    iam.delete_group(GroupName="g")


def test_a_name_that_is_taken(iam, alice):
    iam.create_user(UserName="bob")
    with refused("EntityAlreadyExists", "User with name BOB already exists."):
        iam.update_user(UserName="Alice", NewUserName="BOB")
    assert names(iam) == ["Alice", "bob"]


def test_renaming_takes_both_names(server, account, iam, alice):
    own = client(server, "iam", new_key(iam, "Alice"))
    users = f"arn:aws:iam::{account}:user"

    def may(*resources):
        policy = document(statement("iam:UpdateUser", resource=list(resources)))
        iam.put_user_policy(UserName="Alice", PolicyName="p", PolicyDocument=policy)

    iam.create_user(UserName="bob")
    for allowed in ["bob", "x/robert"]:
        may(f"{users}/{allowed}")
        with refused("AccessDenied"):
            own.update_user(UserName="bob", NewUserName="robert", NewPath="/x/")
    may(f"{users}/bob", f"{users}/x/robert")
    own.update_user(UserName="bob", NewUserName="robert", NewPath="/x/")
    assert names(iam, PathPrefix="/x/") == ["robert"]


# -- tags -----------------------------------------------------------------------------------


def test_tags_live(iam, alice):
    assert tags(iam, "Alice") == []
    iam.tag_user(UserName="alice", Tags=[tag("b", "2"), tag("a", "1")])
    assert tags(iam, "Alice") == [tag("a", "1"), tag("b", "2")]
    # The case of a key doesn't count, and the newest is kept.
    iam.tag_user(UserName="Alice", Tags=[tag("A", "new"), tag("c")])
    assert tags(iam, "Alice") == [tag("A", "new"), tag("b", "2"), tag("c")]
    iam.untag_user(UserName="Alice", TagKeys=["B", "nothing"])
    assert tags(iam, "Alice") == [tag("A", "new"), tag("c")]
    iam.untag_user(UserName="Alice", TagKeys=["a", "c"])
    assert tags(iam, "Alice") == []
    assert "Tags" not in iam.get_user(UserName="Alice")["User"]


def test_tags_page_by_page(iam, alice):
    long = "я" * 127
    iam.tag_user(UserName="Alice", Tags=[tag(f"{long}{letter}") for letter in "edcba"])
    found = pages(iam.list_user_tags, "Tags", 2, UserName="Alice")
    assert [[each["Key"][-1] for each in page] for page in found] == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize("bad, code", [
    ([tag("a", "1"), tag("A", "2")], "InvalidInput"),
    ([tag("aws:a", "1")], "InvalidInput"),
    ([tag("a*", "1")], "ValidationError"),
    ([tag(f"k{number}") for number in range(51)], "ValidationError"),
], ids=["twice", "aws", "sign", "51"])
def test_tags_that_are_refused(iam, alice, bad, code):
    with refused(code):
        iam.tag_user(UserName="Alice", Tags=bad)
    assert tags(iam, "Alice") == []


def test_fifty_tags_in_all(iam, alice):
    iam.tag_user(UserName="Alice", Tags=[tag(f"k{number}") for number in range(50)])
    with refused("LimitExceeded"):
        iam.tag_user(UserName="Alice", Tags=[tag("one-more")])
    iam.tag_user(UserName="Alice", Tags=[tag("K49", "new")])
    assert len(tags(iam, "Alice")) == 50


def test_a_tag_is_in_force_when_it_is_answered(server, iam, alice):
    own = client(server, "iam", new_key(iam, "Alice"))
    condition = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    policy = document(statement("iam:ListUsers", Condition=condition))
    iam.put_user_policy(UserName="Alice", PolicyName="p", PolicyDocument=policy)
    for _ in range(3):
        with refused("AccessDenied"):
            own.list_users()
        iam.tag_user(UserName="Alice", Tags=[tag("team", "blue")])
        own.list_users()
        iam.untag_user(UserName="Alice", TagKeys=["team"])
