"""GetSessionToken, GetFederationToken, and what STS tells of access keys and messages."""

import pytest

from sts_world import Principals, account_root, document, refused, statement, trusting

ANYTHING = statement("*", "*")
MFA = ("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA "
       "serial number is valid and associated with this user.")


@pytest.fixture
def home(server, account):
    """The account of the callers."""
    return Principals(server, account)


@pytest.fixture
def root(home, account):
    """A client of STS that acts as the account's root user."""
    return home.server.client("sts", account, validate=False)


def lasts(home, credentials):
    """For how many seconds the credentials are good."""
    return credentials["Expiration"].timestamp() - home.server.now()


def test_a_users_session_is_the_user(home, account):
    bob = home.user("bob", statement("kms:ListKeys", "*"))
    answer = home.sts(bob).get_session_token()
    session = answer["Credentials"]
    assert answer["SessionTokenSize"] == len(session["SessionToken"])
    assert session["AccessKeyId"].startswith("ASIA")
    assert 43_190 < lasts(home, session) <= 43_200
    assert home.arn_of(session) == f"arn:aws:iam::{account}:user/bob"
    home.client("kms", session).list_keys()
    with refused("AccessDeniedException"):
        home.client("kms", session).create_key()
    # IAM asks for a second factor, which there is none of; STS lets it assume roles and no more.
    with refused("InvalidClientTokenId"):
        home.client("iam", session).list_users()
    for name, attempt in [
        ("GetSessionToken", lambda sts: sts.get_session_token()),
        ("GetFederationToken", lambda sts: sts.get_federation_token(Name="ann")),
        ("GetAccessKeyInfo", lambda sts: sts.get_access_key_info(AccessKeyId="A" * 20)),
    ]:
        with refused("AccessDenied", f"Cannot call {name} with session credentials"):
            attempt(home.sts(session))
    role = home.role("role", trusting({"AWS": f"arn:aws:iam::{account}:user/bob"}))
    home.sts(session).assume_role(RoleArn=role, RoleSessionName="session")


def test_durations_of_users_and_of_root(home, root):
    bob = home.sts(home.user("bob"))
    for seconds in (900, 129_600):
        session = bob.get_session_token(DurationSeconds=seconds)["Credentials"]
        assert seconds - 10 < lasts(home, session) <= seconds
    for seconds in (899, 129_601):
        with refused("ValidationError"):
            bob.get_session_token(DurationSeconds=seconds)
    for asked, given in [({}, 3_600), ({"DurationSeconds": 7_200}, 3_600),
                         ({"DurationSeconds": 900}, 900)]:
        session = root.get_session_token(**asked)["Credentials"]
        assert given - 10 < lasts(home, session) <= given


def test_a_root_session_is_root_without_roles(home, root, account):
    session = root.get_session_token()["Credentials"]
    assert home.arn_of(session) == f"arn:aws:iam::{account}:root"
    home.client("kms", session).create_key()
    role = home.role("role", trusting(account_root(account)))
    with refused("AccessDenied", "Roles may not be assumed by root accounts."):
        home.sts(session).assume_role(RoleArn=role, RoleSessionName="session")


def test_a_session_ends_with_its_user(home):
    session = home.sts(home.user("bob")).get_session_token()["Credentials"]
    home.arn_of(session)
    for key in home.iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]:
        home.iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
    home.iam.delete_user(UserName="bob")
    with refused("InvalidClientTokenId"):
        home.arn_of(session)


def test_a_token_goes_with_its_key(home):
    bob = home.sts(home.user("bob"))
    one, other = (bob.get_session_token()["Credentials"] for _ in range(2))
    for mixed in (
        one | {"SessionToken": other["SessionToken"]},
        one | {"AccessKeyId": other["AccessKeyId"]},
        one | {"SessionToken": "x" + one["SessionToken"][1:]},
        one | {"SessionToken": one["SessionToken"][:-4]},
        one | {"SessionToken": "0"},
        {name: one[name] for name in ("AccessKeyId", "SecretAccessKey")},
    ):
        with refused("InvalidClientTokenId"):
            home.arn_of(mixed)
    home.arn_of(one)


def test_there_is_no_second_factor(home, account):
    bob = home.sts(home.user("bob"))
    device = f"arn:aws:iam::{account}:mfa/bob"
    with refused("AccessDenied", MFA):
        bob.get_session_token(SerialNumber=device, TokenCode="123456")
    with refused("AccessDenied", MFA):
        bob.get_session_token(TokenCode="123456")


