"""Managed policies attached to users, groups and roles, and permissions boundaries."""

import concurrent.futures

import pytest
from botocore.exceptions import ClientError

from expectations import refused
from iam_world import (
    ALLOW_LISTING, BOUNDED, DENY_ALL, KINDS, as_user, aws_policy_arn, document, pages,
    policy_arn, statement,
)

kinds = pytest.mark.parametrize("kind", KINDS, ids=repr)
bounded = pytest.mark.parametrize("kind", BOUNDED, ids=repr)
SERVICE_ROLE_POLICY = aws_policy_arn(
    "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy", "/aws-service-role/"
)


@pytest.fixture
def policy(iam):
    """The ARN of a policy of the account."""
    made = iam.create_policy(PolicyName="listing", Path="/team/", PolicyDocument=ALLOW_LISTING)
    return made["Policy"]["Arn"]


def attached(kind, iam, name="alice", **more):
    """The ARNs of the policies attached to one."""
    answer = kind.call(iam, "list_attached_{}_policies", name, **more)
    return [one["PolicyArn"] for one in answer["AttachedPolicies"]]


def counts(iam, arn):
    """How often a policy is attached, and how often it is a boundary."""
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    return policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]


def holders(iam, arn, **more):
    """The names of all that a policy is attached to, sorted regardless of their case."""
    answer = iam.list_entities_for_policy(PolicyArn=arn, **more)
    return {
        kind.name: sorted(
            (one[kind.member] for one in answer[f"Policy{kind.name}s"]), key=str.lower
        )
        for kind in KINDS
    }


@kinds
def test_attaching_listing_detaching(kind, iam, account, policy):
    kind.make(iam, account, "alice")
    reading = aws_policy_arn("IAMReadOnlyAccess")
    viewing = aws_policy_arn("ViewOnlyAccess", "/job-function/")
    for arn in (policy, reading, viewing, policy):
        kind.call(iam, "attach_{}_policy", "ALICE", PolicyArn=arn)
    listed = kind.call(iam, "list_attached_{}_policies", "alice")
    assert {(one["PolicyName"], one["PolicyArn"]) for one in listed["AttachedPolicies"]} == {
        ("listing", policy), ("IAMReadOnlyAccess", reading), ("ViewOnlyAccess", viewing),
    }
    assert listed["IsTruncated"] is False
    assert attached(kind, iam, PathPrefix="/team/") == [policy]
    assert attached(kind, iam, PathPrefix="/job-function/") == [viewing]
    assert attached(kind, iam, PathPrefix="/nowhere/") == []
    assert counts(iam, policy) == (1, 0)

    kind.call(iam, "detach_{}_policy", "alice", PolicyArn=policy)
    assert sorted(attached(kind, iam)) == sorted([reading, viewing])
    assert counts(iam, policy) == (0, 0)
    with refused("NoSuchEntity", f"Policy {policy} was not found."):
        kind.call(iam, "detach_{}_policy", "alice", PolicyArn=policy)


@kinds
def test_a_list_has_pages(kind, iam, account):
    kind.make(iam, account, "alice")
    path = "/" + "p" * 500 + "/"
    for number in range(5):
        name = f"{number}" * 128
        arn = iam.create_policy(
            PolicyName=name, Path=path, PolicyDocument=ALLOW_LISTING
        )["Policy"]["Arn"]
        kind.call(iam, "attach_{}_policy", "alice", PolicyArn=arn)
    call = getattr(iam, f"list_attached_{kind.name.lower()}_policies")
    found = pages(call, "AttachedPolicies", 2, **{kind.member: "alice"})
    assert [[one["PolicyName"][0] for one in page] for page in found] == [
        ["0", "1"], ["2", "3"], ["4"],
    ]


