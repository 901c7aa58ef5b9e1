"""Managed policies: the account's own with their versions and tags, and AWS's."""

import datetime
import json
import re

import pytest

from expectations import refused
from iam_world import (
    ALLOW_LISTING, DENY_ALL, as_user, aws_policy_arn, document, pages, policy_arn, statement,
)

CONFLICT_OF_VERSIONS = (
    "This policy has more than one version. Before you delete a policy, you must delete the "
    "policy's versions. The default version is deleted with the policy."
)


def tag(key, value="v"):
    """One tag."""
    return {"Key": key, "Value": value}


@pytest.fixture
def policy(iam):
    """The ARN of a policy of the account."""
    return iam.create_policy(PolicyName="p", PolicyDocument=ALLOW_LISTING)["Policy"]["Arn"]


def versions(iam, arn):
    """The ids of a policy's versions, the one in force in brackets."""
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    return [
        f"[{one['VersionId']}]" if one["IsDefaultVersion"] else one["VersionId"] for one in listed
    ]


def test_a_policy_is_made_told_and_deleted(server, account, iam):
    before = int(server.now())
    made = iam.create_policy(
        PolicyName="Listing", Path="/team/a/", PolicyDocument=ALLOW_LISTING,
        Description="Lets one list users, <&> no more", Tags=[tag("a"), tag("B")],
    )["Policy"]
    assert re.fullmatch("ANPA[A-Z2-7]{17}", made["PolicyId"])
    arn = policy_arn(account, "Listing", "/team/a/")
    listed = {
        "PolicyName": "Listing", "PolicyId": made["PolicyId"], "Arn": arn, "Path": "/team/a/",
        "DefaultVersionId": "v1", "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True, "CreateDate": made["CreateDate"], "UpdateDate": made["CreateDate"],
    }
    assert made == listed | {"Tags": [tag("a"), tag("B")]}
    created = made["CreateDate"]
    assert created.tzinfo and created.microsecond == 0
    assert 0 <= created.timestamp() - before < 60
    described = {"Description": "Lets one list users, <&> no more"}
    assert iam.get_policy(PolicyArn=arn)["Policy"] == made | described
    assert iam.list_policies(Scope="Local")["Policies"] == [listed]
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert version == {
        "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": created,
        "Document": json.loads(ALLOW_LISTING),
    }
    iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found."):
        iam.get_policy(PolicyArn=arn)
    again = iam.create_policy(PolicyName="Listing", PolicyDocument=DENY_ALL)["Policy"]
    assert again["PolicyId"] != made["PolicyId"]
    assert iam.get_policy(PolicyArn=again["Arn"])["Policy"]["Tags"] == []


def test_names_are_unique_whatever_their_case_and_path(account, iam, policy):
    for name, path in (("p", "/"), ("P", "/"), ("p", "/team/")):
        with refused(
            "EntityAlreadyExists",
            f"A policy called {name} already exists. Duplicate names are not allowed.",
        ):
            iam.create_policy(PolicyName=name, Path=path, PolicyDocument=ALLOW_LISTING)
    # But a policy is found by its very ARN alone.
    for other in (policy_arn(account, "P"), policy_arn(account, "p", "/team/")):
        with refused("NoSuchEntity", f"Policy {other} was not found."):
            iam.get_policy(PolicyArn=other)


@pytest.mark.parametrize("operation, more", [
    ("get_policy", {}),
    ("delete_policy", {}),
    ("get_policy_version", {"VersionId": "v1"}),
    ("list_policy_versions", {}),
    ("create_policy_version", {"PolicyDocument": ALLOW_LISTING}),
    ("delete_policy_version", {"VersionId": "v1"}),
    ("set_default_policy_version", {"VersionId": "v1"}),
    ("tag_policy", {"Tags": [tag("a")]}),
    ("untag_policy", {"TagKeys": ["a"]}),
    ("list_policy_tags", {}),
    ("list_entities_for_policy", {}),
])
def test_policies_that_are_not_there_or_not_the_accounts(account, iam, operation, more):
    call = getattr(iam, operation)
    absent = policy_arn(account, "absent")
    with refused("NoSuchEntity", f"Policy {absent} was not found."):
        call(PolicyArn=absent, **more)
    for text in ("no arn at all, yet long", f"arn:aws:iam::{account}:user/alice"):
        with refused("InvalidInput", f"ARN {text} is not valid."):
            call(PolicyArn=text, **more)
    action = "".join(word.capitalize() for word in operation.split("_"))
    for foreign in (policy_arn(str(int(account) + 1), "p"), aws_policy_arn("ReadOnlyAccess")):
        if "aws:policy" in foreign and operation.startswith(("get", "list")):
            call(PolicyArn=foreign, **more)
            continue
        with refused("AccessDenied", (
            f"User: arn:aws:iam::{account}:root is not authorized to perform: iam:{action} on "
            f"resource: {foreign} because no resource-based policy allows the iam:{action} action"
        )):
            call(PolicyArn=foreign, **more)


