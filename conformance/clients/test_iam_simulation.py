"""Simulations of policies, and the condition keys that policies ask for."""

import json

import pytest

from expectations import refused
from iam_world import as_user, aws_policy_arn, document, policy_arn, statement

KEY = "arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
BUCKET = "arn:aws:s3:::bucket"
ALLOW = document(statement("kms:*"))
DENY = document(statement("kms:*", effect="Deny"))


def custom(iam, policies, actions="kms:Encrypt", **more):
    """The results of SimulateCustomPolicy; the one result, of a single action."""
    listed = [actions] if isinstance(actions, str) else actions
    answer = iam.simulate_custom_policy(PolicyInputList=policies, ActionNames=listed, **more)
    results = answer["EvaluationResults"]
    return results[0] if isinstance(actions, str) else results


def principal(iam, arn, action="kms:Encrypt", **more):
    """The one result of SimulatePrincipalPolicy."""
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], **more)
    return answer["EvaluationResults"][0]


def entry(key, *values, kind="string"):
    """An entry of the simulated request's context."""
    return {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": kind}


def sources(result):
    """The policies and their kinds that decided."""
    matched = result["MatchedStatements"]
    return [(each["SourcePolicyId"], each["SourcePolicyType"]) for each in matched]


# -- SimulateCustomPolicy -------------------------------------------------------------------


@pytest.mark.parametrize("policies, decision, matched", [
    ([ALLOW], "allowed", ["PolicyInputList.1"]),
    ([document(statement("s3:*"))], "implicitDeny", []),
    ([ALLOW, DENY], "explicitDeny", ["PolicyInputList.2"]),
    ([document(statement("s3:*")), ALLOW, ALLOW], "allowed",
     ["PolicyInputList.2", "PolicyInputList.3"]),
], ids=["allowed", "silent", "denied", "several"])
def test_decisions(iam, policies, decision, matched):
    result = custom(iam, policies)
    assert result == {
        "EvalActionName": "kms:Encrypt",
        "EvalResourceName": "*",
        "EvalDecision": decision,
        "MatchedStatements": [
            {"SourcePolicyId": name, "SourcePolicyType": "none"} for name in matched
        ],
        "MissingContextValues": [],
    }


def test_one_resource(iam):
    policies = [document(statement("kms:*", KEY))]
    result = custom(iam, policies, ResourceArns=[KEY])
    assert result["EvalResourceName"] == KEY and result["EvalDecision"] == "allowed"
    assert result["EvalDecisionDetails"] == {}
    specific = result["ResourceSpecificResults"]
    assert specific == [{
        "EvalResourceName": KEY,
        "EvalResourceDecision": "allowed",
        "MatchedStatements": result["MatchedStatements"],
        "MissingContextValues": [],
    }]
    assert custom(iam, policies)["EvalDecision"] == "implicitDeny"


def test_several_resources(iam):
    both = [KEY, BUCKET]
    result = custom(iam, [document(statement("kms:*", KEY))], ResourceArns=both)
    found = [
        (each["EvalResourceName"], each["EvalResourceDecision"])
        for each in result["ResourceSpecificResults"]
    ]
    assert found == [(KEY, "allowed"), (BUCKET, "implicitDeny")]
    assert result["EvalDecision"] == "allowed"
    denying = [ALLOW, document(statement("*", BUCKET, effect="Deny"))]
    result = custom(iam, denying, ResourceArns=both)
    found = [each["EvalResourceDecision"] for each in result["ResourceSpecificResults"]]
    assert found == ["allowed", "explicitDeny"] and result["EvalDecision"] == "explicitDeny"


def test_conditions_and_what_is_missing(iam):
    policy = document(statement("kms:*", Condition={
        "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
        "ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]},
        "NumericLessThan": {"kms:GrantCount": "7"},
        "Bool": {"aws:SecureTransport": "true"},
    }))
    keys = ["aws:SecureTransport", "aws:SourceIp", "aws:TagKeys", "kms:GrantCount"]
    result = custom(iam, [policy])
    assert result["EvalDecision"] == "implicitDeny"
    assert sorted(result["MissingContextValues"]) == keys
    given = [
        entry("AWS:sourceip", "203.0.113.9", kind="ip"),
        entry("aws:TagKeys", "b", "a", kind="stringList"),
        entry("kms:GrantCount", "6", kind="numeric"),
    ]
    result = custom(iam, [policy], ContextEntries=given, ResourceArns=[KEY])
    assert result["EvalDecision"] == "implicitDeny" and result["MissingContextValues"] == []
    specific = result["ResourceSpecificResults"][0]
    assert specific["MissingContextValues"] == ["aws:SecureTransport"]
    given.append(entry("aws:SecureTransport", "true", kind="boolean"))
    result = custom(iam, [policy], ContextEntries=given)
    assert result["EvalDecision"] == "allowed" and result["MissingContextValues"] == []


def test_a_permissions_boundary(iam):
    bound = {"PermissionsBoundaryPolicyInputList": [document(statement("kms:Encrypt"))]}
    result = custom(iam, [ALLOW], **bound)
    assert result["EvalDecision"] == "allowed"
    detail = "PermissionsBoundaryDecisionDetail"
    assert result[detail] == {"AllowedByPermissionsBoundary": True}
    result = custom(iam, [ALLOW], "kms:Decrypt", **bound)
    assert result["EvalDecision"] == "implicitDeny" and result["MatchedStatements"] == []
    assert result[detail] == {"AllowedByPermissionsBoundary": False}
    with refused("InvalidInput"):
        custom(iam, [ALLOW], PermissionsBoundaryPolicyInputList=[ALLOW, ALLOW])


def test_policies_of_an_organization(iam):
    def levels(*policies):
        return {"OrderedOrganizationPolicyInputList": [
            {"ServiceControlPolicyInputList": [policy]} for policy in policies
        ]}

    for policies, decision, allowed in [
        ((ALLOW, ALLOW), "allowed", True),
        ((ALLOW, document(statement("s3:*"))), "implicitDeny", False),
        ((DENY, ALLOW), "explicitDeny", False),
    ]:
        result = custom(iam, [ALLOW], **levels(*policies))
        assert result["EvalDecision"] == decision
        assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": allowed}


def test_a_policy_of_the_resource(account, guest, iam):
    user = f"arn:aws:iam::{account}:user/alice"
    open_to_alice = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "s3:*", "Resource": "*"},
    ]})
    given = {"ResourceArns": [BUCKET], "ResourcePolicy": open_to_alice, "CallerArn": user}
    result = custom(iam, [ALLOW], "s3:GetObject", **given)
    assert result["EvalDecision"] == "allowed"
    assert sources(result) == [("ResourcePolicy", "resource")]
    other = given | {"CallerArn": user.replace("alice", "bob")}
    assert custom(iam, [ALLOW], "s3:GetObject", **other)["EvalDecision"] == "implicitDeny"
    # Across accounts the caller's own side must allow too.
    foreign = given | {"ResourceOwner": f"arn:aws:iam::{guest}:root"}
    result = custom(iam, [ALLOW], "s3:GetObject", **foreign)
    assert result["EvalDecision"] == "implicitDeny"
    details = {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}
    assert result["EvalDecisionDetails"] == details
    result = custom(iam, [document(statement("s3:*"))], "s3:GetObject", **foreign)
    assert result["EvalDecision"] == "allowed"