@kinds
def test_what_can_not_be_attached(kind, iam, account, policy):
    kind.make(iam, account, "alice")

    def attach(arn, name="alice"):
        kind.call(iam, "attach_{}_policy", name, PolicyArn=arn)

    with refused("NoSuchEntity", f"The {kind.name.lower()} with name nobody cannot be found."):
        attach(policy, "nobody")
    with refused("NoSuchEntity", f"The {kind.name.lower()} with name nobody cannot be found."):
        kind.call(iam, "detach_{}_policy", "nobody", PolicyArn=policy)
    with refused("NoSuchEntity", f"The {kind.name.lower()} with name nobody cannot be found."):
        attached(kind, iam, "nobody")
    other = str(int(account) + 1)
    for arn in (
        policy_arn(account, "absent"), policy_arn(account, "listing"), policy_arn(other, "x"),
        aws_policy_arn("NoSuchPolicyOfAWS"), policy_arn(account, "LISTING", "/team/"),
    ):
        with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable."):
            attach(arn)
    for text in (
        "no arn at all, yet long", f"arn:aws:iam::{account}:user/alice", policy + "/",
        policy.replace("iam:", "kms:"), policy.replace("iam::", "iam:eu-west-1:"),
        policy.replace("arn:aws:", "arn:aws-cn:"), f"arn:aws:iam::{account}:policy/",
    ):
        code = "NoSuchEntity" if text == policy + "/" else "InvalidInput"
        with refused(code):
            attach(text)
    with refused("InvalidInput", "ARN no arn at all, yet long is not valid."):
        kind.call(iam, "detach_{}_policy", "alice", PolicyArn="no arn at all, yet long")
    with refused("PolicyNotAttachable"):
        attach(SERVICE_ROLE_POLICY)
    assert attached(kind, iam) == []


@kinds
def test_ten_at_most(kind, iam, account):
    kind.make(iam, account, "alice")
    arns = [
        iam.create_policy(PolicyName=f"p{number}", PolicyDocument=ALLOW_LISTING)["Policy"]["Arn"]
        for number in range(11)
    ]
    for arn in arns[:10]:
        kind.call(iam, "attach_{}_policy", "alice", PolicyArn=arn)
    with refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: 10"):
        kind.call(iam, "attach_{}_policy", "alice", PolicyArn=arns[10])
    kind.call(iam, "attach_{}_policy", "alice", PolicyArn=arns[0])
    kind.call(iam, "detach_{}_policy", "alice", PolicyArn=arns[0])
    kind.call(iam, "attach_{}_policy", "alice", PolicyArn=arns[10])


def test_an_attachment_is_in_force_when_it_is_answered(server, iam, policy):
    iam.create_user(UserName="alice")
    alice = as_user(server, iam, "alice")
    for _ in range(5):
        with refused("AccessDenied"):
            alice.list_users()
        iam.attach_user_policy(UserName="alice", PolicyArn=policy)
        alice.list_users()
        iam.detach_user_policy(UserName="alice", PolicyArn=policy)
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="alice")
    iam.attach_group_policy(GroupName="staff", PolicyArn=policy)
    alice.list_users()
    iam.detach_group_policy(GroupName="staff", PolicyArn=policy)
    with refused("AccessDenied"):
        alice.list_users()


@bounded
def test_boundaries(kind, iam, account, policy):
    kind.make(iam, account, "alice")
    other = aws_policy_arn("IAMReadOnlyAccess")

    def boundary():
        made = kind.call(iam, "get_{}", "alice")[kind.name]
        return made.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")

    # Without one, there is nothing to delete, and that is no error.
    kind.call(iam, "delete_{}_permissions_boundary", "alice")
    for arn in (policy, other, other, policy):
        kind.call(iam, "put_{}_permissions_boundary", "ALICE", PermissionsBoundary=arn)
        assert boundary() == arn
        assert counts(iam, arn) == (0, 1)
        assert counts(iam, other if arn == policy else policy) == (0, 0)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        iam.delete_policy(PolicyArn=policy)
    kind.call(iam, "delete_{}_permissions_boundary", "Alice")
    assert boundary() is None
    assert counts(iam, policy) == (0, 0)
    iam.delete_policy(PolicyArn=policy)


