"""Roles: making, telling, changing, tagging and deleting them, and those linked to services."""

import datetime
import json

import pytest

from expectations import refused
from iam_world import as_user, document, pages, policy_arn, statement

ABSENT = "The role with name nobody cannot be found."
PROTECTED = (
    "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS"
)
SERVICES = {
    "mrk.kms.amazonaws.com": "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
    "cks.kms.amazonaws.com": "AWSServiceRoleForKeyManagementServiceCustomKeyStores",
}


def trusting(principal, action="sts:AssumeRole", **more):
    """A trust policy of one statement."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action} | more],
    }


EC2 = trusting({"Service": "ec2.amazonaws.com"})


def make(iam, name="r", trust=EC2, **more):
    """Makes a role and returns what the answer tells of it."""
    text = trust if isinstance(trust, str) else json.dumps(trust)
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=text, **more)["Role"]


def role(iam, name="r"):
    """What GetRole tells of a role."""
    return iam.get_role(RoleName=name)["Role"]


def tag(key, value=""):
    """A tag as IAM writes it."""
    return {"Key": key, "Value": value}


def tags(iam, name="r"):
    """The tags that ListRoleTags answers."""
    return iam.list_role_tags(RoleName=name)["Tags"]


# -- CreateRole, GetRole --------------------------------------------------------------------


def test_a_role_as_it_is_made_and_told(account, iam):
    made = make(iam, Description="d")
    # The answer of CreateRole leaves out what a role has beside these.
    assert set(made) == {
        "Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument",
    }
    assert made["Arn"] == f"arn:aws:iam::{account}:role/r" and made["Path"] == "/"
    assert made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21
    assert made["AssumeRolePolicyDocument"] == EC2
    assert made["CreateDate"].microsecond == 0
    age = datetime.datetime.now(datetime.UTC) - made["CreateDate"]
    assert abs(age.total_seconds()) < 60
    assert role(iam) == made | {
        "Description": "d", "MaxSessionDuration": 3600, "RoleLastUsed": {},
    }
    # Names are found whatever their case.
    assert role(iam, "R") == role(iam)


def test_a_role_with_all_there_is(account, iam):
    boundary = policy_arn(account, "b")
    iam.create_policy(PolicyName="b", PolicyDocument=document(statement("kms:*")))
    made = make(
        iam, "Full.Role", Path="/a/b/", Description="é\n", MaxSessionDuration=43200,
        PermissionsBoundary=boundary, Tags=[tag("k", "v")],
    )
    assert made["Arn"] == f"arn:aws:iam::{account}:role/a/b/Full.Role"
    assert made["Tags"] == [tag("k", "v")]
    told = role(iam, "full.role")
    assert told["RoleName"] == "Full.Role" and told["Path"] == "/a/b/"
    assert told["Description"] == "é\n" and told["MaxSessionDuration"] == 43200
    assert told["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": boundary,
    }
    with refused("DeleteConflict"):
        iam.delete_policy(PolicyArn=boundary)
    iam.delete_role(RoleName="Full.Role")
    iam.delete_policy(PolicyArn=boundary)


def test_names_are_taken_whatever_their_case(iam):
    make(iam, "Name")
    with refused("EntityAlreadyExists", "Role with name nAME already exists."):
        make(iam, "nAME")


@pytest.mark.parametrize("trust, message", [
    ("{", "This policy contains invalid Json"),
    (trusting({"AWS": "*"}, "kms:Encrypt"),
     "AssumeRole policy may only specify STS AssumeRole actions."),
    (trusting({"AWS": "*"}, Resource="*"), "Has prohibited field Resource"),
    (trusting({"AWS": "arn:aws:iam::111122223333:user/nobody"}),
     'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/nobody"'),
    (trusting({"AWS": "AROAAAAAAAAAAAAAAAAAA"}),
     'Invalid principal in policy: "AWS":"AROAAAAAAAAAAAAAAAAAA"'),
    (trusting({"AWS": "arn:aws:iam::111122223333:group/g"}), None),
    ({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}, None),
    ({"Version": "2012-10-17"}, None),
], ids=["json", "action", "resource", "user", "id", "group", "nobody", "no-statement"])
def test_trust_policies_that_are_refused(iam, trust, message):
    with refused("MalformedPolicyDocument", message):
        make(iam, trust=trust)
    make(iam)
    text = trust if isinstance(trust, str) else json.dumps(trust)
    with refused("MalformedPolicyDocument", message):
        iam.update_assume_role_policy(RoleName="r", PolicyDocument=text)
    assert role(iam)["AssumeRolePolicyDocument"] == EC2


def test_a_trust_policy_is_bounded_with_its_white_space(iam):
    text = json.dumps(EC2)
    longest = text + " " * (2048 - len(text))
    make(iam, trust=longest)
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"):
        make(iam, "more", trust=longest + " ")
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"):
        iam.update_assume_role_policy(RoleName="r", PolicyDocument=longest + " ")


@pytest.mark.parametrize("more, code", [
    ({"Tags": [tag("a"), tag("A")]}, "InvalidInput"),
    ({"Tags": [tag("aws:a")]}, "InvalidInput"),
    ({"PermissionsBoundary": "arn:aws:iam::111122223333:policy/nothing"}, "NoSuchEntity"),
    ({"PermissionsBoundary": "arn:aws:kms:::no-policy-at-all"}, "InvalidInput"),
], ids=["tag-twice", "aws-tag", "no-boundary", "no-policy"])
def test_inputs_that_are_refused(iam, more, code):
    with refused(code):
        make(iam, **more)
    with refused("NoSuchEntity"):
        role(iam)


@pytest.mark.parametrize("seconds", [3599, 43_201])
def test_the_longest_session_is_bounded(server, account, iam, seconds):
    lenient = server.client("iam", account, validate=False)
    with refused("ValidationError"):
        make(lenient, MaxSessionDuration=seconds)
    make(iam)
    with refused("ValidationError"):
        lenient.update_role(RoleName="r", MaxSessionDuration=seconds)
    assert role(iam)["MaxSessionDuration"] == 3600


def test_absent_roles(iam):
    name = {"RoleName": "nobody"}
    for call, more in [
        (iam.get_role, {}),
        (iam.delete_role, {}),
        (iam.update_role, {"Description": "x"}),
        (iam.update_role_description, {"Description": "x"}),
        (iam.update_assume_role_policy, {"PolicyDocument": json.dumps(EC2)}),
        (iam.tag_role, {"Tags": [tag("a")]}),
        (iam.untag_role, {"TagKeys": ["a"]}),
        (iam.list_role_tags, {}),
        (iam.list_instance_profiles_for_role, {}),
        (iam.delete_service_linked_role, {}),
    ]:
        with refused("NoSuchEntity", ABSENT):
            call(**name, **more)


def test_a_trusted_user_that_goes_is_shown_by_its_id(iam):
    user = iam.create_user(UserName="alice", Path="/p/")["User"]
    trust = trusting({"AWS": user["Arn"]})
    make(iam, trust=trust)
    assert role(iam)["AssumeRolePolicyDocument"] == trust
    iam.delete_user(UserName="alice")
    gone = trusting({"AWS": user["UserId"]})
    assert role(iam)["AssumeRolePolicyDocument"] == gone
    # Another user of the same name isn't the one who was trusted.
    iam.create_user(UserName="alice", Path="/p/")
    assert role(iam)["AssumeRolePolicyDocument"] == gone
    assert iam.list_roles()["Roles"][0]["AssumeRolePolicyDocument"] == gone
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(trust))
    assert role(iam)["AssumeRolePolicyDocument"] == trust


# -- ListRoles ------------------------------------------------------------------------------


def test_lists(iam):
    assert iam.list_roles()["Roles"] == []
    for name, path in [("b", "/x/"), ("A", "/x/y/"), ("c", "/"), ("d", "/xy/")]:
        make(iam, name, Path=path, Tags=[tag("k")], Description=name)

    def names(**arguments):
        return [each["RoleName"] for each in iam.list_roles(**arguments)["Roles"]]

    assert names() == ["A", "b", "c", "d"]
    assert names(PathPrefix="/x/") == ["A", "b"]
    assert names(PathPrefix="/x") == ["A", "b", "d"]
    assert names(PathPrefix="/none") == []
    one = iam.list_roles(PathPrefix="/x/y/")["Roles"][0]
    told = role(iam, "A")
    assert one == {name: told[name] for name in told if name not in ("Tags", "RoleLastUsed")}
    found = pages(iam.list_roles, "Roles", 3)
    assert [[each["RoleName"] for each in page] for page in found] == [["A", "b", "c"], ["d"]]
    with refused("ValidationError"):
        iam.list_roles(Marker="x")


def test_there_are_no_instance_profiles(iam):
    make(iam)
    answer = iam.list_instance_profiles_for_role(RoleName="r")
    assert answer["InstanceProfiles"] == [] and answer["IsTruncated"] is False


# -- changes --------------------------------------------------------------------------------


def test_updates(iam):
    made = make(iam, Description="old")
    iam.update_role(RoleName="R", Description="new")
    assert role(iam)["Description"] == "new" and role(iam)["MaxSessionDuration"] == 3600
    iam.update_role(RoleName="r", MaxSessionDuration=7200)
    assert role(iam)["Description"] == "new" and role(iam)["MaxSessionDuration"] == 7200
    answer = iam.update_role_description(RoleName="r", Description="newer")["Role"]
    assert answer == made | {"Description": "newer"}
    assert role(iam)["Description"] == "newer"
    other = trusting({"Service": "lambda.amazonaws.com"})
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(other))
    assert role(iam)["AssumeRolePolicyDocument"] == other


def test_tags_live(iam):
    make(iam)
    assert tags(iam) == [] and "Tags" not in role(iam)
    iam.tag_role(RoleName="r", Tags=[tag("b", "1"), tag("a", "2")])
    assert tags(iam) == [tag("a", "2"), tag("b", "1")]
    iam.tag_role(RoleName="r", Tags=[tag("B", "3")])
    assert tags(iam) == [tag("a", "2"), tag("B", "3")]
    iam.untag_role(RoleName="r", TagKeys=["A", "nothing"])
    assert tags(iam) == [tag("B", "3")] == role(iam)["Tags"]
    with refused("InvalidInput"):
        iam.tag_role(RoleName="r", Tags=[tag("c"), tag("C")])
    with refused("InvalidInput"):
        iam.tag_role(RoleName="r", Tags=[tag("AWS:c")])


def test_fifty_tags_in_all(iam):
    make(iam)
    iam.tag_role(RoleName="r", Tags=[tag(f"k{number:02}") for number in range(50)])
    with refused("LimitExceeded", "The number of tags has reached the maximum limit."):
        iam.tag_role(RoleName="r", Tags=[tag("more")])
    found = pages(iam.list_role_tags, "Tags", 20, RoleName="r")
    assert [len(page) for page in found] == [20, 20, 10]
    assert [each["Key"] for page in found for each in page] == [f"k{n:02}" for n in range(50)]


# -- DeleteRole -----------------------------------------------------------------------------


def test_what_a_role_has_is_deleted_first(account, iam):
    name = {"RoleName": "r"}
    make(iam)
    iam.create_policy(PolicyName="m", PolicyDocument=document(statement("kms:*")))
    iam.put_role_policy(**name, PolicyName="p", PolicyDocument=document(statement("kms:*")))
    iam.attach_role_policy(**name, PolicyArn=policy_arn(account, "m"))
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
        iam.delete_role(**name)
    iam.detach_role_policy(**name, PolicyArn=policy_arn(account, "m"))
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
        iam.delete_role(**name)
    iam.delete_role_policy(**name, PolicyName="p")
    old = role(iam)["RoleId"]
    iam.delete_role(**name)
    with refused("NoSuchEntity", "The role with name r cannot be found."):
        role(iam)
    make(iam)
    assert role(iam)["RoleId"] != old


# -- roles linked to services ---------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_the_life_of_a_service_linked_role(account, iam, service):
    name = SERVICES[service]
    made = iam.create_service_linked_role(AWSServiceName=service, Description="d")["Role"]
    assert made["RoleName"] == name and made["Path"] == f"/aws-service-role/{service}/"
    assert made["Arn"] == f"arn:aws:iam::{account}:role/aws-service-role/{service}/{name}"
    assert made["AssumeRolePolicyDocument"] == trusting({"Service": service})
    assert role(iam, name)["Description"] == "d"
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [each["PolicyArn"].split("/")[1] for each in attached] == ["aws-service-role"]
    with refused(
        "InvalidInput",
        f"Service role name {name} has been taken in this account, please try a different suffix.",
    ):
        iam.create_service_linked_role(AWSServiceName=service)

    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/{service}/{name}/")
    answer = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert answer["Status"] == "SUCCEEDED" and "Reason" not in answer
    with refused("NoSuchEntity"):
        role(iam, name)
    iam.create_service_linked_role(AWSServiceName=service)
    again = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert again != task
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=again)["Status"]


def test_service_linked_roles_are_the_services(account, iam):
    service, name = next(iter(SERVICES.items()))
    iam.create_service_linked_role(AWSServiceName=service)
    named = {"RoleName": name}
    policy = document(statement("kms:*"))
    iam.create_policy(PolicyName="m", PolicyDocument=policy)
    arn = policy_arn(account, "m")
    for call, more in [
        (iam.delete_role, {}),
        (iam.update_role, {"MaxSessionDuration": 7200}),
        (iam.update_assume_role_policy, {"PolicyDocument": json.dumps(EC2)}),
        (iam.put_role_policy, {"PolicyName": "p", "PolicyDocument": policy}),
        (iam.attach_role_policy, {"PolicyArn": arn}),
        (iam.put_role_permissions_boundary, {"PermissionsBoundary": arn}),
    ]:
        with refused("UnmodifiableEntity", PROTECTED.format(name)):
            call(**named, **more)
    # What says nothing of permissions can be changed.
    iam.update_role(**named, Description="x")
    iam.update_role_description(**named, Description="y")
    iam.tag_role(**named, Tags=[tag("a")])
    assert role(iam, name)["Description"] == "y" and tags(iam, name) == [tag("a")]


def test_other_service_linked_roles_are_refused(iam):
    with refused("InvalidInput"):
        iam.create_service_linked_role(AWSServiceName="ec2.amazonaws.com")
    service = "mrk.kms.amazonaws.com"
    with refused("InvalidInput", f"Custom suffix is not allowed for {service}"):
        iam.create_service_linked_role(AWSServiceName=service, CustomSuffix="x")
    make(iam)
    with refused("NoSuchEntity"):
        iam.delete_service_linked_role(RoleName="r")
    with refused("InvalidInput"):
        iam.get_service_linked_role_deletion_status(DeletionTaskId="x")
    name = SERVICES[service]
    task = f"task/aws-service-role/{service}/{name}/0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
    with refused("NoSuchEntity"):
        iam.get_service_linked_role_deletion_status(DeletionTaskId=task)


# -- permissions ----------------------------------------------------------------------------


def test_permissions_are_asked_of_the_role(server, account, iam):
    iam.create_user(UserName="alice")
    alice = as_user(server, iam, "alice")
    arn = f"arn:aws:iam::{account}:role/r"

    def allow(*statements):
        iam.put_user_policy(
            UserName="alice", PolicyName="p", PolicyDocument=document(*statements)
        )

    def denied(action, resource=arn):
        return refused("AccessDenied", (
            f"User: arn:aws:iam::{account}:user/alice is not authorized to perform: {action} on "
            f"resource: {resource} because no identity-based policy allows the {action} action"
        ))

    # Whether there is such a role isn't told to whoever may not ask.
    with denied("iam:GetRole"):
        role(alice)
    with denied("iam:CreateRole"):
        make(alice)
    with denied("iam:ListRoles", f"arn:aws:iam::{account}:role/"):
        alice.list_roles()

    allow(statement("iam:CreateRole", arn))
    with denied("iam:TagRole"):
        make(alice, Tags=[tag("a")])
    make(alice)
    with denied("iam:GetRole"):
        role(alice)
    allow(statement(["iam:GetRole", "iam:TagRole", "iam:DeleteRole"], arn))
    assert role(alice)["Arn"] == arn
    alice.tag_role(RoleName="r", Tags=[tag("team", "a")])
    with denied("iam:UpdateRole"):
        alice.update_role(RoleName="r", Description="x")
    with denied("iam:UpdateAssumeRolePolicy"):
        alice.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(EC2))
    only_a = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    allow(statement("iam:UpdateRole", Condition=only_a))
    alice.update_role(RoleName="r", Description="x")
    iam.tag_role(RoleName="r", Tags=[tag("team", "b")])
    with denied("iam:UpdateRole"):
        alice.update_role(RoleName="r", Description="y")


def test_who_may_make_the_role_of_a_service(server, account, iam):
    iam.create_user(UserName="alice")
    alice = as_user(server, iam, "alice")
    service, name = next(iter(SERVICES.items()))
    arn = f"arn:aws:iam::{account}:role/aws-service-role/{service}/{name}"
    only = {"StringEquals": {"iam:AWSServiceName": service}}
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(
        statement("iam:CreateServiceLinkedRole", arn, Condition=only)
    ))
    with refused("AccessDenied"):
        alice.create_service_linked_role(AWSServiceName="cks.kms.amazonaws.com")
    with refused("AccessDenied"):
        alice.create_service_linked_role(AWSServiceName="unknown.amazonaws.com")
    assert alice.create_service_linked_role(AWSServiceName=service)["Role"]["Arn"] == arn
    with refused("AccessDenied"):
        alice.delete_service_linked_role(RoleName=name)


def test_roles_survive_a_restart(own_server, account):
    iam = own_server.client("iam", account)
    make(iam, Tags=[tag("a", "b")], Description="d")
    before = role(iam)
    own_server.kill9()
    own_server.restart()
    assert role(own_server.client("iam", account)) == before