def test_the_policy_of_a_key_decides_whether_others_count(account, iam):
    key = KEY.replace("111122223333", account)
    user = f"arn:aws:iam::{account}:user/alice"

    def policy(principal_arn):
        return json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": principal_arn}, "Action": "kms:*",
            "Resource": "*",
        }]})

    given = {"ResourceArns": [key], "CallerArn": user}
    delegating, closed = policy(f"arn:aws:iam::{account}:root"), policy(user.replace("al", "be"))
    assert custom(iam, [ALLOW], ResourcePolicy=delegating, **given)["EvalDecision"] == "allowed"
    assert custom(iam, [], ResourcePolicy=delegating, **given)["EvalDecision"] == "implicitDeny"
    assert custom(iam, [ALLOW], ResourcePolicy=closed, **given)["EvalDecision"] == "implicitDeny"


def test_pages(iam):
    actions = [f"kms:Action{number:02}" for number in range(25)]
    found, marker = [], {}
    while True:
        page = iam.simulate_custom_policy(
            PolicyInputList=[ALLOW], ActionNames=actions, MaxItems=10, **marker
        )
        found.append([each["EvalActionName"] for each in page["EvaluationResults"]])
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert [len(page) for page in found] == [10, 10, 5] and sum(found, []) == actions
    with refused("ValidationError"):
        custom(iam, [ALLOW], Marker="x")