@bounded
def test_what_can_not_be_a_boundary(kind, iam, account, policy):
    absent = f"The {kind.name.lower()} with name nobody cannot be found."
    with refused("NoSuchEntity", absent):
        kind.call(iam, "put_{}_permissions_boundary", "nobody", PermissionsBoundary=policy)
    with refused("NoSuchEntity", absent):
        kind.call(iam, "delete_{}_permissions_boundary", "nobody")
    kind.make(iam, account, "alice")
    for code, arn in (
        ("InvalidInput", f"arn:aws:iam::{account}:user/alice"),
        ("NoSuchEntity", policy_arn(account, "absent")),
        ("PolicyNotAttachable", SERVICE_ROLE_POLICY),
    ):
        with refused(code):
            kind.call(iam, "put_{}_permissions_boundary", "alice", PermissionsBoundary=arn)


def test_a_boundary_is_in_force_when_it_is_answered(server, iam, policy):
    iam.create_user(UserName="alice")
    alice = as_user(server, iam, "alice")
    iam.attach_user_policy(UserName="alice", PolicyArn=aws_policy_arn("AdministratorAccess"))
    for _ in range(5):
        alice.list_groups()
        iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=policy)
        alice.list_users()
        with refused("AccessDenied"):
            alice.list_groups()
        iam.delete_user_permissions_boundary(UserName="alice")


def test_whom_a_policy_is_attached_to(iam, account, policy):
    for kind in KINDS:
        for name, path in (("Beta", "/"), ("alpha", "/team/")):
            kind.make(iam, account, f"{kind.name}{name}", Path=path)
            kind.call(iam, "attach_{}_policy", f"{kind.name}{name}", PolicyArn=policy)
    for kind in BOUNDED:
        kind.make(iam, account, f"{kind.name}bounded", PermissionsBoundary=policy)
        kind.call(
            iam, "put_{}_permissions_boundary", f"{kind.name}alpha", PermissionsBoundary=policy
        )
    assert counts(iam, policy) == (6, 4)
    both = ["{}alpha", "{}Beta"]
    found = {
        kind.name: [name.format(kind.name) for name in both + ["{}bounded"]] for kind in KINDS
    }
    found["Group"].pop()
    assert holders(iam, policy) == found
    assert holders(iam, policy, PathPrefix="/team/") == {
        kind.name: [f"{kind.name}alpha"] for kind in KINDS
    }
    for kind in KINDS:
        only = {other.name: [] for other in KINDS} | {kind.name: found[kind.name]}
        assert holders(iam, policy, EntityFilter=kind.name) == only
    for policies in ("LocalManagedPolicy", "AWSManagedPolicy"):
        assert not any(holders(iam, policy, EntityFilter=policies).values())
    assert holders(iam, policy, PolicyUsageFilter="PermissionsPolicy") == {
        kind.name: [name.format(kind.name) for name in both] for kind in KINDS
    }
    assert holders(iam, policy, PolicyUsageFilter="PermissionsBoundary") == {
        "User": ["Useralpha", "Userbounded"], "Group": [], "Role": ["Rolealpha", "Rolebounded"],
    }
    answer = iam.list_entities_for_policy(PolicyArn=policy, EntityFilter="Role")
    assert answer["PolicyRoles"][0]["RoleId"].startswith("AROA")
    assert holders(iam, aws_policy_arn("ReadOnlyAccess")) == {k.name: [] for k in KINDS}


def test_whom_a_policy_is_attached_to_has_pages(iam, account, policy):
    for kind in KINDS:
        for number in range(3):
            kind.make(iam, account, f"{kind.name}{number}")
            kind.call(iam, "attach_{}_policy", f"{kind.name}{number}", PolicyArn=policy)
    found, sizes, marker = [], [], {}
    while True:
        page = iam.list_entities_for_policy(PolicyArn=policy, MaxItems=2, **marker)
        names = [one[kind.member] for kind in KINDS for one in page[f"Policy{kind.name}s"]]
        found += names
        sizes.append(len(names))
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert sizes == [2, 2, 2, 2, 1]
    assert sorted(found) == sorted(f"{kind.name}{n}" for kind in KINDS for n in range(3))


