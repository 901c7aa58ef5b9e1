"""AssumeRoleWithWebIdentity: tokens of OpenID Connect issuers, whose keys are in files."""

import json
import subprocess
import time

import pytest

import strongroom
from sts_world import Issuer, Principals, refused, statement, trusting

ISSUER = Issuer("https://idp.example/realms/Main")
CURVES = Issuer("https://Curves.example", "ES256")
KEYLESS = Issuer("https://keyless.example")
NOT_AUTHORIZED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
NO_KEY = ("Couldn't retrieve verification key from your identity provider, please reference "
          "AssumeRoleWithWebIdentity documentation for requirements")


@pytest.fixture(scope="module")
def key_sets(tmp_path_factory):
    """The directory of the issuers' keys."""
    directory = tmp_path_factory.mktemp("key-sets")
    for issuer in (ISSUER, CURVES):
        (directory / issuer.algorithm).write_text(issuer.key_set())
    return directory


@pytest.fixture(scope="module")
def issuing_server(tmp_path_factory, key_sets):
    """A server that knows the issuers' keys."""
    options = []
    for issuer in (ISSUER, CURVES):
        options += ["--jwks", f"{issuer.url}={key_sets / issuer.algorithm}"]
    server = strongroom.Strongroom(tmp_path_factory.mktemp("server"), options=options).start()
    yield server
    server.stop()


@pytest.fixture
def home(issuing_server, account):
    """The account of the roles, which knows the issuers."""
    principals = Principals(issuing_server, account)
    for issuer in (ISSUER, CURVES, KEYLESS):
        principals.iam.create_open_id_connect_provider(
            Url=issuer.url, ClientIDList=["app", "other-app"], ThumbprintList=["0" * 40],
        )
    return principals


def provider(account, issuer=ISSUER):
    """The ARN of the issuer in that account."""
    return f"arn:aws:iam::{account}:oidc-provider/{issuer.name}"


def open_to(account, *actions, issuer=ISSUER, **conditions):
    """A trust policy that lets tokens of the issuer in whose claims have these values."""
    actions = actions or ["sts:AssumeRoleWithWebIdentity"]
    keys = {f"{issuer.name}:{claim}": value for claim, value in conditions.items()}
    condition = {"StringEquals": keys} if keys else {}
    return trusting({"Federated": provider(account, issuer)}, *actions, Condition=condition)


def claims(issuer=ISSUER, without=(), **more):
    """The claims of a token that is good now."""
    now = int(time.time())
    whole = {
        "iss": issuer.url, "aud": "app", "sub": "system:serviceaccount:default:worker",
        "iat": now, "exp": now + 600,
    } | more
    return {name: value for name, value in whole.items() if name not in without}


def enter(home, role, token, name="session", **more):
    """The answer to a token, by a client that doesn't sign."""
    return home.sts().assume_role_with_web_identity(
        RoleArn=role, RoleSessionName=name, WebIdentityToken=token, **more
    )


@pytest.fixture
def role(home, account):
    """A role that is open to the issuer's tokens."""
    return home.role("role", open_to(account), statement("kms:ListKeys", "*"))


@pytest.mark.parametrize("issuer", [ISSUER, CURVES], ids=lambda issuer: issuer.algorithm)
def test_a_token_opens_a_session(home, account, issuer):
    role = home.role("worker", open_to(account, issuer=issuer), statement("kms:ListKeys", "*"))
    subject = "system:serviceaccount:default:worker"
    answer = enter(home, role, issuer.token(claims(issuer)), DurationSeconds=900)
    assert answer["SubjectFromWebIdentityToken"] == subject
    assert (answer["Audience"], answer["Provider"]) == ("app", provider(account, issuer))
    session = f"arn:aws:sts::{account}:assumed-role/worker/session"
    assert answer["AssumedRoleUser"]["Arn"] == session
    credentials = answer["Credentials"]
    assert home.arn_of(credentials) == session
    home.client("kms", credentials).list_keys()
    with refused("AccessDeniedException"):
        home.client("kms", credentials).create_key()


def test_conditions_on_claims(home, account):
    subject = "repo:org/app:ref:refs/heads/main"
    role = home.role("role", open_to(
        account, sub=subject, aud="app", repository="org/app", amr="pwd", run=7,
    ))
    good = {"sub": subject, "repository": "org/app", "amr": "pwd", "run": 7}
    enter(home, role, ISSUER.token(claims(**good)))
    for name, value in [("sub", subject + "x"), ("aud", "other-app"), ("repository", "org"),
                        ("amr", ["mfa"]), ("run", 8), ("sub", subject.upper())]:
        with refused("AccessDenied", NOT_AUTHORIZED):
            enter(home, role, ISSUER.token(claims(**good | {name: value})))
    with refused("AccessDenied", NOT_AUTHORIZED):
        enter(home, role, ISSUER.token(claims(without=["repository"], **good)))


