"""Groups and their members."""

import threading

import pytest

from access import client, new_key
from expectations import refused
from iam_world import document, pages, policy_arn, statement


def absent(name="nothing"):
    """What AWS says of a group that isn't there."""
    return f"The group with name {name} cannot be found."


def members(iam, group):
    """The names of a group's members."""
    return [user["UserName"] for user in iam.get_group(GroupName=group)["Users"]]


def groups_of(iam, user):
    """The names of a user's groups."""
    return [group["GroupName"] for group in iam.list_groups_for_user(UserName=user)["Groups"]]


@pytest.fixture
def staff(iam):
    """What CreateGroup answered of a group."""
    return iam.create_group(GroupName="Staff")["Group"]


@pytest.fixture
def alice(iam):
    """A user's name."""
    return iam.create_user(UserName="alice")["User"]["UserName"]


def test_a_group_is_made_and_found(account, iam):
    group = iam.create_group(GroupName="Staff", Path="/a/b/")["Group"]
    assert set(group) == {"Path", "GroupName", "GroupId", "Arn", "CreateDate"}
    assert (group["Path"], group["GroupName"]) == ("/a/b/", "Staff")
    assert group["Arn"] == f"arn:aws:iam::{account}:group/a/b/Staff"
    assert group["GroupId"].startswith("AGPA") and len(group["GroupId"]) == 21
    answer = iam.get_group(GroupName="sTAFF")
    assert (answer["Group"], answer["Users"], answer["IsTruncated"]) == (group, [], False)
    with refused("EntityAlreadyExists", "Group with name STAFF already exists."):
        iam.create_group(GroupName="STAFF")


def test_groups_that_are_not_there(iam, alice):
    name = {"GroupName": "nothing"}
    for call, more in [
        (iam.get_group, {}), (iam.update_group, {"NewGroupName": "x"}), (iam.delete_group, {}),
        (iam.add_user_to_group, {"UserName": alice}),
        (iam.remove_user_from_group, {"UserName": alice}),
    ]:
        with refused("NoSuchEntity", absent()):
            call(**name, **more)


def test_users_that_are_not_there(iam, staff):
    message = "The user with name nobody cannot be found."
    for call in [iam.add_user_to_group, iam.remove_user_from_group]:
        with refused("NoSuchEntity", message):
            call(GroupName="Staff", UserName="nobody")
    with refused("NoSuchEntity", message):
        iam.list_groups_for_user(UserName="nobody")


def test_groups_page_by_page(iam):
    for number in range(5):
        iam.create_group(GroupName=f"G{number}", Path="/odd/" if number % 2 else "/even/")
    found = pages(iam.list_groups, "Groups", 2)
    names = [[group["GroupName"] for group in page] for page in found]
    assert names == [["G0", "G1"], ["G2", "G3"], ["G4"]]
    odd = iam.list_groups(PathPrefix="/odd/")["Groups"]
    assert [group["GroupName"] for group in odd] == ["G1", "G3"]
    with refused("ValidationError"):
        iam.list_groups(Marker="made-up")


def test_members_come_and_go(iam, staff, alice):
    iam.add_user_to_group(GroupName="STAFF", UserName="ALICE")
    # Both do no harm where there is nothing to do.
    iam.add_user_to_group(GroupName="Staff", UserName="alice")
    assert (members(iam, "Staff"), groups_of(iam, "alice")) == (["alice"], ["Staff"])
    iam.remove_user_from_group(GroupName="Staff", UserName="Alice")
    iam.remove_user_from_group(GroupName="Staff", UserName="Alice")
    assert (members(iam, "Staff"), groups_of(iam, "alice")) == ([], [])


def test_members_page_by_page(iam, staff):
    for letter in "edcba":
        iam.create_user(UserName=letter)
        iam.add_user_to_group(GroupName="Staff", UserName=letter)
    found = pages(iam.get_group, "Users", 2, GroupName="Staff")
    assert [[u["UserName"] for u in page] for page in found] == [["a", "b"], ["c", "d"], ["e"]]