@pytest.mark.parametrize("more", [
    {"policies": ["{}"]},
    {"actions": "kms"},
    {"actions": "kms:*"},
    {"ResourceArns": ["bucket"]},
    {"ResourceArns": [f"{BUCKET}{number}" for number in range(1001)]},
    {"CallerArn": "arn:aws:iam::111122223333:role/r"},
    {"ResourceOwner": "111122223333"},
    {"ResourcePolicy": ALLOW, "CallerArn": "arn:aws:iam::111122223333:user/a"},
    {"ResourcePolicy": document(statement("s3:*", Principal="*"))},
    {"ContextEntries": [entry("aws:SourceIp", "nowhere", kind="ip")]},
    {"ContextEntries": [entry("aws:SecureTransport", "yes", kind="boolean")]},
    {"ContextEntries": [entry("aws:EpochTime", "soon", kind="numeric")]},
    {"ContextEntries": [entry("aws:username", "a", "b")]},
    {"ContextEntries": [entry("aws:username")]},
    {"ContextEntries": [{"ContextKeyValues": ["a"]}]},
], ids=[
    "policy", "no-service", "wildcard", "no-arn", "resources", "role", "owner", "no-principal",
    "no-caller", "ip", "boolean", "numeric", "two", "none", "no-name",
])
def test_inputs_that_are_refused(iam, more):
    arguments = {"policies": [ALLOW]} | more
    with refused("InvalidInput"):
        custom(iam, **arguments)


# -- SimulatePrincipalPolicy ----------------------------------------------------------------


@pytest.fixture
def alice(account, iam):
    """A user with policies of every kind; her ARN."""
    user = iam.create_user(UserName="alice", Path="/p/")["User"]["Arn"]
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="alice")
    iam.create_policy(PolicyName="m", PolicyDocument=document(statement("kms:Decrypt")))
    iam.put_user_policy(
        UserName="alice", PolicyName="own", PolicyDocument=document(statement("kms:Encrypt"))
    )
    iam.put_group_policy(
        GroupName="g", PolicyName="own", PolicyDocument=document(statement("kms:Sign"))
    )
    iam.attach_user_policy(UserName="alice", PolicyArn=policy_arn(account, "m"))
    iam.attach_group_policy(GroupName="g", PolicyArn=aws_policy_arn("IAMReadOnlyAccess"))
    return user


@pytest.mark.parametrize("action, source", [
    ("kms:Encrypt", ("user_alice_own", "user")),
    ("kms:Sign", ("group_g_own", "group")),
    ("kms:Decrypt", ("m", "user-managed")),
    ("iam:GetUser", ("IAMReadOnlyAccess", "aws-managed")),
], ids=["user", "group", "managed", "aws"])
def test_policies_of_a_user(iam, alice, action, source):
    result = principal(iam, alice, action)
    assert result["EvalDecision"] == "allowed" and sources(result) == [source]
    assert principal(iam, alice, "kms:Verify")["EvalDecision"] == "implicitDeny"
    more = principal(iam, alice, action, PolicyInputList=[DENY, document(
        statement("iam:*", effect="Deny")
    )])
    assert more["EvalDecision"] == "explicitDeny"


@pytest.mark.parametrize("action, exclusion", [
    ("kms:Encrypt", {"PolicyType": "inline"}),
    ("kms:Encrypt", {"InlinePolicyIdentifier": {
        "PolicyName": "own", "AttachmentType": "user", "AttachmentName": "alice"}}),
    ("kms:Sign", {"InlinePolicyIdentifier": {
        "PolicyName": "own", "AttachmentType": "group", "AttachmentName": "g"}}),
    ("kms:Decrypt", {"PolicyType": "user-managed"}),
    ("kms:Decrypt", {"PolicyArn": "m"}),
    ("iam:GetUser", {"PolicyType": "aws-managed"}),
], ids=["inline", "of-the-user", "of-the-group", "own", "by-arn", "aws"])
def test_policies_are_left_out(account, iam, alice, action, exclusion):
    if "PolicyArn" in exclusion:
        exclusion = {"PolicyArn": policy_arn(account, "m")}
    result = principal(iam, alice, action, PolicyExclusionList=[exclusion])
    assert result["EvalDecision"] == "implicitDeny"
    other = [{"PolicyType": "scp"}]
    assert principal(iam, alice, action, PolicyExclusionList=other)["EvalDecision"] == "allowed"


def test_the_boundary_of_a_user(account, iam, alice):
    iam.put_user_permissions_boundary(
        UserName="alice", PermissionsBoundary=policy_arn(account, "m")
    )
    result = principal(iam, alice)
    detail = "PermissionsBoundaryDecisionDetail"
    assert result["EvalDecision"] == "implicitDeny"
    assert result[detail] == {"AllowedByPermissionsBoundary": False}
    assert principal(iam, alice, "kms:Decrypt")["EvalDecision"] == "allowed"
    # Another one can be tried in its place, or none.
    given = {"PermissionsBoundaryPolicyInputList": [ALLOW]}
    assert principal(iam, alice, **given)["EvalDecision"] == "allowed"
    left_out = [{"PolicyType": "permission-boundary"}]
    result = principal(iam, alice, PolicyExclusionList=left_out)
    assert result["EvalDecision"] == "allowed" and detail not in result


