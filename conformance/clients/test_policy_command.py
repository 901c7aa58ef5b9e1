"""`strongroom policy`: who may do what, and why, told from a server's data directory."""

import json
import subprocess

import boto3
import pytest

import strongroom
from expectations import refused

ACCOUNT = "500000000005"
REGION = "us-east-1"


def client(server, service, access_key=ACCOUNT, secret="any"):
    """A client of the root user, or with that access key."""
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name=REGION, aws_access_key_id=access_key,
        aws_secret_access_key=secret,
    )


class World:
    """A server with a key, a user, a role and a grant; and the command, asked about them."""

    def __init__(self, server):
        self.server = server
        self.kms, self.iam = client(server, "kms"), client(server, "iam")
        self.key = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.user = self.iam.create_user(UserName="alice")["User"]["Arn"]

    def ask(self, *words):
        """Runs the command; returns its exit code, and what it printed."""
        home = self.server.home
        done = subprocess.run(
            [str(strongroom.binary()), "policy", *words, "--data-dir", str(home / "data")],
            capture_output=True, text=True, timeout=60, check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def explain(self, principal, action, *more):
        """Whether the principal may do that to the key: the exit code, and what was printed."""
        asked = ("explain", "--principal", principal, "--action", action, "--resource", self.key)
        return self.ask(*asked, *more)[:2]

    def allow(self, **more):
        """Lets the user decrypt by a policy of its own."""
        statement = {"Sid": "Mine", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement | more]}
        self.iam.put_user_policy(
            UserName="alice", PolicyName="own", PolicyDocument=json.dumps(document),
        )

    def decrypts(self):
        """Whether the user really may: the server's own answer to a request."""
        made = self.iam.create_access_key(UserName="alice")["AccessKey"]
        own = client(self.server, "kms", made["AccessKeyId"], made["SecretAccessKey"])
        blob = self.kms.encrypt(KeyId=self.key, Plaintext=b"x")["CiphertextBlob"]
        try:
            return own.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        except own.exceptions.ClientError as refusal:
            assert refusal.response["Error"]["Code"] == "AccessDeniedException"
            return False
        finally:
            self.iam.delete_access_key(UserName="alice", AccessKeyId=made["AccessKeyId"])


@pytest.fixture
def world(own_server):
    """A server with a key and a user who may do nothing."""
    return World(own_server)


def test_what_is_told_is_what_happens(world):
    code, told = world.explain(world.user, "kms:Decrypt")
    assert (code, world.decrypts()) == (1, False)
    assert "REFUSED" in told and "no identity-based policy allows" in told
    assert "statement 0 (Enable IAM User Permissions): allows" in told
    world.allow()
    code, told = world.explain(world.user, "kms:Decrypt")
    assert (code, world.decrypts()) == (0, True)
    assert "by identity-based policy own, statement 0 (Mine), and resource-based policy" in told
    world.iam.put_user_permissions_boundary(
        UserName="alice", PermissionsBoundary="arn:aws:iam::aws:policy/IAMReadOnlyAccess",
    )
    code, told = world.explain(world.user, "kms:Decrypt")
    assert (code, world.decrypts()) == (1, False)
    assert "no permissions boundary allows" in told


def test_conditions_are_told_and_can_be_given(world):
    key = "kms:EncryptionContext:purpose"
    world.allow(Condition={"StringEquals": {key: "test"}})
    code, told = world.explain(world.user, "kms:Decrypt")
    assert code == 1 and "but its conditions don't hold" in told
    code, told = world.explain(world.user, "kms:Decrypt", "--context", f"{key}=test")
    assert code == 0 and "its conditions hold" in told
    _, users, _ = world.ask("who-can", world.key)
    assert f"{world.user}\n  kms:Decrypt, under conditions: by identity-based policy own" in users


def test_who_can_use_a_key(world):
    world.allow()
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": world.user}, "Action": "sts:AssumeRole"},
        ],
    }
    role = world.iam.create_role(
        RoleName="work", AssumeRolePolicyDocument=json.dumps(trust),
    )["Role"]["Arn"]
    grant = world.kms.create_grant(
        KeyId=world.key, GranteePrincipal=role, Operations=["Encrypt", "Decrypt"],
    )["GrantId"]
    code, users, _ = world.ask("who-can", world.key)
    assert code == 0
    assert f"arn:aws:iam::{ACCOUNT}:root\n  all uses: by " in users
    assert f"{world.user}\n  kms:Decrypt: by identity-based policy own" in users
    assert f"{role}\n  kms:Decrypt, kms:Encrypt: by grant {grant}" in users
    # The same by an alias, about one action, and when nobody serves.
    world.kms.create_alias(AliasName="alias/mine", TargetKeyId=world.key)
    world.server.stop()
    _, users, _ = world.ask(
        "who-can", "alias/mine", "--account", ACCOUNT, "--region", REGION,
        "--action", "kms:encrypt",
    )
    assert world.user not in users and f"{role}\n  kms:Encrypt: by grant {grant}" in users


def test_trust_and_iam_are_asked_too(world):
    _, told, _ = world.ask(
        "explain", "--principal", world.user, "--action", "iam:CreateUser", "--resource",
        f"arn:aws:iam::{ACCOUNT}:user/bob",
    )
    assert "no identity-based policy allows the iam:CreateUser action" in told
    code, told, _ = world.ask("explain", "--principal", ACCOUNT, "--action", "kms:ListKeys")
    assert code == 0 and "the root user of the account" in told


@pytest.mark.parametrize("words, said", [
    (("explain", "--principal", "arn:aws:iam::500000000005:user/nobody", "--action",
      "kms:Encrypt"), "there is no principal"),
    (("explain", "--principal", ACCOUNT, "--action", "kms:Fly"), "there is no action kms:Fly"),
    (("explain", "--principal", ACCOUNT, "--action", "kms:Encrypt", "--resource", "nothing"),
     "there is no key nothing"),
    (("explain", "--principal", ACCOUNT, "--action", "kms:Encrypt", "--context", "novalue"),
     "no KEY=VALUE"),
    (("who-can", "alias/nothing"), "there is no key alias/nothing"),
    (("who-can", "alias/nothing", "--region", "!"), "Region !"),
])
def test_what_cannot_be_answered_says_why(world, words, said):
    code, out, err = world.ask(*words)
    assert (code, out) == (2, "")
    assert err.startswith("strongroom: ") and said in err


def test_a_directory_without_data(tmp_path):
    done = subprocess.run(
        [str(strongroom.binary()), "policy", "who-can", "x", "--data-dir", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 2
    assert "state.sqlite3 cannot be opened" in done.stderr
    assert not list(tmp_path.iterdir())


def test_nobody_is_asked_of_a_server_by_it(world):
    """It reads, and the server goes on."""
    world.ask("who-can", world.key)
    world.kms.disable_key(KeyId=world.key)
    with refused("DisabledException"):
        world.kms.encrypt(KeyId=world.key, Plaintext=b"x")