def test_groups_of_a_user_page_by_page(iam, alice):
    for letter in "cba":
        iam.create_group(GroupName=letter)
        iam.add_user_to_group(GroupName=letter, UserName=alice)
    found = pages(iam.list_groups_for_user, "Groups", 2, UserName=alice)
    assert [[g["GroupName"] for g in page] for page in found] == [["a", "b"], ["c"]]


def test_ten_groups_at_most(iam, alice):
    for number in range(11):
        iam.create_group(GroupName=f"g{number}")
    for number in range(10):
        iam.add_user_to_group(GroupName=f"g{number}", UserName=alice)
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10"):
        iam.add_user_to_group(GroupName="g10", UserName=alice)
    iam.add_user_to_group(GroupName="g9", UserName=alice)
    iam.remove_user_from_group(GroupName="g0", UserName=alice)
    iam.add_user_to_group(GroupName="g10", UserName=alice)


def test_a_group_is_emptied_before_it_is_deleted(account, iam, staff, alice):
    name = {"GroupName": "Staff"}
    iam.add_user_to_group(**name, UserName=alice)
    with refused("DeleteConflict", "Cannot delete entity, must remove users from group first."):
        iam.delete_group(**name)
    iam.remove_user_from_group(**name, UserName=alice)
    iam.put_group_policy(**name, PolicyName="p", PolicyDocument=document(statement("kms:*")))
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
        iam.delete_group(**name)
    iam.delete_group_policy(**name, PolicyName="p")
    iam.create_policy(PolicyName="m", PolicyDocument=document(statement("kms:*")))
    iam.attach_group_policy(**name, PolicyArn=policy_arn(account, "m"))
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
        iam.delete_group(**name)
    iam.detach_group_policy(**name, PolicyArn=policy_arn(account, "m"))
    iam.delete_group(GroupName="staff")
    with refused("NoSuchEntity", absent("Staff")):
        iam.get_group(**name)
    # Whoever takes the name is another group.
    iam.create_group(**name)
    assert members(iam, "Staff") == []


