"""What IAM tells of an account as a whole: aliases, counts, and who may do what."""

import json
import urllib.parse

import pytest
from botocore.handlers import json_decode_policies

from access import client, new_key
from expectations import refused
from iam_world import ALLOW_LISTING, KINDS, aws_policy_arn, document, policy_arn, statement

READ_ONLY = aws_policy_arn("IAMReadOnlyAccess")


def aliases(iam):
    """The aliases that ListAccountAliases answers."""
    answer = iam.list_account_aliases()
    assert answer["IsTruncated"] is False
    return answer["AccountAliases"]


@pytest.fixture
def alias(account):
    """An alias that no other test uses."""
    return f"company-{account}"


# -- aliases --------------------------------------------------------------------------------


def test_an_account_has_one_alias(iam, alias):
    assert aliases(iam) == []
    iam.create_account_alias(AccountAlias=alias)
    assert aliases(iam) == [alias]
    # Another one takes its place.
    iam.create_account_alias(AccountAlias=f"{alias}-2")
    assert aliases(iam) == [f"{alias}-2"]
    iam.delete_account_alias(AccountAlias=f"{alias}-2")
    assert aliases(iam) == []


def test_an_alias_is_one_accounts_alone(server, guest, iam, alias):
    theirs = server.client("iam", guest)
    iam.create_account_alias(AccountAlias=alias)
    for caller in [iam, theirs]:
        with refused("EntityAlreadyExists", f"The account alias {alias} already exists."):
            caller.create_account_alias(AccountAlias=alias)
    with refused("NoSuchEntity"):
        theirs.delete_account_alias(AccountAlias=alias)
    assert (aliases(iam), aliases(theirs)) == ([alias], [])
    # One that was given up, or replaced, is free.
    iam.create_account_alias(AccountAlias=f"{alias}-new")
    theirs.create_account_alias(AccountAlias=alias)
    iam.delete_account_alias(AccountAlias=f"{alias}-new")
    theirs.create_account_alias(AccountAlias=f"{alias}-new")
    assert (aliases(iam), aliases(theirs)) == ([], [f"{alias}-new"])


@pytest.mark.parametrize("bad", ["ab", "-abc", "abc-", "a--b", "Abc", "a_b", "a" * 64])
def test_aliases_that_are_none(server, account, bad):
    lenient = server.client("iam", account, validate=False)
    for call in [lenient.create_account_alias, lenient.delete_account_alias]:
        with refused("ValidationError"):
            call(AccountAlias=bad)


# -- GetAccountSummary ----------------------------------------------------------------------


def test_an_empty_account(iam):
    summary = iam.get_account_summary()["SummaryMap"]
    model = iam.meta.service_model.shape_for("summaryKeyType")
    assert set(summary) == set(model.enum)
    counts = {key: value for key, value in summary.items() if not key.endswith("Quota")}
    assert counts.pop("GlobalEndpointTokenVersion") == 1
    assert set(counts.values()) == {0}
    for key, value in {
        "UsersQuota": 5000, "GroupsQuota": 300, "RolesQuota": 1000, "PoliciesQuota": 1500,
        "AccessKeysPerUserQuota": 2, "GroupsPerUserQuota": 10, "VersionsPerPolicyQuota": 5,
        "PolicySizeQuota": 6144, "UserPolicySizeQuota": 2048, "GroupPolicySizeQuota": 5120,
        "RolePolicySizeQuota": 10240, "AssumeRolePolicySizeQuota": 2048,
        "AttachedPoliciesPerUserQuota": 10, "PolicyVersionsInUseQuota": 10000,
    }.items():
        assert summary[key] == value, key


def test_what_comes_and_goes_is_counted(account, iam):
    def counted():
        summary = iam.get_account_summary()["SummaryMap"]
        keys = ["Users", "Groups", "Roles", "Policies", "PolicyVersionsInUse"]
        return [summary[key] for key in [*keys, "AccountAccessKeysPresent"]]

    for kind in KINDS:
        for name in "ab":
            kind.make(iam, account, name)
    iam.create_policy(PolicyName="p", PolicyDocument=ALLOW_LISTING)
    arn = policy_arn(account, "p")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW_LISTING)
    root = new_key(iam)["AccessKeyId"]
    assert counted() == [2, 2, 2, 1, 2, 1]
    iam.update_user(UserName="a", NewUserName="c")
    iam.update_group(GroupName="a", NewGroupName="c")
    assert counted() == [2, 2, 2, 1, 2, 1]
    iam.delete_access_key(AccessKeyId=root)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_user(UserName="c")
    iam.delete_group(GroupName="c")
    iam.delete_role(RoleName="a")
    assert counted() == [1, 1, 1, 1, 1, 0]
    iam.delete_policy(PolicyArn=arn)
    assert counted() == [1, 1, 1, 0, 0, 0]


# -- GetAccountAuthorizationDetails ---------------------------------------------------------

LISTS = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]
NAMES = ["UserName", "GroupName", "RoleName", "PolicyName"]


def named(answer):
    """The names that an answer has, list by list."""
    return [[item[name] for item in answer[key]] for key, name in zip(LISTS, NAMES)]