def test_lists_in_claims(home, account):
    condition = {"ForAnyValue:StringEquals": {f"{ISSUER.name}:groups": "admins"}}
    trust = trusting(
        {"Federated": provider(account)}, "sts:AssumeRoleWithWebIdentity", Condition=condition
    )
    role = home.role("role", trust)
    enter(home, role, ISSUER.token(claims(groups=["users", "admins"])))
    for groups in (["users"], [], None):
        with refused("AccessDenied"):
            enter(home, role, ISSUER.token(claims(groups=groups)))


def test_an_authorized_party_is_the_audience(home, account):
    role = home.role("role", open_to(account, aud="app", oaud="service"))
    answer = enter(home, role, ISSUER.token(claims(aud="service", azp="app")))
    assert answer["Audience"] == "app"
    with refused("InvalidIdentityToken", "Incorrect token audience"):
        enter(home, role, ISSUER.token(claims(aud="app", azp="service")))
    with refused("AccessDenied", NOT_AUTHORIZED):
        enter(home, role, ISSUER.token(claims()))


def test_roles_that_are_not_open(home, account, guest):
    token = ISSUER.token(claims())
    closed = home.role("closed", open_to(account, issuer=CURVES))
    users = home.role("users", trusting({"AWS": account}))
    absent = f"arn:aws:iam::{account}:role/absent"
    for role in (closed, users, absent, closed.replace("role/", "role/path/")):
        with refused("AccessDenied", NOT_AUTHORIZED):
            enter(home, role, token)
    message = f"No OpenIDConnect provider found in your account for {ISSUER.url}"
    with refused("InvalidIdentityToken", message):
        enter(home, absent.replace(account, guest), token)
    with refused("ValidationError"):
        enter(home, f"arn:aws:iam::{account}:user/role", token)


def test_a_provider_that_is_gone_lets_nobody_in(home, account, role):
    token = ISSUER.token(claims())
    enter(home, role, token)
    home.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider(account))
    with refused("InvalidIdentityToken"):
        enter(home, role, token)


def altered(token):
    """The token with another subject, under the same signature."""
    header, _, signature = token.split(".")
    _, payload, _ = ISSUER.token(claims(sub="somebody-else")).split(".")
    return ".".join([header, payload, signature])


@pytest.mark.parametrize("make, message", [
    (lambda: "abcd", None),
    (lambda: "a.b.c", None),
    (lambda: ISSUER.token(claims()).rsplit(".", 1)[0] + ".", None),
    (lambda: ISSUER.token(claims(), alg="none"), None),
    (lambda: ISSUER.token(claims(), alg="HS256"), None),
    (lambda: ISSUER.token(claims(), alg="RS384"), None),
    (lambda: ISSUER.token(claims(), alg="ES256"), None),
    (lambda: ISSUER.token(claims(), crit=["exp"]), None),
    (lambda: ISSUER.token(claims(), kid="k2"), NO_KEY),
    (lambda: Issuer(ISSUER.url).token(claims()), "The ID Token's signature is not valid"),
    (lambda: altered(ISSUER.token(claims())), "The ID Token's signature is not valid"),
    (lambda: ISSUER.token(claims(aud="third-app")), "Incorrect token audience"),
    (lambda: ISSUER.token(claims(iss="https://idp.example")),
     "No OpenIDConnect provider found in your account for https://idp.example"),
    (lambda: ISSUER.token(claims(iss=ISSUER.url.lower())), None),
    (lambda: ISSUER.token(claims(iss=ISSUER.url + "/")), None),
    (lambda: ISSUER.token(claims(without=["sub"])), "Missing a required claim: sub"),
    (lambda: ISSUER.token(claims(without=["exp"])), "Missing a required claim: exp"),
    (lambda: ISSUER.token(claims(nbf=time.time() + 3_600)), None),
])
def test_tokens_that_are_none(home, role, make, message):
    with refused("InvalidIdentityToken", message):
        enter(home, role, make())


def test_tokens_expire(home, role):
    now = int(time.time())
    with refused("ExpiredTokenException"):
        enter(home, role, ISSUER.token(claims(iat=now - 700, exp=now - 1)))


def test_an_issuer_without_keys_is_said_so(home, account):
    role = home.role("role", open_to(account, issuer=KEYLESS))
    with refused("IDPCommunicationError"):
        enter(home, role, KEYLESS.token(claims(KEYLESS)))