def test_a_federated_user_may_what_both_allow(home, account):
    bob = home.sts(home.user("bob", statement(["kms:ListKeys", "sts:GetFederationToken"], "*")))
    policy = document(statement(["kms:ListKeys", "kms:CreateKey"], "*"))
    answer = bob.get_federation_token(Name="ann", Policy=policy)
    arn = f"arn:aws:sts::{account}:federated-user/ann"
    assert answer["FederatedUser"] == {"Arn": arn, "FederatedUserId": f"{account}:ann"}
    assert 1 <= answer["PackedPolicySize"] <= 100
    session = answer["Credentials"]
    assert 43_190 < lasts(home, session) <= 43_200
    assert home.arn_of(session) == arn
    home.client("kms", session).list_keys()
    with refused("AccessDeniedException"):
        home.client("kms", session).create_key()
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        home.sts(session).get_session_token()
    role = home.role("role", trusting({"AWS": "*"}))
    with refused(
        "AccessDenied",
        f"User: {arn} is not authorized to perform: sts:AssumeRole on resource: {role}",
    ):
        home.sts(session).assume_role(RoleArn=role, RoleSessionName="session")


def test_a_federated_user_without_policies_may_nothing(home, root):
    bob = home.sts(home.user("bob", ANYTHING))
    for opener in (bob, root):
        session = opener.get_federation_token(Name="ann")["Credentials"]
        home.arn_of(session)
        with refused("AccessDeniedException"):
            home.client("kms", session).list_keys()


def test_root_federates_for_an_hour(home, root):
    policy = {"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    answer = root.get_federation_token(Name="ann", PolicyArns=[policy], DurationSeconds=7_200)
    assert 3_590 < lasts(home, answer["Credentials"]) <= 3_600
    home.client("kms", answer["Credentials"]).create_key()


def test_federating_takes_permission(home, account):
    named = f"arn:aws:sts::{account}:federated-user/ann"
    bob = home.sts(home.user("bob", statement("sts:GetFederationToken", named)))
    bob.get_federation_token(Name="ann")
    arn, other = f"arn:aws:iam::{account}:user/bob", named.replace("ann", "eve")
    for action, resource, asked in [
        ("sts:GetFederationToken", other, {"Name": "eve"}),
        ("sts:TagSession", named, {"Name": "ann", "Tags": [{"Key": "a", "Value": "1"}]}),
    ]:
        with refused(
            "AccessDenied",
            f"User: {arn} is not authorized to perform: {action} on resource: {resource} because "
            f"no identity-based policy allows the {action} action",
        ):
            bob.get_federation_token(**asked)


def test_what_federation_refuses(root, account):
    for text in ("{", document()):
        with refused("MalformedPolicyDocument"):
            root.get_federation_token(Name="ann", Policy=text)
    with refused("ValidationError"):
        root.get_federation_token(Name="a")
    with refused("ValidationError"):
        root.get_federation_token(Name="ann", Policy=document(statement("a" * 2_048, "*")))
    many = [{"Key": f"{n:02}" + "k" * 100, "Value": "v" * 200} for n in range(50)]
    with refused(
        "PackedPolicyTooLarge", "Packed size of session tags consumes 369% of allotted space."
    ):
        root.get_federation_token(Name="ann", Tags=many)
    absent = {"arn": f"arn:aws:iam::{account}:policy/absent"}
    with refused("ValidationError"):
        root.get_federation_token(Name="ann", PolicyArns=[absent])


def test_whose_an_access_key_is(home, account, guest):
    bob = home.user("bob")
    session = home.sts(bob).get_session_token()["Credentials"]
    stranger = home.server.client("sts", guest, validate=False)
    for key in (bob, session):
        answer = stranger.get_access_key_info(AccessKeyId=key["AccessKeyId"])
        assert answer["Account"] == account
    for key in ("AKIA" + "A" * 16, "ASIA" + "A" * 16):
        with refused("ValidationError"):
            stranger.get_access_key_info(AccessKeyId=key)
    with refused("AccessDenied"):
        home.sts(bob).get_access_key_info(AccessKeyId=bob["AccessKeyId"])


def test_no_message_can_be_decoded(home, root):
    code = "InvalidAuthorizationMessageException"
    with refused(code, "Message is not valid"):
        root.decode_authorization_message(EncodedMessage="x" * 200)
    bob = home.sts(home.user("bob"))
    with refused("AccessDenied"):
        bob.decode_authorization_message(EncodedMessage="x" * 200)