@kinds
def test_each_operation_takes_its_permission(kind, server, account, iam, policy):
    iam.create_user(UserName="clerk")
    clerk = as_user(server, iam, "clerk")
    target = kind.make(iam, account, "alice")["Arn"]
    operations = [
        (f"Attach{kind}Policy", "attach_{}_policy", {"PolicyArn": policy}),
        (f"ListAttached{kind}Policies", "list_attached_{}_policies", {}),
        (f"Detach{kind}Policy", "detach_{}_policy", {"PolicyArn": policy}),
    ]
    if kind in BOUNDED:
        operations += [
            (f"Put{kind}PermissionsBoundary", "put_{}_permissions_boundary",
             {"PermissionsBoundary": policy}),
            (f"Delete{kind}PermissionsBoundary", "delete_{}_permissions_boundary", {}),
        ]
    for action, operation, more in operations:
        with refused("AccessDenied"):
            kind.call(clerk, operation, "alice", **more)
        allowed = document(statement(f"iam:{action}", target))
        iam.put_user_policy(UserName="clerk", PolicyName="p", PolicyDocument=allowed)
        kind.call(clerk, operation, "alice", **more)
        iam.delete_user_policy(UserName="clerk", PolicyName="p")


@kinds
def test_conditions_on_the_policy(kind, server, account, iam, policy):
    """Who may attach only certain policies can't give more than those."""
    iam.create_user(UserName="clerk")
    clerk = as_user(server, iam, "clerk")
    kind.make(iam, account, "alice")
    allowed = document(statement(
        [f"iam:Attach{kind}Policy", f"iam:Detach{kind}Policy"],
        Condition={"ArnLike": {"iam:PolicyARN": f"arn:aws:iam::{account}:policy/team/*"}},
    ))
    iam.put_user_policy(UserName="clerk", PolicyName="p", PolicyDocument=allowed)
    kind.call(clerk, "attach_{}_policy", "alice", PolicyArn=policy)
    kind.call(clerk, "detach_{}_policy", "alice", PolicyArn=policy)
    with refused("AccessDenied"):
        kind.call(
            clerk, "attach_{}_policy", "alice", PolicyArn=aws_policy_arn("AdministratorAccess")
        )


def test_a_policy_is_deleted_or_attached_but_never_both(server, account, iam):
    """Attaching and deleting at the same moment leave no attachment without its policy."""
    for number in range(3):
        iam.create_user(UserName=f"u{number}")

    def attempt(call):
        try:
            call()
            return True
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("DeleteConflict", "NoSuchEntity"), error
            return False

    clients = [server.client("iam", account) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for turn in range(25):
            made = iam.create_policy(PolicyName=f"p{turn}", PolicyDocument=DENY_ALL)
            arn = made["Policy"]["Arn"]
            calls = [
                lambda n=n: clients[n].attach_user_policy(UserName=f"u{n}", PolicyArn=arn)
                for n in range(3)
            ] + [lambda: clients[3].delete_policy(PolicyArn=arn)]
            *attachments, deleted = pool.map(attempt, calls)
            assert deleted != any(attachments), (attachments, deleted)
            for number, done in enumerate(attachments):
                listed = iam.list_attached_user_policies(UserName=f"u{number}")
                assert bool(listed["AttachedPolicies"]) == done
                if done:
                    iam.detach_user_policy(UserName=f"u{number}", PolicyArn=arn)
            if not deleted:
                iam.delete_policy(PolicyArn=arn)


def test_a_role_of_a_service_is_its_own(iam):
    """Service-linked roles are changed by nobody in the account."""
    made = iam.create_service_linked_role(AWSServiceName="mrk.kms.amazonaws.com")["Role"]
    name = made["RoleName"]
    reading = aws_policy_arn("ReadOnlyAccess")
    for call in (
        lambda: iam.put_role_policy(
            RoleName=name, PolicyName="p", PolicyDocument=ALLOW_LISTING
        ),
        lambda: iam.delete_role_policy(RoleName=name, PolicyName="p"),
        lambda: iam.attach_role_policy(RoleName=name, PolicyArn=reading),
        lambda: iam.detach_role_policy(RoleName=name, PolicyArn=reading),
        lambda: iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=reading),
        lambda: iam.delete_role_permissions_boundary(RoleName=name),
    ):
        with refused("UnmodifiableEntity", (
            f"Cannot perform the operation on the protected role '{name}' - this role is only "
            "modifiable by AWS"
        )):
            call()