def test_what_is_simulated_is_what_happens(server, account, iam, alice):
    client = as_user(server, iam, "alice")
    assert principal(iam, alice, "iam:GetUser", ResourceArns=[alice])["EvalDecision"] == "allowed"
    assert client.get_user()["User"]["Arn"] == alice
    iam.detach_group_policy(GroupName="g", PolicyArn=aws_policy_arn("IAMReadOnlyAccess"))
    result = principal(iam, alice, "iam:GetUser", ResourceArns=[alice])
    assert result["EvalDecision"] == "implicitDeny"
    with refused("AccessDenied"):
        client.get_user()


def test_groups_and_roles(account, iam, alice):
    group = f"arn:aws:iam::{account}:group/g"
    assert principal(iam, group, "kms:Sign")["EvalDecision"] == "allowed"
    assert principal(iam, group)["EvalDecision"] == "implicitDeny"
    trust = {"Statement": {
        "Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}}
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=ALLOW)
    result = principal(iam, role)
    assert result["EvalDecision"] == "allowed" and sources(result) == [("role_r_p", "role")]


def test_principals_that_are_refused(server, account, guest, iam, alice):
    for arn, code in [
        (f"arn:aws:iam::{account}:user/nobody", "NoSuchEntity"),
        # The path and the account are part of the name.
        (f"arn:aws:iam::{account}:user/alice", "NoSuchEntity"),
        (alice.replace(account, guest), "NoSuchEntity"),
        (f"arn:aws:iam::{account}:role/alice", "NoSuchEntity"),
        (f"arn:aws:iam::{account}:root", "InvalidInput"),
        (policy_arn(account, "m"), "InvalidInput"),
    ]:
        with refused(code):
            principal(iam, arn)
        with refused(code):
            iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)
    both = [{"PolicyType": "inline", "PolicyArn": policy_arn(account, "m")}]
    lenient = server.client("iam", account, validate=False)
    with refused("InvalidInput"):
        principal(lenient, alice, PolicyExclusionList=both)
    open_to_all = document(statement("kms:*", Principal="*"))
    with refused("InvalidInput"):
        principal(iam, f"arn:aws:iam::{account}:group/g", ResourcePolicy=open_to_all)


def test_permissions_are_asked_of_the_principal(server, account, iam, alice):
    iam.detach_group_policy(GroupName="g", PolicyArn=aws_policy_arn("IAMReadOnlyAccess"))
    client = as_user(server, iam, "alice")
    with refused("AccessDenied"):
        principal(client, alice)
    with refused("AccessDenied"):
        client.get_context_keys_for_principal_policy(PolicySourceArn=alice)
    with refused("AccessDenied"):
        custom(client, [ALLOW])
    with refused("AccessDenied"):
        client.get_context_keys_for_custom_policy(PolicyInputList=[ALLOW])
    iam.put_user_policy(UserName="alice", PolicyName="s", PolicyDocument=document(
        statement("iam:SimulatePrincipalPolicy", alice), statement("iam:SimulateCustomPolicy")
    ))
    assert principal(client, alice)["EvalDecision"] == "allowed"
    assert custom(client, [ALLOW])["EvalDecision"] == "allowed"
    with refused("AccessDenied"):
        principal(client, f"arn:aws:iam::{account}:group/g")


# -- condition keys -------------------------------------------------------------------------


def test_condition_keys_of_policies(iam, alice):
    policy = document(statement(
        "kms:*", "arn:aws:s3:::b/${aws:UserName}",
        Condition={"StringEquals": {"kms:ViaService": "x", "aws:PrincipalTag/Team": "y"}},
    ))
    keys = {"aws:UserName", "kms:ViaService", "aws:PrincipalTag/Team"}
    answer = iam.get_context_keys_for_custom_policy(PolicyInputList=[policy, ALLOW])
    assert set(answer["ContextKeyNames"]) == keys and len(answer["ContextKeyNames"]) == 3
    named = {"PolicySourceArn": alice}
    assert iam.get_context_keys_for_principal_policy(**named)["ContextKeyNames"] == []
    iam.put_group_policy(GroupName="g", PolicyName="c", PolicyDocument=policy)
    answer = iam.get_context_keys_for_principal_policy(**named)
    assert set(answer["ContextKeyNames"]) == keys
    extra = document(statement("*", Condition={"Bool": {"aws:SecureTransport": "true"}}))
    answer = iam.get_context_keys_for_principal_policy(**named, PolicyInputList=[extra])
    assert set(answer["ContextKeyNames"]) == keys | {"aws:SecureTransport"}
    with refused("InvalidInput"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"])