@pytest.fixture
def company(account, iam):
    """An account with two of each, and policies in every place; the ARN of its own policy."""
    iam.create_policy(PolicyName="own", Path="/x/", PolicyDocument=ALLOW_LISTING,
                      Description="Lists users")
    arn = policy_arn(account, "own", "/x/")
    iam.create_policy(PolicyName="unused", PolicyDocument=ALLOW_LISTING)
    for kind in KINDS:
        for name in "ab":
            kind.make(iam, account, name)
        kind.call(iam, "put_{}_policy", "a", PolicyName="in", PolicyDocument=ALLOW_LISTING)
        kind.call(iam, "attach_{}_policy", "a", PolicyArn=arn)
    iam.put_user_permissions_boundary(UserName="a", PermissionsBoundary=arn)
    iam.tag_user(UserName="a", Tags=[{"Key": "team", "Value": "blue"}])
    iam.add_user_to_group(UserName="a", GroupName="b")
    iam.attach_role_policy(RoleName="b", PolicyArn=READ_ONLY)
    return arn


def test_all_that_gives_permissions(account, iam, company):
    answer = iam.get_account_authorization_details()
    assert answer["IsTruncated"] is False
    everything = [["a", "b"], ["a", "b"], ["a", "b"], ["own", "unused", "IAMReadOnlyAccess"]]
    assert named(answer) == everything
    listing = json.loads(ALLOW_LISTING)
    inline = [{"PolicyName": "in", "PolicyDocument": listing}]
    attached = [{"PolicyName": "own", "PolicyArn": company}]

    user, other = answer["UserDetailList"]
    told = iam.get_user(UserName="a")["User"]
    for member in ["Path", "UserName", "UserId", "Arn", "CreateDate"]:
        assert user[member] == told[member]
    assert user["UserPolicyList"] == inline
    assert user["GroupList"] == ["b"]
    assert user["AttachedManagedPolicies"] == attached
    assert user["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": company,
    }
    assert user["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert "PermissionsBoundary" not in other
    for member in ["UserPolicyList", "GroupList", "AttachedManagedPolicies", "Tags"]:
        assert other[member] == []

    group = answer["GroupDetailList"][0]
    assert group["Arn"] == f"arn:aws:iam::{account}:group/a"
    assert (group["GroupPolicyList"], group["AttachedManagedPolicies"]) == (inline, attached)

    role = answer["RoleDetailList"][0]
    assert (role["RolePolicyList"], role["AttachedManagedPolicies"]) == (inline, attached)
    assert role["InstanceProfileList"] == []
    trust = iam.get_role(RoleName="a")["Role"]["AssumeRolePolicyDocument"]
    assert role["AssumeRolePolicyDocument"] == trust

    own, unused, aws = answer["Policies"]
    assert (own["Arn"], own["Description"]) == (company, "Lists users")
    assert (own["AttachmentCount"], own["PermissionsBoundaryUsageCount"]) == (3, 1)
    assert [v["Document"] for v in own["PolicyVersionList"]] == [listing]
    assert own["PolicyVersionList"][0]["VersionId"] == own["DefaultVersionId"] == "v1"
    assert unused["AttachmentCount"] == 0
    assert (aws["Arn"], aws["AttachmentCount"]) == (READ_ONLY, 1)


@pytest.mark.parametrize("wanted, expected", [
    (["User"], [["a", "b"], [], [], []]),
    (["Role", "Group"], [[], ["a", "b"], ["a", "b"], []]),
    (["LocalManagedPolicy"], [[], [], [], ["own", "unused"]]),
    (["AWSManagedPolicy"], [[], [], [], ["IAMReadOnlyAccess"]]),
], ids=lambda value: "-".join(value) if isinstance(value[0], str) else "")
def test_some_kinds_only(iam, company, wanted, expected):
    assert named(iam.get_account_authorization_details(Filter=wanted)) == expected


@pytest.mark.parametrize("size", range(1, 11))
@pytest.mark.parametrize("wanted", [[], ["User", "AWSManagedPolicy"]], ids=["all", "two"])
def test_page_by_page(iam, company, size, wanted):
    arguments = {"Filter": wanted} if wanted else {}
    whole = named(iam.get_account_authorization_details(**arguments))
    found, counts, marker = [[], [], [], []], [], {}
    while True:
        page = iam.get_account_authorization_details(MaxItems=size, **arguments, **marker)
        for items, names in zip(found, named(page)):
            items += names
        counts.append(sum(map(len, named(page))))
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert found == whole
    assert set(counts[:-1]) <= {size} and 0 < counts[-1] <= size


def test_documents_are_percent_encoded(iam, company):
    # The SDK decodes them unless it is kept from it.
    iam.meta.events.unregister("after-call.iam", json_decode_policies)
    user = iam.get_account_authorization_details()["UserDetailList"][0]
    text = user["UserPolicyList"][0]["PolicyDocument"]
    assert urllib.parse.unquote(text) == ALLOW_LISTING
    assert urllib.parse.quote(ALLOW_LISTING, safe="-_.~") == text


def test_permission_is_asked_for(server, account, iam, alias):
    iam.create_user(UserName="alice")
    own = client(server, "iam", new_key(iam, "alice"))
    calls = {
        "CreateAccountAlias": lambda: own.create_account_alias(AccountAlias=alias),
        "ListAccountAliases": own.list_account_aliases,
        "DeleteAccountAlias": lambda: own.delete_account_alias(AccountAlias=alias),
        "GetAccountSummary": own.get_account_summary,
        "GetAccountAuthorizationDetails": own.get_account_authorization_details,
    }
    for action, call in calls.items():
        message = (
            f"User: arn:aws:iam::{account}:user/alice is not authorized to perform: "
            f"iam:{action} on resource: * because no identity-based policy allows the "
            f"iam:{action} action"
        )
        with refused("AccessDenied", message):
            call()
        iam.put_user_policy(UserName="alice", PolicyName="p",
                            PolicyDocument=document(statement(f"iam:{action}")))
        call()
