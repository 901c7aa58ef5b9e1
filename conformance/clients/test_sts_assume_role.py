"""AssumeRole: who may, what the session is, and how long."""

import json

import pytest

from sts_world import Principals, account_root, document, refused, statement, trusting

ANYTHING = statement("*", "*")


@pytest.fixture
def home(server, account):
    """The account of the callers."""
    return Principals(server, account)


@pytest.fixture
def away(home, guest):
    """Another account."""
    return home.of(guest)


def user_arn(account, name):
    """The ARN of a user."""
    return f"arn:aws:iam::{account}:user/{name}"


def denied(caller, role, action="sts:AssumeRole"):
    """What AWS says to whom a role isn't open."""
    return f"User: {caller} is not authorized to perform: {action} on resource: {role}"


def assume(sts, role, name="session", **more):
    """The credentials of a session."""
    return sts.assume_role(RoleArn=role, RoleSessionName=name, **more)["Credentials"]


def test_a_session_acts_as_its_role(home, account):
    bob = home.user("bob")
    kms = statement("kms:ListKeys", "*")
    role = home.role("reader", trusting({"AWS": user_arn(account, "bob")}), kms, Path="/team/")
    answer = home.sts(bob).assume_role(RoleArn=role, RoleSessionName="work@desk")
    session = f"arn:aws:sts::{account}:assumed-role/reader/work@desk"
    role_id = home.iam.get_role(RoleName="reader")["Role"]["RoleId"]
    assert answer["AssumedRoleUser"] == {
        "Arn": session, "AssumedRoleId": f"{role_id}:work@desk",
    }
    assert "PackedPolicySize" not in answer and "SourceIdentity" not in answer
    credentials = answer["Credentials"]
    lasts = credentials["Expiration"].timestamp() - home.server.now()
    assert 3_590 < lasts <= 3_600
    assert len(credentials["AccessKeyId"]) == 20
    assert credentials["AccessKeyId"].startswith("ASIA")
    identity = home.sts(credentials).get_caller_identity()
    assert (identity["Arn"], identity["Account"]) == (session, account)
    assert identity["UserId"] == f"{role_id}:work@desk"
    client = home.client("kms", credentials)
    assert client.list_keys()["Keys"] == []
    with refused("AccessDeniedException"):
        client.create_key()


def test_who_is_refused(home, account, guest):
    bob = home.user("bob", ANYTHING)
    caller = user_arn(account, "bob")
    closed = home.role("closed", trusting(account_root(guest)))
    absent = f"arn:aws:iam::{account}:role/absent"
    elsewhere = closed.replace("role/", "role/path/")
    for role in (closed, absent, elsewhere, absent.replace(account, guest)):
        with refused("AccessDenied", denied(caller, role)):
            assume(home.sts(bob), role)
    open_role = home.role("open", trusting(account_root(account)))
    root = home.server.client("sts", account)
    with refused("AccessDenied", "Roles may not be assumed by root accounts."):
        assume(root, open_role)
    with refused("ValidationError", f"{caller} is invalid"):
        assume(home.sts(bob), caller)


def test_trusting_the_account_lets_policies_decide(home, account):
    role = home.role("open", trusting(account_root(account)))
    ann, bob = home.user("ann", statement("sts:AssumeRole", role)), home.user("bob")
    assume(home.sts(ann), role)
    with refused("AccessDenied", denied(user_arn(account, "bob"), role)):
        assume(home.sts(bob), role)


def test_across_accounts_both_sides_must_allow(home, away, account, guest):
    named = away.role("named", trusting({"AWS": account}))
    untrusting = away.role("untrusting", trusting(account_root(guest)))
    ann, bob = home.user("ann", ANYTHING), home.user("bob")
    session = assume(home.sts(ann), named)
    assert away.arn_of(session) == f"arn:aws:sts::{guest}:assumed-role/named/session"
    with refused("AccessDenied", denied(user_arn(account, "bob"), named)):
        assume(home.sts(bob), named)
    with refused("AccessDenied", denied(user_arn(account, "ann"), untrusting)):
        assume(home.sts(ann), untrusting)