def test_documents_must_be_understood_and_not_too_long(iam, policy):
    for text in (
        "{", "{}", document(), document(statement("kms")),
        document(statement("kms:*", Principal="*")),
        ALLOW_LISTING.replace("2012-10-17", "2008-10-17"),
        document(statement("kms:*", Condition={"StringEquals": {"kms:NoSuchKey": "a"}})),
    ):
        with refused("MalformedPolicyDocument"):
            iam.create_policy(PolicyName="q", PolicyDocument=text)
        with refused("MalformedPolicyDocument"):
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=text)

    def sized(characters):
        bare = document(statement("iam:ListUsers", Sid=""))
        missing = characters - len("".join(bare.split()))
        return document(statement("iam:ListUsers", Sid="x" * missing)) + "\t" * 10_000

    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"):
        iam.create_policy(PolicyName="q", PolicyDocument=sized(6145))
    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=sized(6145))
    iam.create_policy(PolicyName="q", PolicyDocument=sized(6144))
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=sized(6144))


def test_versions(iam, policy):
    made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=DENY_ALL)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", False)
    assert "Document" not in made
    assert versions(iam, policy) == ["v2", "[v1]"]
    made = iam.create_policy_version(
        PolicyArn=policy, PolicyDocument=DENY_ALL, SetAsDefault=True
    )["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v3", True)
    assert versions(iam, policy) == ["[v3]", "v2", "v1"]
    told = iam.get_policy(PolicyArn=policy)["Policy"]
    assert (told["DefaultVersionId"], told["UpdateDate"]) == ("v3", made["CreateDate"])
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
    assert versions(iam, policy) == ["v3", "[v2]", "v1"]

    with refused("DeleteConflict", "Cannot delete the default version of a policy."):
        iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
    with refused("DeleteConflict", CONFLICT_OF_VERSIONS):
        iam.delete_policy(PolicyArn=policy)
    iam.delete_policy_version(PolicyArn=policy, VersionId="v3")
    # No number is given twice.
    made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW_LISTING)
    assert made["PolicyVersion"]["VersionId"] == "v4"
    for absent in ("v3", "v5", "v1.a", "v99999999999"):
        for operation in (
            iam.get_policy_version, iam.delete_policy_version, iam.set_default_policy_version
        ):
            with refused("NoSuchEntity", (
                f"Policy {policy} version {absent} does not exist or is not attachable."
            )):
                operation(PolicyArn=policy, VersionId=absent)
    for version in ("v1", "v4"):
        iam.delete_policy_version(PolicyArn=policy, VersionId=version)
    iam.delete_policy(PolicyArn=policy)


def test_five_versions_at_most(iam, policy):
    for _ in range(4):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=DENY_ALL)
    with refused("LimitExceeded", (
        "A managed policy can have up to 5 versions. Before you create a new version, you must "
        "delete an existing version."
    )):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=DENY_ALL)
    found = pages(iam.list_policy_versions, "Versions", 2, PolicyArn=policy)
    assert [[one["VersionId"] for one in page] for page in found] == [
        ["v5", "v4"], ["v3", "v2"], ["v1"],
    ]
    iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=DENY_ALL)


def test_the_default_version_is_in_force_when_it_is_answered(server, iam, policy):
    iam.create_user(UserName="alice")
    iam.attach_user_policy(UserName="alice", PolicyArn=policy)
    alice = as_user(server, iam, "alice")
    alice.list_users()
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=DENY_ALL)
    alice.list_users()
    for _ in range(5):
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
        with refused("AccessDenied"):
            alice.list_users()
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
        alice.list_users()
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=DENY_ALL, SetAsDefault=True)
    with refused("AccessDenied"):
        alice.list_users()
    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        iam.delete_policy(PolicyArn=policy)