def test_keys_can_be_replaced(home, role, key_sets):
    file, next_key = key_sets / ISSUER.algorithm, Issuer(ISSUER.url, kid="k2")
    token = next_key.token(claims())
    with refused("InvalidIdentityToken", NO_KEY):
        enter(home, role, token)
    try:
        file.write_text(next_key.key_set())
        enter(home, role, token)
        with refused("InvalidIdentityToken", NO_KEY):
            enter(home, role, ISSUER.token(claims()))
        file.unlink()
        with refused("IDPCommunicationError"):
            enter(home, role, token)
    finally:
        file.write_text(ISSUER.key_set())


def test_other_requests_must_be_signed(home):
    with refused("MissingAuthenticationToken"):
        home.sts().get_caller_identity()


def test_tags_and_source_identity_of_a_token(home, account):
    allowed = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
    red = {"StringEquals": {"aws:PrincipalTag/team": "red", "aws:SourceIdentity": "ann"}}
    role = home.role("role", open_to(account, *allowed), statement("kms:*", "*", Condition=red))
    tags = {"principal_tags": {"Team": ["red"]}, "transitive_tag_keys": ["Team"]}
    whole = claims(**{
        "https://aws.amazon.com/tags": tags, "https://aws.amazon.com/source_identity": "ann",
    })
    answer = enter(home, role, ISSUER.token(whole))
    assert answer["SourceIdentity"] == "ann" and answer["PackedPolicySize"] >= 1
    home.client("kms", answer["Credentials"]).list_keys()
    flat = claims(**{
        "https://aws.amazon.com/tags/principal_tags/Team": "red",
        "https://aws.amazon.com/source_identity": "ann",
    })
    home.client("kms", enter(home, role, ISSUER.token(flat))["Credentials"]).list_keys()
    plain = home.role("plain", open_to(account))
    with refused("AccessDenied", "Not authorized to perform sts:TagSession"):
        enter(home, plain, ISSUER.token(whole))
    for bad in ({"principal_tags": {"Team": ["red", "blue"]}}, {"principal_tags": {"a*": "1"}}):
        with refused("InvalidIdentityToken"):
            enter(home, role, ISSUER.token(claims(**{"https://aws.amazon.com/tags": bad})))


def test_sessions_are_bounded_and_chained(home, account):
    trust = open_to(account)
    role = home.role("role", trust, statement(["kms:*", "sts:AssumeRole"], "*"))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement("kms:ListKeys", "*")]})
    bounded = enter(home, role, ISSUER.token(claims()), Policy=policy)["Credentials"]
    home.client("kms", bounded).list_keys()
    with refused("AccessDeniedException"):
        home.client("kms", bounded).create_key()
    with refused(
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ):
        enter(home, role, ISSUER.token(claims()), DurationSeconds=7_200)
    second = home.role("second", trusting({"AWS": role}))
    session = home.sts(enter(home, role, ISSUER.token(claims()))["Credentials"])
    session.assume_role(RoleArn=second, RoleSessionName="session")


def test_the_record_tells_of_the_identity(home, account, role):
    token = ISSUER.token(claims())
    enter(home, role, token, "recorded")
    with refused("InvalidIdentityToken"):
        enter(home, role, altered(token), "forged")
    records = {
        record["requestParameters"]["roleSessionName"]: record for record in home.server.audit()
        if record["eventName"] == "AssumeRoleWithWebIdentity" and record["requestParameters"]
    }
    told = records["recorded"]
    assert told["userIdentity"] == {
        "type": "WebIdentityUser",
        "principalId": f"{provider(account)}:app:system:serviceaccount:default:worker",
        "userName": "system:serviceaccount:default:worker",
        "identityProvider": provider(account),
    }
    assert told["recipientAccountId"] == account and told["readOnly"] is True
    assert told["responseElements"]["provider"] == provider(account)
    assert told["resources"][0]["ARN"] == role
    assert token not in json.dumps(records)
    forged = records["forged"]
    assert forged["userIdentity"] == {"type": "Unknown"}
    assert forged["errorCode"] == "InvalidIdentityTokenException"


@pytest.mark.parametrize("setting", ["idp.example=x", "https://idp.example", "http://a=b"])
def test_settings_that_are_none(tmp_path, setting):
    command = [strongroom.binary(), "dev", "--in-memory", "--jwks", setting]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode != 0 and "--jwks" in done.stderr


def test_a_file_must_be_a_key_set(tmp_path):
    for text in (None, "", "{}", "not json"):
        if text is not None:
            (tmp_path / "keys").write_text(text)
        setting = f"https://idp.example={tmp_path / 'keys'}"
        command = [strongroom.binary(), "dev", "--in-memory", "--jwks", setting]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30,
                              check=False)
        assert done.returncode != 0 and "as an issuer's keys" in done.stderr