@pytest.mark.parametrize("key, given, fits, fails", [
    ("sts:ExternalId", "ExternalId", "secret:1", "other"),
    ("sts:RoleSessionName", "RoleSessionName", "secret-1", "other"),
    ("sts:SourceIdentity", "SourceIdentity", "ann", "bob"),
])
def test_conditions_of_the_trust_policy(home, account, key, given, fits, fails):
    bob = home.user("bob", ANYTHING)
    trust = trusting(
        account_root(account), "sts:AssumeRole", "sts:SetSourceIdentity",
        Condition={"StringEquals": {key: fits}},
    )
    sts, role = home.sts(bob), home.role("guarded", trust)
    asked = {"RoleArn": role, "RoleSessionName": "session"}
    sts.assume_role(**asked | {given: fits})
    with refused("AccessDenied", denied(user_arn(account, "bob"), role)):
        sts.assume_role(**asked | {given: fails})
    if given != "RoleSessionName":
        with refused("AccessDenied"):
            sts.assume_role(**asked)


def test_durations(home, account):
    bob = home.user("bob", ANYTHING)
    sts, server = home.sts(bob), home.server
    short = home.role("short", trusting(account_root(account)), ANYTHING)
    long = home.role("long", trusting(account_root(account)), MaxSessionDuration=43_200)
    session = assume(sts, long, DurationSeconds=43_200)
    assert 43_190 < session["Expiration"].timestamp() - server.now() <= 43_200
    with refused(
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ):
        assume(sts, short, DurationSeconds=3_601)
    chained = home.sts(assume(sts, short))
    assume(chained, long, DurationSeconds=3_600)
    with refused(
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
        "role chaining.",
    ):
        assume(chained, long, DurationSeconds=3_601)
    for seconds in (899, 43_201):
        with refused("ValidationError"):
            assume(sts, long, DurationSeconds=seconds)


def test_a_session_ends(own_server, account):
    home = Principals(own_server, account)
    bob = home.user("bob", ANYTHING)
    role = home.role("role", trusting(account_root(account)))
    session = assume(home.sts(bob), role, DurationSeconds=900)
    own_server.advance(seconds=890)
    home.arn_of(session)
    own_server.advance(seconds=20)
    with refused("ExpiredToken", "The security token included in the request is expired"):
        home.arn_of(session)


def test_a_session_ends_with_its_role(home, account):
    bob = home.user("bob", ANYTHING)
    trust = trusting(account_root(account))
    role = home.role("role", trust)
    session = assume(home.sts(bob), role)
    home.iam.delete_role(RoleName="role")
    with refused("InvalidClientTokenId"):
        home.arn_of(session)
    with refused("AccessDenied", denied(user_arn(account, "bob"), role)):
        assume(home.sts(bob), role)
    home.role("role", trust)
    with refused("InvalidClientTokenId"):
        home.arn_of(session)


def test_another_trust_policy_counts_at_once(home, account, guest):
    bob = home.user("bob", ANYTHING)
    role = home.role("role", trusting(account_root(account)))
    sts = home.sts(bob)
    for _ in range(5):
        assume(sts, role)
        home.iam.update_assume_role_policy(
            RoleName="role", PolicyDocument=trusting(account_root(guest))
        )
        with refused("AccessDenied"):
            assume(sts, role)
        home.iam.update_assume_role_policy(
            RoleName="role", PolicyDocument=trusting(account_root(account))
        )


def test_session_policies_only_take_away(home, account):
    bob = home.user("bob", ANYTHING)
    sts = home.sts(bob)
    role = home.role("role", trusting(account_root(account)), statement("kms:*", "*"))
    listing = document(statement(["kms:ListKeys", "iam:ListUsers"], "*"))
    answer = sts.assume_role(RoleArn=role, RoleSessionName="bounded", Policy=listing)
    assert 1 <= answer["PackedPolicySize"] <= 100
    bounded = answer["Credentials"]
    home.client("kms", bounded).list_keys()
    with refused("AccessDeniedException"):
        home.client("kms", bounded).create_key()
    with refused("AccessDenied"):
        home.client("iam", bounded).list_users()
    arn = home.iam.create_policy(PolicyName="listing", PolicyDocument=listing)["Policy"]["Arn"]
    managed = assume(sts, role, PolicyArns=[{"arn": arn}])
    home.client("kms", managed).list_keys()
    with refused("AccessDeniedException"):
        home.client("kms", managed).create_key()
    # Of several, each allows for all.
    both = assume(sts, role, PolicyArns=[{"arn": arn}], Policy=document(statement("kms:C*", "*")))
    home.client("kms", both).list_keys()
    home.client("kms", both).create_key()