def test_tags(iam, policy):
    iam.tag_policy(PolicyArn=policy, Tags=[tag("b", "1"), tag("a", "2")])
    iam.tag_policy(PolicyArn=policy, Tags=[tag("B", "3"), tag("c", "")])
    listed = iam.list_policy_tags(PolicyArn=policy)
    assert sorted(listed["Tags"], key=lambda one: one["Key"].lower()) == [
        tag("a", "2"), tag("B", "3"), tag("c", ""),
    ]
    assert iam.get_policy(PolicyArn=policy)["Policy"]["Tags"]
    iam.untag_policy(PolicyArn=policy, TagKeys=["A", "absent"])
    assert sorted(one["Key"] for one in iam.list_policy_tags(PolicyArn=policy)["Tags"]) == [
        "B", "c",
    ]
    with refused("InvalidInput"):
        iam.tag_policy(PolicyArn=policy, Tags=[tag("x"), tag("X")])
    with refused("InvalidInput"):
        iam.create_policy(PolicyName="q", PolicyDocument=DENY_ALL, Tags=[tag("aws:x")])
    iam.untag_policy(PolicyArn=policy, TagKeys=["b", "c"])
    long = ["é" * 120 + f"{number:02}" for number in range(50)]
    iam.tag_policy(PolicyArn=policy, Tags=[tag(key) for key in long])
    found = pages(iam.list_policy_tags, "Tags", 20, PolicyArn=policy)
    assert [len(page) for page in found] == [20, 20, 10]
    assert sorted(one["Key"] for page in found for one in page) == long
    with refused("LimitExceeded"):
        iam.tag_policy(PolicyArn=policy, Tags=[tag("one-more")])


def names(iam, **more):
    """The names of the policies of one list."""
    return [one["PolicyName"] for one in iam.list_policies(**more)["Policies"]]


def test_lists_of_policies(iam):
    for name, path in (("beta", "/"), ("Alpha", "/team/"), ("gamma", "/team/a/")):
        iam.create_policy(PolicyName=name, Path=path, PolicyDocument=DENY_ALL, Description="d")
    own = ["Alpha", "beta", "gamma"]
    assert names(iam, Scope="Local") == own
    of_aws = names(iam, Scope="AWS")
    assert {"AdministratorAccess", "ReadOnlyAccess", "AWSKeyManagementServicePowerUser"} < set(
        of_aws
    )
    assert names(iam) == names(iam, Scope="All") == own + of_aws
    assert names(iam, PathPrefix="/team/") == ["Alpha", "gamma"]
    assert names(iam, PathPrefix="/job-function/") == ["SystemAdministrator", "ViewOnlyAccess"]
    assert names(iam, Scope="AWS", PathPrefix="/team/") == []
    assert names(iam, OnlyAttached=True) == []

    iam.create_user(UserName="alice")
    arns = {one["PolicyName"]: one["Arn"] for one in iam.list_policies()["Policies"]}
    for name in ("beta", "ReadOnlyAccess"):
        iam.attach_user_policy(UserName="alice", PolicyArn=arns[name])
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=arns["gamma"])
    assert names(iam, OnlyAttached=True) == ["beta", "ReadOnlyAccess"]
    assert names(iam, OnlyAttached=True, Scope="Local") == ["beta"]
    assert names(iam, PolicyUsageFilter="PermissionsBoundary") == ["gamma"]
    assert names(iam, PolicyUsageFilter="PermissionsPolicy") == ["beta", "ReadOnlyAccess"]
    found = pages(iam.list_policies, "Policies", 1, OnlyAttached=True)
    assert [one["PolicyName"] for page in found for one in page] == ["beta", "ReadOnlyAccess"]
    found = pages(iam.list_policies, "Policies", 2)
    assert [one["PolicyName"] for page in found for one in page] == own + of_aws
    listed = iam.list_policies(Scope="Local")["Policies"][0]
    assert not {"Description", "Tags"} & set(listed)