def test_a_member_is_never_left_in_a_deleted_group(iam, alice):
    """Adding a member and deleting the group at once: one of the two is refused."""
    for number in range(20):
        group, outcomes = {"GroupName": f"g{number}"}, []
        iam.create_group(**group)

        def attempt(call, **more):
            try:
                call(**group, **more)
                outcomes.append(call)
            except iam.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] in {"NoSuchEntity", "DeleteConflict"}

        threads = [
            threading.Thread(target=attempt, args=[iam.add_user_to_group],
                             kwargs={"UserName": alice}),
            threading.Thread(target=attempt, args=[iam.delete_group]),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(outcomes) == 1
        added = outcomes == [iam.add_user_to_group]
        assert groups_of(iam, alice) == ([f"g{number}"] if added else [])
        if added:
            iam.remove_user_from_group(**group, UserName=alice)


def test_a_renamed_group_stays_what_it_is(server, account, iam, staff, alice):
    arn = policy_arn(account, "m")
    iam.create_policy(PolicyName="m", PolicyDocument=document(statement("iam:ListUsers")))
    iam.attach_group_policy(GroupName="Staff", PolicyArn=arn)
    iam.add_user_to_group(GroupName="Staff", UserName=alice)
    own = client(server, "iam", new_key(iam, alice))
    own.list_users()
    iam.update_group(GroupName="staff", NewGroupName="Crew", NewPath="/x/")
    group = iam.get_group(GroupName="crew")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{account}:group/x/Crew"
    assert group["GroupId"] == staff["GroupId"]
    assert (members(iam, "Crew"), groups_of(iam, alice)) == ([alice], ["Crew"])
    own.list_users()
    attached = iam.list_entities_for_policy(PolicyArn=arn)["PolicyGroups"]
    assert [each["GroupName"] for each in attached] == ["Crew"]
    with refused("NoSuchEntity", absent("Staff")):
        iam.get_group(GroupName="Staff")
    # The old name is another group's, which has nothing to do with the member.
    iam.create_group(GroupName="Staff")
    assert groups_of(iam, alice) == ["Crew"]
    iam.update_group(GroupName="Crew", NewGroupName="CREW")
    assert groups_of(iam, alice) == ["CREW"]
    with refused("EntityAlreadyExists", "Group with name staff already exists."):
        iam.update_group(GroupName="Crew", NewGroupName="staff")


def test_membership_is_in_force_when_it_is_answered(server, iam, staff, alice):
    iam.put_group_policy(
        GroupName="Staff", PolicyName="p", PolicyDocument=document(statement("iam:ListUsers")))
    own = client(server, "iam", new_key(iam, alice))
    for _ in range(5):
        with refused("AccessDenied"):
            own.list_users()
        iam.add_user_to_group(GroupName="Staff", UserName=alice)
        own.list_users()
        iam.remove_user_from_group(GroupName="Staff", UserName=alice)


def test_what_a_group_denies_is_denied_while_it_is_renamed(server, iam, staff, alice):
    """A rename must not leave a moment in which the group's policies don't count."""
    allow, deny = document(statement("*")), document(statement("iam:ListUsers", effect="Deny"))
    iam.put_user_policy(UserName=alice, PolicyName="p", PolicyDocument=allow)
    iam.put_group_policy(GroupName="Staff", PolicyName="p", PolicyDocument=deny)
    iam.add_user_to_group(GroupName="Staff", UserName=alice)
    key, done, allowed = new_key(iam, alice), threading.Event(), []

    def read():
        own = client(server, "iam", key)
        while not done.is_set():
            with pytest.raises(own.exceptions.ClientError) as caught:
                allowed.append(own.list_users())
            assert caught.value.response["Error"]["Code"] == "AccessDenied"

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(40):
        old, new = ("Staff", "Crew") if number % 2 == 0 else ("Crew", "Staff")
        iam.update_group(GroupName=old, NewGroupName=new)
    done.set()
    for reader in readers:
        reader.join()
    assert allowed == []


def test_permission_is_asked_for_before_it_is_told_what_exists(server, account, iam, staff, alice):
    own = client(server, "iam", new_key(iam, alice))
    me, groups = f"arn:aws:iam::{account}:user/alice", f"arn:aws:iam::{account}:group"
    for call, action, more in [
        (own.create_group, "CreateGroup", {}), (own.get_group, "GetGroup", {}),
        (own.delete_group, "DeleteGroup", {}), (own.update_group, "UpdateGroup", {}),
        (own.add_user_to_group, "AddUserToGroup", {"UserName": "nobody"}),
        (own.remove_user_from_group, "RemoveUserFromGroup", {"UserName": "nobody"}),
    ]:
        for name in ["nothing", "Staff"]:
            message = (
                f"User: {me} is not authorized to perform: iam:{action} on resource: "
                f"{groups}/{name} because no identity-based policy allows the iam:{action} action"
            )
            with refused("AccessDenied", message):
                call(GroupName=name, **more)
    for call, more in [(own.list_groups, {}), (own.list_groups_for_user, {"UserName": "nobody"})]:
        with refused("AccessDenied"):
            call(**more)
    policy = document(statement("iam:*Group*", resource=[f"{groups}/*", f"{me}"]))
    iam.put_user_policy(UserName=alice, PolicyName="p", PolicyDocument=policy)
    own.create_group(GroupName="new")
    own.add_user_to_group(GroupName="new", UserName=alice)
    assert groups_of(own, alice) == ["new"]
    own.update_group(GroupName="new", NewGroupName="newer")
    own.remove_user_from_group(GroupName="newer", UserName=alice)
    own.delete_group(GroupName="newer")
    assert [group["GroupName"] for group in own.list_groups()["Groups"]] == ["Staff"]