def test_session_policies_that_are_refused(home, account):
    bob = home.user("bob", ANYTHING)
    sts = home.sts(bob)
    role = home.role("role", trusting(account_root(account)))
    for text in ("{", document(statement("kms:*", "*", Principal="*")), document()):
        with refused("MalformedPolicyDocument"):
            assume(sts, role, Policy=text)
    large = document(statement("kms:*", [f"arn:aws:kms:*:*:key/{n:036}" for n in range(90)]))
    with refused("PackedPolicyTooLarge"):
        assume(sts, role, Policy=large)
    absent = {"arn": f"arn:aws:iam::{account}:policy/absent"}
    with refused("ValidationError"):
        assume(sts, role, PolicyArns=[absent])
    known = {"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    assume(sts, role, PolicyArns=[known] * 10)
    with refused("ValidationError"):
        assume(sts, role, PolicyArns=[known] * 11)


def test_a_full_session_can_still_call(home, account):
    bob = home.user("bob", ANYTHING)
    role = home.role("role", trusting(
        account_root(account), "sts:AssumeRole", "sts:TagSession"
    ), ANYTHING)
    tags = [{"Key": f"{n:02}" + "k" * 20, "Value": "v" * 59} for n in range(50)]
    keys = [tag["Key"] for tag in tags]
    answer = home.sts(bob).assume_role(
        RoleArn=role, RoleSessionName="s" * 64, Tags=tags, TransitiveTagKeys=keys,
    )
    assert 95 <= answer["PackedPolicySize"] <= 100
    assert answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"])
    assert answer["SessionTokenUtilization"] <= 100
    credentials = answer["Credentials"]
    home.client("kms", credentials).list_keys()
    # Presigned, the token stands in the URL.
    url = home.sts(credentials).generate_presigned_url("get_caller_identity", HttpMethod="GET")
    path = url.removeprefix(home.server.endpoint)
    assert home.server.send("GET", path)[0] == 200
    with refused("PackedPolicyTooLarge"):
        assume(home.sts(bob), role, Tags=[*tags[:-1], {"Key": "x", "Value": "v" * 256}])


def test_the_token_is_as_long_as_is_asked(home, account):
    bob = home.user("bob", ANYTHING)
    role = home.role("role", trusting(account_root(account)))
    session = assume(home.sts(bob), role, MinimumSessionTokenSize=4_096)
    assert 4_096 <= len(session["SessionToken"]) < 6_000
    home.arn_of(session)


def tags(**pairs):
    """Tags as STS has them."""
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def test_tags_take_a_permission_of_their_own(home, account):
    bob, arn = home.user("bob"), user_arn(account, "bob")
    untagged = home.role("untagged", trusting({"AWS": arn}))
    red = {"StringEquals": {"aws:RequestTag/team": "red"}}
    tagged = home.role("tagged", document(
        statement("sts:AssumeRole", Principal={"AWS": arn}),
        statement("sts:TagSession", Principal={"AWS": arn}, Condition=red),
    ))
    sts = home.sts(bob)
    assume(sts, untagged)
    with refused("AccessDenied", denied(arn, untagged, "sts:TagSession")):
        assume(sts, untagged, Tags=tags(team="red"))
    assume(sts, tagged, Tags=tags(Team="red"))
    with refused("AccessDenied", denied(arn, tagged, "sts:TagSession")):
        assume(sts, tagged, Tags=tags(team="blue"))


def test_tags_go_with_the_session(home, account):
    bob = home.user("bob", ANYTHING)
    both = trusting(account_root(account), "sts:AssumeRole", "sts:TagSession")
    red = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    first = home.role(
        "first", both, statement("kms:ListKeys", "*", Condition=red),
        statement("sts:*", "*"), Tags=tags(team="blue"),
    )
    second = home.role("second", both, statement("kms:ListKeys", "*", Condition=red))
    sts = home.sts(bob)
    with refused("AccessDeniedException"):
        home.client("kms", assume(sts, first)).list_keys()
    session = assume(sts, first, Tags=tags(Team="red"))
    home.client("kms", session).list_keys()
    # Only a transitive tag goes further, and nothing can be put in its place.
    with refused("AccessDeniedException"):
        home.client("kms", assume(home.sts(session), second)).list_keys()
    session = assume(sts, first, Tags=tags(Team="red", stage="x"), TransitiveTagKeys=["team"])
    chained = assume(home.sts(session), second, Tags=tags(other="y"))
    home.client("kms", chained).list_keys()
    with refused(
        "InvalidParameterValue",
        "One of the specified transitive tag keys can't be set because it conflicts with a "
        "transitive tag key from the calling session.",
    ):
        assume(home.sts(session), second, Tags=tags(TEAM="red"))


def test_tags_that_are_refused(home, account):
    bob = home.user("bob", ANYTHING)
    sts = home.sts(bob)
    role = home.role("role", trusting(account_root(account), "sts:*"))
    with refused(
        "InvalidParameterValue",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    ):
        assume(sts, role, Tags=tags(a="1") + tags(A="2"))
    with refused("InvalidParameterValue"):
        assume(sts, role, Tags=[{"Key": "aws:a", "Value": "1"}])
    with refused(
        "InvalidParameterValue",
        "The specified transitive tag key must be included in the requested tags.",
    ):
        assume(sts, role, Tags=tags(a="1"), TransitiveTagKeys=["b"])
    with refused("ValidationError"):
        assume(sts, role, Tags=[{"Key": str(n), "Value": ""} for n in range(51)])


def test_a_source_identity_stays(home, account):
    bob = home.user("bob", ANYTHING)
    both = trusting(account_root(account), "sts:AssumeRole", "sts:SetSourceIdentity")
    is_ann = {"StringEquals": {"aws:SourceIdentity": "ann"}}
    first = home.role("first", both, ANYTHING)
    second = home.role("second", both, statement("kms:ListKeys", "*", Condition=is_ann))
    plain = home.role("plain", trusting(account_root(account)))
    sts = home.sts(bob)
    with refused(
        "AccessDenied", denied(user_arn(account, "bob"), plain, "sts:SetSourceIdentity")
    ):
        assume(sts, plain, SourceIdentity="ann")
    answer = sts.assume_role(RoleArn=first, RoleSessionName="session", SourceIdentity="ann")
    assert answer["SourceIdentity"] == "ann"
    session = home.sts(answer["Credentials"])
    answer = session.assume_role(RoleArn=second, RoleSessionName="session")
    assert answer["SourceIdentity"] == "ann"
    home.client("kms", answer["Credentials"]).list_keys()
    assume(session, second, SourceIdentity="ann")
    with refused("AccessDenied"):
        assume(session, second, SourceIdentity="eve")
    # A role that doesn't let it be set can't be reached with it.
    caller = f"arn:aws:sts::{account}:assumed-role/first/session"
    with refused("AccessDenied", denied(caller, plain, "sts:SetSourceIdentity")):
        assume(session, plain)
    with refused("ValidationError"):
        assume(sts, first, SourceIdentity="aws:x")


def test_there_is_no_second_factor(home, account):
    bob = home.user("bob", ANYTHING)
    sts = home.sts(bob)
    role = home.role("role", trusting(account_root(account)))
    device = f"arn:aws:iam::{account}:mfa/bob"
    for given in ({"SerialNumber": device, "TokenCode": "123456"}, {"SerialNumber": device}):
        with refused(
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your "
            "MFA serial number is valid and associated with this user.",
        ):
            assume(sts, role, **given)
    needing = home.role("needing", trusting(
        account_root(account), Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    ))
    with refused("AccessDenied"):
        assume(sts, needing)
    with refused("ValidationError"):
        assume(sts, role, ProvidedContexts=[{"ProviderArn": device, "ContextAssertion": "abcd"}])


def test_the_record_tells_which_key_was_issued(home, account):
    bob = home.user("bob", ANYTHING)
    role = home.role("role", trusting(account_root(account)), ANYTHING)
    session = assume(home.sts(bob), role, "recorded")
    home.client("kms", session).list_keys()
    mine = [record for record in home.server.audit()
            if record.get("recipientAccountId") == account]
    issued = next(record for record in mine if record["eventName"] == "AssumeRole")
    assert issued["readOnly"] is True and issued["userIdentity"]["userName"] == "bob"
    assert issued["resources"] == [
        {"accountId": account, "type": "AWS::IAM::Role", "ARN": role}
    ]
    assert issued["requestParameters"]["roleSessionName"] == "recorded"
    assert issued["responseElements"]["credentials"]["accessKeyId"] == session["AccessKeyId"]
    # The members of AWS's records, but for the session token, which admits who reads it.
    assert set(issued["requestParameters"]) == {"roleArn", "roleSessionName"}
    assert {"credentials", "assumedRoleUser"} <= set(issued["responseElements"])
    assert set(issued["responseElements"]["credentials"]) == {"accessKeyId", "expiration"}
    assert set(issued["responseElements"]["assumedRoleUser"]) == {"assumedRoleId", "arn"}
    text = json.dumps(mine)
    assert session["SessionToken"] not in text and session["SecretAccessKey"] not in text
    used = next(record for record in mine if record["eventName"] == "ListKeys")
    issuer = used["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["arn"]) == ("Role", role)