def test_policies_of_aws(iam):
    """Each can be told of, and what it says is a policy."""
    for listed in iam.list_policies(Scope="AWS")["Policies"]:
        told = iam.get_policy(PolicyArn=listed["Arn"])["Policy"]
        assert told == listed | {"Description": told["Description"], "Tags": []}
        assert told["Arn"] == aws_policy_arn(told["PolicyName"], told["Path"])
        assert told["CreateDate"] <= told["UpdateDate"]
        assert versions(iam, told["Arn"]) == [f"[{told['DefaultVersionId']}]"]
        version = iam.get_policy_version(
            PolicyArn=told["Arn"], VersionId=told["DefaultVersionId"]
        )["PolicyVersion"]
        assert version["Document"]["Version"] == "2012-10-17"
        assert iam.list_policy_tags(PolicyArn=told["Arn"])["Tags"] == []
    made = iam.get_policy(PolicyArn=aws_policy_arn("AdministratorAccess"))["Policy"]["CreateDate"]
    assert made == datetime.datetime(2015, 2, 6, 18, 39, 46, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize("name, allowed, denied", [
    ("AdministratorAccess", ["list_users", "create"], []),
    ("IAMReadOnlyAccess", ["list_users"], ["create"]),
    ("PowerUserAccess", ["list_roles"], ["list_users", "create"]),
    ("AWSKeyManagementServicePowerUser", ["list_users"], ["list_policies", "create"]),
    ("AWSDenyAll", [], ["list_users", "create"]),
])
def test_policies_of_aws_are_obeyed(server, iam, name, allowed, denied):
    iam.create_user(UserName="alice")
    iam.attach_user_policy(UserName="alice", PolicyArn=aws_policy_arn(name))
    alice = as_user(server, iam, "alice")

    def attempt(what):
        if what == "create":
            alice.create_policy(PolicyName="q", PolicyDocument=DENY_ALL)
        else:
            getattr(alice, what)()

    for what in allowed:
        attempt(what)
    for what in denied:
        with refused("AccessDenied"):
            attempt(what)


def test_each_operation_takes_its_permission(server, account, iam):
    iam.create_user(UserName="clerk")
    clerk = as_user(server, iam, "clerk")
    arn = policy_arn(account, "p", "/team/")
    for action, more in (
        ("CreatePolicy", None),
        ("GetPolicy", {}),
        ("CreatePolicyVersion", {"PolicyDocument": DENY_ALL}),
        ("GetPolicyVersion", {"VersionId": "v1"}),
        ("ListPolicyVersions", {}),
        ("SetDefaultPolicyVersion", {"VersionId": "v2"}),
        ("DeletePolicyVersion", {"VersionId": "v1"}),
        ("TagPolicy", {"Tags": [tag("a")]}),
        ("UntagPolicy", {"TagKeys": ["a"]}),
        ("ListPolicyTags", {}),
        ("ListEntitiesForPolicy", {}),
        ("DeletePolicy", {}),
    ):
        arguments = {"PolicyArn": arn, **(more or {})}
        if more is None:
            arguments = {"PolicyName": "p", "Path": "/team/", "PolicyDocument": ALLOW_LISTING}
        call = getattr(clerk, re.sub("(?<!^)(?=[A-Z])", "_", action).lower())
        with refused("AccessDenied", (
            f"User: arn:aws:iam::{account}:user/clerk is not authorized to perform: iam:{action} "
            f"on resource: {arn} because no identity-based policy allows the iam:{action} action"
        )):
            call(**arguments)
        allowed = document(statement(f"iam:{action}", policy_arn(account, "*", "/team/")))
        iam.put_user_policy(UserName="clerk", PolicyName="p", PolicyDocument=allowed)
        call(**arguments)
        iam.delete_user_policy(UserName="clerk", PolicyName="p")
    with refused("AccessDenied"):
        clerk.list_policies()


def test_conditions_on_tags(server, iam):
    iam.create_user(UserName="clerk")
    clerk = as_user(server, iam, "clerk")
    tagged = document(
        statement("iam:CreatePolicy", Condition={"StringEquals": {"aws:RequestTag/team": "a"}}),
        statement("iam:DeletePolicy", Condition={"StringEquals": {"iam:ResourceTag/team": "a"}}),
    )
    iam.put_user_policy(UserName="clerk", PolicyName="p", PolicyDocument=tagged)
    make = {"PolicyDocument": DENY_ALL, "Tags": [tag("team", "a")]}
    with refused("AccessDenied", re.compile(".* to perform: iam:TagPolicy on .*")):
        clerk.create_policy(PolicyName="q", **make)
    iam.put_user_policy(
        UserName="clerk", PolicyName="t", PolicyDocument=document(statement("iam:TagPolicy"))
    )
    mine = clerk.create_policy(PolicyName="q", **make)["Policy"]["Arn"]
    with refused("AccessDenied"):
        clerk.create_policy(PolicyName="r", PolicyDocument=DENY_ALL, Tags=[tag("team", "b")])
    other = iam.create_policy(PolicyName="r", PolicyDocument=DENY_ALL)["Policy"]["Arn"]
    clerk.delete_policy(PolicyArn=mine)
    with refused("AccessDenied"):
        clerk.delete_policy(PolicyArn=other)
